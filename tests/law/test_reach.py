"""The orders that an amendment could touch: every box that is listed really moves, and the counts are those of all cells."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from twokey.law.change import amended, ready_amendments
from twokey.law.engine.boxes import boxes
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.law import Law, Pack
from twokey.law.engine.tree import Compare, facts_of
from twokey.law.engine.variables import Variable, decide
from twokey.law.reach import ORDINARY, reach_of
from twokey.law.source import law
from twokey.law.state import state_of

DAY = date(2027, 1, 1)
OVERLAYS = Path(__file__).parents[2] / "examples" / "overlays"
READY = {name: amended(law(), path) for name, path in ready_amendments().items()}


@pytest.mark.parametrize("name", READY)
def test_an_order_of_each_box_moves_as_it_says(name: str) -> None:
    old, new = state_of(law(), DAY), state_of(READY[name], DAY)
    diagrams = Diagrams(old.folded, new.folded)
    by_name = {one.name: one for one in diagrams.variables}
    moved = 0
    for reach in reach_of(law(), READY[name], DAY):
        two = (diagrams.question(reach.question, cared=False), diagrams.question(reach.question, 1, cared=False))
        pair = diagrams.given(diagrams.paired(*two), ORDINARY)
        wanted = (reach.before, reach.after)
        for box, _ in boxes(diagrams, pair, lambda value, wanted=wanted: value == wanted, 200):
            for corner in (min, max):
                plain = {fact: corner(indexes) for fact, indexes in box.items() if by_name[fact].joined is None}
                facts = {**ORDINARY, **{fact: by_name[fact].classes.sample(index) for fact, index in plain.items()}}
                if not all(
                    one.name not in box or _settled(one, facts) in box[one.name]
                    for one in diagrams.variables
                    if one.joined
                ):
                    continue
                for question, state, answer in zip(two, (old, new), wanted, strict=True):
                    assert diagrams.values(diagrams.given(question, facts)) == [answer]
                    assert state.decide(facts).answer(reach.question) in (answer, None)
                moved += 1
    assert moved >= 2


def _settled(variable: Variable, facts: dict[str, Any]) -> int | None:
    """Return the side on which a sum lies for an order, None where a part of it is unknown."""
    if not isinstance(variable.joined, Compare) or not set(facts_of(variable.joined)) <= facts.keys():
        return None
    return int(decide(variable.joined, facts))


def test_the_counts_are_those_of_all_cells() -> None:
    """On a law of one question: a data centre with state funds, the share of completion moved."""
    pack: Pack = law().packs["cn-import"]
    key = "cn-import:state_funded_data_centre"
    head = tuple(one for one in pack.headlines if one.question == key)
    small = replace(pack, questions={key: pack.questions[key]}, headlines=head)
    before = Law([small])
    name = "state_data_centre_completion"
    parameter = small.parameters[name]
    moved = tuple(replace(value, value=0.5) for value in parameter.values)
    after = Law([replace(small, parameters={**small.parameters, name: replace(parameter, values=moved)})])
    old, new = state_of(before, DAY), state_of(after, DAY)
    diagrams = Diagrams(old.folded, new.folded)
    pair = diagrams.paired(diagrams.question(key), diagrams.question(key, 1))
    over = diagrams.support(pair)
    counted: dict[tuple[str, str], int] = {}
    for indexes in itertools.product(*(range(one.classes.size) for one in over)):
        facts = {one.name: one.classes.sample(index) for one, index in zip(over, indexes, strict=True)}
        move = (old.decide(facts).answer(key), new.decide(facts).answer(key))
        if move[0] != move[1]:
            counted[move] = counted.get(move, 0) + 1
    told = {(one.before, one.after): one.cells for one in reach_of(before, after, DAY)}
    assert told == counted
    assert told
    assert {one.of for one in reach_of(before, after, DAY)} == {
        len(list(itertools.product(*(range(one.classes.size) for one in over))))
    }


def test_nothing_moves_before_the_day_or_between_equal_laws() -> None:
    assert list(reach_of(law(), READY["safe-chips"], date(2026, 12, 31))) == []
    assert list(reach_of(law(), law(), DAY)) == []


def test_limits_and_languages() -> None:
    for lang in ("en", "zh"):
        for one in reach_of(law(), READY["safe-chips"], DAY, lang, limit=1):
            assert len(one.boxes) <= 1
            assert 0 < one.share < 1
            assert all(condition for box in one.boxes for condition in box.conditions)


def test_the_ordinary_order_names_only_facts_that_exist() -> None:
    from twokey.law.engine.facts import dictionary

    assert set(ORDINARY) <= set(dictionary())


def test_a_gate_and_a_question_that_was_not_asked_are_told(tmp_path: Path) -> None:
    licence, house = (amended(law(), OVERLAYS / name) for name in ("licence.toml", "house"))
    told = {(one.question, one.before, one.after): one for one in reach_of(law(), licence, DAY)}
    units = told.pop(("us-export:within_licence_units", "not_asked", "not_met"))
    assert units.share == pytest.approx(2 / 3)  # the law cuts quantities at 10,000 as well
    assert [box.conditions for box in units.boxes] == [("the quantity ordered: more than 5,000 units",)]
    assert list(told) == [("us-export:licence_place", "not_asked", "not_met")]
    assert {(one.before, one.after) for one in reach_of(law(), house, DAY)} == {
        ("not_asked", "ask_the_board"),
        ("not_asked", "no"),
    }
    fewer = tmp_path / "fewer.toml"
    fewer.write_text('title = "fewer"\n[parameters.us-export]\nlicence_units.is = 4000\n')
    (moved,) = reach_of(licence, amended(licence, fewer), DAY)
    assert (moved.question, moved.before, moved.after) == ("us-export:within_licence_units", "met", "not_met")
    assert moved.boxes[0].conditions == ("the quantity ordered: more than 4,000 units and at most 5,000 units",)
