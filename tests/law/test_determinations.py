"""The determinations whose answers are known, and what is said of a file of them that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twokey.law.determinations import Checker, Determination, read_determinations
from twokey.law.source import law

FILE = Path(__file__).parent / "data" / "determinations.csv"
ROWS = list(read_determinations(FILE))
CHECKER = Checker(law())
HEAD = "id,regime,as_of,question,facts,expected\n"
GOOD = 'A-1,us-export,2026-01-28,classification,"{""item.kind"": ""ic"", ""item.tpp"": 5000, ""item.datacenter"": true}",3A090.a.1\n'


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_the_answer_that_is_known(row: Determination) -> None:
    assert CHECKER.check(row).given == row.expected or CHECKER.check(row).passed


def test_the_command_passes_them_all(twokey: Any) -> None:
    ran = twokey("law", "check", FILE)
    assert ran.status == 0, ran.out
    assert f"{len(ROWS)} determinations: {len(ROWS)} pass, 0 fail" in ran.out
    told = json.loads(twokey("law", "check", FILE, "--format", "json").out)
    assert [one["id"] for one in told["rows"]] == [row.id for row in ROWS]
    assert (told["passed"], told["failed"]) == (len(ROWS), 0)


def test_a_wrong_answer_fails_by_row(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEAD + GOOD + GOOD.replace("A-1", "A-2").replace("3A090.a.1", "3A090.b.1"))
    ran = twokey("law", "check", tmp_path / "mine.csv")
    assert ran.status == 1
    assert "FAIL  A-2" in ran.out
    assert "expected 3A090.b.1, got 3A090.a.1" in ran.out
    assert "2 determinations: 1 pass, 1 fail" in ran.out
    assert "A-1" not in twokey("law", "check", tmp_path / "mine.csv", "--failures").out


def test_an_overlay_is_checked_too(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEAD + GOOD)
    (tmp_path / "over.toml").write_text('title = "t"\n[parameters.us-export]\na1_tpp.is = 6000\n')
    assert twokey("law", "check", tmp_path / "mine.csv", "--overlay", tmp_path / "over.toml").status == 1


ERRORS = {
    "an unknown question": (GOOD.replace("classification", "clasification"), "did you mean classification"),
    "an unknown regime": (GOOD.replace("us-export", "us-exports"), "did you mean us-export"),
    "an unknown fact": (GOOD.replace("item.tpp", "item.tp"), "did you mean item.tpp"),
    "a negative number": (GOOD.replace("5000", "-3"), "negative"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_row_that_cannot_be_asked_fails_with_its_line_and_the_others_are_asked(
    name: str, twokey: Any, tmp_path: Path
) -> None:
    row, expected = ERRORS[name]
    (tmp_path / "mine.csv").write_text(HEAD + GOOD + row)
    ran = twokey("law", "check", tmp_path / "mine.csv")
    assert ran.status == 1
    assert "line 3" in ran.out
    assert expected in ran.out
    assert "1 pass, 1 fail" in ran.out


FILES = {
    "a missing column": ("id,regime,as_of,question,facts\nx,y,z,q,{}\n", [":1", "lacks the column expected"]),
    "two missing columns": ("id,regime,as_of,question\n", [":1", "columns facts, expected"]),
    "nothing": ("", [":1", "lacks the columns"]),
    "bad JSON": (HEAD + GOOD + GOOD.replace('"{""', '"{'), [":3", "facts", "not valid JSON"]),
    "JSON that is a list": (HEAD + "A,us-export,2026-01-28,classification,[],x\n", [":2", "facts", "JSON object"]),
    "endless JSON": (
        HEAD + f"A,us-export,2026-01-28,classification,{'[' * 100_000},x\n",
        [":2", "facts", "not valid JSON"],
    ),
    "a bad date": (HEAD + GOOD.replace("2026-01-28", "28.1.2026"), [":2", "as_of", "YYYY-MM-DD", "28.1.2026"]),
    "a short row": (HEAD + "A,us-export\n", [":2", "facts"]),
    "a quote without end": (HEAD + 'A,us-export,2026-01-28,q,"{', ["CSV"]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_with(name: str, twokey: Any, tmp_path: Path) -> None:
    text, expected = FILES[name]
    (tmp_path / "mine.csv").write_text(text)
    ran = twokey("law", "check", tmp_path / "mine.csv")
    assert ran.status == 3
    assert "mine.csv" in ran.err
    for part in expected:
        assert part in ran.err


def test_no_file_a_folder_and_bytes(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe")
    for path, expected in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "cannot be read"),
        (tmp_path / "bytes.csv", "cannot be read"),
    ):
        ran = twokey("law", "check", path)
        assert ran.status == 3
        assert expected in ran.err
