"""The desk's one door to the law room: the facts of an order, the assessment of a day, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from django.utils import timezone

from twokey.desk.actors import Actor
from twokey.desk.audit.events import record
from twokey.desk.cases.models import Application, Order, OrderParty, StoredAssessment
from twokey.desk.cases.papers import in_force
from twokey.desk.parties.screening import lists_digest
from twokey.law.records import Assessment

CERTIFICATIONS: Final = (
    "parameters",
    "us_shipments_stated",
    "us_supply",
    "foundry_capacity",
    "volume_cap",
    "remote_users",
    "prohibited_uses",
    "kyc",
    "security_procedures",
    "iaas_model_weights",
    "iaas_algorithms",
    "laboratory",
)
_BUYER_KINDS: Final = {
    "private": "private",
    "cloud_provider": "private",
    "state_owned": "state_owned",
    "military": "military",
    "critical_infrastructure": "critical_infrastructure",
    "university_laboratory": "university_lab",
}


def assess(facts: Mapping[str, object], on: date) -> Assessment:
    """Ask the law room what the regimes say of the facts on a day."""
    from twokey import law

    result: Assessment = law.assess(facts, on)
    return result


def law_digest(on: date) -> str:
    """Ask the law room for the name of the law in force on a day."""
    from twokey import law

    return str(law.law_digest(on))


def facts_of(order: Order, on: date) -> dict[str, object]:
    """Return the facts of an order as the law room reads them: what the parties stated, and what the file shows.

    A certification is a fact only once it is evidenced: true while its evidence is in force, absent otherwise.
    """
    consignee = _party(order, OrderParty.Role.ULTIMATE_CONSIGNEE) or order.importer
    line = min(order.lines.all(), key=lambda each: each.position, default=None)
    facts: dict[str, object] = {
        "movement.kind": "export",
        "movement.origin": order.exporter.country,
        "movement.destination": order.destination,
        "exporter.name": order.exporter.name_latin,
        "consignee.country": consignee.country,
        "consignee.hq": consignee.hq_country,
        "consignee.parent_hq": consignee.parent_hq_country,
        "buyer.kind": _BUYER_KINDS[order.importer.kind],
        "site.location": order.place,
    }
    if line is not None:
        facts["item.chip"] = line.chip
    evidence = list(order.evidence.all())
    for name in CERTIFICATIONS:
        if in_force(evidence, name, on) is not None:
            facts[f"certifications.{name}"] = True
    if any(each.kind == "use_statement" for app in order.applications.all() for each in app.documents.all()):
        facts["application.use_documents"] = True
    judged = [each for app in order.applications.all() for each in app.necessity.all()]
    if judged:
        facts["end_use.necessary"] = max(judged, key=lambda each: each.pk).necessary
    return {**facts, **order.facts}


def facts_digest(facts: Mapping[str, object]) -> str:
    """Name a set of facts; order does not matter."""
    body = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(body.encode()).hexdigest()


def assess_case(actor: Actor, application: Application, why: str, on: date | None = None) -> StoredAssessment:
    """Assess the order behind an application today, and keep the whole answer with the case."""
    day = on or timezone.now().date()
    order = load_order(application.order_id)
    facts = facts_of(order, day)
    result = assess(facts, day)
    key = result.key("export" if application.authority.side == "export" else "import")
    stored = StoredAssessment.objects.create(
        application=application,
        as_of=day,
        key=key.key,
        status=key.status,
        answer=str(key.answer or ""),
        missing=list(key.missing),
        law_digest=result.law_digest,
        facts_digest=facts_digest(facts),
        lists_digest=lists_digest(),
        body=plain(asdict(result)),
        why=why,
    )
    record(
        actor,
        "case.assessed",
        "application",
        application.pk,
        why=why,
        status=key.status,
        answer=str(key.answer or ""),
        law=result.law_digest,
    )
    return stored


def load_order(order_id: int) -> Order:
    """Load an order with everything that its facts are made of, in a constant number of queries."""
    return (
        Order.objects.select_related("exporter__ultimate_parent", "importer__ultimate_parent")
        .prefetch_related(
            "lines",
            "parties__organisation__ultimate_parent",
            "evidence__document",
            "applications__documents",
            "applications__necessity",
        )
        .get(pk=order_id)
    )


def plain(value: Any) -> Any:
    """Return a value as JSON without floats: a float becomes its shortest text, a date its ISO form."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def _party(order: Order, role: str) -> Any:
    return next((each.organisation for each in order.parties.all() if each.role == role), None)
