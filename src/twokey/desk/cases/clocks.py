"""Working days, as each authority counts them. Pure functions over dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off besides the weekend, and weekend days on which the authority works (as China's calendar has)."""

    off: Collection[date] = frozenset()
    on: Collection[date] = frozenset()

    def works(self, day: date) -> bool:
        """Say whether the authority works on a day."""
        return day in self.on or (day.weekday() < 5 and day not in self.off)


def working_days(start: date, end: date, calendar: Calendar) -> int:
    """Count the working days after `start` up to and with `end`; the day of submission is day 0.

    >>> from datetime import date
    >>> working_days(date(2026, 1, 28), date(2026, 2, 2), Calendar())
    3
    """
    days = (start + timedelta(n) for n in range(1, (end - start).days + 1))
    return sum(calendar.works(day) for day in days)


def add_working_days(start: date, count: int, calendar: Calendar) -> date:
    """Return the day on which `count` working days have passed.

    >>> from datetime import date
    >>> add_working_days(date(2026, 1, 30), 1, Calendar()).isoformat()
    '2026-02-02'
    """
    day = start
    while count > 0:
        day += timedelta(1)
        count -= calendar.works(day)
    return day


def running_days(start: date, end: date, pauses: Iterable[tuple[date, date | None]], calendar: Calendar) -> int:
    """Count working days between two dates, without those on which the clock stood still.

    A pause runs from the day of the question to the day of the answer; one that is still open runs to `end`.
    Overlapping pauses count once.
    """
    stopped = {
        asked + timedelta(n)
        for asked, answered in pauses
        for n in range(1, (min(answered or end, end) - asked).days + 1)
    }
    days = (start + timedelta(n) for n in range(1, (end - start).days + 1))
    return sum(calendar.works(day) and day not in stopped for day in days)
