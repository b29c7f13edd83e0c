"""The table of an application's states: which task leads from where to where, and who may do it.

Nothing else changes `Application.state`. Guards that need more than state, role and place (four eyes, completeness,
the law) are in the service of the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils import timezone

from twokey.desk.actors import Actor, permit_authority, permit_organisation
from twokey.desk.audit.events import record
from twokey.desk.cases.models import Application
from twokey.desk.reasons import Refused, missing, reason

Place = Literal["authority", "applicant"]

CLOSED: Final = frozenset({"refused", "withdrawn", "returned", "superseded"})
OPEN: Final = frozenset({"submitted", "under_review", "information_requested", "decided", "appealed"})


@dataclass(frozen=True, slots=True)
class Transition:
    """One task: the states it starts from, the state it ends in, the permission it needs, and whose task it is."""

    task: str
    starts: tuple[str, ...]
    ends: str
    action: str
    place: Place


TRANSITIONS: Final = {
    each.task: each
    for each in (
        Transition("submit", ("draft", "returned"), "submitted", "case.submit", "applicant"),
        Transition("take", ("submitted",), "under_review", "case.take", "authority"),
        Transition("return", ("submitted", "under_review"), "returned", "case.return", "authority"),
        Transition("ask", ("under_review",), "information_requested", "case.ask", "authority"),
        Transition("answer", ("information_requested",), "under_review", "case.answer", "applicant"),
        Transition("decide", ("under_review",), "decided", "case.decide", "authority"),
        Transition("approve", ("decided",), "approved", "case.countersign", "authority"),
        Transition("refuse", ("decided",), "refused", "case.countersign", "authority"),
        Transition("reject", ("decided",), "under_review", "case.reject", "authority"),
        Transition("appeal", ("refused",), "appealed", "case.appeal", "applicant"),
        Transition("allow_appeal", ("appealed",), "under_review", "case.hear", "authority"),
        Transition("dismiss_appeal", ("appealed",), "refused", "case.hear", "authority"),
        Transition(
            "withdraw",
            ("draft", "submitted", "under_review", "information_requested", "returned"),
            "withdrawn",
            "case.withdraw",
            "applicant",
        ),
        Transition("supersede", ("approved",), "superseded", "case.countersign", "authority"),
    )
}

STATES: Final = tuple(dict.fromkeys(["draft", *(each.ends for each in TRANSITIONS.values())]))


def locked(application_id: int) -> Application:
    """Return an application under a row lock; two tasks on one application wait for each other."""
    found = (
        Application.objects.select_for_update(of=("self",))
        .select_related("order", "authority", "order__exporter", "order__importer")
        .filter(pk=application_id)
        .first()
    )
    if found is None:
        raise missing("application", application_id)
    return found


def allow(actor: Actor, application: Application, task: str) -> Transition:
    """Check role, place and state of a task, in that order; raises `Refused` saying which of them fails."""
    transition = TRANSITIONS[task]
    if transition.place == "authority":
        permit_authority(actor, transition.action, application.authority_id)
    else:
        permit_organisation(actor, transition.action, application.applicant_id)
    if application.state not in transition.starts:
        raise Refused(
            reason(
                "wrong_state",
                what=f"application {application.pk}",
                state=application.state,
                task=task,
                allowed=", ".join(transition.starts),
            )
        )
    return transition


def move(actor: Actor, application: Application, task: str, **payload: object) -> None:
    """Move an application along one transition and append the event. The caller holds its lock."""
    transition = allow(actor, application, task)
    before, application.state = application.state, transition.ends
    if task == "submit":
        application.submitted_at = timezone.now()
    application.closed_at = timezone.now() if transition.ends in CLOSED | {"approved"} else None
    application.attention = ""
    application.save(update_fields=["state", "submitted_at", "closed_at", "attention", "officer", "use_statement"])
    record(actor, f"case.{task}", "application", application.pk, before=before, after=application.state, **payload)
