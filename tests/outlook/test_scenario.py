"""Scenario files: the ready ones read, and every mistake names file and line and says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twokey.chips import UserError
from twokey.outlook.run import run
from twokey.outlook.scenario import load, ready

HEAD = '[scenario]\nas_of = 2026-01-28\nchip = "H200 SXM"\n'  # three lines
BAN = '[[event]]\ndate = 2026-02-01\nkey = "export"\nact = "ban"\n'  # four lines

CASES = [
    ("contradicting events on one day", BAN + BAN.replace("ban", "unrestricted"), 8, "contradicts .* line 4"),
    (
        "an event inside a hold",
        BAN + "hold = true\n" + BAN.replace("ban", "licence").replace("02-01", "05-01"),
        9,
        "closed from 2026-02-01 to the horizon",
    ),
    (
        "an event before until",
        BAN + "until = 2026-06-01\n" + BAN.replace("ban", "licence").replace("02-01", "05-01"),
        9,
        "end the first with `until`",
    ),
    (
        "two caps on one day",
        BAN.replace("ban", "total_cap") + "units = 1\n" + BAN.replace("ban", "total_cap") + "units = 2\n",
        9,
        "different numbers",
    ),
    ("dates out of order", BAN + BAN.replace("02-01", "01-30").replace("ban", "licence"), 8, "out of order"),
    ("until before date", BAN + "until = 2026-01-01\n", 8, "is not after date"),
    ("a date in quotes", BAN.replace("2026-02-01", '"2026-02-01"'), 5, "without quotes"),
    ("an unknown act", BAN.replace('"ban"', '"bann"'), 7, "unknown act 'bann'; did you mean ban"),
    (
        "an act of the other key",
        BAN.replace("export", "import").replace("ban", "licence"),
        6,
        "it is an act of the export key",
    ),
    ("an act without its number", BAN.replace("ban", "ratio_cap"), 4, "needs ratio"),
    (
        "a share above one",
        BAN.replace("export", "import").replace("ban", "domestic_share") + "share = 80\n",
        8,
        "from 0 to 1",
    ),
    ("a field of another act", BAN + "units = 5\n", 8, "has no such field"),
    ("an unknown source", BAN + 'source = "EV999"\n', 8, "unknown source 'EV999'"),
    ("an unknown series", BAN + 'source = "h200_stock_nvida@2026-01"\n', 8, "did you mean h200_stock_nvidia"),
    (
        "a cap of a thing nobody sells",
        BAN.replace("ban", "total_cap") + 'units = 5\nchip = "B200"\n',
        9,
        "nobody sells",
    ),
    ("an unknown input", "[inputs]\nmandat = 0.5\n", 5, "did you mean mandate"),
    (
        "an interval the wrong way round",
        "[inputs]\nmandate = { low = 0.6, high = 0.4, interval = 80 }\n",
        5,
        "not an interval",
    ),
    (
        "an interval without its share",
        "[inputs]\nmandate = { low = 0.4, high = 0.6 }\n",
        5,
        "interval = 80 or interval = 90",
    ),
    (
        "an interval of 95 %",
        "[inputs]\nmandate = { low = 0.4, high = 0.6, interval = 95 }\n",
        5,
        "interval = 80 or interval = 90",
    ),
    ("an interval with one end", "[inputs]\nmandate = { low = 0.4, interval = 80 }\n", 5, "needs low and high"),
    ("a mandate in percent", "[inputs]\nmandate = 80\n", 5, "a share lies from 0 to 1"),
    ("a time of no length", "[inputs]\ncustoms_weeks = 0\n", 5, "must be above 0"),
    ("a text for a number", '[inputs]\nmandate = "half"\n', 5, "must be a number, or"),
    ("a share of one and a half", "[inputs]\nmandate = { low = 0.4, high = 1.5, interval = 80 }\n", 5, "below 1"),
    (
        "a negative stock",
        "[inputs]\nvendor_stock = { low = -5, high = 1, interval = 80 }\n",
        5,
        "must be a number from 0",
    ),
    (
        "a correlation with one input",
        '[[correlation]]\nbetween = ["mandate"]\nvalue = 0.5\n',
        5,
        "must name two inputs",
    ),
    ("a correlation of two", '[[correlation]]\nbetween = ["mandate", "learning"]\nvalue = 2.0\n', 6, "-0.99 to 0.99"),
    (
        "a correlation said twice",
        '[[correlation]]\nbetween = ["mandate", "learning"]\nvalue = 0.5\n'
        '[[correlation]]\nbetween = ["learning", "mandate"]\nvalue = -0.5\n',
        8,
        "correlated twice",
    ),
    (
        "a correlation with what does not vary",
        '[inputs]\nmandate = 0.5\n[[correlation]]\nbetween = ["mandate", "learning"]\nvalue = 0.5\n',
        7,
        "nothing can vary with it",
    ),
    (
        "a correlation as a table",
        '[correlation]\nbetween = ["mandate", "learning"]\n',
        4,
        r"its own \[\[correlation\]\]",
    ),
    ("an event as a table", BAN.replace("[[event]]", "[event]"), 4, r"its own \[\[event\]\]"),
    ("an event without a key", BAN.replace('key = "export"\n', ""), 4, "event has no key"),
    ("hold beside until", BAN + "until = 2026-06-01\nhold = true\n", 9, "not beside until"),
    ("until in quotes", BAN + 'until = "2026-06-01"\n', 8, "without quotes"),
    (
        "a field that no input has",
        "[inputs]\nmandate = { lo = 0.4, high = 0.6, interval = 80 }\n",
        5,
        "unknown field 'lo'",
    ),
    (
        "an unknown shape",
        '[inputs]\nmandate = { low = 0.4, high = 0.6, interval = 80, shape = "beta" }\n',
        5,
        "unknown shape 'beta'; known: lognormal, share, normal",
    ),
    (
        "a lognormal from nothing",
        "[inputs]\nvendor_stock = { low = 0, high = 9, interval = 80 }\n",
        5,
        "low must be above 0 for a lognormal",
    ),
    (
        "an unknown input in a correlation",
        '[[correlation]]\nbetween = ["mandat", "learning"]\nvalue = 0.5\n',
        5,
        "unknown input 'mandat'; did you mean mandate",
    ),
    ("an unknown chip of an event", BAN + 'chip = "H2000"\n', 8, "unknown chip 'H2000'"),
    ("inputs as a list", "[[inputs]]\nmandate = 0.5\n", 4, "must be a table of inputs"),
    ("a key that is none", BAN.replace("export", "exports"), 6, "it is export or import"),
    ("a vendor that is no table", "[[vendor]]\nprice = 1\n", 4, r"must be a table, as in \[vendor\]"),
    ("a window of no length", "[vendor]\nwindow_quarters = 0\n", 5, "whole number from 1"),
    ("half a week", "[buyer]\nby_week = 26.5\n", 5, "whole number from 1"),
    ("a buyer's mandate in percent", "[buyer]\nmandate = 80\n", 5, "a number from 0 to 1"),
    ("an unknown section", "[input]\nmandate = 0.5\n", 4, "did you mean inputs"),
    ("a cost below nothing", "[vendor]\nprice = -1\n", 5, "must be a number from 0"),
    ("an unknown vendor field", "[vendor]\nprices = 1\n", 5, "did you mean price"),
    ("an act that is a list", BAN.replace('"ban"', '["ban"]'), 7, "unknown act"),
    ("a source that is a number", BAN + "source = 4\n", 8, r"in quotes \(got 4\)"),
    ("a source of an input that is a table", "[inputs]\nmandate = { value = 0.5, source = {} }\n", 5, "in quotes"),
]


@pytest.mark.parametrize(("_what", "body", "line", "says"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, _what: str, body: str, line: int, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + body)
    with pytest.raises(UserError, match=says) as told:
        load(file)
    assert f"mine.toml line {line}:" in str(told.value)


HEADS = [
    ('as_of = 2026-01-28\nchip = "H2000"\n', 3, "did you mean H20"),
    ('as_of = "January"\n', 2, "must be a date"),
    ("as_of = 2026-01-28\nquarters = 0\n", 3, "whole number from 1 to 80"),
    ("as_of = 2026-01-28\npaths = 10.5\n", 3, "whole number"),
    ('as_of = 2026-01-28\nbasis = "h100e"\n', 3, "unknown basis"),
    ('as_of = 2026-01-28\nstep = "day"\n', 3, "one of week, month"),
    ("as_of = 1999-01-28\n", 2, "the record of the export key begins on 20"),
    ("as_of = 2026-01-28\ntitle = 5\n", 3, "must be a text in quotes"),
    ('as_of = 2026-01-28\ninclude_smuggled = "no"\n', 3, "must be true or false"),
    ("as_of = 2026-01-28\ncolour = 1\n", 3, "unknown field"),
    ('extends = "founding"\n', 2, "no ready scenario"),
]


@pytest.mark.parametrize(
    ("body", "says"),
    [('event = ["ban"]', r"its own \[\[event\]\] table"), ("correlation = [0.5]", "must name two inputs")],
)
def test_rows_that_are_no_tables_are_named(tmp_path: Path, body: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"{body}\n{HEAD}")
    with pytest.raises(UserError, match=rf"mine.toml line 1: .*{says}"):
        load(file)


@pytest.mark.parametrize(("body", "line", "says"), HEADS)
def test_a_mistake_in_the_head_is_named(tmp_path: Path, body: str, line: int, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[scenario]\n" + body)
    with pytest.raises(UserError, match=says) as told:
        load(file)
    assert f"line {line}:" in str(told.value)


def test_a_file_without_its_head_is_told_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[inputs]\nmandate = 0.5\n")
    with pytest.raises(UserError, match=r"line 1: no \[scenario\] section; it needs name, as_of and chip"):
        load(file)


def test_impossible_correlations_are_refused(tmp_path: Path) -> None:
    names = ["mandate", "learning", "substitution"]
    pairs = [(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)]
    body = "".join(f'[[correlation]]\nbetween = ["{names[a]}", "{names[b]}"]\nvalue = {v}\n' for a, b, v in pairs)
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + body)
    with pytest.raises(UserError, match="no distribution has these correlations"):
        load(file)


def test_broken_toml_and_missing_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[scenario\n")
    with pytest.raises(UserError, match=r"mine.toml: not valid TOML: .*line 1"):
        load(file)
    with pytest.raises(UserError, match="no such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(UserError, match="did you mean founding-case"):
        load("founding-case-2026")


def test_the_promised_scenarios_are_ready() -> None:
    names = set(ready())
    assert {"founding-case-2026-01-28", "world-2026-10-09", "no-exports", "unrestricted", "only-weaker-chips"} <= names
    assert "domestic-share-decree" in names
    bills = {"gain-ai", "safe-chips", "ai-overwatch", "remote-access", "chip-security", "scale", "match", "ndaa-fy27"}
    assert {f"bill-{bill}" for bill in bills} <= names


@pytest.mark.parametrize("name", sorted(ready()))
def test_a_ready_scenario_reads_and_speaks_both_languages(name: str) -> None:
    scenario = load(name)
    assert scenario.title != scenario.title_zh
    assert any("一" <= c <= "鿿" for c in scenario.title_zh + scenario.about_zh)
    assert scenario.about


def test_a_scenario_that_extends_another_keeps_what_it_does_not_change() -> None:
    base, bill = load("world-2026-10-09"), load("bill-match")
    assert bill.inputs["us_stock"] == base.inputs["us_stock"]
    assert len(bill.events) == len(base.events) + 1
    assert bill.seed == base.seed


def test_the_example_reads_and_the_ban_bites() -> None:
    example = load(Path(__file__).parents[2] / "examples" / "outlook" / "harder-ban.toml")
    small = replace(example, paths=200, quarters=4, steps_a_quarter=3)
    assert run(small).at("us_open", 2) == 0.0
    assert run(replace(load("world-2026-10-09"), paths=200, quarters=4, steps_a_quarter=3)).at("us_open", 2) > 0.5
