"""Two desks that share no database: what one signed, the other verifies, takes in, and answers with its own signature.

1. The authority of one key states an authorisation (`state`): a signed document, carried by file or message.
2. The other desk takes it in (`receive`), once its authority's public keys are trusted there (`trust`).
3. A shipment is reserved and released there as ever; that desk draws on its own balances and signs its half.
4. The first desk takes the half in and completes it (`complete`): its own gate, its own draw, its own signature.
5. The whole release goes back (`receive`), and the shipment is released.

A signature is given with the draw, in one transaction; so a release with both signatures is drawn on both ledgers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor, permit, permit_authority
from twokey.desk.audit.events import issue, record, signer
from twokey.desk.audit.models import Received, SignedDocument
from twokey.desk.audit.outbox import post
from twokey.desk.cases.assessing import load_order
from twokey.desk.ledger import gate
from twokey.desk.ledger.foreign import STATE, STATEMENT, newest, state_of
from twokey.desk.ledger.models import Authorisation, Release, Shipment, StateChange
from twokey.desk.ledger.money import convert
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.shipments import balances_of, tell_posture
from twokey.desk.parties.models import Authority
from twokey.desk.proof import RELEASE, check
from twokey.desk.reasons import Reason, Refused, missing, reason
from twokey.desk.signing import BadSignature, KeyRing, digest, verify
from twokey.desk.signing.keyring import moment

KINDS: Final = (STATEMENT, STATE, RELEASE)
_TRUSTED: Final = "trusted.json"
_VERBS: Final = {  # what was taken in decides whom it concerns
    STATEMENT: "exchange.key_received",
    STATE: "exchange.change_received",
    RELEASE: "exchange.half_received",
}


def trust(path: Path) -> KeyRing:
    """Trust the public keys of another desk from its key file; returns all that are trusted now.

    A revocation is taken over; nothing is ever revoked less, and no key takes the place of another.

    Errors: `UserError` where the file is none, or names a key otherwise than it is known here.
    """
    known = dict(trusted().keys)
    for kid, key in KeyRing.load(path).keys.items():
        if key.side not in {"export", "import"}:
            continue
        own, before = signer().ring().get(kid), known.get(kid)
        if own is not None:
            if own.x != key.x:
                raise UserError(f"{path}: {kid} is another key than this desk's own {kid}")
            continue
        if before is not None and (before.x, before.authority, before.side) != (key.x, key.authority, key.side):
            raise UserError(f"{path}: {kid} is another key than the {kid} trusted before; revoke that one first")
        if before is None or before.revoked_at is None:
            known[kid] = key
    _trusted_path().write_text(json.dumps(KeyRing(known).dump(), indent=1))
    return KeyRing(known)


def trusted() -> KeyRing:
    """Return the public keys of other desks that this one trusts."""
    path = _trusted_path()
    return KeyRing.load(path) if path.exists() else KeyRing({})


def state(actor: Actor, authorisation_id: int) -> SignedDocument:
    """State an authorisation as it stands now, signed, for a desk that cannot see it; its own authority's to do."""
    row = (
        Authorisation.objects.select_related("authority", "balance", "line__order", "decision__document")
        .prefetch_related("conditions")
        .filter(pk=authorisation_id)
        .first()
    )
    if row is None:
        raise missing("authorisation", authorisation_id)
    permit_authority(actor, "exchange.state", row.authority_id)
    signed = row.decision.countersignature.document
    body = {
        "authority": row.authority.code,
        "side": row.authority.side,
        "authorisation": row.number,
        "decision": row.decision.document.sha256,
        "countersignature": signed.sha256 if signed else "",
        "order": row.line.order.number,
        "position": row.line.position,
        "item": row.line.chip,
        "units": row.balance.units_cap,
        "value_minor": row.balance.value_cap,
        "currency": row.balance.currency,
        "uses": row.balance.uses_cap,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
        "places": list(row.places),
        "state": row.balance.state,
        "conditions": [
            {"code": each.code, "kind": each.kind, "en": each.text_en, "zh": each.text_zh}
            for each in row.conditions.all()
            if each.replaced_by_id is None and not each.lifted
        ],
        "officer": actor.login,
        "at": timezone.now().isoformat(),
    }
    document = issue(STATEMENT, body, (row.authority.code,), ("authorisation", row.pk))
    record(actor, "exchange.stated", "authorisation", row.pk, number=row.number, sha256=document.sha256)
    return document


def latest_change(actor: Actor, authorisation_id: int) -> SignedDocument:
    """Return the newest signed change of state of an authorisation, to be sent to the other desk."""
    permit(actor, "exchange.read")
    row = (
        StateChange.objects.select_related("document")
        .filter(balance__authorisation=authorisation_id, document__isnull=False)
        .order_by("-pk")
        .first()
    )
    if row is None or row.document is None:
        raise missing("signed change of state of authorisation", authorisation_id)
    return row.document


def received(actor: Actor) -> QuerySet[Received]:
    """Return what was taken in from other desks, newest first."""
    permit(actor, "exchange.read")
    return Received.objects.order_by("-pk")


def receive(actor: Actor, document: object) -> Received:
    """Take in a signed document of another desk; raises `Refused` saying why it is not taken.

    Refused are: an altered document, one signed by an unknown or revoked key or by another authority than it names, one
    taken in before, one of an authority of this desk, and a statement of what has ended there since. A release that
    both sides signed closes the shipment whose half this desk signed.
    """
    permit(actor, "exchange.receive")
    try:
        signed = verify(document, _everybody())
    except BadSignature as bad:
        raise Refused(bad.reason, status=422) from None
    kind, body = str(signed.body.get("type")), signed.body
    if kind not in KINDS:
        raise Refused(reason("foreign_kind", kind=kind), status=422)
    own = signer().ring()
    names = [key.authority for key, _ in signed.signers]
    theirs = [key.authority for key, _ in signed.signers if own.get(key.kid) is None]
    if not theirs:
        raise Refused(reason("from_here", authority=", ".join(names)))
    if kind != RELEASE or len(names) > 1:
        proof = check(document, _everybody())
        if not proof.holds:
            raise Refused(*proof.reasons, status=422)
    try:
        with transaction.atomic():
            row = _keep(actor, kind, body, document, names)
            if kind == RELEASE and len(names) > 1:
                _close(actor, row)
    except Refused:
        raise
    except (KeyError, TypeError, ValueError):
        raise Refused(reason("not_a_document"), status=422) from None
    return row


def complete(actor: Actor, received_id: int) -> SignedDocument:
    """Answer the half-signed release of another desk with this desk's own draw and signature, or say why not.

    One transaction: the questions of the gate that this side can answer, the draw on every balance of this side, and
    the signature. Asking again returns the same release.
    """
    permit(actor, "exchange.complete")
    with transaction.atomic():
        row = Received.objects.filter(pk=received_id, kind=RELEASE).first()
        if row is None:
            raise missing("half-signed release", received_id)
        side: Literal["export", "import"] = actor.side or "export"
        if len(row.jws["signatures"]) != 1 or row.body["keys"][side]["authority"] != actor.authority_code:
            raise Refused(reason("not_half_signed", authority=actor.authority_code), status=403)
        try:
            verify(row.jws, _everybody())  # again: the key may have been revoked since it was taken in
        except BadSignature as bad:
            raise Refused(bad.reason) from None
        # Two who complete the same release wait for each other here; the second finds what the first did.
        Authority.objects.select_for_update().get(code=actor.authority_code)
        earlier = SignedDocument.objects.filter(kind=RELEASE, subject_kind="received", subject_id=row.pk).first()
        if earlier is not None:
            return earlier
        amounts = _answer(actor, row, side)
        key = f"exchange:{row.sha256}"
        reserved = move("reserve", key, amounts=amounts, actor=actor.login)
        move("draw", f"{key}:draw", of=reserved.movement_id, actor=actor.login)
        tell_posture(actor, reserved)
        mine = signer().sign(row.body, (actor.authority_code,), timezone.now())
        whole = {"payload": row.jws["payload"], "signatures": [*row.jws["signatures"], *mine["signatures"]]}
        proof = check(whole, _everybody())
        if not proof.holds:
            raise Refused(*proof.reasons)
        document = SignedDocument.objects.create(
            kind=RELEASE, subject_kind="received", subject_id=row.pk, sha256=digest(row.body), jws=whole
        )
        record(actor, "exchange.completed", "received", row.pk, number=row.number, sha256=document.sha256)
        post("release", ("received", row.pk), {"number": row.number, "document": whole})
    return document


def _keep(actor: Actor, kind: str, body: Mapping[str, Any], document: Any, names: list[str]) -> Received:
    number = str(body["number"] if kind == RELEASE else body["authorisation"])
    said_at = moment(body["issued_at"] if kind == RELEASE else body["at"])
    last = newest(number)
    if kind == STATEMENT and last is not None and last.said_at > said_at and state_of(last) != "in_force":
        raise Refused(reason("ended_there", number=number, state=state_of(last), at=last.said_at.isoformat()))
    if kind == STATEMENT and Authority.objects.filter(code=body["authority"]).exclude(side=body["side"]).exists():
        raise Refused(reason("wrong_signer", authority=body["authority"]), status=422)
    try:
        with transaction.atomic():
            row = Received.objects.create(
                kind=kind,
                authority=names[0] if kind == RELEASE else str(body["authority"]),
                number=number,
                order=str(body.get("order", "")),
                said_at=said_at,
                sha256=digest(body),
                signed_by=" ".join(names),
                body=dict(body),
                jws=document,
                by=actor.login,
            )
    except IntegrityError:
        raise Refused(reason("received_before")) from None
    verb = "exchange.whole_received" if len(names) > 1 else _VERBS[kind]
    record(actor, verb, "received", row.pk, kind=kind, number=number, sha256=row.sha256)
    return row


def _close(actor: Actor, row: Received) -> None:
    """Release the shipment whose half this desk signed."""
    half = Release.objects.select_related("document").filter(number=row.number).first()
    if half is None or half.document.sha256 != row.sha256:
        raise Refused(reason("not_our_half", number=row.number), status=422)
    shipment = Shipment.objects.select_for_update().get(pk=half.shipment_id)
    if shipment.state != Shipment.State.HALF_SIGNED:
        raise Refused(reason("received_before"))
    shipment.state = Shipment.State.RELEASED
    shipment.save(update_fields=["state"])
    record(actor, "release.completed", "shipment", shipment.pk, number=row.number, sha256=row.sha256)
    post("release", ("shipment", shipment.pk), {"number": row.number, "document": row.jws})


def _answer(actor: Actor, row: Received, side: Literal["export", "import"]) -> list[Amount]:
    """Ask this side's questions of a half-signed release; returns what it asks of each balance here."""
    today = timezone.now().date()
    found: list[Reason] = []
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    mine: dict[int, Authorisation] = {}
    shipment = row.body["shipment"]
    for line in shipment["lines"]:
        authorisation = (
            Authorisation.objects.select_related(
                "authority", "balance", "batch_balance", "share_balance", "line__order", "decision__document"
            )
            .filter(number=line[side], authority__code=actor.authority_code)
            .first()
        )
        if authorisation is None:
            found.append(reason("no_authorisation", line=line["position"], side=side))
            continue
        mine[authorisation.pk] = authorisation
        found += _differences(authorisation, row, line)
        for balance, counted in balances_of(authorisation, side, line["units"]):
            converted = (
                convert(line["value_minor"], line["currency"], balance.currency, today) if (balance.currency) else None
            )
            each = sums[balance.pk]
            each[0] += counted
            each[1] += converted.to_minor if converted else line["value_minor"] if balance.currency else 0
            each[2] = 1
    orders = {each.line.order_id for each in mine.values()}
    if len(orders) == 1:
        found += _gate(orders.pop(), row, list(mine.values()), side, today)
    if found:
        raise Refused(*{(each.code, each.en): each for each in found}.values())
    return [Amount(pk, *each) for pk, each in sorted(sums.items())]


def _differences(authorisation: Authorisation, row: Received, line: Mapping[str, Any]) -> list[Reason]:
    order, shipment = authorisation.line.order, row.body["shipment"]
    pairs = (
        (row.body["order"], order.number),
        (line["item"], authorisation.line.chip),
        (line["position"], authorisation.line.position),
        (shipment["destination"], order.destination),
    )
    found = [
        reason("half_mismatch", position=line["position"], what=there, here=here)
        for there, here in pairs
        if there != here
    ]
    if shipment["place"] not in authorisation.places:
        places = ", ".join(authorisation.places)
        found.append(reason("wrong_place", label=authorisation.number, places=places, place=shipment["place"]))
    if moment(row.body["valid_until"]) <= datetime.now(UTC):
        found.append(reason("release_over", at=row.body["valid_until"]))
    return found


def _gate(
    order_id: int, row: Received, mine: list[Authorisation], side: Literal["export", "import"], today: Any
) -> list[Reason]:
    """Ask the gate's questions of one side; the laboratory's certificate is the first desk's, in the signed body."""
    order = load_order(order_id)
    stand_in = Shipment(pk=0, order=order, number=row.body["shipment"]["number"], place=row.body["shipment"]["place"])
    question = gate.Question(stand_in, order, [], mine, list(order.evidence.all()), today)
    found = [
        each for ask in (gate.both_keys, gate.conditions_met, gate.screened, gate.sealed) for each in ask(question)
    ]
    found += gate.law_stands(question, (side,))
    if not row.body["laboratory"]:
        found.append(reason("no_laboratory", shipment=stand_in.number))
    return found


def _everybody() -> KeyRing:
    return KeyRing({**trusted().keys, **signer().ring().keys})


def _trusted_path() -> Path:
    from twokey.desk.home import home

    return home().keys / _TRUSTED


__all__ = [
    "complete",
    "latest_change",
    "receive",
    "received",
    "state",
    "trust",
    "trusted",
]
