"""What a person may read of a case, and what they can do with it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.desk.actors import Actor, Role, may
from twokey.desk.cases import breaches, reviewing
from twokey.desk.cases.models import Application, Decision
from twokey.desk.cases.states import TRANSITIONS, allow
from twokey.desk.parties.models import Seat
from twokey.desk.reasons import Refused

_NEXT: Final = frozenset({"take", "submit", "withdraw", "return"})
_BREACHES: Final = 50  # on the page; the command line and the API list them all
_AUTHORITIES: Final = frozenset({Role.OFFICER, Role.ADVISER})


@dataclass(frozen=True, slots=True)
class Reading:
    """A case as one person sees it. `own`: of their authority; `mine`: of their organisation."""

    own: bool
    mine: bool
    papers: bool  # statement, documents, questions: the applicant, both authorities, auditors
    inner: bool  # advice and necessity: the case's own authority and auditors
    tasks: frozenset[str]

    @property
    def todo(self) -> frozenset[str]:
        """The tasks that the page offers as the next step."""
        return self.tasks & _NEXT


def reading_of(actor: Actor, application: Application) -> Reading:
    """Return what the actor may read of a case and which transitions they can make now."""
    own = actor.authority_id == application.authority_id
    mine = actor.role is Role.APPLICANT and actor.organisation_id == application.applicant_id
    return Reading(
        own=own,
        mine=mine,
        papers=mine or actor.role in _AUTHORITIES or actor.role is Role.AUDITOR,
        inner=own or actor.role is Role.AUDITOR,
        tasks=frozenset(task for task in TRANSITIONS if _can(actor, application, task)),
    )


def papers_of(actor: Actor, application: Application, reading: Reading) -> dict[str, Any]:
    """Return everything on the case's file that the actor may read, in a constant number of queries."""
    decisions = [
        each
        for each in application.decisions.select_related("countersignature", "batch", "appeal").order_by("-pk")
        if reading.inner or getattr(each, "countersignature", None) is not None
    ]
    found: dict[str, Any] = {"decisions": decisions, "assessments": [], "documents": [], "questions": []}
    if may(actor, "breach.read") and application.state == "approved":
        found["breaches"] = list(breaches.breaches(actor, application.pk)[:_BREACHES])
        finds = reading.own and may(actor, "breach.find")
        found["to_find"] = finds and any(each.found_at is None for each in found["breaches"])
    if reading.papers:
        found["assessments"] = list(application.assessments.order_by("-pk")[:5])
        found["documents"] = list(application.documents.filter(withdrawal=None).order_by("pk"))
        found["questions"] = list(application.questions.order_by("-pk"))
    if reading.inner:
        found["advice"] = list(application.advice.order_by("-pk"))
        asked = list(application.advice_requests.order_by("pk"))
        given = {each.reviewer for each in found["advice"]}
        found["outstanding"] = [each.reviewer for each in asked if each.reviewer not in given]
        found["necessity"] = application.necessity.order_by("-pk").first()
    if actor.role in _AUTHORITIES:
        found["notes"] = list(reviewing.notes(actor, application.pk))
    if reading.own and actor.role is Role.OFFICER and application.state in {"under_review", "information_requested"}:
        found["colleagues"] = list(
            Seat.objects.filter(authority_id=application.authority_id, role__in=["officer", "adviser"])
            .exclude(user_id=actor.user_id)
            .order_by("user__username")
            .values_list("user__username", flat=True)
        )
    return found


def undecided(decisions: Sequence[Decision]) -> Decision | None:
    """Return the decision that waits for its second signature, or None."""
    return next((each for each in decisions if getattr(each, "countersignature", None) is None), None)


def _can(actor: Actor, application: Application, task: str) -> bool:
    try:
        allow(actor, application, task)
    except Refused:
        return False
    return True
