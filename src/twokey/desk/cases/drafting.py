"""What parties do: enter an order, draft, submit, answer, withdraw, appeal, amend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from twokey.chips import find
from twokey.desk.actors import Actor, permit_organisation
from twokey.desk.audit.events import record
from twokey.desk.cases import assessing
from twokey.desk.cases.assessing import assess_case
from twokey.desk.cases.calendars import calendar_of, local_day
from twokey.desk.cases.clocks import add_working_days
from twokey.desk.cases.completeness import gaps
from twokey.desk.cases.models import Appeal, Application, Milestone, Order, OrderLine, OrderParty
from twokey.desk.cases.states import OPEN, allow, locked, move
from twokey.desk.codes import check_country, check_currency, check_place
from twokey.desk.parties.models import Authority, Organisation
from twokey.desk.reasons import Refused, invalid, missing, reason

APPEAL_WORKING_DAYS: Final = 20
MAX_AMOUNT: Final = 10**15  # of units or minor currency; far above any order, far below what the database holds


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One item as asked for: whole units, whole value in minor currency, bit-TOPS of one unit where known."""

    chip: str
    units: int
    value_minor: int
    tpp: int | None = None


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as asked for."""

    number: str
    exporter_id: int
    importer_id: int
    currency: str
    destination: str
    place: str
    lines: Sequence[LineDraft]
    parties: Sequence[tuple[int, str]] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def create_order(actor: Actor, draft: OrderDraft) -> Order:
    """Enter an order; raises `Refused` for unknown parties, floats, wrong codes, or a number already used."""
    permit_organisation(actor, "order.create", draft.exporter_id, draft.importer_id)
    _check(draft)
    try:
        with transaction.atomic():
            order = Order.objects.create(
                number=draft.number,
                exporter_id=draft.exporter_id,
                importer_id=draft.importer_id,
                currency=draft.currency,
                destination=draft.destination,
                place=draft.place,
                facts=dict(draft.facts),
                created_by=actor.login,
            )
            for position, line in enumerate(draft.lines, 1):
                OrderLine.objects.create(
                    order=order,
                    position=position,
                    chip=find(line.chip).name,
                    units=line.units,
                    value_minor=line.value_minor,
                    tpp=line.tpp if line.tpp is not None else _tpp(line.chip),
                )
            roles = {(draft.exporter_id, OrderParty.Role.EXPORTER.value), *draft.parties}
            for organisation_id, role in sorted(roles):
                OrderParty.objects.create(order=order, organisation_id=organisation_id, role=role)
            record(actor, "order.created", "order", order.pk, number=order.number)
    except IntegrityError:
        raise invalid("number", "exists", given=draft.number) from None
    return order


def set_facts(actor: Actor, order_id: int, facts: Mapping[str, Any]) -> Order:
    """State facts of an order anew; every case that rests on them is assessed again.

    A fact stated as "" is taken back: it counts as unknown again.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=order_id).first()
        if order is None:
            raise missing("order", order_id)
        permit_organisation(actor, "case.draft", order.exporter_id, order.importer_id)
        _check_facts(facts)
        order.facts = {name: value for name, value in {**order.facts, **facts}.items() if value != ""}
        order.save(update_fields=["facts"])
        record(actor, "order.facts", "order", order.pk, facts=dict(facts))
        for application in order.applications.select_related("authority").exclude(state__in=["draft", "withdrawn"]):
            assess_case(actor, application, "facts_changed")
    return order


def draft_application(actor: Actor, order_id: int, authority_code: str, use_statement: str = "") -> Application:
    """Open a draft to one authority: the exporter to the export side, the importer to the import side."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise missing("order", order_id)
    authority = Authority.objects.filter(code=authority_code).first()
    if authority is None:
        raise missing("authority", authority_code)
    owner = order.exporter_id if authority.side == "export" else order.importer_id
    permit_organisation(actor, "case.draft", owner)
    with transaction.atomic():
        application = Application.objects.create(
            order=order, authority=authority, applicant_id=owner, use_statement=use_statement
        )
        record(actor, "case.drafted", "application", application.pk, order=order.number, authority=authority.code)
    return application


def save_draft(actor: Actor, application_id: int, use_statement: str) -> Application:
    """Save the use statement of a draft, or of one that was returned."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "submit")
        application.use_statement = use_statement
        application.save(update_fields=["use_statement"])
        record(actor, "case.saved", "application", application.pk)
    return application


def submit(actor: Actor, application_id: int) -> Application:
    """Submit; raises `Refused` with everything that is still missing. The assessment of the day is kept."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "submit")
        twin = (
            Application.objects.filter(order=application.order, authority=application.authority, state__in=OPEN)
            .exclude(pk=application.pk)
            .first()
        )
        if twin is not None:
            raise Refused(reason("pending_twin", other=twin.pk, authority=application.authority.code))
        lacking = gaps(application)
        if lacking:
            raise Refused(*lacking)
        move(actor, application, "submit")
        assess_case(actor, application, "submit")
    return application


def answer_question(actor: Actor, application_id: int, text: str) -> Application:
    """Answer the open request for information; only this closes it."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "answer")
        if not text.strip():
            raise invalid("answer", "empty")
        question = application.questions.select_for_update().filter(answered_at__isnull=True).order_by("-pk").first()
        if question is None:
            raise missing("open question of application", application_id)
        question.answer, question.answered_by, question.answered_at = text, actor.login, timezone.now()
        question.save(update_fields=["answer", "answered_by", "answered_at"])
        move(actor, application, "answer", question=question.pk)
    return application


def withdraw(actor: Actor, application_id: int) -> Application:
    """Withdraw an application that is not decided."""
    with transaction.atomic():
        application = locked(application_id)
        move(actor, application, "withdraw")
    return application


def appeal(actor: Actor, application_id: int, grounds: str) -> Appeal:
    """Appeal against a refusal within the authority's working days."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "appeal")
        decision = application.decisions.order_by("-pk").first()
        if decision is None:
            raise missing("decision on application", application_id)
        calendar = calendar_of(application.authority)
        until = add_working_days(local_day(application.authority, decision.at), APPEAL_WORKING_DAYS, calendar)
        if local_day(application.authority) > until:
            raise Refused(reason("appeal_late", until=until.isoformat()))
        if Appeal.objects.filter(decision=decision).exists():
            raise Refused(
                reason(
                    "wrong_state", what="the refusal", state="appealed before", task="appeal", allowed="a first appeal"
                )
            )
        row = Appeal.objects.create(decision=decision, grounds=grounds, by=actor.login)
        move(actor, application, "appeal")
    return row


def amend(actor: Actor, application_id: int) -> Application:
    """Open a draft that asks to replace what an approved application permits."""
    with transaction.atomic():
        before = locked(application_id)
        permit_organisation(actor, "case.amend", before.applicant_id)
        if before.state != "approved":
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {before.pk}",
                    state=before.state,
                    task="amend",
                    allowed="approved",
                )
            )
        application = Application.objects.create(
            order=before.order,
            authority=before.authority,
            applicant=before.applicant,
            use_statement=before.use_statement,
            amends=before,
        )
        record(actor, "case.amending", "application", application.pk, amends=before.pk)
    return application


def place_order(actor: Actor, order_id: int, on: date, reference: str) -> Milestone:
    """Record that the buyer placed the order: a state of its own, apart from both approvals."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise missing("order", order_id)
    permit_organisation(actor, "case.draft", order.exporter_id, order.importer_id)
    with transaction.atomic():
        row = Milestone.objects.create(
            order=order, kind=Milestone.Kind.ORDER, on=on, reference=reference, recorded_by=actor.login
        )
        record(actor, "order.placed", "order", order.pk, on=on.isoformat(), reference=reference)
    return row


def _check(draft: OrderDraft) -> None:
    permit_ids = {draft.exporter_id, draft.importer_id, *(pk for pk, _ in draft.parties)}
    known = set(Organisation.objects.filter(pk__in=permit_ids).values_list("pk", flat=True))
    if permit_ids - known:
        raise missing("party", min(permit_ids - known))
    if not draft.lines:
        raise invalid("lines", "none_given")
    for index, line in enumerate(draft.lines):
        for name, value in (("units", line.units), ("value_minor", line.value_minor)):
            if type(value) is not int or not 0 < value <= MAX_AMOUNT:
                raise invalid(f"lines[{index}].{name}", "not_whole", given=value)
    check_place(draft.place)
    check_currency(draft.currency)
    if check_country(draft.destination, "destination") != draft.destination:
        raise invalid("destination", "not_country", given=draft.destination)
    for _, role in draft.parties:
        if role not in OrderParty.Role.values:
            raise invalid("parties.role", "not_known", given=role, known=", ".join(OrderParty.Role.values))
    _check_facts(draft.facts)


def _check_facts(facts: Mapping[str, Any]) -> None:
    """Facts that evidence or an officer must show cannot be stated by a party."""
    for name in facts:
        if name.startswith("certifications.") or name in {"end_use.necessary", "application.use_documents"}:
            raise invalid(f"facts.{name}", "shown_not_stated")
    assessing.check_stated(facts)


def _tpp(name: str) -> int | None:
    """Return the bit-TOPS of one unit from the catalogue, rounded up; None where it is unknown."""
    tpp = find(name).tpp
    return None if tpp is None else ceil(tpp)
