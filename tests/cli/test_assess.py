"""`twokey assess` on the orders of the examples: keys, what is missing, every form and language, exit status."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ORDERS = Path(__file__).parents[2] / "examples" / "orders"
SCHEMA = json.loads(resources.files("twokey.law").joinpath("assessment.schema.json").read_text(encoding="utf-8"))
FOUNDING = ORDERS / "h200-founding.toml"


def told(twokey: Any, order: str | Path, day: str, *more: object) -> dict[str, Any]:
    path = ORDERS / f"{order}.toml" if isinstance(order, str) else order
    ran = twokey("assess", path, "--as-of", day, "--format", "json", *more)
    answer: dict[str, Any] = json.loads(ran.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    assert ran.status == {"clear": 0, "blocked": 1, "needs_information": 2}[answer["status"]]
    return answer


CASES = [
    ("h200-founding", "2026-01-28", "clear", "case_by_case", "approved_with_conditions"),
    ("h200-founding", "2026-01-14", "blocked", "presumption_of_denial", "not_permitted"),
    ("h200-from-taiwan", "2026-01-28", "blocked", "presumption_of_denial", "approved_with_conditions"),
    ("h20", "2025-04-08", "clear", "no_licence", "no_restriction_known"),
    ("h100-server-singapore", "2026-01-28", "blocked", "presumption_of_denial", None),
    ("h200-founding", "2022-01-01", "clear", "no_licence", None),
]


@pytest.mark.parametrize(("order", "day", "status", "route", "permission"), CASES)
def test_an_example(order: str, day: str, status: str, route: str, permission: str | None, twokey: Any) -> None:  # noqa: PLR0913, PLR0917
    answer = told(twokey, order, day)
    answers = {one["question"]: one["answer"] for one in answer["answers"]}
    assert answers["export_route"] == route
    assert permission in (None, answers["import_permission"])
    assert answer["status"] == status


def test_the_letters_of_april_2025_hold_the_h20(twokey: Any) -> None:
    before, after = told(twokey, "h20", "2025-04-08"), told(twokey, "h20", "2025-04-09")
    assert before["keys"]["export"]["status"] == "clear"
    assert after["keys"]["export"]["status"] != "clear"
    changed = {
        one["id"]
        for one, other in zip(after["provisions"], before["provisions"], strict=True)
        if one["value"] != other["value"]
    }
    assert any("letter_2025" in one for one in changed)


def test_a_domestic_chip_needs_no_foreign_key(twokey: Any) -> None:
    answer = told(twokey, "domestic", "2026-01-28")
    answers = {one["question"]: one["answer"] for one in answer["answers"]}
    assert answers["import_permission"] == "no_restriction_known"
    assert answers["state_funded_data_centre"] == "permitted"
    assert answer["keys"]["import"]["status"] == "clear"


def test_note_2_decides_the_4090d(twokey: Any) -> None:
    answer = told(twokey, "rtx-4090d", "2024-01-01")
    values = {one["id"]: one["value"] for one in answer["provisions"]}
    assert values["us-export:consumer_note"] is True
    assert values["us-export:in_a"] is values["us-export:in_b"] is False


@pytest.mark.parametrize(("density", "answer"), [(2.0, "not_3A090"), (2.01, "3A090.c"), (None, None)])
def test_memory_by_itself(density: float | None, answer: str | None, twokey: Any, tmp_path: Path) -> None:
    text = 'item.kind = "hbm"\n' + (f"item.memory_bandwidth_density = {density}\n" if density else "")
    (tmp_path / "hbm.toml").write_text(text)
    found = told(twokey, tmp_path / "hbm.toml", "2026-01-28")
    assert next(one["answer"] for one in found["answers"] if one["question"] == "classification") == answer


def test_before_the_first_instrument_the_answer_says_so(twokey: Any) -> None:
    assert any("2022-08-26" in note for note in told(twokey, "h20", "2022-01-01")["notes"])
    assert "2022-08-26" in twokey("assess", ORDERS / "h20.toml", "--as-of", "2022-01-01").out
    assert told(twokey, "h20", "2022-08-26")["notes"] == []


def test_what_is_missing_is_named_with_what_it_settles(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text(re.sub(r"(?m)^(window|use_documents) .*$", "", FOUNDING.read_text()))
    answer = told(twokey, tmp_path / "o.toml", "2026-01-28")
    missing = {one["fact"]: one["settles"] for one in answer["missing"]}
    assert "us-export:export_route" in missing["aggregate.window"]
    assert "cn-import:import_permission" in missing["application.use_documents"]
    assert answer["status"] == "needs_information"
    assert set(answer["keys"]["export"]["possible"]) == {"case_by_case", "presumption_of_denial"}
    text = twokey("assess", tmp_path / "o.toml", "--as-of", "2026-01-28").out
    assert "aggregate.window" in text
    assert "application.use_documents" in text


def test_conditions_bind_once_the_key_is_turned(twokey: Any) -> None:
    answer = told(twokey, FOUNDING, "2026-01-28")
    assert "us-export:certified_kyc" in {one["id"] for one in answer["keys"]["export"]["conditions"]}


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("order", sorted(path.stem for path in ORDERS.glob("*.toml")))
def test_chinese_answers_hold_no_english_sentence(order: str, form: str, twokey: Any) -> None:
    ran = twokey("assess", ORDERS / f"{order}.toml", "--as-of", "2026-01-28", "--lang", "zh", "--format", form)
    sentences = re.findall(r"(?:\b[A-Za-z]{2,}\b[ ,]+){4,}", _without_names(ran.out))
    assert sentences == []
    assert re.search("[一-鿿]", ran.out)


def _without_names(text: str) -> str:
    return re.sub(r"`[^`]*`|\b[a-z_]+\.[a-z_0-9]+\b|\b[a-z]+(_[a-z0-9]+)+\b", "", text)


def test_an_amendment_and_an_overlay_change_the_answer(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "Ours"\n[parameters.us-export]\nreview_tpp.is = 15000\n')
    plain = told(twokey, FOUNDING, "2027-02-01")
    under = told(twokey, FOUNDING, "2027-02-01", "--under", "safe-chips")
    over = told(twokey, FOUNDING, "2027-02-01", "--overlay", tmp_path / "mine.toml")
    assert plain["keys"]["export"]["status"] == "clear"
    assert under["keys"]["export"]["answer"] == over["keys"]["export"]["answer"] == "presumption_of_denial"
    assert len({one["law_digest"] for one in (plain, under, over)}) == 3
    assert over["overlays"] == ["Ours"]


def test_json_and_markdown_to_a_file(twokey: Any, tmp_path: Path) -> None:
    for form, start in (("json", "{"), ("markdown", "# ")):
        ran = twokey("assess", FOUNDING, "--as-of", "2026-01-28", "--format", form, "--out", tmp_path / form)
        assert (ran.status, ran.out) == (0, "")
        assert (tmp_path / form).read_text(encoding="utf-8").startswith(start)


def test_the_same_order_in_json(twokey: Any, tmp_path: Path) -> None:
    import tomllib

    (tmp_path / "order.json").write_text(json.dumps(tomllib.loads(FOUNDING.read_text())))
    assert told(twokey, tmp_path / "order.json", "2026-01-28") == told(twokey, FOUNDING, "2026-01-28")


def test_every_question_is_explained_on_demand(twokey: Any) -> None:
    short = twokey("assess", FOUNDING, "--as-of", "2026-01-28").out
    whole = twokey("assess", FOUNDING, "--as-of", "2026-01-28", "--all").out
    assert len(whole) > len(short)
    assert whole.startswith(short[:200])
