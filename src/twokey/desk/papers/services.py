"""The papers that a person may have: asked for by number or case, seen by whoever sees the thing itself."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from twokey.desk.actors import Actor
from twokey.desk.cases.assessing import load_order
from twokey.desk.cases.models import Decision
from twokey.desk.cases.reviewing import case
from twokey.desk.ledger.releasing import releases
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.papers.extract import record_of
from twokey.desk.papers.record import Lang, Record
from twokey.desk.papers.typesetting import pdf
from twokey.desk.reasons import Refused, missing, reason


@dataclass(frozen=True, slots=True)
class Paper:
    """One PDF and the name it is saved under."""

    filename: str
    content: bytes


def release_paper(actor: Actor, number: str, lang: Lang) -> Paper:
    """Return the PDF of a release; raises `Refused` (404) where the actor sees no such release."""
    row = releases(actor).filter(number=number).first()
    if row is None:
        raise missing("release", number)
    return Paper(f"{row.number}-{lang}.pdf", pdf(Record("release", lang, (row.document.jws,))))


def licence_paper(actor: Actor, authorisation_id: int, lang: Lang) -> Paper:
    """Return the PDF of the decision behind an authorisation, with what stands of it today."""
    row = authorisations(actor).filter(pk=authorisation_id).first()
    if row is None:
        raise missing("authorisation", authorisation_id)
    decision = _decisions().get(pk=row.decision_id)
    content = pdf(record_of(decision, load_order(decision.application.order_id), lang))
    return Paper(f"{row.number}-{lang}.pdf", content)


def decision_paper(actor: Actor, application_id: int, lang: Lang) -> Paper:
    """Return the PDF of an application's last countersigned decision: a licence, or a refusal.

    Raises `Refused` (404) where the actor does not see the case, and where it is not decided yet.
    """
    application = case(actor, application_id)
    decision = _decisions().filter(application_id=application.pk, countersignature__signed=True).order_by("-pk").first()
    if decision is None:
        raise Refused(reason("not_decided", case=application_id))
    content = pdf(record_of(decision, load_order(application.order_id), lang))
    return Paper(f"{application.authority.code}-{application.pk}-{decision.outcome}-{lang}.pdf", content)


def _decisions() -> QuerySet[Decision]:
    return Decision.objects.select_related("document", "application__authority", "countersignature__document")
