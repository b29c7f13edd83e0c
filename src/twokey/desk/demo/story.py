"""The founding case, played through the real services: nothing here writes a row by itself.

Reported: the first batch, more than 400,000 H200 and about US$10bn over three companies; about US$27,000 a unit; about
two million H200 at US customers. Not reported, and so invented and marked: the split between the companies, every
document, and the three smaller buyers whose orders are walked further.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import as_file, files
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor
from twokey.desk.cases import batches, deciding, drafting, papers, reviewing
from twokey.desk.cases.assessing import CERTIFICATIONS
from twokey.desk.cases.completeness import gaps
from twokey.desk.cases.deciding import ConditionTerm, LineTerm, Terms
from twokey.desk.cases.drafting import LineDraft, OrderDraft
from twokey.desk.cases.models import Application, Order
from twokey.desk.demo.cast import Cast, assemble
from twokey.desk.ledger import ratio, releasing, shipments
from twokey.desk.ledger.models import Shipment
from twokey.desk.parties import screening, services
from twokey.desk.parties.lists import read_list
from twokey.desk.parties.models import Organisation

CHIP: Final = "H200 SXM"
UNIT_PRICE_MINOR: Final = 2_700_000  # about US$27,000 (Reuters 2025-12-31)
TPP: Final = 15_832
BATCH_UNITS: Final = 400_000  # "more than 400,000" (Reuters 2026-01-30)
BATCH_VALUE_MINOR: Final = 1_000_000_000_000  # about US$10bn (Wall Street Journal 2026-01-28)
USE: Final = "Advanced research on large models; the domestic chips on offer do not hold the model in memory."
_FACTS: Final = {
    "end_use.supercomputer": False,
    "site.state_funded": False,
    "laboratory.financial_interest": False,
    "laboratory.every_shipment": True,
    "laboratory.d5_or_macau_control": False,
    "laboratory.standing_withdrawn": False,
}
SECURITY: Final = ConditionTerm(
    "security_procedures_shown",
    "precedent",
    "The consignee shows adequate security procedures before the chips ship.",
    "收货人须在芯片发运前证明其具备充分的安全程序。",
)
SHARES: Final = (
    ConditionTerm(
        "training_share_kept",
        "lasting",
        "Some training runs on domestic chips (no ratio was reported).",
        "部分训练使用国产芯片（未见公布比例）。",
    ),
    ConditionTerm(
        "inference_share_kept",
        "lasting",
        "Most inference runs on domestic chips (no ratio was reported).",
        "大部分推理使用国产芯片（未见公布比例）。",
    ),
)


@dataclass(frozen=True, slots=True)
class Story:
    """What was loaded: the numbers to look at next, and the lines that tell it."""

    batch_id: int
    release_number: str
    blocked_shipment_id: int
    waiting_case_id: int
    password: str
    lines: tuple[str, ...]


def load() -> Story:
    """Play the founding case on an empty desk; raises `UserError` where the desk is not empty."""
    if Organisation.objects.exists():
        raise UserError("this desk is not empty; give the demonstration one of its own: TWOKEY_HOME=DIR twokey demo")
    with transaction.atomic(), _demo_scanner():
        cast = assemble()
        _lists_and_owners(cast)
        _half_rule(cast)
        batch_id = _first_batch(cast)
        released = _shipment(cast, "lanhai", 500, secure=True)
        release = releasing.release(cast.people["seller"], released.pk)
        blocked = _shipment(cast, "qingshan", 2_000, secure=False)
        waiting = _waiting(cast)
    reasons = releasing.check(cast.people["seller"], blocked.pk)
    lacking = gaps(waiting)
    lines = (
        f"The first batch stands: {BATCH_UNITS:,} units, US${BATCH_VALUE_MINOR // 100:,}, three reported companies.",
        "  twokey batch list --as officer.miit.1",
        f"One order has walked to a signed release, {release.number}: 500 H200 for an invented laboratory.",
        f"  twokey release show {release.number} --out release.json --as customs.gacc",
        "  twokey keys export keys.json && twokey verify release.json --keys keys.json",
        f"One is blocked (shipment {blocked.pk}): {'; '.join(each.en for each in reasons)}",
        f"  twokey release gate {blocked.pk} --as seller",
        f"One waits (case {waiting.pk}), {len(lacking)} things are missing, the use documents first:",
        *(f"    {each.en} / {each.zh}" for each in lacking[:2]),
        f"  twokey case gaps {waiting.pk} --as buyer.xingye",
        "What was approved against what arrived: twokey ledger flows --as auditor",
        f"People: {', '.join(sorted(cast.people))}. Documents are invented, and no scanner was asked about them.",
    )
    return Story(batch_id, release.number, blocked.pk, waiting.pk, cast.password, lines)


@contextmanager
def _demo_scanner() -> Iterator[None]:
    """Let the demonstration's own documents pass; everybody else's still need a scanner."""
    before = settings.TWOKEY_SCAN_COMMAND
    settings.TWOKEY_SCAN_COMMAND = f"{sys.executable} -c pass"
    try:
        yield
    finally:
        settings.TWOKEY_SCAN_COMMAND = before


def _lists_and_owners(cast: Cast) -> None:
    operator = cast.people["operator"]
    for key in ("bytedance", "alibaba", "tencent", "lanhai", "qingshan", "xingye"):
        # The law asks who owns the consignee; a real desk states it from a register, with its source.
        services.add_share(
            operator, cast.firms["holder"], cast.firms[key], 100, _today(), "invented for the demonstration"
        )
    with as_file(files("twokey.desk.demo") / "list.json") as path:
        screening.import_list(
            operator, read_list(path), "demo-list", title="Invented list of the demonstration", max_age_days=30
        )


def _half_rule(cast: Cast) -> None:
    cap = ratio.choose_cap(
        cast.people["officer.bis.1"],
        CHIP,
        destinations=("CN", "MO"),
        ratio_bp=5_000,
        window="since",
        since=date(2024, 1, 1),
        why="Chosen for the demonstration: cumulative since the product came out, as the press reads the rule.",
    )
    ratio.state_home_shipments(
        cast.people["operator"],
        cap.pk,
        date(2025, 12, 31),
        2_000_000,
        TPP,
        "press estimate, about two million H200 at US customers",
    )


def _first_batch(cast: Cast) -> int:
    first, second = cast.people["officer.miit.1"], cast.people["officer.miit.2"]
    batch = batches.open_batch(first, "CN-2026-01", units=BATCH_UNITS, value_minor=BATCH_VALUE_MINOR, currency="USD")
    batches.countersign_batch(second, batch.pk)
    wanted: dict[int, Terms] = {}
    split = {"bytedance": 134_000, "alibaba": 133_000, "tencent": 103_000}  # invented; sums to US$9.99bn
    for key, units in split.items():
        application = _reviewed(cast, _order(cast, key, units), key, "import")
        wanted[application.pk] = _terms(units, SHARES)
    deciding.decide_many(first, batch.pk, wanted, "Necessary for advanced research; first batch as reported.")
    deciding.countersign_many(second, list(wanted))
    return batch.pk


def _shipment(cast: Cast, key: str, units: int, *, secure: bool) -> Shipment:
    """Turn both keys for an order and bring its shipment to the gate; `secure`: with the security procedures shown."""
    order = _order(cast, key, units)
    for side, conditions in (("export", (SECURITY,)), ("import", SHARES)):
        application = _reviewed(cast, order, key, side)
        first, second = _officers(cast, side)
        deciding.decide(first, application.pk, "approve", "It meets the rule.", _terms(units, conditions))
        deciding.countersign(second, application.pk)
    drafting.place_order(cast.people[f"buyer.{key}"], order.pk, _today(), f"purchase order {order.number}")
    seller = cast.people["seller"]
    shipment = shipments.plan(
        seller, order.pk, f"SH-{key}-1", "mainland", [shipments.Part(1, units, units * UNIT_PRICE_MINOR, "USD")]
    )
    shipments.reserve(seller, shipment.pk, "1")
    export = order.applications.get(authority__side="export")
    _evidence(seller, order, export, "laboratory_certificate", "Invented Testhaus Laboratory Inc.", shipment.pk)
    if secure:
        _evidence(seller, order, export, "security_procedures_shown", "Invented audit of the consignee")
    shipment.refresh_from_db()
    return shipment


def _waiting(cast: Cast) -> Application:
    order = _order(cast, "xingye", 5_000)
    return drafting.draft_application(cast.people["buyer.xingye"], order.pk, "MIIT", USE)


def _order(cast: Cast, key: str, units: int) -> Order:
    buyer = cast.firms[key].pk
    return drafting.create_order(
        cast.people["seller"],
        OrderDraft(
            number=f"H200-{key}",
            exporter_id=cast.firms["nvidia"].pk,
            importer_id=buyer,
            currency="USD",
            destination="CN",
            place="mainland",
            lines=[LineDraft(CHIP, units, units * UNIT_PRICE_MINOR)],
            parties=[
                (buyer, "purchaser"),
                (buyer, "ultimate_consignee"),
                (buyer, "end_user"),
                (cast.firms["testhaus"].pk, "laboratory"),
            ],
            facts=_FACTS,
        ),
    )


def _reviewed(cast: Cast, order: Order, key: str, side: str) -> Application:
    """Draft, complete, submit, take, and (import side) judge necessity."""
    export = side == "export"
    owner = cast.people["seller" if export else f"buyer.{key}"]
    application = drafting.draft_application(owner, order.pk, "BIS" if export else "MIIT", USE)
    for kind in ("contract", "end_user_statement") if export else ("use_statement", "substitution_statement"):
        papers.add_document(owner, application.pk, kind, f"{kind}.txt", _text(kind, order))
    for name in CERTIFICATIONS if export else ():
        _evidence(owner, order, application, name, "NVIDIA Corporation (invented certification)")
    drafting.submit(owner, application.pk)
    officer, _ = _officers(cast, side)
    reviewing.take(officer, application.pk)
    if not export:
        findings = dict.fromkeys(reviewing.NECESSITY_CRITERIA, "Found on the papers of the demonstration.")
        reviewing.judge_necessity(officer, application.pk, True, findings)
    return application


def _officers(cast: Cast, side: str) -> tuple[Actor, Actor]:
    code = "bis" if side == "export" else "miit"
    return cast.people[f"officer.{code}.1"], cast.people[f"officer.{code}.2"]


def _evidence(
    actor: Actor, order: Order, application: Application, name: str, issuer: str, shipment_id: int | None = None
) -> None:
    kind = "laboratory_certificate" if shipment_id else "certification"
    document = papers.add_document(actor, application.pk, kind, f"{name}.txt", _text(name, order))
    papers.add_evidence(
        actor,
        order.pk,
        name,
        document.pk,
        issuer=issuer,
        issued_on=_today(),
        expires_on=_today() + timedelta(days=365),
        shipment_id=shipment_id,
    )


def _terms(units: int, conditions: tuple[ConditionTerm, ...]) -> Terms:
    start = _today() - timedelta(days=1)
    line = LineTerm(
        position=1,
        units=units,
        value_minor=units * UNIT_PRICE_MINOR,
        currency="USD",
        valid_from=start,
        valid_until=start + timedelta(days=365),
        places=("mainland", "hong_kong"),
        uses=12,
    )
    return Terms((line,), conditions)


def _text(kind: str, order: Order) -> bytes:
    return f"INVENTED FOR THE DEMONSTRATION. {kind} of order {order.number}. 演示用，内容虚构。\n".encode()


def _today() -> date:
    return timezone.now().date()
