"""Batches, authorisations, shipments, releases and what happened, as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from twokey.desk.api.shapes.common import (
    Code,
    Country,
    Currency,
    Delta,
    Id,
    In,
    Long,
    Minor,
    Out,
    ReasonOut,
    Text,
    Units,
    storable,
)


class CompanyIn(In):
    """The ceiling of one company in a batch."""

    party_id: Id
    units: Units
    value_minor: Units


class BatchIn(In):
    """A batch."""

    code: Code
    units: Units
    value_minor: Units
    currency: Currency
    companies: Annotated[list[CompanyIn], Field(max_length=500)] = []
    oversubscription: bool = False


class TopUpIn(In):
    """An addition to a ceiling."""

    units: Minor = 0
    value_minor: Minor = 0
    reason: Text
    share_id: Id | None = None


class BalanceOut(Out):
    """Limits, what is used of them, and what is left; null: no such limit."""

    id: int
    label: str
    state: str
    currency: str
    units_cap: int | None
    units_reserved: int
    units_drawn: int
    units_left: int | None
    value_cap: int | None
    value_tolerance: int
    value_reserved: int
    value_drawn: int
    value_left: int | None
    uses_cap: int | None
    uses_left: int | None
    posture: int


class BatchOut(Out):
    """A batch with its ceilings."""

    id: int
    code: str
    authority: str
    countersigned: bool
    units_granted: int
    value_granted: int
    ceilings: list[BalanceOut]


class ConditionOut(Out):
    """A condition that stands."""

    id: int
    code: str
    kind: str
    text_en: str
    text_zh: str


class AuthorisationOut(Out):
    """An authorisation and its balance."""

    id: int
    number: str
    authority: str
    side: str
    order_id: int
    company: str
    item: str
    valid_from: date
    valid_until: date
    places: list[str]
    balance: BalanceOut
    conditions: list[ConditionOut]


class StateIn(In):
    """A change of state."""

    change: Annotated[str, StringConstraints(pattern="^(suspend|reinstate|revoke)$")]
    reason: Text


class AdjustmentIn(In):
    """A correction of what was drawn."""

    units: Delta = 0
    value_minor: Delta = 0
    uses: Delta = 0
    reason: Text


class ConditionChangeIn(In):
    """A condition said anew, or lifted."""

    text_en: Long
    text_zh: Long
    reason: Text
    lift: bool = False


class CapIn(In):
    """A ratio cap; the window has no default."""

    product: Text
    destinations: Annotated[list[Country], Field(min_length=1, max_length=50)]
    ratio_bp: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    window: Code
    since: date | None = None
    reason: Text


class HomeShipmentsIn(In):
    """What was shipped at home."""

    on: date
    units: Annotated[int, Field(strict=True, ge=1, le=10**9)]
    tpp_each: Annotated[int, Field(strict=True, ge=1, le=10**7)]
    source: Text


class RateIn(In):
    """An exchange rate as two whole numbers."""

    base: Currency
    quote: Currency
    numerator: Annotated[int, Field(strict=True, ge=1, le=10**9)]
    denominator: Annotated[int, Field(strict=True, ge=1, le=10**9)]
    source: Text
    on: date


class PartIn(In):
    """Units of one order line in a shipment."""

    position: Annotated[int, Field(strict=True, ge=1, le=1000)]
    units: Units
    value_minor: Minor
    currency: Currency
    export_number: Annotated[str, StringConstraints(max_length=40), AfterValidator(storable)] = ""
    import_number: Annotated[str, StringConstraints(max_length=40), AfterValidator(storable)] = ""


class ShipmentIn(In):
    """A shipment."""

    order_id: Id
    number: Code
    place: Code
    lines: Annotated[list[PartIn], Field(min_length=1, max_length=100)]


class ReturnIn(In):
    """What comes back: units by order line."""

    units: Annotated[dict[Annotated[int, Field(ge=1, le=1000)], Units], Field(min_length=1, max_length=100)]
    key: Code
    reason: Text


class ShipIn(In):
    """Serial numbers by order line."""

    serials: Annotated[dict[Annotated[int, Field(ge=1, le=1000)], list[Code]], Field(max_length=100)] = {}


class ArrivalIn(In):
    """A delivery or a customs entry."""

    position: Annotated[int, Field(strict=True, ge=1, le=1000)]
    number: Code
    on: date
    place: Code
    units: Units


class ShipmentLineOut(Out):
    """One item of a shipment."""

    position: int
    item: str
    units: int
    value_minor: int
    currency: str
    export: str
    import_: Annotated[str, Field(serialization_alias="import")]


class ShipmentOut(Out):
    """A shipment."""

    id: int
    number: str
    order_id: int
    state: str
    place: str
    reserved_until: datetime | None
    lines: list[ShipmentLineOut]


class MovedOut(Out):
    """A movement."""

    movement_id: int
    repeated: bool


class GateOut(Out):
    """What the gate says: open, or every reason against."""

    open: bool
    reasons: list[ReasonOut]


class ReleaseOut(Out):
    """A release; `document` is the file that `twokey verify` checks."""

    id: int
    number: str
    shipment: str
    at: datetime
    sha256: str
    document: dict[str, Any]


class DocumentIn(In):
    """A signed document of another desk."""

    document: dict[str, Any]


class SignedOut(Out):
    """A signed document, to be carried to another desk."""

    kind: str
    sha256: str
    document: dict[str, Any]


class ReceivedOut(Out):
    """A document that was taken in from another desk."""

    id: int
    kind: str
    authority: str
    number: str
    order: str
    said_at: datetime
    signed_by: str
    sha256: str
    at: datetime


class FlowOut(Out):
    """What was approved against what arrived."""

    number: str
    authority: str
    company: str
    item: str
    approved: int
    reserved: int
    drawn: int
    delivered: int
    entered: int


class UsageRowIn(In):
    """One row of a usage report; a wrong quantity or unit is read, and refused with its code."""

    licence: Annotated[str, StringConstraints(max_length=60), AfterValidator(storable)]
    shipment: Annotated[str, StringConstraints(max_length=60), AfterValidator(storable)]
    quantity: Annotated[int, Field(strict=True, ge=-(10**15), le=10**15)]
    unit: Annotated[str, StringConstraints(max_length=20), AfterValidator(storable)]
    currency: Annotated[str, StringConstraints(max_length=3), AfterValidator(storable)] = ""
    entry: Code
    on: date
    place: Code


class UsageIn(In):
    """A usage report."""

    rows: Annotated[list[UsageRowIn], Field(min_length=1, max_length=5000)]


class UsageRowOut(Out):
    """What became of one row."""

    row: int
    accepted: bool
    code: str
    en: str
    zh: str


class MessageOut(Out):
    """A message of the outbox and where it stands."""

    id: int
    topic: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None


class EventOut(Out):
    """One thing that happened."""

    id: int
    at: datetime
    actor: str
    role: str
    authority: str
    channel: str
    verb: str
    subject_kind: str
    subject_id: int
    payload: dict[str, Any]


class BulkOut(Out):
    """What a bulk file did: all of it, or nothing and why, line by line."""

    done: bool
    rows: int
    made: list[str]
    errors: list[dict[str, Any]]
