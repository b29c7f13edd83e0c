"""What holds for every order that the law can tell apart, shown without a sample.

Each proof walks decision diagrams, so it covers all cells at once; the last one lists about a million cells one by one
and compares the three ways of answering, so that the diagrams, the batch and the single order are held to each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from twokey.law.engine.boxes import boxes
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.forest import IMPOSSIBLE
from twokey.law.engine.law import Law
from twokey.law.engine.variables import Variable
from twokey.law.state import State, state_of

ROUTE: Final = "us-export:export_route"
# From loose to strict; an order that becomes stronger must never move to the left. `needs_information` has no place:
# it says that no text settles the matter, which is neither loose nor strict.
SEVERITY: Final[Mapping[str, int]] = {
    "not_subject": 0,
    "no_licence": 0,
    "exception": 1,
    "presumption_of_approval": 2,
    "case_by_case": 3,
    "presumption_of_denial": 4,
}
EXCLUSIVE: Final = (
    ("us-export:in_a", "us-export:in_b"),
    ("us-export:nac", "us-export:aca"),
    ("us-export:affiliate_of_listed", "us-export:affiliate_to_confirm"),
    ("us-export:eligible_circuit", "us-export:ineligible_circuit"),
    ("us-tariff:band_1", "us-tariff:band_2"),
    ("cn-import:barred_from_state_data_centre", "cn-import:state_data_centre_further_along"),
    ("cn-import:outside_mainland", "cn-import:in_mainland"),
)
LISTED: Final = ("consignee.entity_list", "consignee.military_end_user", "end_use.prohibited")
CELLS: Final = 1_200_000


@dataclass(frozen=True, slots=True)
class Proof:
    """One statement about every order: whether it holds, over how many cells, and an order that breaks it if not."""

    name: str
    holds: bool
    detail: str
    counterexample: Mapping[str, Any] | None = None


def prove(law: Law, day: date) -> Iterator[Proof]:
    """Yield the proofs for the law of a day, one by one as they are done."""
    state = state_of(law, day)
    diagrams = state.diagrams
    yield from _one_answer(law, state)
    yield _listed_never_clear(diagrams)
    yield from _stronger_never_looser(diagrams)
    yield from _exclusive(state)
    yield _reachable(law)
    yield _ways_agree(state)


def _one_answer(law: Law, state: State) -> Iterator[Proof]:
    """Every cell has exactly one of the answers that each question can give, or is of no order."""
    diagrams, total, nodes = state.diagrams, 0, 0
    for key in state.folded.questions:
        diagram = diagrams.question(key)
        over = diagrams.support(diagram)
        cells = 1
        for one in over:
            cells *= one.classes.size
        counted = sum(diagrams.count(diagram, value, over) for value in (*law.questions[key].answers, IMPOSSIBLE))
        total, nodes = max(total, cells), nodes + diagrams.size(diagram)
        if counted != cells:
            yield Proof("one answer", False, f"{key}: {counted:,} of {cells:,} cells answered")
            return
    questions = len(state.folded.questions)
    yield Proof("one answer", True, f"{questions} questions, up to {total:.1e} cells each, in {nodes:,} nodes")


def _listed_never_clear(diagrams: Diagrams) -> Proof:
    for fact in LISTED:
        facts = {fact: True, "movement.origin": "US"}
        left = diagrams.given(diagrams.question(ROUTE), facts)
        loose = {value for value in diagrams.values(left) if SEVERITY.get(str(value), 9) <= SEVERITY["case_by_case"]}
        if loose:
            broken = next(boxes(diagrams, left, lambda value, loose=loose: value in loose))  # type: ignore[misc]  # mypy infers no type for a default
            return Proof(
                "a listed party is never clear",
                False,
                f"{fact}: {sorted(map(str, loose))}",
                _order(diagrams, broken[0]),
            )
    return Proof("a listed party is never clear", True, f"for each of {', '.join(LISTED)}, whatever else is known")


def _stronger_never_looser(diagrams: Diagrams) -> Iterator[Proof]:
    """Show that raising TPP, density or a bandwidth never moves an order from a stricter answer to a looser one."""
    diagram = diagrams.question(ROUTE)
    by_name = {one.name: one for one in diagrams.variables}
    for fact in ("item.tpp", "item.performance_density", "item.dram_bandwidth_gbs"):
        variable = by_name.get(fact)
        if variable is None:
            continue
        steps = [
            diagrams.given(diagram, {fact: variable.classes.sample(index)}) for index in range(variable.classes.size)
        ]
        for lower, higher in itertools.pairwise(steps):
            pair = diagrams.paired(lower, higher)
            bad = next(boxes(diagrams, pair, _looser), None)
            if bad is not None:
                detail = " -> ".join(map(str, bad[1])) if isinstance(bad[1], tuple) else ""
                yield Proof(f"raising {fact} never loosens", False, detail, _order(diagrams, bad[0]))
                return
        yield Proof(f"raising {fact} never loosens", True, f"{len(steps)} classes, every order of the rest")


def _looser(value: Any) -> bool:
    before, after = value
    if IMPOSSIBLE in (before, after) or before not in SEVERITY or after not in SEVERITY:
        return False
    return SEVERITY[after] < SEVERITY[before]


def _exclusive(state: State) -> Iterator[Proof]:
    """Provisions that divide a matter among them never both hold."""
    diagrams, checked = state.diagrams, 0
    for one, other in EXCLUSIVE:
        if one in state.folded.provisions and other in state.folded.provisions:
            overlap = diagrams.both(diagrams.care, diagrams.both(diagrams.provision(one), diagrams.provision(other)))
            checked += 1
            if overlap != diagrams.false:
                box = next(boxes(diagrams, overlap, bool))[0]
                yield Proof("no two branches claim one cell", False, f"{one} and {other}", _order(diagrams, box))
                return
    yield Proof("no two branches claim one cell", True, f"{checked} pairs that divide a matter")


def _reachable(law: Law) -> Proof:
    """Every answer that a question declares is given to some order on some day."""
    found: dict[str, set[str]] = {key: set() for key in law.questions}
    for day in law.days:
        state = state_of(law, day)
        for key in state.folded.questions:
            found[key].update(map(str, state.diagrams.values(state.diagrams.question(key))))
    never = [
        f"{key} = {answer}" for key, one in law.questions.items() for answer in one.answers if answer not in found[key]
    ]
    if never:
        return Proof("every answer is reachable", False, ", ".join(never))
    answers = sum(len(one.answers) for one in law.questions.values())
    return Proof("every answer is reachable", True, f"{answers} answers over {len(law.days)} days of change")


def _ways_agree(state: State) -> Proof:
    """One order, many orders and diagrams give the same answers, cell by cell."""
    from twokey.law.cells_frame import answers_of_cells, frame_of_cells  # noqa: PLC0415 - the one part that needs Polars

    diagrams = state.diagrams
    chosen = _chosen(diagrams)
    frame = frame_of_cells(chosen)
    answers = answers_of_cells(state, frame, tuple(state.folded.questions))
    for key in state.folded.questions:
        counted = dict(answers[key].value_counts().iter_rows())
        left = diagrams.given(diagrams.question(key), _OTHERWISE)
        settled = (
            {str(value): diagrams.count(left, value, chosen) for value in diagrams.values(left)}
            if _within(diagrams, left, chosen)
            else {}
        )
        for answer, count in settled.items():
            if counted.get(answer, 0) != count:
                return Proof(
                    "three ways agree", False, f"{key} = {answer}: batch {counted.get(answer, 0):,}, diagrams {count:,}"
                )
    checked = 0
    for row in range(0, frame.height, max(1, frame.height // 4000)):
        facts = {name: value for name, value in frame.row(row, named=True).items() if value is not None}
        one = state.decide(facts)
        checked += 1
        for key in state.folded.questions:
            if one.answer(key) != answers[key][row]:
                return Proof(
                    "three ways agree", False, f"{key}: one {one.answer(key)}, many {answers[key][row]}", facts
                )
    return Proof(
        "three ways agree",
        True,
        f"{frame.height:,} cells listed in batch and by diagrams, {checked:,} of them one by one",
    )


_ORDER_OF_LISTING: Final = (
    "item.kind", "item.tpp", "item.performance_density", "item.datacenter", "item.dram_bandwidth_gbs",
    "item.transfer_rate_gbs", "movement.destination", "consignee.hq", "certifications.complete", "exporter.name",
)  # fmt: skip
_OTHERWISE: Final[Mapping[str, Any]] = {
    "movement.kind": "export", "movement.origin": "US", "consignee.country": "CN", "consignee.parent_hq": "US",
    "consignee.entity_list": False, "consignee.military_end_user": False, "end_use.prohibited": False,
    "end_use.supercomputer": False, "item.us_commercial_since": date(2024, 1, 1), "consignee.listed_owner_share": 0.0,
    "exporter.kind": "vendor", "item.family": "H200", "item.maker": "NVIDIA", "item.origin": "foreign",
    "item.memory_bandwidth_density": 1.0, "item.base_eccn": "5A992",
}  # fmt: skip


def _chosen(diagrams: Diagrams) -> list[Variable]:
    """Return facts whose classes together make about a million cells; the rest is held as in `_OTHERWISE`."""
    by_name = {one.name: one for one in diagrams.variables}
    chosen, cells = [], 1
    for name in _ORDER_OF_LISTING:
        one = by_name.get(name)
        if one is not None and cells * one.classes.size <= CELLS:
            chosen.append(one.name)
            cells *= one.classes.size
    return [one for one in diagrams.variables if one.name in chosen]


def _within(diagrams: Diagrams, node: int, chosen: list[Variable]) -> bool:
    return {one.name for one in diagrams.support(node)} <= {one.name for one in chosen}


def _order(diagrams: Diagrams, box: Mapping[str, frozenset[int]]) -> dict[str, Any]:
    """Return one order that lies in a box, for a person to look at."""
    by_name = {one.name: one for one in diagrams.variables}
    return {name: by_name[name].classes.sample(min(indexes)) for name, indexes in box.items()}


def otherwise() -> Mapping[str, Any]:
    """Return the facts that every listed cell shares."""
    return _OTHERWISE
