"""Breach records, as JSON: shares in basis points."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from twokey.desk.api.shapes.common import In, Long, Out, Text
from twokey.desk.cases.models import Breach

Words = Annotated[Long, StringConstraints(max_length=2_000)]
Share = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class EvidenceFileIn(In):
    """A file that a use report rests on."""

    file: Text
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BreachIn(In):
    """One record of `twokey deploy report --breaches`, as it stands in the file."""

    record: Text
    version: Annotated[int, Field(strict=True, ge=1, le=1000)]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    fleet: Text
    condition: Annotated[Text, StringConstraints(max_length=80)]
    words_en: Words
    words_zh: Words
    authority: Words
    instrument: Words
    site: Text
    start: Annotated[Text, Field(alias="from")]
    end: Annotated[Text, Field(alias="to")]
    phase: Text
    measure: Text
    at_least_bp: Share
    measured_bp: Share | None
    low_bp: Share
    high_bp: Share
    evidence: Annotated[list[EvidenceFileIn], Field(max_length=10_000)]


class BreachesIn(In):
    """The breaches of one report."""

    breaches: Annotated[list[BreachIn], Field(min_length=1, max_length=366)]


class BreachOut(Out):
    """A breach, and what the authority found."""

    id: int
    case: int
    condition: str
    state: str
    at_least_bp: int
    measured_bp: int | None
    high_bp: int
    body: dict[str, Any]
    reported_by: str
    reported_at: datetime
    finding: str
    found_by: str
    found_at: datetime | None

    @classmethod
    def of(cls, row: Breach) -> BreachOut:
        """Show a breach."""
        return cls(
            id=row.pk,
            case=row.application_id,
            condition=row.condition,
            state="open" if row.found_at is None else "closed",
            at_least_bp=row.body["at_least_bp"],
            measured_bp=row.body["measured_bp"],
            high_bp=row.body["high_bp"],
            body=row.body,
            reported_by=row.reported_by,
            reported_at=row.reported_at,
            finding=row.finding,
            found_by=row.found_by,
            found_at=row.found_at,
        )
