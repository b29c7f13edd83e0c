"""Decide and countersign: two officers of one authority, never the same one twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from twokey.desk.actors import Actor, permit_authority
from twokey.desk.audit.events import issue, record
from twokey.desk.audit.outbox import post
from twokey.desk.cases.assessing import assess_case, plain
from twokey.desk.cases.breaches import attention
from twokey.desk.cases.models import (
    Appeal,
    Application,
    Batch,
    Countersignature,
    Decision,
    OrderLine,
    Reconfirmation,
    StoredAssessment,
)
from twokey.desk.cases.states import allow, locked, move
from twokey.desk.codes import check_currency
from twokey.desk.parties.models import Organisation
from twokey.desk.parties.screening import require_clean
from twokey.desk.reasons import Reason, Refused, invalid, missing, reason


@dataclass(frozen=True, slots=True)
class ConditionTerm:
    """A duty that the decision sets: `kind` is precedent (before shipping) or lasting."""

    code: str
    kind: str
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class LineTerm:
    """What is granted of one order line. `position` is the line's place in the order."""

    position: int
    units: int
    value_minor: int
    currency: str
    valid_from: date
    valid_until: date
    places: tuple[str, ...]
    uses: int | None = None
    value_tolerance_bp: int | None = None  # None: the authority's own (10 % under 15 CFR 750.11, else 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a decision grants, and under which conditions."""

    lines: tuple[LineTerm, ...]
    conditions: tuple[ConditionTerm, ...] = ()


def decide(
    actor: Actor,
    application_id: int,
    outcome: str,
    reasons: str,
    terms: Terms | None = None,
    *,
    batch_id: int | None = None,
    despite: str = "",
) -> Decision:
    """Decide an application; the decision permits nothing until another officer countersigns it.

    An approval needs: no open question, all advice in, the use judged necessary (import side), every party screened
    clean, terms within the order, and the law of the day clear. Where the law is not clear the officer may decide
    `despite` it, in words that are signed with the decision.
    """
    with transaction.atomic():
        application = locked(application_id)
        allow(actor, application, "decide")
        if not reasons.strip():
            raise invalid("reasons", "empty")
        _heard_by_another(actor, application)
        assessment = assess_case(actor, application, "decide")
        batch = _batch(application, batch_id) if batch_id is not None else None
        if outcome == Decision.Outcome.APPROVE:
            if terms is None or not terms.lines:
                raise invalid("terms", "none_given")
            _may_approve(application, assessment, terms, despite)
        elif outcome != Decision.Outcome.REFUSE:
            raise invalid("outcome", "not_known", given=outcome, known=", ".join(Decision.Outcome.values))
        body = {
            "authority": application.authority.code,
            "application": application.pk,
            "order": application.order.number,
            "outcome": outcome,
            "reasons": reasons,
            "despite": despite,
            "terms": plain(asdict(terms)) if terms and outcome == Decision.Outcome.APPROVE else {},
            "batch": batch.code if batch else "",
            "law": assessment.law_digest,
            "facts": assessment.facts_digest,
            "documents": sorted(application.documents.filter(withdrawal=None).values_list("sha256", flat=True)),
            "officer": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        document = issue("twokey.decision/1", body, (application.authority.code,), ("application", application.pk))
        decision = Decision.objects.create(
            application=application,
            outcome=outcome,
            reasons=reasons,
            terms=body["terms"],
            batch=batch,
            law_digest=assessment.law_digest,
            officer=actor.login,
            document=document,
        )
        move(actor, application, "decide", decision=decision.pk, outcome=outcome)
    return decision


def countersign(actor: Actor, application_id: int) -> Countersignature:
    """Give the second signature: another officer's, of the same authority. An approval then becomes authorisations.

    The signer is the actor; no request can name another.
    """
    from twokey.desk.ledger.granting import grant

    with transaction.atomic():
        application, decision = _undecided(actor, "case.countersign", application_id)
        task = "approve" if decision.outcome == Decision.Outcome.APPROVE else "refuse"
        allow(actor, application, task)
        _four_eyes(actor, decision)
        body = {
            "authority": application.authority.code,
            "application": application.pk,
            "decision": decision.document.sha256,
            "outcome": decision.outcome,
            "officer": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        document = issue(
            "twokey.countersignature/1", body, (application.authority.code,), ("application", application.pk)
        )
        row = Countersignature.objects.create(decision=decision, signed=True, officer=actor.login, document=document)
        move(actor, application, task, decision=decision.pk)
        if task == "approve":
            if application.amends_id is not None:
                _supersede(actor, application.amends_id)
            numbers = [each.number for each in grant(actor, application, decision)]
            post(
                "authorisation",
                ("application", application.pk),
                {"numbers": numbers, "decision": decision.document.sha256},
            )
    return row


def reject(actor: Actor, application_id: int, why: str) -> Countersignature:
    """Withhold the second signature: the case goes back to review, with the reason."""
    with transaction.atomic():
        application, decision = _undecided(actor, "case.reject", application_id)
        allow(actor, application, "reject")
        _four_eyes(actor, decision)
        row = Countersignature.objects.create(decision=decision, signed=False, reason=why, officer=actor.login)
        move(actor, application, "reject", decision=decision.pk, reason=why)
    return row


def decide_many(
    actor: Actor, batch_id: int, wanted: Mapping[int, Terms], reasons: str, despite: str = ""
) -> list[Decision]:
    """Decide many applications under one batch, all or none; the ceiling is counted when they are countersigned."""
    with transaction.atomic():
        return [
            decide(actor, pk, "approve", reasons, wanted[pk], batch_id=batch_id, despite=despite)
            for pk in sorted(wanted)
        ]


def countersign_many(actor: Actor, application_ids: Sequence[int]) -> list[Countersignature]:
    """Countersign many decisions, all or none: a ceiling that does not hold them all refuses them all."""
    with transaction.atomic():
        return [countersign(actor, pk) for pk in sorted(application_ids)]


def hear_appeal(actor: Actor, application_id: int, allowed: bool, why: str) -> Appeal:
    """Hear an appeal: an officer who neither decided nor countersigned. Allowed, the case is decided afresh."""
    with transaction.atomic():
        application = locked(application_id)
        task = "allow_appeal" if allowed else "dismiss_appeal"
        allow(actor, application, task)
        appeal = (
            Appeal.objects.select_for_update(of=("self",))
            .filter(decision__application=application)
            .order_by("-pk")
            .first()
        )
        if appeal is None:
            raise missing("appeal of application", application_id)
        decision = appeal.decision
        if actor.login in {decision.officer, decision.countersignature.officer}:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
        appeal.allowed, appeal.heard_by, appeal.heard_reason = allowed, actor.login, why
        appeal.heard_at = timezone.now()
        appeal.save(update_fields=["allowed", "heard_by", "heard_reason", "heard_at"])
        move(actor, application, task, reason=why)
    return appeal


def reconfirm(actor: Actor, application_id: int, why: str) -> Reconfirmation:
    """Let a decision stand under the law of today; without this a release under it is blocked."""
    with transaction.atomic():
        application = locked(application_id)
        permit_authority(actor, "case.reconfirm", application.authority_id)
        decision = (
            application.decisions.filter(countersignature__signed=True, outcome="approve").order_by("-pk").first()
        )
        if decision is None or application.state != "approved":
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {application_id}",
                    state=application.state,
                    task="reconfirm",
                    allowed="approved",
                )
            )
        assessment = assess_case(actor, application, "law_changed")
        body = {
            "authority": application.authority.code,
            "application": application.pk,
            "decision": decision.document.sha256,
            "law": assessment.law_digest,
            "status": assessment.status,
            "reason": why,
            "officer": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        document = issue(
            "twokey.reconfirmation/1", body, (application.authority.code,), ("application", application.pk)
        )
        row = Reconfirmation.objects.create(
            decision=decision, law_digest=assessment.law_digest, reason=why, officer=actor.login, document=document
        )
        application.attention = attention(application)
        application.save(update_fields=["attention"])
        record(actor, "case.reconfirmed", "application", application.pk, law=assessment.law_digest, reason=why)
    return row


def _undecided(actor: Actor, action: str, application_id: int) -> tuple[Application, Decision]:
    application = locked(application_id)
    permit_authority(actor, action, application.authority_id)
    decision = (
        application.decisions.select_related("document", "batch")
        .filter(countersignature__isnull=True)
        .order_by("-pk")
        .first()
    )
    if decision is None:
        raise Refused(
            reason(
                "wrong_state",
                what=f"application {application_id}",
                state=application.state,
                task="countersign",
                allowed="decided",
            )
        )
    return application, decision


def _four_eyes(actor: Actor, decision: Decision) -> None:
    if actor.login == decision.officer:
        raise Refused(reason("four_eyes", login=actor.login), status=403)


def _heard_by_another(actor: Actor, application: Application) -> None:
    """After an allowed appeal the officers of the refusal do not decide again."""
    heard = Appeal.objects.filter(decision__application=application, allowed=True).order_by("-pk").first()
    if heard and actor.login in {heard.decision.officer, heard.decision.countersignature.officer}:
        raise Refused(reason("four_eyes", login=actor.login), status=403)


def _may_approve(application: Application, assessment: StoredAssessment, terms: Terms, despite: str) -> None:
    found: list[Reason] = []
    if application.questions.filter(answered_at__isnull=True).exists():
        found.append(reason("question_open"))
    waiting = set(application.advice_requests.values_list("reviewer", flat=True)) - set(
        application.advice.values_list("reviewer", flat=True)
    )
    if waiting:
        found.append(reason("advice_outstanding", reviewers=", ".join(sorted(waiting))))
    if application.authority.side == "import":
        judged = application.necessity.order_by("-pk").first()
        if judged is None:
            found.append(reason("not_judged"))
        elif not judged.necessary:
            found.append(reason("not_necessary"))
    if assessment.status != "clear" and not despite.strip():
        found.append(_law_reason(assessment))
    found += _within_order(application, terms)
    if found:
        raise Refused(*found)
    require_clean(parties_of(application))


def _law_reason(assessment: StoredAssessment) -> Reason:
    on = assessment.as_of.isoformat()
    if assessment.status == "needs_information":
        return reason("assessment_open", on=on, facts=", ".join(assessment.missing) or assessment.answer)
    return reason("assessment_blocked", on=on, side=assessment.key, answer=assessment.answer)


def _within_order(application: Application, terms: Terms) -> list[Reason]:
    lines: dict[int, OrderLine] = {line.position: line for line in application.order.lines.all()}
    found = []
    for term in terms.lines:
        line = lines.get(term.position)
        if line is None:
            raise missing("order line", term.position)
        if type(term.units) is not int or type(term.value_minor) is not int or term.units < 1 or term.value_minor < 1:
            raise invalid("terms", "amounts_not_whole")
        check_currency(term.currency, "terms.currency")
        if term.valid_until < term.valid_from:
            raise invalid("terms.valid_until", "ends_before_start")
        if term.units > line.units:
            found.append(reason("over_order", what="units", amount=term.units, limit=line.units))
        if term.currency == application.order.currency and term.value_minor > line.value_minor:
            found.append(reason("over_order", what="value", amount=term.value_minor, limit=line.value_minor))
    return found


def parties_of(application: Application) -> list[Organisation]:
    """Return every party of the order, in whatever role."""
    order = application.order
    others = [each.organisation for each in order.parties.select_related("organisation__ultimate_parent")]
    return [order.exporter, order.importer, *others]


def _batch(application: Application, batch_id: int) -> Batch:
    batch = Batch.objects.filter(pk=batch_id, authority=application.authority).first()
    if batch is None:
        raise missing("batch", batch_id)
    if not batch.countersigned_by:
        raise Refused(reason("batch_not_signed", batch=batch.code))
    return batch


def _supersede(actor: Actor, application_id: int) -> None:
    from twokey.desk.ledger.states import supersede

    before = locked(application_id)
    supersede(actor, before)
    move(actor, before, "supersede")


def terms_from(body: Mapping[str, Any]) -> Terms:
    """Read terms back from a decision's stored JSON."""
    lines = tuple(
        LineTerm(
            position=line["position"],
            units=line["units"],
            value_minor=line["value_minor"],
            currency=line["currency"],
            valid_from=date.fromisoformat(line["valid_from"]),
            valid_until=date.fromisoformat(line["valid_until"]),
            places=tuple(line["places"]),
            uses=line["uses"],
            value_tolerance_bp=line["value_tolerance_bp"],
        )
        for line in body["lines"]
    )
    return Terms(lines, tuple(ConditionTerm(**each) for each in body["conditions"]))
