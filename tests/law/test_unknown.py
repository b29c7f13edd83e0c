"""Unknown facts: what is unknown at the door, and that learning a fact never contradicts an answer given without it.

Left out of the last: the facts that stand for a whole (`asserted_by`). A person's statement that every certification is
made is taken until a part is known, and a known part that fails then rightly overrides it.
"""

from __future__ import annotations

import itertools
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_orders import days, orders, values

from twokey.law.assessing import assess, assessment_of
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.facts import admit, dictionary
from twokey.law.source import law
from twokey.law.state import state_of

SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ASSERTED = {one.asserted_by for one in law().provisions.values() if one.asserted_by}


@given(
    st.sampled_from([name for name, fact in dictionary().items() if fact.type != "list"]),
    st.sampled_from([None, math.nan, "", " ", -1, -1.0]),
)
def test_nan_empty_and_minus_one_are_unknown_at_the_door(name: str, nothing: Any) -> None:
    assert admit({name: nothing, "item.tpp": 4800} if name != "item.tpp" else {name: nothing}) == (
        {} if name == "item.tpp" else {"item.tpp": 4800}
    )


def test_false_and_zero_are_known() -> None:
    stated = {"item.datacenter": False, "use.domestic_share": 0, "item.tpp": 0.0}
    assert admit(stated) == stated


@st.composite
def learned(draw: st.DrawFn) -> tuple[date, dict[str, Any], dict[str, Any]]:
    """Draw a day, an order, and the same order with more facts known."""
    order = {name: value for name, value in draw(orders()).items() if name not in ASSERTED}
    open_facts = sorted(set(values()) - order.keys() - ASSERTED)
    more = draw(st.lists(st.sampled_from(open_facts), max_size=8, unique=True)) if open_facts else []
    return draw(days()), order, {**order, **{name: draw(st.sampled_from(values()[name])) for name in more}}


@SOME
@given(learned())
def test_learning_a_fact_never_contradicts_a_value_that_was_settled(
    drawn: tuple[date, dict[str, Any], dict[str, Any]],
) -> None:
    day, before, after = drawn
    state = state_of(law(), day)
    less, more = state.decide(before), state.decide(after)
    for key in state.compiled.provisions:
        assert less.value(key) in (None, more.value(key)), key
    for key in state.compiled.questions:
        assert less.answer(key) in (None, more.answer(key)), key


@SOME
@given(learned())
def test_learning_a_fact_only_takes_answers_away(drawn: tuple[date, dict[str, Any], dict[str, Any]]) -> None:
    day, before, after = drawn
    state = state_of(law(), day)
    less, more = assessment_of(state.decide(before), day), assessment_of(state.decide(after), day)
    for one, other in zip(less.answers, more.answers, strict=True):
        if one.possible and other.possible:
            assert set(other.possible) <= set(one.possible), one.question
    for one, other in zip(less.keys, more.keys, strict=True):
        if one.status in ("clear", "blocked") and not _lasting(one.key):
            assert other.status == one.status


def _lasting(key: str) -> bool:
    """Return whether a key has a duty that lasts: it holds the key only once it is known to fail."""
    return any(head.condition for pack in law().packs.values() if pack.key == key for head in pack.headlines)


SLICES = {
    "us-export:exception_nac_aca": ("item.tpp", "item.performance_density", "movement.destination"),
    "us-export:review_policy": ("item.tpp", "item.datacenter", "consignee.hq"),
    "us-export:export_route": ("item.performance_density", "certifications.complete", "consignee.entity_list"),
    "cn-import:import_permission": ("end_use.necessary", "application.use_documents", "buyer.kind"),
    "cn-use:domestic_share": ("use.workload", "use.domestic_share", "site.public_hub"),
}
ORDER: dict[str, Any] = {
    "item.kind": "ic", "item.tpp": 3000.0, "item.performance_density": 2.0, "item.datacenter": True, "item.family": "H200",
    "item.maker": "NVIDIA", "item.origin": "foreign", "item.dram_bandwidth_gbs": 4800.0, "item.transfer_rate_gbs": 900.0,
    "item.us_commercial_since": date(2024, 1, 1), "movement.kind": "export", "movement.origin": "US",
    "movement.destination": "CN", "consignee.country": "CN", "consignee.hq": "CN", "consignee.parent_hq": "CN",
    "consignee.entity_list": False, "consignee.military_end_user": False, "consignee.listed_owner_share": 0.0,
    "end_use.prohibited": False, "end_use.supercomputer": False, "end_use.necessary": True, "exporter.name": "X",
    "exporter.kind": "vendor", "application.use_documents": True, "buyer.kind": "private", "site.public_hub": False,
    "certifications.complete": True, "use.workload": "inference", "use.domestic_share": 0.2, "item.base_eccn": "5A992",
}  # fmt: skip


@pytest.mark.parametrize("day", [date(2023, 1, 1), date(2024, 1, 1), date(2026, 1, 28), date(2026, 12, 1)])
@pytest.mark.parametrize("question", SLICES)
def test_the_possible_answers_are_those_of_all_completions(question: str, day: date) -> None:
    names = SLICES[question]
    known = {name: value for name, value in ORDER.items() if name not in names}
    state = state_of(law(), day)
    classes = {one.name: one.classes for one in state.diagrams.variables}
    ranges = [
        [classes[name].sample(index) for index in range(classes[name].size)]
        if name in classes
        else [False, True]
        if dictionary()[name].type == "boolean"
        else [ORDER[name]]
        for name in names
    ]
    answers = {
        state.decide({**known, **dict(zip(names, chosen, strict=True))}).answer(question)
        for chosen in itertools.product(*ranges)
    }
    told = next(one for one in assess(known, day).answers if f"{one.regime}:{one.question}" == question)
    assert set(told.possible) == answers - {None}


def test_an_answer_that_does_not_wait_for_a_fact_does_not_name_it() -> None:
    known = {name: value for name, value in ORDER.items() if name != "item.performance_density"}
    told = next(
        one for one in assess({**known, "item.tpp": 1.0}, date(2026, 1, 28)).answers if one.question == "review_policy"
    )
    assert told.possible == ("not_applicable",)
    assert told.missing == ()


def test_kleene_is_completed_by_the_diagrams() -> None:
    state = state_of(law(), date(2026, 1, 28))
    assert isinstance(state.diagrams, Diagrams)
    flag = state.diagrams.provision("us-export:entity_list")
    assert state.diagrams.either(flag, state.diagrams.negation(flag)) == state.diagrams.true
