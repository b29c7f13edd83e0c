"""Turn a countersigned approval into authorisations on the ledger."""

from __future__ import annotations

from twokey.desk.actors import Actor
from twokey.desk.audit.events import record
from twokey.desk.cases.batches import take_from_batch
from twokey.desk.cases.calendars import first_moment, moment_after
from twokey.desk.cases.deciding import LineTerm, terms_from
from twokey.desk.cases.models import Application, Decision, OrderLine
from twokey.desk.ledger.models import Authorisation, Balance, BatchBalance, Condition
from twokey.desk.reasons import Refused, reason


def grant(actor: Actor, application: Application, decision: Decision) -> list[Authorisation]:
    """Create what the decision permits: one authorisation an order line, each with its balance and conditions.

    Raises `Refused` where a batch's ceiling, or the order itself, does not hold it. The caller holds the application's
    lock and has checked both signatures.
    """
    terms = terms_from(decision.terms)
    lines = {line.position: line for line in application.order.lines.all()}
    made = []
    for term in terms.lines:
        line = lines[term.position]
        _within_line(application, line, term)
        batch_balance = share_balance = None
        if decision.batch is not None:
            shares = take_from_batch(decision.batch, application.order.importer, term)
            batch_balance = BatchBalance.objects.get(batch=decision.batch, share=None).balance
            share_balance = BatchBalance.objects.get(share=shares).balance if shares else None
        balance = _balance(application, term)
        authorisation = Authorisation.objects.create(
            number=balance.label,
            authority=application.authority,
            decision=decision,
            line=line,
            balance=balance,
            batch_balance=batch_balance,
            share_balance=share_balance,
            valid_from=term.valid_from,
            valid_until=term.valid_until,
            places=list(term.places),
            supersedes=_before(application, line),
        )
        for each in terms.conditions:
            Condition.objects.create(
                authorisation=authorisation,
                code=each.code,
                kind=each.kind,
                text_en=each.text_en,
                text_zh=each.text_zh,
                set_by=decision.officer,
                document=decision.document,
            )
        record(
            actor,
            "ledger.granted",
            "authorisation",
            authorisation.pk,
            number=authorisation.number,
            units=term.units,
            value_minor=term.value_minor,
        )
        made.append(authorisation)
    return made


def _balance(application: Application, term: LineTerm) -> Balance:
    authority = application.authority
    tolerance_bp = authority.value_tolerance_bp if term.value_tolerance_bp is None else term.value_tolerance_bp
    balance = Balance.objects.create(
        kind=Balance.Kind.AUTHORISATION,
        label="",
        opens_at=first_moment(authority, term.valid_from),
        closes_at=moment_after(authority, term.valid_until),
        currency=term.currency,
        units_cap=term.units,
        value_cap=term.value_minor,
        uses_cap=term.uses,
        value_tolerance=term.value_minor * tolerance_bp // 10_000,
    )
    balance.label = f"{authority.code}-{term.valid_from.year}-{balance.pk:06d}"
    balance.save(update_fields=["label"])
    return balance


def _within_line(application: Application, line: OrderLine, term: LineTerm) -> None:
    """Refuse to let one side permit more units of a line than were ordered, over all its authorisations."""
    granted = 0
    for each in line.authorisations.filter(authority__side=application.authority.side).select_related("balance"):
        live = each.balance.state in {Balance.State.IN_FORCE, Balance.State.SUSPENDED}
        granted += (each.balance.units_cap or 0) if live else each.balance.units_drawn
    if granted + term.units > line.units:
        raise Refused(reason("over_order", what="units", amount=granted + term.units, limit=line.units))


def _before(application: Application, line: OrderLine) -> Authorisation | None:
    if application.amends_id is None:
        return None
    return line.authorisations.filter(decision__application_id=application.amends_id).order_by("-pk").first()
