"""Breaches: a condition that measured use did not keep opens its case again, until the authority has found on it.

The records come from `twokey deploy report`. The importer hands its own in, or an officer of the authority whose
decision stands does; either way the case returns to that authority's queue, and stays there while a breach is open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor, Role, permit, permit_authority, permit_organisation
from twokey.desk.audit.events import record
from twokey.desk.cases.models import Application, Breach
from twokey.desk.cases.reviewing import cases
from twokey.desk.cases.states import locked
from twokey.desk.reasons import Refused, invalid, missing, reason

RECORD: Final = "twokey.breach"
VERSION: Final = 2
ATTENTION: Final = "condition_breached"
FIELDS: Final = (
    "record",
    "version",
    "id",
    "fleet",
    "condition",
    "words_en",
    "words_zh",
    "authority",
    "instrument",
    "site",
    "from",
    "to",
    "phase",
    "measure",
    "at_least_bp",
    "measured_bp",
    "low_bp",
    "high_bp",
    "evidence",
)
_CODE: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Taken:
    """The breaches of a report as they stand here; `opened` of them were not known before."""

    breaches: tuple[Breach, ...]
    opened: int


def take_in(actor: Actor, application_id: int, records: Sequence[Mapping[str, Any]]) -> Taken:
    """Take the breaches of a use report into an approved case; one that is here already is not opened twice.

    Errors: `Refused` for a record that is none, another's case, or a case whose decision does not stand.
    """
    checked = [_checked(each, number) for number, each in enumerate(records, 1)]
    if not checked:
        raise invalid("breaches", "none_given")
    with transaction.atomic():
        application = locked(application_id)
        _allow(actor, application)
        opened, rows = 0, []
        for each in checked:
            row, new = Breach.objects.get_or_create(
                application=application,
                code=each["id"],
                defaults={"condition": each["condition"], "body": each, "reported_by": actor.login},
            )
            rows.append(row)
            if new:
                opened += 1
                record(
                    actor,
                    "case.breached",
                    "application",
                    application.pk,
                    breach=row.code,
                    condition=row.condition,
                    start=each["from"],
                    end=each["to"],
                )
        if opened:
            application.attention = ATTENTION
            application.save(update_fields=["attention"])
    return Taken(tuple(rows), opened)


def find(actor: Actor, breach_id: int, finding: str) -> Breach:
    """Close a breach with what the authority found; the last one takes the case out of the queue again.

    Errors: `Refused` for another authority's officer, an empty finding, or a breach that is closed.
    """
    with transaction.atomic():
        row = Breach.objects.filter(pk=breach_id).first()
        if row is None:
            raise missing("breach", breach_id)
        application = locked(row.application_id)
        permit_authority(actor, "breach.find", application.authority_id)
        row.refresh_from_db()
        if row.found_at is not None:
            raise Refused(
                reason("wrong_state", what=f"breach {row.pk}", state="closed", task="find on a breach", allowed="open")
            )
        if not finding.strip():
            raise invalid("finding", "empty")
        row.finding, row.found_by, row.found_at = finding.strip(), actor.login, timezone.now()
        row.save(update_fields=["finding", "found_by", "found_at"])
        if application.attention == ATTENTION:
            application.attention = attention(application)
            application.save(update_fields=["attention"])
        record(actor, "case.breach_found", "application", application.pk, breach=row.code, condition=row.condition)
    return row


def attention(application: Application) -> str:
    """Return why a case must stay in the queue once another reason is settled: an open breach, or nothing."""
    return ATTENTION if application.breaches.filter(found_at=None).exists() else ""


def breaches(actor: Actor, application_id: int | None = None) -> QuerySet[Breach]:
    """Return the breaches of the cases that the actor may see, newest first: parties their own, authorities all."""
    permit(actor, "breach.read")
    rows = Breach.objects.select_related("application__order", "application__authority").order_by("-pk")
    if application_id is not None:
        rows = rows.filter(application_id=application_id)
    if actor.role is Role.APPLICANT:
        rows = rows.filter(application__applicant_id=actor.organisation_id)
    return rows.filter(application__in=cases(actor))


def _allow(actor: Actor, application: Application) -> None:
    if actor.role is Role.APPLICANT:
        permit_organisation(actor, "breach.report", application.applicant_id)
    else:
        permit_authority(actor, "breach.report", application.authority_id)
    if application.state != "approved":
        raise Refused(
            reason(
                "wrong_state",
                what=f"application {application.pk}",
                state=application.state,
                task="report a breach",
                allowed="approved",
            )
        )


def _checked(body: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return a record whose every field is there and of its kind; `Refused` names the first that is not."""
    where = f"breach {number}"
    if not isinstance(body, Mapping) or body.get("record") != RECORD or body.get("version") != VERSION:
        raise invalid(where, "not_a_breach", version=VERSION)
    if not set(body) <= set(FIELDS):
        raise invalid(where, "fields_unknown", known=", ".join(FIELDS))
    for name in FIELDS:
        value = body.get(name)
        if name.endswith("_bp"):
            good = (type(value) is int and 0 <= value <= 10_000) or (value is None and name == "measured_bp")
        elif name == "evidence":
            good = isinstance(value, list) and all(_file(each) for each in value)
        elif name != "version":
            good = isinstance(value, str) and len(value) <= 2_000 and "\x00" not in value
        else:
            good = True
        if not good:
            raise invalid(where, "field_missing", given=name, known=", ".join(FIELDS))
    if not _CODE.fullmatch(body["id"]) or not 0 < len(body["condition"]) <= 80:
        raise invalid(where, "field_missing", given="id, condition", known=", ".join(FIELDS))
    return dict(body)


def _file(each: Any) -> bool:
    return isinstance(each, Mapping) and {type(each.get("file")), type(each.get("sha256"))} == {str}
