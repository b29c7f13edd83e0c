"""Orders and applications, as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from twokey.desk.api.shapes.common import (
    Code,
    Country,
    Currency,
    Facts,
    Id,
    In,
    Long,
    Out,
    Text,
    Units,
    storable,
)


class LineIn(In):
    """One item: whole units, whole value in minor currency."""

    chip: Text
    units: Units
    value_minor: Units
    tpp: Units | None = None


class PartyRoleIn(In):
    """A party in a role."""

    party_id: Id
    role: Code


class OrderIn(In):
    """An order."""

    number: Code
    exporter_id: Id
    importer_id: Id
    currency: Currency
    destination: Country
    place: Code
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=100)]
    parties: Annotated[list[PartyRoleIn], Field(max_length=100)] = []
    facts: Annotated[Facts, Field(max_length=200)] = {}


class FactsIn(In):
    """Facts of an order, by their dotted names."""

    facts: Annotated[Facts, Field(min_length=1, max_length=200)]


class PlacedIn(In):
    """The day on which the buyer placed the order."""

    on: date
    reference: Text


class LineOut(Out):
    """One item of an order."""

    position: int
    chip: str
    units: int
    value_minor: int
    tpp: int | None


class OrderOut(Out):
    """An order, and its five states with their dates."""

    id: int
    number: str
    exporter_id: int
    importer_id: int
    currency: str
    destination: str
    place: str
    lines: list[LineOut]
    facts: dict[str, Any]
    states: dict[str, date | None] = {}


class DraftIn(In):
    """A new application."""

    order_id: Id
    authority: Code
    use_statement: Long = ""


class SaveIn(In):
    """The use statement."""

    use_statement: Long


class TextIn(In):
    """One text: a question, an answer, a reason, a note."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(storable)]


class AdviceIn(In):
    """A reviewer's advice."""

    recommendation: Code
    text: Long


class ReviewersIn(In):
    """Who is asked for advice."""

    reviewers: Annotated[list[Code], Field(min_length=1, max_length=20)]


class NecessityIn(In):
    """A judgement of necessity, criterion by criterion."""

    necessary: bool
    criteria: Annotated[dict[Code, Long], Field(max_length=20)]


class EvidenceIn(In):
    """What shows that a certification or a condition holds."""

    name: Code
    document_id: Id
    issuer: Text
    issued_on: date
    expires_on: date | None = None
    shipment_id: Id | None = None


class ConditionIn(In):
    """A condition of a decision."""

    code: Code
    kind: Annotated[str, StringConstraints(pattern="^(precedent|lasting)$")]
    text_en: Long
    text_zh: Long


class TermIn(In):
    """What is granted of one order line."""

    position: Annotated[int, Field(strict=True, ge=1, le=1000)]
    units: Units
    value_minor: Units
    currency: Currency
    valid_from: date
    valid_until: date
    places: Annotated[list[Code], Field(min_length=1, max_length=20)]
    uses: Annotated[int, Field(strict=True, ge=1, le=10**6)] | None = None
    value_tolerance_bp: Annotated[int, Field(strict=True, ge=0, le=10_000)] | None = None


class DecisionIn(In):
    """A decision. Who decides is the caller; no field names them."""

    outcome: Annotated[str, StringConstraints(pattern="^(approve|refuse)$")]
    reasons: Long
    lines: Annotated[list[TermIn], Field(max_length=100)] = []
    conditions: Annotated[list[ConditionIn], Field(max_length=100)] = []
    batch_id: Id | None = None
    despite: Long = ""


class AppealIn(In):
    """What comes of an appeal."""

    allowed: bool
    reason: Text


class CaseOut(Out):
    """An application."""

    id: int
    order_id: int
    order: str
    authority: str
    side: str
    state: str
    applicant: str
    officer: str
    attention: str
    use_statement: str
    amends_id: int | None
    submitted_at: datetime | None
    closed_at: datetime | None


class AssessmentOut(Out):
    """The assessment of a day."""

    id: int
    as_of: date
    key: str
    status: str
    answer: str
    missing: list[str]
    law_digest: str
    why: str


class DocumentOut(Out):
    """A document."""

    id: int
    kind: str
    filename: str
    content_type: str
    size: int
    sha256: str
    scan: str
    scan_detail: str


class DecisionOut(Out):
    """A decision, and whether it was countersigned."""

    id: int
    outcome: str
    reasons: str
    terms: dict[str, Any]
    officer: str
    at: datetime
    countersigned_by: str
    sha256: str


class AdviceOut(Out):
    """A reviewer's advice."""

    id: int
    reviewer: str
    recommendation: str
    text: str
    at: datetime


class QuestionOut(Out):
    """A request for information."""

    id: int
    question: str
    asked_at: datetime
    due_on: date
    answer: str
    answered_at: datetime | None


class CaseFile(CaseOut):
    """An application with its papers; advice and notes are there for its own authority only."""

    working_days: int
    documents: list[DocumentOut]
    assessments: list[AssessmentOut]
    decisions: list[DecisionOut]
    questions: list[QuestionOut]
    advice: list[AdviceOut]


class NoteOut(Out):
    """An internal note of the caller's own authority."""

    id: int
    author: str
    text: str
    at: datetime


class IdOut(Out):
    """The number of what was made."""

    id: int
