"""Every number and day that the law compares with, on every day on which it changes: just below, at and just above.

The thresholds are taken from the trees, so one that is added is tested too. What the answer must be is read from the
parameter file and Python's own operator, not from the compiled forms.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from twokey.law.determinations import Checker, read_determinations
from twokey.law.engine.fold import fold
from twokey.law.engine.law import Law, Pack
from twokey.law.engine.one import compile_one
from twokey.law.engine.tree import And, Compare, Fact, Node, Not, Or, Param, rewrite, walk
from twokey.law.source import law

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
TURNED = {">=": ">", ">": ">=", "<": "<=", "<=": "<"}
DAYS = law().days


def thresholds(node: Any) -> Iterator[tuple[Compare, str, str, str]]:
    """Yield the comparisons of one fact with one parameter: the node, fact, operator (fact on the left), parameter."""
    for part in walk(node):
        match part:
            case Compare(op, Fact(fact), Param(name)):
                yield part, fact, op, name
            case Compare(op, Param(name), Fact(fact)):
                yield part, fact, FLIPPED[op], name


EVERY = [
    (one, part, fact, op, name) for one in law().provisions.values() for part, fact, op, name in thresholds(one.tree)
]


def steps(value: Any) -> tuple[Any, Any, Any]:
    if isinstance(value, date):
        return value - timedelta(days=1), value, value + timedelta(days=1)
    return math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)


@cache
def alone(day: date, key: str, part: Node) -> Any:
    """Return the function of one comparison by itself, compiled as the law of a day compiles it."""
    one = law().provisions[key]
    pack: Pack = law().packs[one.regime]
    bare = replace(one, tree=part, asserted_by=None)
    small = Law([replace(pack, provisions={key: bare}, questions={}, headlines=())])
    return compile_one(fold(small.at(day))).decide


@pytest.mark.parametrize(
    ("one", "part", "fact", "op", "name"), EVERY, ids=[f"{o.key}: {f} {op} {n}" for o, _, f, op, n in EVERY]
)
def test_both_sides_of_a_threshold(one: Any, part: Compare, fact: str, op: str, name: str) -> None:
    tested = 0
    for day in DAYS:
        at = law().at(day)
        value = at.value(one.regime, name)
        if not at.force[one.key] or value is None:
            continue
        decide = alone(day, one.key, part)
        for near in steps(value):
            assert decide({fact: near}.get)[0] == (OPERATORS[op](near, value),), (day, near)
        assert decide({}.get)[0] == (None,)
        tested += 1
    assert tested or law().packs[one.regime].parameters[name].unset


def test_there_are_thresholds_to_test() -> None:
    assert len(EVERY) >= 45
    assert {op for *_, op, _ in EVERY} >= {"<", "<=", ">", ">="}


# -- a threshold that is turned must be noticed -----------------------------------------------------------------------

CASES = list(read_determinations(Path(__file__).parent / "data" / "determinations.csv"))


def turned(key: str, part: Compare) -> Law:
    """Return the law with one `>=` made `>`, or the like."""
    one = law().provisions[key]
    tree = rewrite(one.tree, lambda node: Compare(TURNED[part.op], part.left, part.right) if node == part else None)
    pack = law().packs[one.regime]
    packs = {**law().packs, one.regime: replace(pack, provisions={**pack.provisions, key: replace(one, tree=tree)})}
    return Law(tuple(packs.values()))


def boundary_values(of: Law, key: str, part: Compare, fact: str, name: str) -> list[Any]:
    """Return what a provision says at the value itself, every other comparison of it held true or false as it helps."""
    at, one = of.at(next(day for day in reversed(DAYS) if law().at(day).force[key])), of.provisions[key]
    value = at.value(one.regime, name)
    compiled = compile_one(fold(at))
    place = compiled.provisions.index(key)
    return [
        compiled.decide({**facts, fact: value}.get)[0][place] for facts in _settings(one.tree, one.regime, at, fact)
    ]


def _settings(tree: Node, regime: str, at: Any, fact: str) -> Iterator[dict[str, Any]]:
    """Yield facts that put the rest of a tree every way: its flags, and its other comparisons or no word of them."""
    choices: dict[str, tuple[Any, ...]] = {part.name: (True, False) for part in _bare(tree)}
    for _, name, _, param in thresholds(tree):
        if name != fact:
            below, _, above = steps(at.value(regime, param))
            choices[name] = (below, above, None)
    for chosen in itertools.product(*choices.values()):
        yield dict(zip(choices, chosen, strict=True))


def _bare(node: Any) -> Iterator[Fact]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _bare(part)
        case Not(part):
            yield from _bare(part)
        case Fact():
            yield node


TURNABLE = [
    (one, part, fact, op, name)
    for one, part, fact, op, name in EVERY
    if op in TURNED and law().packs[one.regime].parameters[name].values
]


@pytest.mark.parametrize(
    ("one", "part", "fact", "op", "name"), TURNABLE, ids=[f"{o.key}: {f} {op} {n}" for o, _, f, op, n in TURNABLE]
)
def test_a_turned_comparison_changes_what_the_boundary_cases_say(
    one: Any, part: Compare, fact: str, op: str, name: str
) -> None:
    if not any(law().at(day).force[one.key] for day in DAYS):
        pytest.skip("never in force")
    before = boundary_values(law(), one.key, part, fact, name)
    assert boundary_values(turned(one.key, part), one.key, part, fact, name) != before


# Thresholds at which a determination stands: turning the operator must make one of them fail.
DETERMINED = [
    ("us-export:meets_original", "original_tpp"),
    ("us-export:meets_original", "original_transfer_rate"), ("us-export:performance_dense", "a2_density"),
    ("cn-import:barred_from_state_data_centre", "state_data_centre_completion"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "name"), DETERMINED)
def test_a_turned_comparison_fails_a_determination(key: str, name: str) -> None:
    checker = Checker(turned(key, next(part for one, part, _, _, param in EVERY if (one.key, param) == (key, name))))
    assert any(not checker.check(row).passed for row in CASES)
