"""What changes under a case brings it back: law, facts and lists are compared, and changed answers go to a queue."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from twokey.desk.actors import Actor
from twokey.desk.cases import assessing
from twokey.desk.cases.assessing import assess_case
from twokey.desk.cases.models import Application
from twokey.desk.cases.states import OPEN
from twokey.desk.parties.screening import lists_digest


def reassess(actor: Actor, limit: int = 1000) -> list[int]:
    """Assess again every open or approved case whose law, lists or facts are not those of its last assessment.

    Returns the cases whose answer changed; they carry the reason in `attention` and stand at the head of the queue.
    An approved case whose law changed comes back even where its answer did not: a release waits for reconfirmation.
    """
    today = timezone.now().date()
    law_now, lists_now = assessing.law_digest(today), lists_digest()
    changed = []
    rows = Application.objects.select_related("authority", "order").filter(state__in=[*OPEN, "approved"])
    for application in rows.order_by("pk").iterator(chunk_size=500):
        last = application.assessments.order_by("-pk").first()
        if last is None:
            continue
        why = ""
        if last.law_digest != law_now:
            why = "law_changed"
        elif last.facts_digest != assessing.facts_name(assessing.load_order(application.order_id), today):
            why = "facts_changed"
        elif last.lists_digest != lists_now:
            why = "lists_changed"
        if not why:
            continue
        with transaction.atomic():
            stored = assess_case(actor, application, why)
            answer_changed = (stored.status, stored.answer) != (last.status, last.answer)
            if answer_changed or (application.state == "approved" and why == "law_changed"):
                Application.objects.filter(pk=application.pk).update(attention=why)
                changed.append(application.pk)
        if len(changed) >= limit:
            break
    return changed
