"""Evidence that expires soon, or has: named wherever it matters, and told once, before it stops a release."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor
from twokey.desk.audit.events import record
from twokey.desk.audit.models import Event
from twokey.desk.cases.models import Application, Evidence
from twokey.desk.cases.states import CLOSED

SOON: Final = timedelta(days=30)


def expiring(day: date) -> QuerySet[Evidence]:
    """Return the evidence that expires within 30 days of a day, or did within the 30 before, soonest first.

    A piece that a later one of the same name replaces, for the same shipment or for all, is not among it.
    """
    later = Evidence.objects.filter(
        Q(expires_on__isnull=True)
        | Q(expires_on__gt=OuterRef("expires_on"))
        | Q(expires_on=OuterRef("expires_on"), pk__gt=OuterRef("pk")),
        Q(shipment_id__isnull=True) | Q(shipment_id=OuterRef("shipment_id")),
        order=OuterRef("order"),
        name=OuterRef("name"),
        withdrawn_at__isnull=True,
    )
    rows = Evidence.objects.filter(
        ~Exists(later), withdrawn_at__isnull=True, expires_on__range=(day - SOON, day + SOON)
    )
    return rows.select_related("order").order_by("expires_on", "pk")


def expiring_of(order_ids: Collection[int], day: date) -> dict[int, list[Evidence]]:
    """Return, by order, what expires soon or has: one query however many orders a list shows."""
    found: dict[int, list[Evidence]] = {}
    for each in expiring(day).filter(order__in=set(order_ids)):
        found.setdefault(each.order_id, []).append(each)
    return found


def warn(actor: Actor, limit: int = 500) -> int:
    """Record once that a piece of evidence expires soon, and once that it has; returns how many events were written.

    Orders of which every application is closed are left alone. People are told of the events by the notices.
    """
    today, written = timezone.now().date(), 0
    live = Application.objects.filter(order=OuterRef("order")).exclude(state__in=CLOSED)
    for verb, days in (("evidence.expiring", Q(expires_on__gte=today)), ("evidence.expired", Q(expires_on__lt=today))):
        said = Event.objects.filter(subject_kind="evidence", subject_id=OuterRef("pk"), verb=verb)
        with transaction.atomic():
            for each in expiring(today).filter(days, ~Exists(said), Exists(live))[:limit]:
                record(actor, verb, "evidence", each.pk, name=each.name, day=str(each.expires_on))
                written += 1
    return written
