"""The subset of Python that provisions are written in: what it allows, and the message for everything else.

`good/` holds a module that is read, `bad/` modules that are refused; the docstring of each of these is what the message
says, which also names the file and the line.
"""

from __future__ import annotations

import ast
import runpy
from datetime import date
from pathlib import Path

import pytest

from twokey.law.engine.read import MAX_TEXT, Source, SubsetError, read_text
from twokey.law.engine.tree import And, AnyOf, Branch, Compare, Const, Fact, Member, Not, Param, Ref, walk, years_after

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.py"))
SOURCE = Source("mine.toml", 7)


@pytest.mark.parametrize("module", BAD, ids=[path.stem for path in BAD])
def test_refused_with_file_and_line(module: Path) -> None:
    tree = ast.parse(module.read_text())
    (case,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "case")
    lines = {node.lineno for node in ast.walk(case) if hasattr(node, "lineno")}
    with pytest.raises(SubsetError) as error:
        runpy.run_path(str(module))
    place, _, told = str(error.value).partition(": ")
    assert place.rpartition(":")[0] == str(module)
    assert int(place.rpartition(":")[2]) in lines
    assert ast.get_docstring(tree) in told
    assert "outside the provisions' Python" in told or "nested" in told


def test_what_is_allowed_becomes_the_tree_it_says() -> None:
    rules = runpy.run_path(str(HERE / "good" / "everything.py"), {"years_after": years_after})["rules"]
    trees = {one.name: one.tree for one in rules.provisions.values()}
    low, high, tpp = Param("low"), Param("high"), Fact("item.tpp")
    assert trees["numbers"].parts[0] == And((Compare("<=", low, tpp), Compare("<", tpp, high)))
    assert trees["numbers"].parts[1] == Compare(">", tpp, low)
    assert trees["others"].parts[1:] == (AnyOf("good:numbers", Fact("item.contains")), Const(False))
    assert Ref("good:numbers") in set(walk(trees["others"]))
    assert Not(Member(Fact("consignee.hq"), Param("group"))) in set(walk(trees["facts_and_words"]))
    assert trees["dates"].left.op == "years_after"
    assert rules.questions["good:chain"].branches == (Branch(Ref("good:numbers"), "yes"), Branch(Const(True), "no"))
    assert rules.questions["good:value"].value == tpp


TEXTS = {
    "order.item.tpp >= law.low and (": ("mine.toml:7", "not a Python expression"),
    "x = 4": ("mine.toml:7", "not a Python expression"),
    "order.item.datacenter\nand order.item.has_hbm\nand 4": ("mine.toml:9", "use and, or, not"),
    "__import__('os')": ("mine.toml:7", "call only other provisions"),
    "order.__class__ == 'x' and order.item.kind.__class__()": ("mine.toml:7", "call only other provisions"),
    "": ("mine.toml:7", "use and, or, not"),
    "True\0": ("mine.toml:7", "not a Python expression"),
    "(" * 300: ("mine.toml:7", "not a Python expression"),
    "True " * MAX_TEXT: ("mine.toml:7", f"{5 * MAX_TEXT} characters; at most {MAX_TEXT}"),
}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_text_that_a_person_typed_is_refused(text: str) -> None:
    with pytest.raises(SubsetError) as error:
        read_text(text, SOURCE, lambda name: None)
    for part in TEXTS[text]:
        assert part in str(error.value)
    assert len(str(error.value)) < 300


def test_text_at_the_limit_is_read() -> None:
    assert read_text("True".ljust(MAX_TEXT), SOURCE, lambda name: None) == Const(True)


def test_a_condition_may_run_over_lines() -> None:
    read = read_text("order.item.has_hbm\nor order.item.datacenter  # why", SOURCE, lambda name: None)
    assert read.parts == (Fact("item.has_hbm"), Fact("item.datacenter"))


def test_years_after_a_leap_day() -> None:
    assert years_after(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert years_after(date(2024, 2, 29), 1) == date(2025, 3, 1)
