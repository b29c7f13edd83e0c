"""What an authority does before it decides: take, return, ask, advise, note, judge necessity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from twokey.desk.actors import Actor, Role, permit, permit_authority
from twokey.desk.audit.events import record
from twokey.desk.cases.calendars import calendar_of, local_day
from twokey.desk.cases.clocks import add_working_days
from twokey.desk.cases.models import (
    Advice,
    AdviceRequest,
    Application,
    InformationRequest,
    Necessity,
    Note,
    Order,
)
from twokey.desk.cases.states import STATES, allow, locked, move
from twokey.desk.parties.models import Seat
from twokey.desk.reasons import Refused, invalid, missing, reason

ANSWER_WORKING_DAYS: Final = 20
# What an officer has to say of a use before it can be called necessary. The authority may add criteria of its own.
NECESSITY_CRITERIA: Final = ("advanced_research", "domestic_chips_insufficient", "quantity_proportionate")


def take(actor: Actor, application_id: int) -> Application:
    """Take a submitted application onto one's desk."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "take")
        application.officer = actor.login
        move(actor, application, "take")
    return application


def give_back(actor: Actor, application_id: int, why: str) -> Application:
    """Return an application without action, with the reason."""
    with transaction.atomic():
        application = locked(application_id)
        move(actor, application, "return", reason=why)
    return application


def ask(actor: Actor, application_id: int, question: str) -> InformationRequest:
    """Ask the applicant; the authority's clock stands still until the answer."""
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "ask")
        due = add_working_days(
            local_day(application.authority), ANSWER_WORKING_DAYS, calendar_of(application.authority)
        )
        row = InformationRequest.objects.create(
            application=application, question=question, asked_by=actor.login, due_on=due
        )
        move(actor, application, "ask", question=row.pk)
    return row


def ask_advice(actor: Actor, application_id: int, reviewers: Sequence[str]) -> list[AdviceRequest]:
    """Name reviewers of one's own authority; the decision waits for each of them."""
    with transaction.atomic():
        application = locked(application_id)
        permit_authority(actor, "case.decide", application.authority_id)
        seated = set(
            Seat.objects.filter(
                authority_id=application.authority_id, role__in=[Role.ADVISER.value, Role.OFFICER.value]
            ).values_list("user__username", flat=True)
        )
        unknown = sorted(set(reviewers) - seated)
        if unknown:
            raise invalid("reviewers", "not_of_this_authority", given=unknown[0])
        rows = [
            AdviceRequest.objects.get_or_create(
                application=application, reviewer=each, defaults={"asked_by": actor.login}
            )[0]
            for each in reviewers
        ]
        record(actor, "case.advice_asked", "application", application.pk, reviewers=list(reviewers))
    return rows


def advise(actor: Actor, application_id: int, recommendation: str, text: str) -> Advice:
    """Give one's advice on a case of one's own authority."""
    with transaction.atomic():
        application = locked(application_id)
        permit_authority(actor, "case.advise", application.authority_id)
        if application.state not in {"under_review", "information_requested"}:
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {application.pk}",
                    state=application.state,
                    task="advise",
                    allowed="under_review, information_requested",
                )
            )
        if recommendation not in Advice.Recommendation.values:
            known = ", ".join(Advice.Recommendation.values)
            raise invalid("recommendation", "not_known", given=recommendation, known=known)
        row = Advice.objects.create(
            application=application, reviewer=actor.login, recommendation=recommendation, text=text
        )
        record(actor, "case.advised", "application", application.pk, recommendation=recommendation)
    return row


def write_note(actor: Actor, application_id: int, text: str) -> Note:
    """Write an internal note, on either key's case; only one's own authority ever reads it."""
    permit(actor, "case.note")
    application = Application.objects.filter(pk=application_id).first()
    if application is None or actor.authority_id is None:
        raise missing("application", application_id)
    return Note.objects.create(application=application, authority_id=actor.authority_id, author=actor.login, text=text)


def notes(actor: Actor, application_id: int) -> QuerySet[Note]:
    """Return the notes of the actor's own authority, and no others."""
    permit(actor, "case.note.read")
    return Note.objects.filter(application_id=application_id, authority_id=actor.authority_id or 0).order_by("pk")


def judge_necessity(actor: Actor, application_id: int, necessary: bool, criteria: Mapping[str, str]) -> Necessity:
    """Record an officer's judgement of necessity, with what was found under each criterion."""
    with transaction.atomic():
        application = locked(application_id)
        permit_authority(actor, "case.judge", application.authority_id)
        if application.state != "under_review":
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {application.pk}",
                    state=application.state,
                    task="judge necessity",
                    allowed="under_review",
                )
            )
        lacking = [name for name in NECESSITY_CRITERIA if not criteria.get(name, "").strip()]
        if lacking:
            raise invalid("criteria", "criteria_open", criteria=", ".join(lacking))
        row = Necessity.objects.create(
            application=application, necessary=necessary, criteria=dict(criteria), officer=actor.login
        )
        record(actor, "case.judged", "application", application.pk, necessary=necessary, criteria=dict(criteria))
    return row


def orders(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor may see: parties their own, authorities and auditors all."""
    permit(actor, "order.read")
    rows = Order.objects.select_related("exporter", "importer").prefetch_related("lines").order_by("-pk")
    if actor.role is Role.APPLICANT:
        mine = actor.organisation_id
        rows = rows.filter(exporter_id=mine) | rows.filter(importer_id=mine)
    return rows


def cases(actor: Actor) -> QuerySet[Application]:
    """Return the applications that the actor may see; a draft is its applicant's alone."""
    permit(actor, "case.read")
    rows = Application.objects.select_related("order", "authority", "applicant")
    if actor.role is Role.APPLICANT:
        mine = actor.organisation_id
        both = rows.filter(order__exporter_id=mine) | rows.filter(order__importer_id=mine)
        return both.exclude(~Q(applicant_id=mine), state="draft")
    return rows.exclude(state="draft")


def case(actor: Actor, application_id: int) -> Application:
    """Return one application that the actor may see; raises `Refused` (404) otherwise."""
    found = cases(actor).filter(pk=application_id).first()
    if found is None:
        raise missing("application", application_id)
    return found


def queue(actor: Actor, *, state: str = "", attention: bool = False) -> QuerySet[Application]:
    """Return an authority's queue, oldest first: what came back needs attention before what is new."""
    rows = cases(actor)
    if actor.authority_id is not None:
        rows = rows.filter(authority_id=actor.authority_id)
    if state:
        if state not in STATES:
            raise invalid("state", "not_known", given=state, known=", ".join(STATES))
        rows = rows.filter(state=state)
    if attention:
        rows = rows.exclude(attention="")
    return rows.order_by("submitted_at", "pk")
