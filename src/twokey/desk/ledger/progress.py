"""Where an order stands in its five states, and what was approved against what arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from twokey.desk.actors import Actor, Role
from twokey.desk.cases.models import Milestone, Order
from twokey.desk.cases.papers import in_force
from twokey.desk.ledger.gate import precedents
from twokey.desk.ledger.models import Arrival, Authorisation, ShipmentLine


@dataclass(frozen=True, slots=True)
class Flow:
    """Units of one authorisation at each step, from paper to port; what it holds back shows where trade stalls."""

    number: str
    authority: str
    company: str
    item: str
    approved: int
    reserved: int
    drawn: int
    delivered: int
    entered: int


def five_states(order: Order) -> dict[str, date | None]:
    """Return the dates of approval, conditions met, order, licence and customs release; None where not reached yet."""
    rows = list(
        Authorisation.objects.filter(line__order=order)
        .select_related("authority", "balance")
        .prefetch_related("conditions")
        .order_by("pk")
    )
    recorded = {each.kind: each.on for each in order.milestones.order_by("-pk")}
    first = {
        side: min((each.created_at.date() for each in rows if each.authority.side == side), default=None)
        for side in ("export", "import")
    }
    return {
        "approval": first["import"],
        "conditions_met": _conditions_met(order, rows),
        "order": recorded.get(Milestone.Kind.ORDER),
        "licence": first["export"],
        "customs_release": recorded.get(Milestone.Kind.CUSTOMS_RELEASE),
    }


def flows(actor: Actor) -> list[Flow]:
    """Return, for every authorisation that the actor may see, what was approved, drawn, delivered and entered."""
    from twokey.desk.ledger.shipments import authorisations

    return flows_of(list(authorisations(actor)))


def flows_of(rows: Sequence[Authorisation]) -> list[Flow]:
    """Return the flows of some authorisations, in their order; two queries, however many they are."""
    arrived: dict[tuple[int, str], int] = {}
    for side in ("export", "import"):
        field = f"shipment_line__{side}_authorisation"
        query = (
            Arrival.objects.filter(Q(**{f"{field}__in": [each.pk for each in rows]}))
            .values(field, "kind")
            .annotate(total=Sum("units"))
        )
        arrived |= {(each[field], each["kind"]): each["total"] for each in query}
    return [
        Flow(
            number=each.number,
            authority=each.authority.code,
            company=each.line.order.importer.name_latin,
            item=each.line.chip,
            approved=each.balance.units_cap or 0,
            reserved=each.balance.units_reserved,
            drawn=each.balance.units_drawn,
            delivered=arrived.get((each.pk, Arrival.Kind.DELIVERY.value), 0),
            entered=arrived.get((each.pk, Arrival.Kind.CUSTOMS_ENTRY.value), 0),
        )
        for each in rows
    ]


@dataclass(frozen=True, slots=True)
class Day:
    """Units up to a day, in all: approved by either key, released under both, delivered, entered at customs."""

    on: date
    approved_import: int
    approved_export: int
    released: int
    delivered: int
    entered: int


def over_time(actor: Actor) -> list[Day]:
    """Return what was approved against what arrived, one row for every day on which something changed.

    What was approved counts in full from the day of its authorisation, whatever became of it later: the distance
    between the columns is what has not moved.
    """
    from twokey.desk.ledger.shipments import authorisations, shipments

    steps: dict[str, dict[date, int]] = {"approved_import": {}, "approved_export": {}}
    approved = authorisations(actor).order_by().prefetch_related(None)
    for side, on, units in (
        approved.values_list("authority__side", "created_at__date").annotate(total=Sum("balance__units_cap")).order_by()
    ):
        steps[f"approved_{side}"][on] = units or 0
    released = ShipmentLine.objects.filter(shipment__release__isnull=False)
    arrived = Arrival.objects.all()
    if actor.role is Role.APPLICANT:
        seen = shipments(actor).order_by().values("pk")
        released, arrived = released.filter(shipment__in=seen), arrived.filter(shipment_line__shipment__in=seen)
    steps["released"] = _by_day(released, "shipment__release__at__date", "units")
    for name, kind in (("delivered", Arrival.Kind.DELIVERY), ("entered", Arrival.Kind.CUSTOMS_ENTRY)):
        steps[name] = _by_day(arrived.filter(kind=kind), "on", "units")
    total = dict.fromkeys(steps, 0)
    found = []
    for on in sorted({day for each in steps.values() for day in each}):
        for name, days in steps.items():
            total[name] += days.get(on, 0)
        found.append(Day(on, **total))
    return found


def _by_day(rows: QuerySet[Any], day: str, units: str) -> dict[date, int]:
    """Return the sum of units of each day."""
    return {each["day"]: each["total"] or 0 for each in rows.values(day=F(day)).annotate(total=Sum(units))}


def _conditions_met(order: Order, rows: list[Authorisation]) -> date | None:
    """Return the day on which the last condition precedent of both keys was evidenced, while all of them hold."""
    if {each.authority.side for each in rows} != {"export", "import"}:
        return None
    evidence, today = list(order.evidence.all()), timezone.now().date()
    days = [max(each.created_at.date() for each in rows)]
    for authorisation in rows:
        for condition in precedents(authorisation):
            shown = in_force(evidence, condition.code, today)
            if shown is None:
                return None
            days.append(shown.recorded_at.date())
    return max(days)
