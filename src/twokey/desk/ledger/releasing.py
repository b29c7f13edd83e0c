"""Ask the gate, draw on both keys, and sign: the release exists exactly when the draw does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor, Role, permit, permit_organisation
from twokey.desk.audit.events import issue, record
from twokey.desk.audit.outbox import post
from twokey.desk.cases import assessing
from twokey.desk.cases.models import Order
from twokey.desk.cases.papers import in_force
from twokey.desk.ledger.foreign import foreign_of, that_permit
from twokey.desk.ledger.gate import SIDES, Question, ask, everybody, precedents
from twokey.desk.ledger.models import Authorisation, Condition, Movement, Release, Shipment, ShipmentLine
from twokey.desk.ledger.movements import move
from twokey.desk.ledger.shipments import open_reservation
from twokey.desk.parties.models import ScreeningList
from twokey.desk.proof import RELEASE
from twokey.desk.reasons import Reason, Refused, missing, reason


def check(actor: Actor, shipment_id: int, loaded: Order | None = None) -> list[Reason]:
    """Return every reason that blocks a shipment today; empty means that a release would be signed.

    `loaded` is its order as `load_order` loads it, where the caller has it already.
    """
    permit(actor, "release.read")
    from twokey.desk.ledger.shipments import shipments

    shipment = shipments(actor).filter(pk=shipment_id).first()
    if shipment is None:
        raise missing("shipment", shipment_id)
    return ask(shipment, loaded if loaded and loaded.pk == shipment.order_id else None)[1]


def release(actor: Actor, shipment_id: int) -> Release:
    """Release a shipment, or raise `Refused` with every reason that blocks it.

    One transaction: the gate's questions, the draw of the reservation on every balance (which tests state and dates
    once more, under the locks), the two signatures. Where one key was turned at another desk, this desk draws and signs
    its own half, and the other completes it (`exchange`). Asking again returns the same release.
    """
    with transaction.atomic():
        shipment = (
            Shipment.objects.select_for_update(of=("self",)).select_related("order").filter(pk=shipment_id).first()
        )
        if shipment is None:
            raise missing("shipment", shipment_id)
        permit_organisation(actor, "release.request", shipment.order.exporter_id)
        earlier = Release.objects.select_related("document").filter(shipment=shipment).first()
        if earlier is not None:
            return earlier
        # Nothing that the gate reads of the order may change between its questions and the draw.
        type(shipment.order).objects.select_for_update().get(pk=shipment.order_id)
        question, reasons = ask(shipment)
        reservation = open_reservation(shipment)
        if reasons or reservation is None:
            raise Refused(*(reasons or [reason("not_reserved", shipment=shipment.number)]))
        moved = move("draw", f"draw:{reservation.pk}", of=reservation.pk, shipment_id=shipment.pk, actor=actor.login)
        body = _body(question, reservation, moved.movement_id)
        here = {each.authority.code for each in question.authorisations}
        authorities = tuple(code for side in SIDES if (code := body["keys"][side]["authority"]) in here)
        document = issue(RELEASE, body, authorities, ("shipment", shipment.pk))
        row = Release.objects.create(
            number=body["number"], shipment=shipment, movement_id=moved.movement_id, document=document
        )
        shipment.state, shipment.reserved_until = "released" if len(authorities) == 2 else "half_signed", None
        shipment.save(update_fields=["state", "reserved_until"])
        verb = "release.signed" if len(authorities) == 2 else "release.half_signed"
        record(actor, verb, "shipment", shipment.pk, number=row.number, sha256=document.sha256)
        post("release", ("shipment", shipment.pk), {"number": row.number, "document": document.jws})
    return row


def releases(actor: Actor) -> QuerySet[Release]:
    """Return the releases that the actor may see; customs and both authorities see all."""
    permit(actor, "release.read")
    rows = Release.objects.select_related("shipment__order", "document").order_by("-pk")
    if actor.role is Role.APPLICANT:
        mine = actor.organisation_id
        rows = rows.filter(shipment__order__exporter_id=mine) | rows.filter(shipment__order__importer_id=mine)
    return rows


def _body(question: Question, reservation: Movement, draw: int) -> dict[str, Any]:
    """Return what a release says; whoever holds the file can read all of it."""
    now, shipment = timezone.now(), question.shipment
    certificate = in_force(
        [each for each in question.evidence if each.shipment_id == shipment.pk],
        "laboratory_certificate",
        question.on,
        shipment.pk,
    )
    return {
        "number": f"REL-{now.year}-{shipment.pk:06d}",
        "issued_at": now.isoformat(timespec="seconds"),
        "valid_until": _last_moment(question).isoformat(timespec="seconds"),
        "order": question.order.number,
        "shipment": {
            "number": shipment.number,
            "place": shipment.place,
            "destination": question.order.destination,
            "lines": [
                {
                    "position": line.line.position,
                    "item": line.line.chip,
                    "units": line.units,
                    "value_minor": line.value_minor,
                    "currency": line.currency,
                    "export": _number(question, line, "export"),
                    "import": _number(question, line, "import"),
                }
                for line in question.lines
            ],
        },
        "keys": {side: _key(question, side) for side in SIDES},
        "parties": [
            {
                "name": each.name,
                "name_latin": each.name_latin,
                "country": each.country,
                "roles": _roles(question, each.pk),
            }
            for each in everybody(question.order)
        ],
        "conditions": [
            {
                "authorisation": each.number,
                "code": condition.code,
                "kind": condition.kind,
                "en": condition.text_en,
                "zh": condition.text_zh,
            }
            for each in question.authorisations
            for condition in _standing(each)
        ]
        + [
            {"authorisation": each["authorisation"], **condition}
            for side in SIDES
            for each in foreign_of(question.statements, question.lines, side)
            for condition in each["conditions"]
        ],
        "evidence": [
            {"code": code, "sha256": found.document.sha256, "expires_on": str(found.expires_on or "")}
            for code in sorted({c.code for each in question.authorisations for c in precedents(each)})
            if (found := in_force(question.evidence, code, question.on, shipment.pk)) is not None
        ],
        "laboratory": {"issuer": certificate.issuer, "sha256": certificate.document.sha256} if certificate else {},
        "screening": [
            {"list": each.code, "sha256": each.current.sha256, "imported_at": each.current.imported_at.isoformat()}
            for each in ScreeningList.objects.select_related("current").order_by("code")
            if each.current is not None
        ],
        "law": {"digest": assessing.law_digest(question.on), "as_of": question.on.isoformat()},
        "movement": {"reserve": reservation.pk, "draw": draw},
    }


def _key(question: Question, side: Literal["export", "import"]) -> dict[str, Any]:
    mine = [each for each in question.authorisations if each.authority.side == side]
    if not mine:
        return _foreign_key(question, side)
    return {
        "authority": mine[0].authority.code,
        "authorisations": [
            {
                "number": each.number,
                "decision": each.decision.document.sha256,
                "valid_until": each.valid_until.isoformat(),
                "places": list(each.places),
            }
            for each in mine
        ],
    }


def _foreign_key(question: Question, side: Literal["export", "import"]) -> dict[str, Any]:
    theirs = foreign_of(question.statements, question.lines, side)
    return {
        "authority": theirs[0]["authority"],
        "authorisations": [
            {
                "number": each["authorisation"],
                "decision": each["decision"],
                "valid_until": each["valid_until"],
                "places": each["places"],
            }
            for each in theirs
        ],
    }


def _number(question: Question, line: ShipmentLine, side: Literal["export", "import"]) -> str:
    own = line.export_authorisation if side == "export" else line.import_authorisation
    if own is not None:
        return own.number
    return str(that_permit(question.statements, line.line, side)[0].number)


def _roles(question: Question, organisation_id: int) -> list[str]:
    return sorted(each.role for each in question.order.parties.all() if each.organisation_id == organisation_id)


def _standing(authorisation: Authorisation) -> list[Condition]:
    return [each for each in authorisation.conditions.all() if each.replaced_by_id is None and not each.lifted]


def _last_moment(question: Question) -> datetime:
    ends = [each.balance.closes_at for each in question.authorisations if each.balance.closes_at is not None]
    return min(ends, default=timezone.now())
