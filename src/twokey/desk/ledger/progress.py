"""Where an order stands in its five states, and what was approved against what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Q, Sum
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


def flows(actor: Actor, start: int = 0, limit: int | None = None) -> list[Flow]:
    """Return, for every authorisation that the actor may see, what was approved, drawn, delivered and entered.

    `start` passes over rows, `limit` stops after as many.
    """
    from twokey.desk.ledger.shipments import authorisations

    return flows_of(list(authorisations(actor)[start : None if limit is None else start + limit]))


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
    steps = _steps(actor)
    total = dict.fromkeys(_COLUMNS, 0)
    found = []
    for on in sorted({day for _name, day in steps}):
        for name in _COLUMNS:
            total[name] += steps[name, on]
        found.append(Day(on, **total))
    return found


_COLUMNS: Final = ("approved_import", "approved_export", "released", "delivered", "entered")
_ARRIVED: Final = {Arrival.Kind.DELIVERY.value: "delivered", Arrival.Kind.CUSTOMS_ENTRY.value: "entered"}
_STEP: Final = timedelta(hours=1)  # longer than any transaction: a row this old is committed, or never will be
_KEPT_FOR: Final = 256  # organisations
_kept: dict[int | None, tuple[datetime, Counter[tuple[str, date]]]] = {}


def _steps(actor: Actor) -> Counter[tuple[str, date]]:
    """Return the units of each column and day.

    Authorisations, releases and arrivals are written once and never changed, so this process adds up what is older than
    an hour once, keeps the sums, and reads only what came since. What is kept is nobody's but those who see the rows.
    """
    whose = actor.organisation_id if actor.role is Role.APPLICANT else None
    since, kept = _kept.get(whose, (datetime.min.replace(tzinfo=UTC), Counter[tuple[str, date]]()))
    settled = timezone.now() - _STEP
    if settled - since > _STEP:
        kept = kept + _between(actor, since, settled)
        since = settled
        if len(_kept) >= _KEPT_FOR:
            _kept.clear()
        _kept[whose] = since, kept
    return kept + _between(actor, since, None)


def _between(actor: Actor, since: datetime, until: datetime | None) -> Counter[tuple[str, date]]:
    """Return the units of each column and day in the rows written after one moment, up to another; three queries."""
    from twokey.desk.ledger.shipments import authorisations, shipments

    def written(field: str) -> Q:
        return Q(**{f"{field}__gt": since}) & (Q(**{f"{field}__lte": until}) if until else Q())

    approved = authorisations(actor).order_by().prefetch_related(None).filter(written("created_at"))
    released = ShipmentLine.objects.filter(written("shipment__release__at"))
    arrived = Arrival.objects.filter(written("recorded_at"))
    if actor.role is Role.APPLICANT:
        seen = shipments(actor).order_by().values("pk")
        released, arrived = released.filter(shipment__in=seen), arrived.filter(shipment_line__shipment__in=seen)
    found = Counter[tuple[str, date]]()
    for side, on, units in approved.values_list("authority__side", "created_at__date").annotate(
        total=Sum("balance__units_cap")
    ):
        found[f"approved_{side}", on] += units or 0
    for on, units in released.values_list("shipment__release__at__date").annotate(total=Sum("units")):
        found["released", on] += units
    for on, kind, units in arrived.values_list("on", "kind").annotate(total=Sum("units")):
        found[_ARRIVED[kind], on] += units
    return found


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
