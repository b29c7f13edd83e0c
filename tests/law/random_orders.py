"""Random orders for property tests: every fact of the dictionary, at every edge that the law has on any day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl
from hypothesis import strategies as st

from twokey.law.engine.cells import Ordered, Words, atoms_of, classes_of
from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import Folded, fold
from twokey.law.engine.law import LawInForce
from twokey.law.engine.one import Compiled, compile_one
from twokey.law.source import law

CIRCUIT = tuple(name for name, fact in dictionary().items() if name.startswith("item.") and fact.type != "list")
_KINDS: Mapping[str, Any] = {"number": pl.Float64, "integer": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}


def days() -> st.SearchStrategy[date]:
    """Draw a day: one on which the law changes, the one before it, or any other."""
    changes = [date(2022, 1, 1), *law().days]
    return st.one_of(
        st.sampled_from([*changes, *(day - timedelta(days=1) for day in changes)]),
        st.dates(date(2022, 1, 1), date(2028, 1, 1)),
    )


@cache
def laws(at: LawInForce) -> tuple[Folded, Compiled]:
    """Return the law of a day, folded and compiled for one order."""
    folded = fold(at)
    return folded, compile_one(folded)


@cache
def values() -> Mapping[str, tuple[Any, ...]]:
    """Return for each fact the values worth drawing: at each edge, just below and just above; a word of each class."""
    trees = []
    for day in (date(2022, 1, 1), *law().days):
        folded = laws(law().at(day))[0]
        trees += [*folded.provisions.values(), *(b.condition for one in folded.questions.values() for b in one)]
    classes = classes_of(atoms_of(trees))
    return {
        name: _values(fact.type, classes.get(name), fact.choices)
        for name, fact in dictionary().items()
        if fact.type != "list"
    }


def _values(kind: str, classes: Any, choices: Sequence[str]) -> tuple[Any, ...]:
    if kind == "boolean":
        return (True, False)
    if isinstance(classes, Ordered):
        edges = sorted({value for value, _ in classes.cuts})
        if kind == "date":
            return tuple(edge + timedelta(days=step) for edge in edges for step in (-1, 0, 1))
        if kind == "integer":
            return tuple(float(max(0, edge + step)) for edge in edges for step in (-1, 0, 1))
        return tuple(
            float(near) for edge in edges for near in (math.nextafter(edge, 0), edge, math.nextafter(edge, math.inf))
        )
    if isinstance(classes, Words):
        return (*choices, "ZZ", *(word for group in classes.classes for word in group[:3] if isinstance(word, str)))
    if kind == "date":
        return (date(2023, 3, 1), date(2024, 2, 29), date(2026, 1, 28))
    return (0.0, 1.0, 100.0, 110.0, 110.00000000000001) if kind in ("number", "integer") else (*choices, "ZZ")


@cache
def orders(*, known: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an order; unless every fact is to be `known`, any may be absent, of the circuits it contains too."""
    of = {name: st.sampled_from(choices) for name, choices in values().items()}
    circuit = {name: of[name] for name in CIRCUIT}
    # the facts that decide most are present more often than the others, so that many questions are settled
    usual = (
        {}
        if known
        else {name: one for name, one in of.items() if name.startswith(("item.", "movement.", "consignee."))}
    )
    rest = {name: one for name, one in of.items() if name not in usual}
    circuits = st.lists(_table(circuit, known), min_size=1 if known else 0, max_size=3)
    parts = [_table(usual, known=True), _table(rest, known), _table(of, known)]
    if not known:
        parts.append(st.just({}))
    table = _table(of, known=True) if known else st.one_of(st.builds(lambda a, b: {**b, **a}, *parts[:2]), *parts[2:])
    return st.builds(lambda facts, inside: facts if inside is None else {**facts, "item.contains": inside}, table,
                     circuits if known else st.none() | circuits)  # fmt: skip


def _table(of: Mapping[str, st.SearchStrategy[Any]], known: bool) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict(of)) if known else st.fixed_dictionaries({}, optional=dict(of))


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return orders as a frame of facts, a column for each fact of the dictionary; unknown is null."""
    circuit = pl.Struct({name: _KINDS.get(dictionary()[name].type, pl.String) for name in CIRCUIT})
    columns = []
    for name, fact in dictionary().items():
        if name == "item.contains":
            each = [
                None if (given := row.get(name)) is None else [{one: c.get(one) for one in CIRCUIT} for c in given]
                for row in rows
            ]
            columns.append(pl.Series(name, each, dtype=pl.List(circuit)))
        elif fact.type != "list":
            columns.append(pl.Series(name, [row.get(name) for row in rows], dtype=_KINDS.get(fact.type, pl.String)))
    return pl.DataFrame(columns)
