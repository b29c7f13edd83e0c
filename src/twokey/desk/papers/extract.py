"""The desk's extract of its register: who, which numbers, what stands today, signed by the desk's own key.

It is dated with the last entry that it rests on, not with the moment of printing, so that a paper printed twice is the
same paper.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from twokey.chips.errors import UserError
from twokey.desk.audit.events import signer
from twokey.desk.audit.models import SignedDocument
from twokey.desk.cases.calendars import calendar_of, local_day
from twokey.desk.cases.clocks import add_working_days
from twokey.desk.cases.drafting import APPEAL_WORKING_DAYS
from twokey.desk.cases.models import Application, Countersignature, Decision, Order
from twokey.desk.ledger.gate import everybody
from twokey.desk.ledger.models import Authorisation, Condition, StateChange
from twokey.desk.papers.record import Lang, Record
from twokey.desk.proof import DESK
from twokey.desk.reasons import Refused, reason
from twokey.desk.signing.keyring import moment

EXTRACT = "twokey.extract/1"


def record_of(decision: Decision, order: Order, lang: Lang) -> Record:
    """Return the record of a licence (an approval) or a refusal; the decision is countersigned."""
    application, countersigned = decision.application, decision.countersignature
    granted = decision.outcome == Decision.Outcome.APPROVE
    rows = list(
        Authorisation.objects.filter(decision=decision)
        .select_related("balance", "line")
        .prefetch_related("conditions")
        .order_by("pk")
    )
    changes = list(
        StateChange.objects.filter(balance__in=[each.balance_id for each in rows])
        .select_related("document")
        .order_by("pk")
    )
    conditions = [each for row in rows for each in row.conditions.all()]
    at = max([countersigned.at, *(each.at for each in changes), *(each.at for each in conditions)])
    body = {
        **_who(application, order),
        "number": rows[0].number if granted else f"{application.authority.code}-{application.pk}",
        "decision": decision.document.sha256,
        "issued_at": countersigned.at.isoformat(timespec="seconds"),
        "lines": _granted(rows) if granted else _asked(order),
        "conditions": _standing(rows),
        "appeal_until": "" if granted else _appeal_until(application, decision),
    }
    later = {each.document.pk: each.document for each in changes if each.document is not None}
    later |= {pk: document for pk, document in _changed(rows, decision) if pk not in later}
    documents = [decision.document.jws, _jws(countersigned), _signed(body, at)]
    return Record("licence" if granted else "refusal", lang, (*documents, *(later[pk].jws for pk in sorted(later))))


def _who(application: Application, order: Order) -> dict[str, Any]:
    authority = application.authority
    holder = order.exporter if authority.side == "export" else order.importer
    return {
        "side": authority.side,
        "authority_name": {
            "en": f"{authority.name_en} ({authority.code})",
            "zh": f"{authority.name_zh}（{authority.code}）",
        },
        "holder": [holder.name, holder.name_latin],
        "parties": [
            {"name": each.name, "name_latin": each.name_latin, "country": each.country, "roles": _roles(order, each.pk)}
            for each in everybody(order)
        ],
    }


def _roles(order: Order, organisation_id: int) -> list[str]:
    found = {each.role for each in order.parties.all() if each.organisation_id == organisation_id}
    found |= {"exporter"} if organisation_id == order.exporter_id else set()
    return sorted(found | ({"importer"} if organisation_id == order.importer_id else set()))


def _granted(rows: list[Authorisation]) -> list[dict[str, Any]]:
    return [
        {
            "position": each.line.position,
            "item": each.line.chip,
            "authorisation": each.number,
            "state": each.balance.state,
        }
        for each in rows
    ]


def _standing(rows: list[Authorisation]) -> list[dict[str, Any]]:
    """Return every condition that stands, once, with the authorisations that it is of."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        for each in row.conditions.all():
            if each.replaced_by_id is None and not each.lifted:
                found.setdefault((each.code, each.kind, each.text_en, each.text_zh), []).append(row.number)
    return [
        {"code": code, "kind": kind, "en": en, "zh": zh, "authorisations": numbers}
        for (code, kind, en, zh), numbers in found.items()
    ]


def _asked(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "position": each.position,
            "item": each.chip,
            "units": each.units,
            "value_minor": each.value_minor,
            "currency": order.currency,
        }
        for each in order.lines.order_by("position")
    ]


def _changed(rows: list[Authorisation], decision: Decision) -> list[tuple[int, SignedDocument]]:
    found = Condition.objects.filter(authorisation__in=rows).exclude(document_id=decision.document_id)
    return [(each.document.pk, each.document) for each in found.select_related("document") if each.document is not None]


def _appeal_until(application: Application, decision: Decision) -> str:
    authority = application.authority
    start = local_day(authority, decision.at)
    return add_working_days(start, APPEAL_WORKING_DAYS, calendar_of(authority)).isoformat()


def _jws(countersigned: Countersignature) -> dict[str, Any]:
    if countersigned.document is None:
        raise Refused(reason("not_decided", case=countersigned.decision.application_id))
    jws: dict[str, Any] = countersigned.document.jws
    return jws


def _signed(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Sign the extract with the desk's key, at the time of its last entry, or of the key where that is later."""
    desk = signer()
    whole = {"type": EXTRACT, "authority": DESK, "at": at.isoformat(timespec="seconds"), **body}
    starts = [moment(key.valid_from) for key in desk.ring().keys.values() if key.authority == DESK]
    try:
        return desk.sign(whole, (DESK,), max([at, *starts]))
    except UserError:
        raise Refused(reason("no_key", authority=DESK)) from None
