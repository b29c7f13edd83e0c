"""Working days, pauses, and the day of an authority."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from twokey.desk.cases.clocks import Calendar, add_working_days, running_days, working_days

from .world import World


@given(st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(0, 60))
def test_adding_working_days_and_counting_them_agree(start: date, count: int) -> None:
    calendar = Calendar(off=frozenset({date(2026, 2, 17), date(2026, 10, 1)}), on=frozenset({date(2026, 2, 14)}))
    assert working_days(start, add_working_days(start, count, calendar), calendar) == count


def test_the_clock_does_not_run_while_the_applicant_is_asked() -> None:
    start, end = date(2026, 6, 1), date(2026, 6, 30)
    whole = running_days(start, end, [], Calendar())
    pause = (date(2026, 6, 8), date(2026, 6, 15))
    assert running_days(start, end, [pause], Calendar()) == whole - 5
    assert running_days(start, end, [pause, pause], Calendar()) == whole - 5
    assert running_days(start, end, [(date(2026, 6, 8), None)], Calendar()) == 5


def test_days_are_those_of_the_authority(world: World) -> None:
    from zoneinfo import ZoneInfo

    export, import_ = world.both(world.order())
    for each, zone in ((export, "America/New_York"), (import_, "Asia/Shanghai")):
        end = each.balance.closes_at
        assert end is not None
        midnight = datetime.combine(each.valid_until + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
        assert end == midnight
