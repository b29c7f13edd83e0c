"""Orders drawn at random, each fact from both sides of everything that the law compares it with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from twokey.law.engine.cells import atoms_of, classes_of
from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import Law
from twokey.law.source import law
from twokey.law.state import state_of

CHIPS = ("H200 SXM", "H100 SXM", "H20", "A800 SXM", "RTX 4090D", "Ascend 910C", "MI308X", "L40S")
_LISTS = ("item.dense_rates", "item.processing_units", "item.dies")  # a book has no column for these
_CIRCUIT = ("item.tpp", "item.performance_density", "item.dram_bandwidth_gbs", "item.transfer_rate_gbs", "item.datacenter",
    "item.us_commercial_since", "item.family", "item.maker", "item.origin")  # fmt: skip


@cache
def values(name: str) -> tuple[Any, ...]:
    """Return values of a fact from every class that the law of any day puts it in."""
    fact, found = dictionary()[name], dict[Any, None]()
    for classes in (_classes(day).get(name) for day in law().days):
        found.update(dict.fromkeys(classes.sample(index) for index in range(classes.size)) if classes else {})
    kept = [value for value in found if not isinstance(value, int | float) or fact.max is None or value <= fact.max]
    if fact.type == "integer":
        kept = sorted({int(value) for value in kept})
    plain = {"number": [0.5, 1.0], "integer": [0, 7], "boolean": [False, True], "country": ["CN", "US", "SG", "ZZ"],
        "date": [date(2024, 1, 1)], "choice": list(fact.choices)}.get(fact.type, ["A", "B"])  # fmt: skip
    return tuple(kept or plain)


@cache
def _classes(day: date) -> dict[str, Any]:
    folded = state_of(law(), day).folded
    nodes = [*folded.provisions.values(), *(branch.condition for one in folded.questions.values() for branch in one)]
    return classes_of(atoms_of(nodes), {name: fact.choices for name, fact in dictionary().items() if fact.choices})


def circuits() -> st.SearchStrategy[dict[str, Any]]:
    """Draw one circuit of a computer: a chip by name, or figures, some unknown."""
    figures = st.fixed_dictionaries({}, optional={name: st.sampled_from(values(name)) for name in _CIRCUIT})
    named = st.sampled_from(CHIPS).map(lambda chip: {"item.chip": chip})
    return named | figures.filter(bool)


def orders(*, chips: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an order with any of the facts unknown; with `chips`, some name a chip or the circuits of a computer."""
    names = [name for name in dictionary() if name not in (*_LISTS, "item.contains", "item.chip")]
    optional: dict[str, st.SearchStrategy[Any]] = {name: st.sampled_from(values(name)) for name in names}
    if chips:
        optional["item.chip"] = st.sampled_from(CHIPS)
        optional["item.contains"] = st.lists(circuits(), min_size=1, max_size=2)
    return st.lists(st.sampled_from(list(optional)), unique=True, max_size=40).flatmap(
        lambda chosen: st.fixed_dictionaries({name: optional[name] for name in chosen})
    )


def days(of: Law | None = None) -> st.SearchStrategy[date]:
    """Draw a day of change, the day before it, or any other day."""
    changes: Sequence[date] = (of or law()).days
    near = st.sampled_from(changes)
    return near | near.map(lambda day: day - timedelta(days=1)) | st.dates(date(2022, 1, 1), date(2030, 1, 1))
