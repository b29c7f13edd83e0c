"""What happened to an order, as far as the reader may know it: the time line of both keys."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from twokey.desk.actors import Actor, Role, permit
from twokey.desk.audit.models import Event
from twokey.desk.cases.models import Order

# What an authority does before it has decided is nobody else's to read, and a draft is its applicant's.
_INNER: Final = frozenset(
    {
        "case.advised",
        "case.advice_asked",
        "case.judged",
        "case.decide",
        "case.reject",
        "case.assessed",
        "ledger.posture",
    }
)
_DRAFT: Final = frozenset({"case.drafted", "case.amending"})
_SMALL: Final = frozenset(
    {"case.saved", "case.document", "case.document_withdrawn"}
)  # of the case, and too many for the order's time line


def events(actor: Actor, order: Order, limit: int = 60) -> list[Event]:
    """Return the newest events of an order, its applications, shipments and authorisations, newest first.

    Work that an authority does before its decision stands is shown to that authority and to auditors; a draft is shown
    to its applicant. The order is one that the actor may see.
    """
    permit(actor, "order.read")
    applications = {each.pk: each for each in order.applications.select_related("authority")}
    shipments = list(order.shipments.values_list("pk", flat=True))
    granted = list(order.lines.filter(authorisations__isnull=False).values_list("authorisations", flat=True))
    rows = Event.objects.filter(
        Q(subject_kind="order", subject_id=order.pk)
        | Q(subject_kind="application", subject_id__in=list(applications))
        | Q(subject_kind="shipment", subject_id__in=shipments)
        | Q(subject_kind="authorisation", subject_id__in=granted)
        | Q(subject_kind="evidence", subject_id__in=[each.pk for each in order.evidence.all()])
    ).exclude(verb__in=_SMALL)
    rows = rows.order_by("-pk")
    if actor.role is not Role.AUDITOR:
        own = [pk for pk, each in applications.items() if each.authority_id == actor.authority_id]
        mine = [pk for pk, each in applications.items() if each.applicant_id == actor.organisation_id]
        rows = rows.exclude(Q(verb__in=_INNER) & ~Q(subject_kind="application", subject_id__in=own))
        rows = rows.exclude(Q(verb__in=_DRAFT) & ~Q(subject_kind="application", subject_id__in=mine))
    return list(rows[:limit])
