"""The desk's one door to the law room: the facts of an order, the assessment of a day, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from django.db.models import Prefetch
from django.utils import timezone

from twokey.desk.actors import Actor
from twokey.desk.audit.events import record
from twokey.desk.cases.models import Application, Document, Order, OrderParty, StoredAssessment
from twokey.desk.cases.papers import in_force
from twokey.desk.codes import PLACES
from twokey.desk.parties.models import Organisation
from twokey.desk.parties.screening import listed_sources, lists_digest
from twokey.law.records import Assessment, KeyAnswer

Side = Literal["export", "import"]
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
_BUYER_KINDS: Final = {"university_laboratory": "university_lab"}
_WORST: Final = {"clear": 0, "needs_information": 1, "blocked": 2}
_DECIMAL: Final = re.compile(r"-?\d+\.\d+")
# What the US lists call the entries that two facts of the law ask about.
_ENTITY_LIST: Final = "Entity List"
_MILITARY_END_USER: Final = "Military End User"


@dataclass(frozen=True, slots=True)
class OrderAssessment:
    """What the law says of a whole order for one key: the worst answer over its items, and every item's assessment."""

    key: KeyAnswer
    law_digest: str
    facts_digest: str
    items: tuple[Assessment, ...]


def assess(facts: Mapping[str, object], on: date) -> Assessment:
    """Ask the law room what the regimes say of the facts on a day.

    The desk keeps no float: a decimal is kept as text ("0.25") and becomes a number here, at the law's door.
    """
    from twokey.law import assess as assess_facts

    return assess_facts(with_numbers(facts), on)


def words_of_order(
    order: Order, on: date, lang: Literal["en", "zh"]
) -> dict[str, dict[str, tuple[str, str, tuple[str, ...]]]]:
    """Return what the law says of every item for either key: its status, its answer in words, the facts it lacks.

    item -> key -> (status, words, names of the missing facts in words). The facts are read once for all of them.
    """
    from twokey.law import assessment_of
    from twokey.law import decide as decide_facts
    from twokey.law.report import fact_label, key_text

    common, said = facts_of(order, on), {}
    for chip in sorted({line.chip for line in order.lines.all()}):
        decided = decide_facts(with_numbers({**common, "item.chip": chip}), on)
        keys = assessment_of(decided, on).keys
        said[chip] = {
            str(key.key): (
                str(key.status),
                key_text(key, decided, lang),
                tuple(fact_label(name, lang) for name in key.missing),
            )
            for key in keys
        }
    return said


def with_numbers(facts: Mapping[str, object]) -> dict[str, object]:
    """Return facts as the law room takes them: a decimal that the desk kept as text is a number again.

    >>> with_numbers({"item.performance_density": "19.45", "item.chip": "H200"})
    {'item.performance_density': 19.45, 'item.chip': 'H200'}
    """
    return {
        name: float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
        for name, value in facts.items()
    }


def law_digest(on: date) -> str:
    """Ask the law room for the name of the law in force on a day."""
    from twokey.law import law_digest as digest_of

    return digest_of(on)


def assess_order(order: Order, side: Side, on: date) -> OrderAssessment:
    """Assess every item of an order for one key; one item that the law blocks blocks the order."""
    return assess_keys(order, (side,), on)[side]


def assess_keys(order: Order, sides: Sequence[Side], on: date) -> dict[Side, OrderAssessment]:
    """Assess every item of an order for some keys; the facts are read once for all of them."""
    common = facts_of(order, on)
    chips = sorted({line.chip for line in order.lines.all()})
    items = tuple(assess({**common, "item.chip": chip}, on) for chip in chips)
    named = _named(common, order)

    def worst(side: Side) -> KeyAnswer:
        return max((item.key(side) for item in items), key=lambda key: _WORST[key.status])

    return {side: OrderAssessment(worst(side), items[0].law_digest, named, items) for side in sides}


def facts_name(order: Order, on: date) -> str:
    """Name the facts of a whole order; two assessments with the same name and law are equal."""
    return _named(facts_of(order, on), order)


def _named(facts: Mapping[str, object], order: Order) -> str:
    return facts_digest({**facts, "items": sorted({line.chip for line in order.lines.all()})})


def facts_of(order: Order, on: date) -> dict[str, object]:
    """Return the facts of an order as the law room reads them: what the parties stated, and what the file shows.

    A certification is a fact only once it is evidenced: true while its evidence is in force, absent otherwise. Listed
    or not is what screening found; absent while it is stale or waits for an officer. Stated facts never override these.
    """
    consignee = _party(order, OrderParty.Role.ULTIMATE_CONSIGNEE) or order.importer
    return {
        "item.kind": "ic",
        **order.facts,
        "movement.kind": "export",
        "movement.origin": order.exporter.country,
        "movement.destination": order.destination,
        "exporter.name": order.exporter.name_latin,
        "consignee.country": consignee.country,
        "consignee.hq": consignee.hq_country,
        "consignee.parent_hq": consignee.parent_hq_country,
        "buyer.kind": _BUYER_KINDS.get(order.importer.kind, order.importer.kind),
        "site.location": order.place if order.place in PLACES else "abroad",
        **_listed(consignee),
        **_laboratory(order),
        **_shown(order, on),
        **_ratio(order),
    }


def check_stated(facts: Mapping[str, object]) -> None:
    """Refuse facts that the law does not know, or of the wrong type; the law room says which."""
    assess(facts, timezone.now().date())


def facts_digest(facts: Mapping[str, object]) -> str:
    """Name a set of facts; order does not matter."""
    body = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(body.encode()).hexdigest()


def assess_case(actor: Actor, application: Application, why: str, on: date | None = None) -> StoredAssessment:
    """Assess the order behind an application today, and keep the whole answer with the case."""
    day = on or timezone.now().date()
    side: Side = "export" if application.authority.side == "export" else "import"
    result = assess_order(load_order(application.order_id), side, day)
    key = result.key
    stored = StoredAssessment.objects.create(
        application=application,
        as_of=day,
        key=key.key,
        status=key.status,
        answer=str(key.answer or ""),
        missing=list(key.missing),
        law_digest=result.law_digest,
        facts_digest=result.facts_digest,
        lists_digest=lists_digest(),
        body={"items": plain([asdict(item) for item in result.items])},
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
            "parties__organisation__owners__owner",
            "importer__owners__owner",
            "evidence__document",
            Prefetch("applications__documents", Document.objects.filter(withdrawal=None)),
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


def _shown(order: Order, on: date) -> dict[str, object]:
    """Return what documents and officers show."""
    evidence, facts = list(order.evidence.all()), dict[str, object]()
    for name in CERTIFICATIONS:
        if in_force(evidence, name, on) is not None:
            facts[f"certifications.{name}"] = True
    if "certifications.prohibited_uses" in facts:
        facts["end_use.prohibited"] = False
    applications = list(order.applications.all())
    if any(each.kind == "use_statement" for app in applications for each in app.documents.all()):
        facts["application.use_documents"] = True
    judged = [each for app in applications for each in app.necessity.all()]
    if judged:
        facts["end_use.necessary"] = max(judged, key=lambda each: each.pk).necessary
    return facts


def _listed(consignee: Organisation) -> dict[str, object]:
    """Return whether the consignee is listed, and the share of it that listed owners hold (of 1)."""
    facts: dict[str, object] = {}
    owners = list(consignee.owners.all())
    sources_of = listed_sources([consignee.pk, *(each.owner_id for each in owners)])
    sources = sources_of[consignee.pk]
    if sources is not None:
        facts["consignee.entity_list"] = any(_ENTITY_LIST in each for each in sources)
        facts["consignee.military_end_user"] = any(_MILITARY_END_USER in each for each in sources)
    found = [(each.share_bp, sources_of[each.owner_id]) for each in owners]
    if owners and all(each is not None for _, each in found):
        listed_bp = sum(share for share, each in found if each)
        facts["consignee.listed_owner_share"] = f"{listed_bp // 10_000}.{listed_bp % 10_000:04d}"
    return facts


def _laboratory(order: Order) -> dict[str, object]:
    laboratory = _party(order, OrderParty.Role.LABORATORY)
    if laboratory is None:
        return {}
    return {"laboratory.hq": laboratory.hq_country, "laboratory.country": laboratory.country}


def _ratio(order: Order) -> dict[str, object]:
    """Return the share that a ratio cap on the order's items has reached, and the window that a person chose for it.

    Over several items the highest share counts; it is rounded up to a basis point.
    """
    from twokey.desk.ledger.ratio import share_reached

    reached = share_reached({line.chip for line in order.lines.all()})
    if reached is None:
        return {}
    share_bp, window = reached
    return {
        "aggregate.china_to_us_tpp_ratio": f"{share_bp // 10_000}.{share_bp % 10_000:04d}",
        "aggregate.window": window,
    }


def _party(order: Order, role: str) -> Organisation | None:
    return next((each.organisation for each in order.parties.all() if each.role == role), None)
