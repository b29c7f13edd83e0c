"""The gate: every question that stands between a shipment and its release, asked each time, answered together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone

from twokey.desk.audit.models import Received
from twokey.desk.audit.sealing import broken
from twokey.desk.cases import assessing
from twokey.desk.cases.assessing import Side, load_order
from twokey.desk.cases.models import Evidence, Order
from twokey.desk.cases.papers import in_force
from twokey.desk.ledger.foreign import foreign_reasons, statements_of, that_permit
from twokey.desk.ledger.models import Authorisation, Condition, Shipment, ShipmentLine
from twokey.desk.ledger.posture import posture
from twokey.desk.ledger.shipments import open_reservation
from twokey.desk.parties.models import Organisation
from twokey.desk.parties.screening import list_reasons, party_reasons
from twokey.desk.reasons import Reason, reason


@dataclass(frozen=True, slots=True)
class Question:
    """What every check is asked about: the shipment, its order, its authorisations, the evidence, and the day.

    All of it is read before the first check, each kind of thing once: the number of queries depends neither on the
    items of the shipment nor on the parties of the order. `statements` is what other desks say of the order; it is
    empty where this desk holds both keys of every item.
    """

    shipment: Shipment
    order: Order
    lines: Sequence[ShipmentLine]
    authorisations: Sequence[Authorisation]
    evidence: Sequence[Evidence]
    on: date
    statements: Sequence[Received] = ()


Check = Callable[[Question], list[Reason]]
SIDES: Final[tuple[Side, ...]] = ("export", "import")


def ask(shipment: Shipment, loaded: Order | None = None) -> tuple[Question, list[Reason]]:
    """Ask every question of the gate; returns what was asked about and every reason that blocks, none left out.

    `loaded` is the shipment's order as `load_order` loads it, for a page that has it already.
    """
    order = loaded or load_order(shipment.order_id)
    lines = list(
        shipment.lines.select_related(
            "line",
            "export_authorisation__authority",
            "export_authorisation__balance",
            "import_authorisation__authority",
            "import_authorisation__balance",
        ).order_by("pk")
    )
    wanted = {
        each.pk for line in lines for each in (line.export_authorisation, line.import_authorisation) if each is not None
    }
    authorisations = list(
        Authorisation.objects.filter(pk__in=wanted)
        .select_related(
            "authority", "balance", "batch_balance", "share_balance", "decision__application", "decision__document"
        )
        .prefetch_related("conditions", "decision__reconfirmations")
        .order_by("pk")
    )
    elsewhere = any(None in {each.export_authorisation_id, each.import_authorisation_id} for each in lines)
    question = Question(
        shipment,
        order,
        lines,
        authorisations,
        list(order.evidence.all()),
        timezone.now().date(),
        statements_of(order.number) if elsewhere else (),
    )
    found = [each for check in CHECKS for each in check(question)]
    return question, list({(each.code, each.en): each for each in found}.values())


def both_keys(question: Question) -> list[Reason]:
    """Ask that both keys are in force today, for every item and for the place."""
    found = []
    for line in question.lines:
        for side, each in (("export", line.export_authorisation), ("import", line.import_authorisation)):
            if each is None:
                place = question.shipment.place
                found += foreign_reasons(question.statements, line.line, side, place, line.units, question.on)
            elif question.shipment.place not in each.places:
                places = ", ".join(each.places)
                found.append(reason("wrong_place", label=each.number, places=places, place=question.shipment.place))
    now = timezone.now()
    for each in question.authorisations:
        balance = each.balance
        if balance.closes_at is not None and balance.closes_at <= now:
            found.append(reason("expired", label=each.number))
        elif balance.state != "in_force":
            found.append(reason("not_in_force", label=each.number))
        elif balance.opens_at > now:
            found.append(reason("not_yet_open", label=each.number))
    return found


def reserved(question: Question) -> list[Reason]:
    """Ask that the shipment is reserved: units, value and use are held on both sides and in both batches."""
    if open_reservation(question.shipment) is not None:
        return []
    found = [reason("not_reserved", shipment=question.shipment.number)]
    for each in question.authorisations:
        for balance in (each.balance, each.batch_balance, each.share_balance):
            if balance is None:
                continue
            left = posture(balance)
            if left.units_left == 0:
                found.append(reason("units_exhausted", label=balance.label))
            if left.uses_left == 0:
                found.append(reason("uses_exhausted", label=balance.label))
    return found


def conditions_met(question: Question) -> list[Reason]:
    """Ask that every condition precedent has evidence in force."""
    found = []
    for authorisation in question.authorisations:
        for condition in precedents(authorisation):
            if in_force(question.evidence, condition.code, question.on, question.shipment.pk) is None:
                found.append(_unmet(question, condition, authorisation))
    return found


def precedents(authorisation: Authorisation) -> list[Condition]:
    """Return the conditions precedent of an authorisation that stand today."""
    return [
        each
        for each in authorisation.conditions.all()
        if each.kind == Condition.Kind.PRECEDENT and each.replaced_by_id is None and not each.lifted
    ]


def laboratory(question: Question) -> list[Reason]:
    """Ask that the laboratory certified this very shipment."""
    own = [each for each in question.evidence if each.shipment_id == question.shipment.pk]
    if in_force(own, "laboratory_certificate", question.on, question.shipment.pk) is None:
        return [reason("no_laboratory", shipment=question.shipment.number)]
    return []


def screened(question: Question) -> list[Reason]:
    """Ask that every party is screened clean on the current lists."""
    return [*list_reasons(), *party_reasons(everybody(question.order))]


def everybody(order: Order) -> list[Organisation]:
    """Return every party of an order once."""
    others = [each.organisation for each in order.parties.all()]
    return list({each.pk: each for each in [order.exporter, order.importer, *others]}.values())


def law_stands(question: Question, sides: Sequence[Side] = SIDES) -> list[Reason]:
    """Ask that the law is that of the decision, or reconfirmed since; and that today's does not block."""
    found = []
    digest_now = assessing.law_digest(question.on)
    for each in question.authorisations:
        stood = {each.decision.law_digest, *(row.law_digest for row in each.decision.reconfirmations.all())}
        if digest_now not in stood:
            found.append(reason("law_changed", label=each.number))
    for side, said in assessing.assess_keys(question.order, sides, question.on).items():
        status = said.key.status
        if status == "clear":
            continue
        mine = [each for each in question.authorisations if each.authority.side == side]
        # An officer who decided despite the law of the day said so under a signature; that holds while the law does.
        if mine and all(_despite(each) for each in mine):
            continue
        if not mine and any(that_permit(question.statements, line.line, side) for line in question.lines):
            continue  # the law of a key turned at another desk is asked there, before it signs
        found.append(reason("law_blocks", side=side, status=status))
    return found


def sealed(question: Question) -> list[Reason]:
    """Ask that the audit seal matches the history."""
    detail = broken()
    return [reason("seal_broken", detail=detail)] if detail else []


CHECKS: Final[tuple[Check, ...]] = (
    both_keys,
    reserved,
    conditions_met,
    laboratory,
    screened,
    law_stands,
    sealed,
)


def _despite(authorisation: Authorisation) -> bool:
    from twokey.desk.signing.envelope import read_unchecked

    return bool(read_unchecked(authorisation.decision.document.jws).get("despite"))


def _unmet(question: Question, condition: Condition, authorisation: Authorisation) -> Reason:
    expired = [
        each.expires_on
        for each in question.evidence
        if each.name == condition.code and each.withdrawn_at is None and each.expires_on is not None
    ]
    if expired:
        on = max(expired).isoformat()
        return reason("evidence_expired", code=condition.code, label=authorisation.number, on=on)
    return reason("condition_unmet", code=condition.code, label=authorisation.number)
