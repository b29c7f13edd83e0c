"""The law over time: readings of a provision, differences between days, what an instrument carries."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.law import law
from twokey.law.assessing import assessment_of, decide, keys_of
from twokey.law.history import changes_between, instruments, readings, resting_on, users_of

LAW = law()
DAYS = st.dates(date(2022, 1, 1), date(2030, 1, 1))


def test_the_letter_of_april_2025_has_three_readings() -> None:
    found = readings(LAW, LAW.provisions["us-export:letter_2025"])
    assert [one.start.isoformat() for one in found] == ["2025-04-09", "2025-04-15", "2025-04-16"]
    assert [one.changed for one in found] == [(), ("letter_2025_addressees",), ("letter_2025_addressees",)]
    assert found[0].until == found[1].start
    assert found[-1].until is None


@pytest.mark.parametrize("key", sorted(LAW.provisions))
def test_readings_cover_every_day_once_and_agree_with_the_law(key: str) -> None:
    provision = LAW.provisions[key]
    found = readings(LAW, provision, "zh")
    for before, after in pairwise(found):
        assert before.until == after.start
    for one in found:
        assert LAW.at(one.start).force[key] is one.in_force
        assert bool(one.words) is one.in_force
    if found:
        assert not LAW.at(found[0].start - timedelta(days=1)).force[key]


@given(DAYS, DAYS)
@settings(max_examples=60, deadline=None)
def test_differences_are_the_same_both_ways_round(first: date, second: date) -> None:
    there = {(one.regime, one.what, one.name): (one.before, one.after) for one in changes_between(LAW, first, second)}
    back = {(one.regime, one.what, one.name): (one.after, one.before) for one in changes_between(LAW, second, first)}
    assert there == back
    assert all(before != after for before, after in there.values())


@given(DAYS, DAYS)
@settings(max_examples=60, deadline=None)
def test_days_without_a_difference_have_one_law(first: date, second: date) -> None:
    if not list(changes_between(LAW, first, second)):
        assert LAW.at(first).digest == LAW.at(second).digest


def test_every_instrument_is_listed_once_and_what_rests_on_it_is_found() -> None:
    listed = [one.id for _regime, one in instruments(LAW)]
    assert len(listed) == len(set(listed))
    carried = {one.key for name in listed for one in resting_on(LAW, name)[0]}
    assert carried == set(LAW.provisions)


def test_users_of_a_provision_are_those_that_name_it() -> None:
    users = users_of(LAW, LAW.provisions["us-export:in_a"])
    assert users
    assert all(user in LAW.provisions or user in LAW.questions for user in users)


@pytest.mark.parametrize("chip", ["H200 SXM", "H20", "910C", "H100 SXM", "RTX 4090"])
@pytest.mark.parametrize("day", [date(2022, 9, 1), date(2023, 11, 17), date(2026, 1, 28), date(2027, 2, 1)])
def test_the_keys_alone_are_those_of_the_whole_assessment(chip: str, day: date) -> None:
    decided = decide(
        {"item.chip": chip, "item.kind": "ic", "movement.kind": "export", "movement.origin": "US",
         "movement.destination": "CN"},
        day,
    )  # fmt: skip
    assert keys_of(decided) == assessment_of(decided, day).keys
