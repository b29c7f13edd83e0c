"""One shipment: plan it, reserve for it on both keys, void it, take it back, and record what arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor, Role, permit, permit_organisation
from twokey.desk.audit.events import record
from twokey.desk.audit.outbox import post
from twokey.desk.cases.models import Milestone, Order, OrderLine
from twokey.desk.codes import check_currency, check_place
from twokey.desk.ledger.foreign import statements_for
from twokey.desk.ledger.models import (
    Arrival,
    Authorisation,
    Balance,
    Conversion,
    Movement,
    SerialNumber,
    Shipment,
    ShipmentLine,
)
from twokey.desk.ledger.money import Converted, convert
from twokey.desk.ledger.movements import Amount, Moved, move
from twokey.desk.ledger.ratio import balance_for, tpp_of
from twokey.desk.reasons import Reason, Refused, invalid, missing, reason

RESERVED_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Part:
    """Units of one order line in a shipment; the authorisations may be named where several are in force."""

    position: int
    units: int
    value_minor: int
    currency: str
    export_number: str = ""
    import_number: str = ""


def plan(actor: Actor, order_id: int, number: str, place: str, parts: Sequence[Part]) -> Shipment:
    """Plan a shipment under an order; nothing is reserved yet."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise missing("order", order_id)
    permit_organisation(actor, "ledger.ship", order.exporter_id)
    if not parts:
        raise invalid("lines", "none_given")
    check_place(place)
    lines = {line.position: line for line in order.lines.all()}
    try:
        with transaction.atomic():
            shipment = Shipment.objects.create(order=order, number=number, place=place, created_by=actor.login)
            for part in parts:
                if (
                    type(part.units) is not int
                    or part.units < 1
                    or type(part.value_minor) is not int
                    or part.value_minor < 0
                ):
                    raise invalid("lines.units", "amounts_not_whole")
                check_currency(part.currency, "lines.currency")
                if part.position not in lines:
                    raise missing("order line", part.position)
                if part.units > lines[part.position].units:
                    raise Refused(
                        reason("over_order", what="units", amount=part.units, limit=lines[part.position].units)
                    )
                ShipmentLine.objects.create(
                    shipment=shipment,
                    line=lines[part.position],
                    units=part.units,
                    value_minor=part.value_minor,
                    currency=part.currency,
                    export_authorisation=_choose(lines[part.position], "export", part.export_number),
                    import_authorisation=_choose(lines[part.position], "import", part.import_number),
                )
            record(actor, "shipment.planned", "shipment", shipment.pk, number=number)
    except IntegrityError:
        raise invalid("number", "exists", given=number) from None
    return shipment


def reserve(actor: Actor, shipment_id: int, key: str) -> Moved:
    """Reserve a shipment on every balance of both keys, or on none; raises `Refused` with each that does not allow it.

    `key` makes it happen once; the reservation lapses after 30 days unless it is drawn.
    """
    with transaction.atomic():
        shipment = _locked(actor, shipment_id)
        if shipment.state == "reserved":
            open_one = open_reservation(shipment)
            if open_one is not None and open_one.key == f"reserve:{shipment.pk}:{key}":
                return Moved(open_one.pk, True, ())
        if shipment.state != "planned":
            raise _wrong(shipment, "reserve", "planned")
        amounts, conversions = amounts_of(shipment)
        moved = move(
            "reserve", f"reserve:{shipment.pk}:{key}", amounts=amounts, shipment_id=shipment.pk, actor=actor.login
        )
        if not moved.repeated:
            Conversion.objects.bulk_create(
                Conversion(
                    movement_id=moved.movement_id,
                    balance_id=balance_id,
                    rate_id=each.rate_id,
                    from_minor=each.from_minor,
                    from_currency=each.from_currency,
                    to_minor=each.to_minor,
                    to_currency=each.to_currency,
                )
                for balance_id, each in conversions
            )
            shipment.state, shipment.reserved_until = "reserved", timezone.now() + timedelta(days=RESERVED_DAYS)
            shipment.save(update_fields=["state", "reserved_until"])
            record(actor, "shipment.reserved", "shipment", shipment.pk, movement=moved.movement_id)
            tell_posture(actor, moved)
    return moved


def void(actor: Actor, shipment_id: int, why: str) -> Moved:
    """Give a reservation back; every unit of it is free again at once."""
    with transaction.atomic():
        shipment = _locked(actor, shipment_id)
        reservation = open_reservation(shipment)
        if shipment.state != "reserved" or reservation is None:
            raise _wrong(shipment, "void", "reserved")
        moved = move(
            "void", f"void:{reservation.pk}", of=reservation.pk, shipment_id=shipment.pk, actor=actor.login, why=why
        )
        shipment.state, shipment.reserved_until = "planned", None
        shipment.save(update_fields=["state", "reserved_until"])
        record(actor, "shipment.voided", "shipment", shipment.pk, movement=moved.movement_id, reason=why)
    return moved


def take_back(actor: Actor, shipment_id: int, key: str, units: Mapping[int, int], why: str) -> Moved:
    """Return goods of a released shipment: units by order line, with their share of the value; a use stays used.

    Raises `Refused` where more would come back than was drawn, over all returns together.
    """
    with transaction.atomic():
        shipment = _locked(actor, shipment_id)
        drawn = shipment.movements.filter(kind="draw").first()
        if drawn is None:
            raise _wrong(shipment, "take back", "released, shipped, delivered")
        whole, _ = amounts_of(shipment)
        back, _ = amounts_of(shipment, units)
        allowed = {each.balance_id for each in whole}
        amounts = [
            Amount(each.balance_id, each.units, each.value_minor, 0) for each in back if each.balance_id in allowed
        ]
        moved = move(
            "return",
            f"return:{shipment.pk}:{key}",
            of=drawn.pk,
            amounts=amounts,
            shipment_id=shipment.pk,
            actor=actor.login,
            why=why,
        )
        if not moved.repeated:
            record(actor, "shipment.returned", "shipment", shipment.pk, units={str(k): v for k, v in units.items()})
            post(
                "return",
                ("shipment", shipment.pk),
                {"number": shipment.number, "units": {str(k): v for k, v in units.items()}},
            )
    return moved


def ship(actor: Actor, shipment_id: int, serials: Mapping[int, Sequence[str]]) -> Shipment:
    """Record that a released shipment left, with the serial number of each unit (by order line)."""
    with transaction.atomic():
        shipment = _locked(actor, shipment_id)
        if shipment.state != "released":
            raise _wrong(shipment, "ship", "released")
        for line in shipment.lines.select_related("line"):
            given = list(serials.get(line.line.position, ()))
            if given and (len(given) != line.units or len(set(given)) != len(given)):
                raise invalid("serials", "serial_count", given=len(set(given)), units=line.units)
            try:
                with transaction.atomic():
                    SerialNumber.objects.bulk_create(
                        SerialNumber(shipment_line=line, chip=line.line.chip, serial=each) for each in given
                    )
            except IntegrityError:
                raise invalid("serials", "serial_repeated") from None
        shipment.state = "shipped"
        shipment.save(update_fields=["state"])
        record(actor, "shipment.shipped", "shipment", shipment.pk)
        post("shipped", ("shipment", shipment.pk), {"number": shipment.number})
    return shipment


def arrive(
    actor: Actor, shipment_id: int, position: int, kind: str, number: str, on: date, place: str, units: int
) -> Arrival:
    """Record a delivery (the importer) or a customs entry (customs); more than was released is refused."""
    permit(actor, "customs.record" if kind == Arrival.Kind.CUSTOMS_ENTRY else "ledger.ship")
    if kind not in Arrival.Kind.values:
        raise invalid("kind", "not_known", given=kind, known=", ".join(Arrival.Kind.values))
    with transaction.atomic():
        shipment = (
            Shipment.objects.select_for_update(of=("self",)).select_related("order").filter(pk=shipment_id).first()
        )
        if shipment is None:
            raise missing("shipment", shipment_id)
        if kind == Arrival.Kind.DELIVERY:
            permit_organisation(actor, "ledger.ship", shipment.order.importer_id)
        if shipment.state not in {"released", "shipped", "delivered"}:
            raise _wrong(shipment, "record an arrival", "released, shipped, delivered")
        line = shipment.lines.filter(line__position=position).first()
        if line is None:
            raise missing("shipment line", position)
        if type(units) is not int or units < 1:
            raise Refused(reason("zero_quantity"), status=422)
        before = sum(each.units for each in line.arrivals.filter(kind=kind))
        if before + units > line.units:
            raise Refused(reason("more_than_released", units=before + units, released=line.units))
        try:
            with transaction.atomic():
                row = Arrival.objects.create(
                    shipment_line=line,
                    kind=kind,
                    number=number,
                    on=on,
                    place=place,
                    units=units,
                    recorded_by=actor.login,
                )
        except IntegrityError:
            raise Refused(reason("repeated")) from None
        if kind == Arrival.Kind.DELIVERY:
            shipment.state = "delivered"
            shipment.save(update_fields=["state"])
        elif not Milestone.objects.filter(order=shipment.order, kind=Milestone.Kind.CUSTOMS_RELEASE).exists():
            Milestone.objects.create(
                order=shipment.order,
                kind=Milestone.Kind.CUSTOMS_RELEASE,
                on=on,
                reference=number,
                recorded_by=actor.login,
            )
        record(actor, f"shipment.{kind}", "shipment", shipment.pk, number=number, units=units, on=on.isoformat())
    return row


def shipments(actor: Actor) -> QuerySet[Shipment]:
    """Return the shipments that the actor may see."""
    permit(actor, "ledger.read")
    rows = Shipment.objects.select_related("order").prefetch_related(
        "lines__line", "lines__export_authorisation", "lines__import_authorisation"
    )
    if actor.role is Role.APPLICANT:
        mine = actor.organisation_id
        rows = rows.filter(order__exporter_id=mine) | rows.filter(order__importer_id=mine)
    return rows.order_by("-pk")


def authorisations(actor: Actor) -> QuerySet[Authorisation]:
    """Return the authorisations that the actor may see: both authorities and both parties see both keys."""
    permit(actor, "ledger.read")
    # Four joins here, and four small queries after it: to plan one join of nine tables took longer than to run it.
    rows = Authorisation.objects.select_related("authority", "balance", "line__order").prefetch_related(
        "conditions", "line__order__importer", "line__order__exporter", "batch_balance", "share_balance"
    )
    if actor.role is Role.APPLICANT:
        mine = actor.organisation_id
        rows = rows.filter(line__order__exporter_id=mine) | rows.filter(line__order__importer_id=mine)
    return rows.order_by("pk")


def open_reservation(shipment: Shipment) -> Movement | None:
    """Return the reservation of a shipment that is neither drawn nor given back, or None."""
    return shipment.movements.filter(kind="reserve", followed_by__isnull=True).order_by("-pk").first()


def amounts_of(
    shipment: Shipment, only: Mapping[int, int] | None = None
) -> tuple[list[Amount], list[tuple[int, Converted]]]:
    """Return what a shipment asks of every balance it touches, each named once, and the conversions that took.

    `only` gives units by order line for a part of it; the value is then the line's own, in proportion, rounded down.
    Raises `Refused` with every item that has no authorisation for the place.
    """
    whole: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    conversions: list[tuple[int, Converted]] = []
    found: list[Reason] = []
    lines = shipment.lines.select_related(
        "line",
        *(
            f"{side}_authorisation__{of}"
            for side in ("export", "import")
            for of in ("authority", "balance", "batch_balance", "share_balance", "line__order")
        ),
    )
    today = timezone.now().date()
    for line in lines.order_by("pk"):
        units = line.units if only is None else only.get(line.line.position, 0)
        if units == 0:
            continue
        value = line.value_minor if only is None else line.value_minor * units // line.units
        for side in ("export", "import"):
            authorisation = _authorisation(line, side, shipment.place, found)
            if authorisation is None:
                continue
            for balance, counted in balances_of(authorisation, side, units):
                amount = value if balance.currency else 0
                if balance.currency:
                    converted = convert(value, line.currency, balance.currency, today)
                    if converted is not None:
                        amount = converted.to_minor
                        conversions.append((balance.pk, converted))
                sums = whole[balance.pk]
                sums[0] += counted
                sums[1] += amount
                sums[2] = 1
    if found:
        raise Refused(*found)
    return [Amount(pk, *sums) for pk, sums in sorted(whole.items())], conversions


def tell_posture(actor: Actor, moved: Moved) -> None:
    """Tell both authorities and the holder when a movement passed 80, 90, 95 or 100 per cent of a limit."""
    for balance_id, step in moved.crossings:
        label = Balance.objects.values_list("label", flat=True).get(pk=balance_id)
        record(actor, "ledger.posture", "balance", balance_id, label=label, step=step)
        post("posture", ("balance", balance_id), {"label": label, "per_cent": step})


def _authorisation(line: ShipmentLine, side: str, place: str, found: list[Reason]) -> Authorisation | None:
    chosen: Authorisation | None = line.export_authorisation if side == "export" else line.import_authorisation
    if chosen is None:
        chosen = _choose(line.line, side, "")
    if chosen is None:
        if not statements_for(line.line, side):  # turned at another desk: its own ledger counts there
            found.append(reason("no_authorisation", line=line.line.position, side=side))
        return None
    if getattr(line, f"{side}_authorisation_id") is None:  # planned before the key turned
        setattr(line, f"{side}_authorisation", chosen)
        line.save(update_fields=[f"{side}_authorisation"])
    if place not in chosen.places:
        found.append(reason("wrong_place", label=chosen.number, places=", ".join(chosen.places), place=place))
    return chosen


def balances_of(authorisation: Authorisation, side: str, units: int) -> list[tuple[Balance, int]]:
    """Return the balances that an authorisation draws on, with what is counted in each: units, or TPP for a ratio."""
    rows = [(authorisation.balance, units)]
    for each in (authorisation.batch_balance, authorisation.share_balance):
        if each is not None:
            rows.append((each, units))
    if side == "export":
        ratio = balance_for(authorisation)
        if ratio is not None:
            rows.append((ratio, tpp_of(authorisation, units)))
    return rows


def _choose(line: OrderLine, side: str, number: str) -> Authorisation | None:
    """Return the one authorisation of a line and side that is in force, or the one that is named."""
    rows = line.authorisations.filter(authority__side=side)
    if number:
        chosen = rows.filter(number=number).first()
        if chosen is None:
            raise missing(f"{side} authorisation", number)
        return chosen
    live = list(rows.filter(balance__state="in_force").order_by("pk"))
    if len(live) > 1:
        numbers = ", ".join(each.number for each in live)
        raise Refused(reason("several_authorisations", line=line.position, side=side, numbers=numbers))
    return live[0] if live else None


def _locked(actor: Actor, shipment_id: int) -> Shipment:
    shipment = Shipment.objects.select_for_update(of=("self",)).select_related("order").filter(pk=shipment_id).first()
    if shipment is None:
        raise missing("shipment", shipment_id)
    permit_organisation(actor, "ledger.ship", shipment.order.exporter_id)
    return shipment


def _wrong(shipment: Shipment, task: str, allowed: str) -> Refused:
    return Refused(
        reason("wrong_state", what=f"shipment {shipment.number}", state=shipment.state, task=task, allowed=allowed)
    )
