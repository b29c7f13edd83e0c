"""Each authority's own calendar and clock, from the database."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from twokey.desk.cases.clocks import Calendar, running_days
from twokey.desk.cases.models import Application
from twokey.desk.parties.models import Authority, Holiday


def calendar_of(authority: Authority) -> Calendar:
    """Return the days on which an authority does and does not work."""
    rows = Holiday.objects.filter(authority=authority)
    return Calendar(
        off=frozenset(row.on for row in rows if not row.works), on=frozenset(row.on for row in rows if row.works)
    )


def local_day(authority: Authority, at: datetime | None = None) -> date:
    """Return the date that an authority's own clock shows."""
    return (at or timezone.now()).astimezone(ZoneInfo(authority.time_zone)).date()


def first_moment(authority: Authority, day: date) -> datetime:
    """Return the first moment of a day where the authority is."""
    return datetime.combine(day, time.min, ZoneInfo(authority.time_zone))


def moment_after(authority: Authority, day: date) -> datetime:
    """Return the first moment after a day where the authority is: what ends on that day is over from then on."""
    return first_moment(authority, day + timedelta(days=1))


def days_used(application: Application, calendar: Calendar | None = None) -> int:
    """Count the working days that the authority has had, without those on which it waited for an answer.

    `calendar`: the authority's own, where the caller has read it already for many cases.
    """
    if application.submitted_at is None:
        return 0
    authority = application.authority
    end = local_day(authority, application.closed_at)
    pauses = [
        (local_day(authority, each.asked_at), local_day(authority, each.answered_at) if each.answered_at else None)
        for each in application.questions.all()
    ]
    return running_days(local_day(authority, application.submitted_at), end, pauses, calendar or calendar_of(authority))
