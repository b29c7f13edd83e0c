"""Authorisations, shipments, releases, usage, and what happened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ninja import File, Query, Router, UploadedFile

from twokey.desk import bulk
from twokey.desk.actors import Actor, permit
from twokey.desk.api import shapes, show
from twokey.desk.api.routing import route
from twokey.desk.audit import outbox
from twokey.desk.audit.events import signer
from twokey.desk.audit.models import Event, OutboxMessage
from twokey.desk.ledger import adjusting, money, progress, ratio, releasing, shipments, states, usage
from twokey.desk.ledger.shipments import Part
from twokey.desk.reasons import missing

router = Router(tags=["ledger"])


@route(router, "GET", "/authorisations", "ledger.read", list[shapes.AuthorisationOut])
def authorisations(actor: Actor, page: Query[shapes.Page]) -> list[shapes.AuthorisationOut]:
    """List authorisations with what is left of each."""
    rows = shipments.authorisations(actor).filter(pk__gt=page.after)[: page.limit]
    return [show.authorisation(row) for row in rows]


@route(router, "GET", "/authorisations/{authorisation_id}", "ledger.read", shapes.AuthorisationOut)
def authorisation(actor: Actor, authorisation_id: shapes.PathId) -> shapes.AuthorisationOut:
    """Show one authorisation."""
    row = shipments.authorisations(actor).filter(pk=authorisation_id).first()
    if row is None:
        raise missing("authorisation", authorisation_id)
    return show.authorisation(row)


@route(router, "POST", "/authorisations/{authorisation_id}/state", "ledger.state", shapes.AuthorisationOut)
def state(actor: Actor, authorisation_id: shapes.PathId, body: shapes.StateIn) -> shapes.AuthorisationOut:
    """Suspend, reinstate or revoke; its authority's to do."""
    states.change_state(actor, authorisation_id, body.change, body.reason)
    return show.authorisation(shipments.authorisations(actor).get(pk=authorisation_id))


@route(router, "POST", "/authorisations/{authorisation_id}/surrender", "ledger.surrender", shapes.AuthorisationOut)
def surrender(actor: Actor, authorisation_id: shapes.PathId, body: shapes.TextIn) -> shapes.AuthorisationOut:
    """Give an authorisation up; its holder's to do."""
    states.change_state(actor, authorisation_id, "surrender", body.text)
    return show.authorisation(shipments.authorisations(actor).get(pk=authorisation_id))


@route(router, "POST", "/authorisations/{authorisation_id}/adjustments", "ledger.adjust", shapes.IdOut, 201)
def propose(actor: Actor, authorisation_id: shapes.PathId, body: shapes.AdjustmentIn) -> shapes.IdOut:
    """Propose to correct what was drawn."""
    row = adjusting.propose(actor, authorisation_id, body.units, body.value_minor, body.uses, body.reason)
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/adjustments/{adjustment_id}/sign", "ledger.adjust", shapes.IdOut)
def sign(actor: Actor, adjustment_id: shapes.PathId) -> shapes.IdOut:
    """Sign a correction as the second officer."""
    return shapes.IdOut(id=adjusting.sign(actor, adjustment_id).pk)


@route(router, "POST", "/conditions/{condition_id}", "condition.change", shapes.ConditionOut)
def change_condition(actor: Actor, condition_id: shapes.PathId, body: shapes.ConditionChangeIn) -> shapes.ConditionOut:
    """Say a condition anew, or lift it; only the authority that set it can."""
    row = adjusting.change_condition(
        actor, condition_id, text_en=body.text_en, text_zh=body.text_zh, why=body.reason, lift=body.lift
    )
    return shapes.ConditionOut(id=row.pk, code=row.code, kind=row.kind, text_en=row.text_en, text_zh=row.text_zh)


@route(router, "POST", "/ratio-caps", "ledger.cap", shapes.IdOut, 201)
def ratio_cap(actor: Actor, body: shapes.CapIn) -> shapes.IdOut:
    """Choose the window of a ratio cap."""
    row = ratio.choose_cap(
        actor,
        body.product,
        destinations=body.destinations,
        ratio_bp=body.ratio_bp,
        window=body.window,
        since=body.since,
        why=body.reason,
    )
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/ratio-caps/{cap_id}/home-shipments", "ledger.statement", shapes.IdOut, 201)
def home_shipments(actor: Actor, cap_id: shapes.PathId, body: shapes.HomeShipmentsIn) -> shapes.IdOut:
    """State what was shipped at home."""
    row = ratio.state_home_shipments(actor, cap_id, body.on, body.units, body.tpp_each, body.source)
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/rates", "ledger.rate", shapes.IdOut, 201)
def rate(actor: Actor, body: shapes.RateIn) -> shapes.IdOut:
    """Record an exchange rate."""
    return shapes.IdOut(id=money.add_rate(actor, **body.model_dump()).pk)


@route(router, "GET", "/flows", "ledger.read", list[shapes.FlowOut])
def flows(actor: Actor, page: Query[shapes.Page]) -> list[shapes.FlowOut]:
    """Show what was approved against what arrived; `after` is the number of rows to pass over."""
    rows = progress.flows(actor, min(page.after, 1_000_000), page.limit)
    return [shapes.FlowOut(**asdict(each)) for each in rows]


@route(router, "GET", "/shipments", "ledger.read", list[shapes.ShipmentOut])
def list_shipments(actor: Actor, page: Query[shapes.Page]) -> list[shapes.ShipmentOut]:
    """List shipments by id."""
    rows = shipments.shipments(actor).filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [show.shipment(row) for row in rows]


@route(router, "POST", "/shipments", "ledger.ship", shapes.ShipmentOut, 201)
def plan(actor: Actor, body: shapes.ShipmentIn) -> shapes.ShipmentOut:
    """Plan a shipment."""
    parts = [Part(**each.model_dump()) for each in body.lines]
    row = shipments.plan(actor, body.order_id, body.number, body.place, parts)
    return _shipment(actor, row.pk)


@route(router, "GET", "/shipments/{shipment_id}", "ledger.read", shapes.ShipmentOut)
def shipment(actor: Actor, shipment_id: shapes.PathId) -> shapes.ShipmentOut:
    """Show one shipment."""
    return _shipment(actor, shipment_id)


@route(router, "POST", "/shipments/{shipment_id}/reserve", "ledger.ship", shapes.MovedOut)
def reserve(actor: Actor, shipment_id: shapes.PathId) -> shapes.MovedOut:
    """Reserve a shipment on both keys."""
    from twokey.desk.ledger.models import Movement

    turn = Movement.objects.filter(shipment_id=shipment_id, kind="reserve", followed_by__isnull=False).count()
    moved = shipments.reserve(actor, shipment_id, str(turn))
    return shapes.MovedOut(movement_id=moved.movement_id, repeated=moved.repeated)


@route(router, "POST", "/shipments/{shipment_id}/void", "ledger.ship", shapes.MovedOut)
def void(actor: Actor, shipment_id: shapes.PathId, body: shapes.TextIn) -> shapes.MovedOut:
    """Give a reservation back."""
    moved = shipments.void(actor, shipment_id, body.text)
    return shapes.MovedOut(movement_id=moved.movement_id, repeated=moved.repeated)


@route(router, "POST", "/shipments/{shipment_id}/return", "ledger.ship", shapes.MovedOut)
def take_back(actor: Actor, shipment_id: shapes.PathId, body: shapes.ReturnIn) -> shapes.MovedOut:
    """Return goods of a released shipment."""
    moved = shipments.take_back(actor, shipment_id, body.key, body.units, body.reason)
    return shapes.MovedOut(movement_id=moved.movement_id, repeated=moved.repeated)


@route(router, "POST", "/shipments/{shipment_id}/ship", "ledger.ship", shapes.ShipmentOut)
def ship(actor: Actor, shipment_id: shapes.PathId, body: shapes.ShipIn) -> shapes.ShipmentOut:
    """Record that a released shipment left, with its serial numbers."""
    shipments.ship(actor, shipment_id, body.serials)
    return _shipment(actor, shipment_id)


@route(router, "POST", "/shipments/{shipment_id}/deliveries", "ledger.ship", shapes.IdOut, 201)
def deliver(actor: Actor, shipment_id: shapes.PathId, body: shapes.ArrivalIn) -> shapes.IdOut:
    """Record a delivery; the importer's to do."""
    return shapes.IdOut(id=shipments.arrive(actor, shipment_id, kind="delivery", **body.model_dump()).pk)


@route(router, "POST", "/shipments/{shipment_id}/customs-entries", "customs.record", shapes.IdOut, 201)
def enter(actor: Actor, shipment_id: shapes.PathId, body: shapes.ArrivalIn) -> shapes.IdOut:
    """Record a customs entry."""
    return shapes.IdOut(id=shipments.arrive(actor, shipment_id, kind="customs_entry", **body.model_dump()).pk)


@route(router, "GET", "/shipments/{shipment_id}/gate", "release.read", shapes.GateOut)
def gate(actor: Actor, shipment_id: shapes.PathId) -> shapes.GateOut:
    """Ask the gate: open, or every reason that blocks, in both languages."""
    found = releasing.check(actor, shipment_id)
    return shapes.GateOut(open=not found, reasons=[shapes.ReasonOut(**each.as_dict()) for each in found])


@route(router, "POST", "/shipments/{shipment_id}/release", "release.request", shapes.ReleaseOut)
def release(actor: Actor, shipment_id: shapes.PathId) -> shapes.ReleaseOut:
    """Release a shipment: signed by both sides, or refused with every reason."""
    return show.release(releasing.release(actor, shipment_id))


@route(router, "GET", "/releases", "release.read", list[shapes.ReleaseOut])
def releases(actor: Actor, page: Query[shapes.Page]) -> list[shapes.ReleaseOut]:
    """List releases by id."""
    rows = releasing.releases(actor).filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [show.release(row) for row in rows]


@route(router, "GET", "/keys", "release.read", dict[str, Any])
def keys(actor: Actor) -> dict[str, Any]:
    """Give out the public keys, for `twokey verify`."""
    return signer().ring().dump()


@route(router, "POST", "/usage", "usage.import", list[shapes.UsageRowOut])
def usage_in(actor: Actor, body: shapes.UsageIn) -> list[shapes.UsageRowOut]:
    """Take a usage report in; each row is answered at once."""
    rows = usage.take_in(actor, [usage.Usage(**each.model_dump()) for each in body.rows])
    return [
        shapes.UsageRowOut(
            row=each.row,
            accepted=each.why is None,
            code=each.why.code if each.why else "",
            en=each.why.en if each.why else "",
            zh=each.why.zh if each.why else "",
        )
        for each in rows
    ]


@route(router, "GET", "/usage", "usage.read", list[dict[str, Any]])
def usage_out(actor: Actor, page: Query[shapes.Page]) -> list[dict[str, Any]]:
    """Give out what is used of every authorisation; `after` is the number of rows to pass over."""
    return list(usage.give_out(actor, min(page.after, 1_000_000), page.limit))


@route(router, "POST", "/bulk/orders", "order.create", shapes.BulkOut)
def bulk_orders(actor: Actor, file: File[UploadedFile]) -> shapes.BulkOut:
    """Enter orders from CSV or XLSX: the whole file or nothing."""
    return _bulk(bulk.import_orders(actor, file.name or "file", file.read()))


@route(router, "POST", "/bulk/authorisations", "case.decide", shapes.BulkOut)
def bulk_authorisations(actor: Actor, file: File[UploadedFile]) -> shapes.BulkOut:
    """Decide applications from CSV or XLSX: the whole file or nothing; each waits for its countersigner."""
    return _bulk(bulk.import_authorisations(actor, file.name or "file", file.read()))


@route(router, "GET", "/outbox", "outbox.read", list[shapes.MessageOut])
def messages(actor: Actor, page: Query[shapes.Page]) -> list[shapes.MessageOut]:
    """List the messages of the outbox and where each stands."""
    rows = OutboxMessage.objects.filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [show.message(row) for row in rows]


@route(router, "POST", "/outbox/{message_id}/resend", "outbox.resend", shapes.MessageOut)
def resend(actor: Actor, message_id: shapes.PathId) -> shapes.MessageOut:
    """Put a message back in line."""
    return show.message(outbox.resend(actor, message_id))


@route(router, "GET", "/events", "audit.read", list[shapes.EventOut])
def events(actor: Actor, page: Query[shapes.Page]) -> list[shapes.EventOut]:
    """Read what happened, in order."""
    permit(actor, "audit.read")
    return [show.event(row) for row in Event.objects.filter(pk__gt=page.after).order_by("pk")[: page.limit]]


def _shipment(actor: Actor, shipment_id: int) -> shapes.ShipmentOut:
    row = shipments.shipments(actor).filter(pk=shipment_id).first()
    if row is None:
        raise missing("shipment", shipment_id)
    return show.shipment(row)


def _bulk(report: bulk.Report) -> shapes.BulkOut:
    return shapes.BulkOut(
        done=report.done,
        rows=report.rows,
        made=list(report.made),
        errors=[{"line": line, "problem": problem} for line, problem in report.errors],
    )
