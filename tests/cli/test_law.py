"""`twokey law …` and the list of `twokey impact`: what each prints, as text and as JSON, and when there is nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from twokey.cli import main
from twokey.cli.law_words import WORDS
from twokey.law.source import law

EXAMPLES = Path(__file__).parents[2] / "examples"
HOUSE = [
    EXAMPLES / "orders" / "h200-founding.toml",
    "--as-of",
    "2026-01-28",
    "--overlay",
    EXAMPLES / "overlays" / "house",
]


def parsed(ran: Any) -> Any:
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def test_timeline_has_every_instrument_by_day(twokey: Any) -> None:
    rows = parsed(twokey("law", "timeline", "--format", "json"))
    assert {row["id"] for row in rows} == {key for pack in law().packs.values() for key in pack.instruments}
    assert [row["effective"] for row in rows] == sorted(row["effective"] for row in rows)
    text = twokey("law", "timeline", "--regime", "us-export", "--from", "2026-01-01", "--to", "2026-01-31").out
    assert "2026-01-15" in text
    assert "2025" not in {line[:4] for line in text.splitlines()}


def test_timeline_of_days_without_any(twokey: Any) -> None:
    assert "no instrument on these days" in twokey("law", "timeline", "--to", "1990-01-01").out
    assert parsed(twokey("law", "timeline", "--to", "1990-01-01", "--format", "json")) == []


def test_timeline_in_chinese(twokey: Any) -> None:
    titles = [one.title_zh for one in law().packs["us-tariff"].instruments.values()]
    text = "".join(twokey("law", "timeline", "--lang", "zh", "--regime", "us-tariff").out.split())
    assert all("".join(title.split())[:4] in text for title in titles)


@pytest.mark.parametrize("name", ["high_performance", "us-export:high_performance", "3A090.a.1", "3a090.A.1"])
def test_show_finds_a_provision_by_any_of_its_names(name: str, twokey: Any) -> None:
    text = twokey("law", "show", name, "--as-of", "2026-01-28").out
    for part in ("3A090.a.1", "in force on 2026-01-28", "law.a1_tpp", "4,800 TPP", "2023-11-17", "used by"):
        assert part in text
    (one,) = parsed(twokey("law", "show", name, "--as-of", "2026-01-28", "--format", "json"))
    assert one


def test_show_before_its_day_and_with_a_wrong_name(twokey: Any) -> None:
    assert "not in force on 2023-01-01" in twokey("law", "show", "3A090.a.1", "--as-of", "2023-01-01").out
    ran = twokey("law", "show", "3A090.a.9")
    assert ran.status == 3
    assert "did you mean" in ran.err


def test_diff_says_what_began_ended_and_changed(twokey: Any) -> None:
    rows = parsed(twokey("law", "diff", "2023-11-16", "2023-11-17", "--format", "json"))
    by_name = {row["name"]: row for row in rows}
    assert by_name["high_performance"]["after"] == "in force"
    assert by_name["meets_original"]["after"] == "not in force"
    moved = parsed(twokey("law", "diff", "2026-07-09", "2026-07-10", "--format", "json"))
    assert any("AE" in row["before"] + row["after"] for row in moved)
    text = twokey("law", "diff", "2023-11-16", "2023-11-17").out
    assert "2023-11-16 → 2023-11-17" in text
    assert "3A090.a.1" in text


def test_diff_of_a_day_with_itself_and_of_one_regime(twokey: Any) -> None:
    assert "nothing changed between" in twokey("law", "diff", "2026-01-01", "2026-01-02").out
    rows = parsed(twokey("law", "diff", "2022-01-01", "2027-01-01", "--regime", "cn-use", "--format", "json"))
    assert {row["regime"] for row in rows} == {"cn-use"}
    assert twokey("law", "diff", "2026-01-01", "tomorrow").status == 3
    assert "no such regime" in twokey("law", "diff", "2026-01-01", "2026-01-02", "--regime", "us").err


def test_coverage_counts_and_names_what_is_open(twokey: Any) -> None:
    rows = parsed(twokey("law", "coverage", "--format", "json"))
    text = twokey("law", "coverage").out
    encoded = sum(bool(row["provisions"]) for row in rows)
    assert f"{len(rows)} rows: {encoded} encoded, {len(rows) - encoded} not" in text
    only_open = parsed(twokey("law", "coverage", "--open", "--format", "json"))
    assert [row for row in rows if not row["provisions"]] == only_open
    assert all(row["reason"] for row in only_open)


def test_the_schema_is_one(twokey: Any) -> None:
    schema = parsed(twokey("law", "schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    open_objects = [
        one for one in _objects(schema) if "properties" in one and one.get("additionalProperties") is not False
    ]
    assert open_objects == []


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(one for inner in node.values() for one in _objects(inner))]
    return [one for inner in node for one in _objects(inner)] if isinstance(node, list) else []


def test_prove_prints_every_proof(twokey: Any) -> None:
    rows = parsed(twokey("law", "prove", "--as-of", "2026-01-28", "--format", "json"))
    assert all(row["holds"] for row in rows)
    assert {"one answer", "a listed party is never clear", "every answer is reachable", "three ways agree"} <= {
        row["name"] for row in rows
    }


def test_impact_lists_the_ready_amendments(twokey: Any) -> None:
    table = parsed(twokey("impact", "--list", "--format", "json"))
    assert set(table) == {"safe-chips", "ai-overwatch", "scale", "domestic-share-decree"}
    text = twokey("impact", "--list").out
    assert all(name in text for name in table)
    ran = twokey("impact")
    assert (ran.status, "impact --list" in ran.err) == (3, True)


def test_impact_of_a_folder_and_of_nothing(twokey: Any, tmp_path: Any) -> None:
    assert "a pack needs the file" in twokey("impact", tmp_path).err
    (tmp_path / "empty.toml").write_text('title = "nothing"\nfrom = 2027-01-01\n')
    ran = twokey("impact", tmp_path / "empty.toml")
    assert ran.status == 0
    assert "none: no order" in ran.out


def test_the_shell_completes_provisions_and_amendments(twokey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.shell_completion import ShellComplete

    from twokey.cli.main import twokey as root

    complete = ShellComplete(root, {}, "twokey", "_TWOKEY_COMPLETE")
    assert [one.value for one in complete.get_completions(["law", "show"], "high_p")] == ["high_performance"]
    assert [one.value for one in complete.get_completions(["impact"], "sc")] == ["scale"]
    assert [one.value for one in complete.get_completions(["assess", "o.toml", "--under"], "safe")] == ["safe-chips"]


def every_command(group: click.Command, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(group, click.Group):
        with click.Context(group) as context:
            for name in group.list_commands(context):
                command = group.get_command(context, name)
                assert command is not None
                yield from every_command(command, *words, name)


def test_help_of_every_command(twokey: Any) -> None:
    commands = list(every_command(main.twokey))
    assert {("assess",), ("case", "countersign"), ("law", "prove"), ("order", "book")} <= set(commands)
    for words in commands:
        ran = twokey(*words, "--help")
        assert ran.status == 0, words
        assert "Usage:" in ran.out, words
        assert "\\b" not in ran.out, words  # click's mark, shown as it stands


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["law", "timeline", "--from", "2026-07-01"], ["生效日", "规章", "一手"]),
        (["law", "timeline", "--from", "2030-01-01"], ["所选日期内没有文件"]),
        (["law", "show", "3A090.a.2"], ["有效", "自 2023-11-17 起", "被引用于", "可信度"]),
        (["law", "diff", "2026-07-01", "2026-08-01"], ["变动项", "新增 AE", "3 处变动"]),
        (["law", "diff", "2026-07-01", "2026-07-02"], ["之间没有变动"]),
        (["law", "facts", "tpp"], ["事实", "类型"]),
        (["law", "facts", "nothing-of-the-kind"], ["没有事实提及"]),
        (["law", "questions"], ["数值"]),
        (["assess", *HOUSE], ["某虚构分销商的订单政策", "不高于 10,000 件"]),
        (["impact", "--list"], ["自 2027-01-01 起"]),
        (["impact", "safe-chips", "--boxes", "1"], ["比较日", "可能受影响的全部订单", "推定拒绝", "另有其他情形"]),
    ],
)
def test_in_chinese(command: list[Any], words: list[str], twokey: Any) -> None:
    told = twokey(*command, "--lang", "zh")
    assert told.status == 0
    for word in words:
        assert word in told.out.replace("\n", "")


def test_both_languages_are_given_the_same_values() -> None:
    for english, chinese in WORDS.values():
        assert sorted(re.findall(r"{\d", english)) == sorted(re.findall(r"{\d", chinese)), english
