"""The form of a user's files: what passes, and what is said of each thing that does not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from twokey.chips.errors import UserError
from twokey.chips.form import DAY, FLAG, VALUE, WORDS, Rows, Table, place, read_form, texts
from twokey.chips.toml_lines import line_index, line_of

FORM = Table(
    needs=texts("title"),
    may={"from": DAY, "on": FLAG, "words": WORDS, "line": Rows(Table(needs={"is": VALUE}, may=texts("note")))},
)


def test_a_file_of_the_form_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('title = "t"\nfrom = 2026-01-28\non = true\nwords = ["a"]\n[[line]]\nis = 4\n')
    table, lines = read_form(tmp_path / "a.toml", FORM)
    assert table == {"title": "t", "from": date(2026, 1, 28), "on": True, "words": ["a"], "line": [{"is": 4}]}
    assert (lines["from"], lines["line[0].is"]) == (2, 6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("on = true", "a.toml: needs title (text)"),
        ("title = 4", "a.toml:1: title: must be text (got 4)"),
        ('title = "t"\nform = 2026-01-28', "a.toml:2: form: unknown key 'form'; did you mean from?"),
        ('title = "t"\nfrom = 2026-01-28T10:00:00', "a.toml:2: from: must be a date"),
        ('title = "t"\non = 1', "a.toml:2: on: must be true or false (got 1)"),
        ('title = "t"\nwords = ["a", 1]', "a.toml:2: words: must be a list of words"),
        ('title = "t"\nline = 4', "a.toml:2: line: must be a list of tables (got 4)"),
        ('title = "t"\nline = [4]', "a.toml:2: line[0]: must be a table (got 4)"),
        ('title = "t"\n[[line]]\nnote = "n"', "a.toml:2: line[0]: needs is (a number, a word"),
        ('title = "t"\n[[line]]\nis = [[1]]', "a.toml:3: line[0].is: must be a number, a word"),
        ('title = "t"\n[[line]]\nis = 1\n[[line]]\nis = 2\nnote = 3', "a.toml:6: line[1].note: must be text (got 3)"),
        ('title = "t"\nline = [{ is = 1 }, { }]', "a.toml:2: line[1]: needs is"),
        ("title", "a.toml: not valid TOML"),
        (f"title = {'[' * 3000}", "a.toml: not valid TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_form(tmp_path / "a.toml", FORM)
    assert str(caught.value).startswith(f"{tmp_path}/{told}")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_form(tmp_path / "b.toml", FORM)
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="cannot be read as text"):
        read_form(tmp_path / "c.toml", FORM)
    with pytest.raises(UserError, match="cannot be read as text"):
        read_form(tmp_path, FORM)


def test_a_key_without_a_line_of_its_own_has_that_of_what_it_stands_in() -> None:
    lines = line_index("[one]\nunit = 1\nunit-of = 2\n[[two]]\nunit = 3\n[[two]]\nunit = { is = 4 }")
    assert line_of(lines, "two[1]", "unit", "is") == 7
    assert line_of(lines, "two[1]", "note") == 6
    assert line_of(lines, "two") == 4
    assert line_of(lines, "one", "unit-of") == 3
    assert line_of(lines, "three") is None
    assert place(Path("x.toml"), lines, "three") == "x.toml"
