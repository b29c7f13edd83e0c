"""A person's mistake: one clear error that names the file or field and the remedy, exit status 3, never a traceback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.chips.errors import UserError
from twokey.law import assess
from twokey.law.change import amended
from twokey.law.source import law

ORDERS = {
    "an unknown chip": ('item.chip = "H2000"', ["order.toml", "item.chip", "H200"]),
    "an unknown fact": ("item.tp = 5", ["order.toml", "item.tp", "did you mean item.tpp"]),
    "text for a number": ('item.tpp = "many"', ["item.tpp", "must be a number in TPP"]),
    "a boolean for a number": ("item.tpp = true", ["item.tpp", "must be a number in TPP"]),
    "a number for a boolean": ("item.datacenter = 1", ["item.datacenter", "true or false"]),
    "text for a boolean": ('consignee.entity_list = "no"', ["consignee.entity_list", "true or false"]),
    "a list for a number": ("item.tpp = [1]", ["item.tpp", "must be a number"]),
    "a table for a number": ("item.tpp.value = 1", ["item.tpp.value", "no such fact"]),
    "a negative number": ("item.tpp = -4", ["item.tpp", "negative", "leave it out"]),
    "an absurd number": ("item.tpp = 1e12", ["item.tpp", "beyond what is possible"]),
    "an infinite number": ("item.tpp = inf", ["item.tpp", "beyond what is possible"]),
    "an infinite count": ("item.quantity = inf", ["item.quantity", "beyond what is possible"]),
    "an endless number": (f"item.tpp = {10**400}", ["item.tpp", "beyond what is possible"]),
    "half a unit": ("item.quantity = 1.5", ["item.quantity", "whole number of units"]),
    "percent for a share": ("consignee.listed_owner_share = 50", ["consignee.listed_owner_share", "beyond"]),
    "a country in words": ('movement.destination = "China"', ["movement.destination", "two letters"]),
    "a country in Chinese": ('movement.destination = "中国"', ["movement.destination", "two letters"]),
    "a country as a number": ("movement.destination = 86", ["movement.destination", "two letters"]),
    "a word outside the list": ('item.kind = "chip"', ["item.kind", "ic, hbm, computer"]),
    "a number for a word": ("exporter.kind = 4", ["exporter.kind", "must be one of"]),
    "a number for a name": ("exporter.name = 4", ["exporter.name", "must be text"]),
    "a bad date": ('item.us_commercial_since = "May 2024"', ["item.us_commercial_since", "YYYY-MM-DD"]),
    "a time for a date": ("item.us_commercial_since = 12:00:00", ["item.us_commercial_since", "YYYY-MM-DD"]),
    "a number for a list": ("item.contains = 4", ["item.contains", "list of tables"]),
    "a list of numbers": ("item.contains = [4]", ["item.contains", "list of tables"]),
    "an empty list": ("item.contains = []", ["item.contains", "is empty"]),
    "an unknown fact in a list": ("item.contains = [{tp = 4}]", ["item.contains[1]", "item.tp", "item.tpp"]),
    "an unknown chip in a list": (
        'item.contains = [{chip = "H100"}, {chip = "B9000"}]',
        ["item.contains[2]", "item.chip"],
    ),
    "a die without an area": ("item.tpp = 1\nitem.dies = [{area = 4}]", ["item.dies", "area"]),
    "a rate that is text": ('item.dense_rates = [{bits = "x", tops = 1}]', ["item.dense_rates"]),
    "malformed TOML": ("item.chip = H200", ["order.toml", "not valid TOML", "line 1"]),
    "TOML that states a fact twice": ("item.tpp = 1\nitem.tpp = 2", ["order.toml", "not valid TOML"]),
    "a fact stated in two forms": ('item.tpp = 1\n"item.tpp" = 2', ["order.toml", "item.tpp", "twice"]),
    "TOML without end": ("a = " + "[" * 5000, ["order.toml", "not valid TOML"]),
    "tables without end": (".".join(["a"] * 3000) + " = 1", ["order.toml"]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_with(name: str, twokey: Any, tmp_path: Path) -> None:
    text, expected = ORDERS[name]
    order = tmp_path / "order.toml"
    order.write_text(text, encoding="utf-8")
    refused(twokey("assess", order, "--as-of", "2026-01-28"), expected)


JSON = {
    "malformed": ('{"item.tpp": }', ["order.json", "not valid JSON", "line 1"]),
    "a list": ("[1]", ["order.json", "table of facts"]),
    "a number": ("4", ["order.json", "table of facts"]),
    "null": ("null", ["order.json", "table of facts"]),
    "endless nesting": ("[" * 200_000, ["order.json", "not valid JSON"]),
    "nesting in a fact": ('{"a":' * 3000 + "1" + "}" * 3000, ["order.json"]),
    "an endless number": ('{"item.tpp": 1' + "0" * 5000 + "}", ["order.json"]),
}


@pytest.mark.parametrize("name", JSON)
def test_a_json_order_that_is(name: str, twokey: Any, tmp_path: Path) -> None:
    text, expected = JSON[name]
    order = tmp_path / "order.json"
    order.write_text(text, encoding="utf-8")
    refused(twokey("assess", order), expected)


def test_a_missing_file_a_folder_and_bytes_that_are_no_text(twokey: Any, tmp_path: Path) -> None:
    refused(twokey("assess", tmp_path / "none.toml"), ["none.toml", "no such file"])
    refused(twokey("assess", tmp_path), [str(tmp_path), "cannot be read"])
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    refused(twokey("assess", tmp_path / "bytes.toml"), ["bytes.toml", "cannot be read as text"])


ARGUMENTS = {
    "nothing": ((), ["name an order"]),
    "a bad day": (("order.toml", "--as-of", "28.1.2026"), ["--as-of", "YYYY-MM-DD"]),
    "a day that is not": (("order.toml", "--as-of", "2026-02-30"), ["--as-of", "YYYY-MM-DD"]),
    "an unknown amendment": (("order.toml", "--under", "safe-chip"), ["safe-chip", "did you mean safe-chips"]),
    "a missing overlay": (("order.toml", "--overlay", "none.toml"), ["none.toml", "no such file"]),
    "a folder that is no pack": (("order.toml", "--overlay", "."), ["a pack needs the file pack.toml"]),
    "an unknown language": (("order.toml", "--lang", "fr"), ["--lang"]),
    "an unknown form": (("order.toml", "--format", "xml"), ["--format"]),
    "a book without a result": (("--book", "b.csv"), ["--out"]),
    "a book beside an order": (("order.toml", "--book", "b.csv", "--out", "r.csv"), ["no ORDER"]),
    "a missing book": (("--book", "b.csv", "--out", "r.csv"), ["b.csv", "no such file"]),
    "a result of another form": (("--book", "b.csv", "--out", "r.xlsx"), ["r.xlsx", ".parquet, .arrow or .csv"]),
    "a result in no folder": (("--book", "b.csv", "--out", "none/r.csv"), ["none", "no folder"]),
    "a text result to a file": (("order.toml", "--out", "r.txt"), ["--out", "--format"]),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_name(name: str, twokey: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.toml").write_text('item.chip = "H20"\n', encoding="utf-8")
    arguments, expected = ARGUMENTS[name]
    refused(twokey("assess", *arguments), expected)


P, R, Q = "[parameters.us-export]", "[provisions.us-export.mine]", "[questions.us-export.export_route]"
NEW = 'paragraph = "p"\nen = "e"\nzh = "z"\n'
AMENDMENTS = {
    "no title": ("from = 2027-01-01", ["mine.toml: needs title (text)"]),
    "a title of another type": ("title = 4", ["mine.toml:1", "title: must be text (got 4)"]),
    "an unknown key": ('title = "t"\nfron = 2027-01-01', ["mine.toml:2", "fron", "did you mean from"]),
    "a day in words": ('title = "t"\nfrom = "soon"', ["mine.toml:2", "from", "must be a date"]),
    "a moment for a day": ('title = "t"\nfrom = 2027-01-01T10:00:00', ["mine.toml:2", "from", "must be a date"]),
    "a number for words": ('title = "t"\nnote = 4', ["mine.toml:2", "note", "must be text"]),
    "an unknown pack": (
        'title = "t"\n[parameters.us-exports]\na1_tpp.is = 4',
        ["mine.toml:2", "us-exports", "us-export"],
    ),
    "parameters that are no tables": ('title = "t"\nparameters = 4', ["mine.toml:2", "parameters"]),
    "a pack that is no table": ('title = "t"\nparameters.us-export = 4', ["mine.toml:2", "us-export"]),
    "an unknown parameter": (f'title = "t"\n{P}\na1_tp.is = 4', ["mine.toml:3", "a1_tp", "did you mean", "a1_tpp"]),
    "a parameter without a value": (
        f'title = "t"\n{P}\na1_tpp.at = "x"',
        ["mine.toml:3", "needs is (a number, a word"],
    ),
    "a parameter of another type": (f'title = "t"\n{P}\na1_tpp.is = "x"', ["mine.toml:3", "same type", "4800"]),
    "a list for a number": (f'title = "t"\n{P}\na1_tpp.is = ["4"]', ["mine.toml:3", "same type"]),
    "a number for a list": (f'title = "t"\n{P}\nchina_and_macau.is = 4', ["mine.toml:3", "same type"]),
    "numbers in a list of words": (f'title = "t"\n{P}\nchina_and_macau.is = [4]', ["mine.toml:3", "list of words"]),
    "lists in a list": (f'title = "t"\n{P}\nchina_and_macau.is = [["CN"]]', ["mine.toml:3", "list of words"]),
    "a table for a value": (f'title = "t"\n{P}\nnew = {{is = {{a = 1}}, en = "e", zh = "z"}}', ["mine.toml:3", "new"]),
    "an unknown provision": (f'title = "t"\n{R}\ntext = "True"', ["mine.toml:2", "no such provision"]),
    "a provision without its text": (f'title = "t"\n{R}\n{NEW}', ["mine.toml:2", "needs text (text)"]),
    "a provision with an unknown fact": (
        f'title = "t"\n{R}\n{NEW}text = "order.item.tp >= law.a1_tpp"',
        ["mine.toml", "order.item.tp", "item.tpp"],
    ),
    "an unknown provision in the text": (f'title = "t"\n{R}\n{NEW}text = "nope(order, law)"', ["mine.toml:6", "nope"]),
    "a call": (f'title = "t"\n{R}\n{NEW}text = "open(order)"', ["mine.toml:6", "call only other provisions"]),
    "an attribute of a string": (
        f'title = "t"\n{R}\n{NEW}text = "order.item.kind == \'x\'.join"',
        ["mine.toml:6", "attributes"],
    ),
    "text that is no Python": (f'title = "t"\n{R}\n{NEW}text = "a and"', ["mine.toml:6", "not a Python expression"]),
    "empty text": (f'title = "t"\n{R}\n{NEW}text = ""', ["mine.toml"]),
    "a zero byte": (f'title = "t"\n{R}\n{NEW}text = "True\\u0000"', ["mine.toml", "not a Python expression"]),
    "brackets without end": (f'title = "t"\n{R}\n{NEW}text = "{"(" * 1500}"', ["mine.toml", "not a Python expression"]),
    "negations without end": (f'title = "t"\n{R}\n{NEW}text = "{"not " * 900}True"', ["mine.toml"]),
    "units that do not fit": (
        f'title = "t"\n{R}\n{NEW}text = "order.item.tpp >= law.review_dram_bandwidth"',
        ["mine.toml", "TPP", "GB/s"],
    ),
    "a fact that is no condition": (
        f'title = "t"\n{R}\n{NEW}text = "order.item.tpp"',
        ["mine.toml", "order.item.tpp", "not a condition"],
    ),
    "a list as a value": (
        f'title = "t"\n{R}\n{NEW}text = "order.movement.destination == law.china_and_macau"',
        ["mine.toml", "list", "in law."],
    ),
    "dates that are added": (
        f'title = "t"\n{R}\n{NEW}text = "order.record.export_date + order.record.export_date > law.review_publication"',
        ["mine.toml", "numbers"],
    ),
    "years after a number": (
        f'title = "t"\n{R}\n{NEW}text = "years_after(order.item.tpp, law.retention_years) > law.review_publication"',
        ["mine.toml", "years_after"],
    ),
    "itself": (f'title = "t"\n{R}\n{NEW}text = "mine(order, law)"', ["mine"]),
    "another key as a gate": (
        f'title = "t"\n{R}\n{NEW}text = "True"\ngate = "house"',
        ["mine.toml", "gate", "export or import"],
    ),
    "an unknown question": (
        'title = "t"\n[questions.us-export.export_rout]\nfirst = []',
        ["mine.toml:2", "export_rout", "export_route"],
    ),
    "an unknown answer": (
        f'title = "t"\n{Q}\nfirst = [{{ if = "True", then = "no_license" }}]',
        ["mine.toml:2", "no_license", "no_licence"],
    ),
    "a line without its answer": (f'title = "t"\n{Q}\nfirst = [{{ if = "True" }}]', ["mine.toml:3", "needs then"]),
    "lines that are a number": (f'title = "t"\n{Q}\nfirst = 4', ["mine.toml:3", "first", "list of tables"]),
    "a condition that is a number": (
        f'title = "t"\n{Q}\nfirst = [{{ if = 4, then = "exception" }}]',
        ["mine.toml:3", "first[0].if", "must be text"],
    ),
    "an answer that is a list": (
        f'title = "t"\n{Q}\nfirst = [{{ if = "True", then = ["exception"] }}]',
        ["mine.toml:3", "first[0].then", "must be text"],
    ),
    "malformed TOML": ("title = t", ["mine.toml", "not valid TOML", "line 1"]),
}


@pytest.mark.parametrize("name", AMENDMENTS)
def test_an_amendment_with(name: str, twokey: Any, tmp_path: Path) -> None:
    text, expected = AMENDMENTS[name]
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    order = tmp_path / "order.toml"
    order.write_text('item.chip = "H20"\n', encoding="utf-8")
    refused(twokey("assess", order, "--as-of", "2027-06-01", "--overlay", path), expected)
    refused(twokey("impact", path), expected)


def refused(ran: Any, expected: list[str]) -> None:
    assert ran.status == 3, ran
    assert "Traceback" not in ran.err
    assert ran.out == ""
    for part in expected:
        assert part in ran.err, ran.err
    assert len(ran.err) < 900


# -- anything at all --------------------------------------------------------------------------------------------------

_names = st.sampled_from(["item", "item.tpp", "item.chip", "item.contains", "item.dies", "item.dense_rates", "item.quantity",
    "item.processing_units", "movement.destination", "chip", "tpp", "kind", "area_mm2", "bits", "tops", "consignee.entity_list",
    "item.us_commercial_since", "exporter.name", "item.kind", "count"]) | st.text(max_size=5)  # fmt: skip
_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.dates() | st.datetimes() | st.times()
    | st.sampled_from(["H200 SXM", "H20", "ic", "computer", "CN", 4800, 10**400, "-1", -1])
)  # fmt: skip
_anything = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4), max_leaves=12
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_names, _anything, max_size=6), st.dates())
def test_an_order_of_anything_is_assessed_or_refused(order: dict[str, Any], day: date) -> None:
    with contextlib.suppress(UserError):
        assert assess(order, day).status in ("clear", "blocked", "needs_information")


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


_parts = st.sampled_from(["is", "en", "zh", "unit", "at", "text", "paragraph", "gate", "first", "if", "then", "condition",
    "a1_tpp", "china_and_macau", "export_route", "in_a", "us-export", "cn-use", "parameters", "provisions", "questions", "kind"])  # fmt: skip
_values = st.recursive(
    st.booleans() | st.integers(-5, 9000) | st.sampled_from(["x", "True", "in_a(order, law)", "before(order, law)", "exception",
        "order.item.tpp >= law.a1_tpp", "law.a1_tpp >= law.a2_tpp", "'a' == 'b'", "order.item.tpp", "export"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_parts, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_tables = st.fixed_dictionaries(
    {},
    optional={
        kind: st.dictionaries(
            st.sampled_from(["us-export", "cn-use"]),
            st.dictionaries(_parts, st.dictionaries(_parts, _values, max_size=6), max_size=2),
            max_size=2,
        )
        | _values
        for kind in ("parameters", "provisions", "questions")
    },
)


@settings(max_examples=200, deadline=None)
@given(_tables)
def test_an_amendment_of_anything_is_put_in_or_refused(tmp_path_factory: Any, table: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("amendment", numbered=True) / "any.toml"
    path.write_text(
        "\n".join(['title = "t"', *(f"{key} = {_toml(value)}" for key, value in table.items())]), encoding="utf-8"
    )
    with contextlib.suppress(UserError):
        changed = amended(law(), path)
        assert assess({"item.chip": "H20", "item.kind": "ic"}, date(2026, 1, 28), law=changed).overlays == (("t", "t"),)
