"""Parties and their screening, as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from twokey.desk.api.shapes.common import (
    Asked,
    Code,
    Country,
    Id,
    In,
    Out,
    Text,
    storable,
)


class AddressIn(In):
    """A place, in its own script and in Latin letters."""

    lines: Text
    lines_latin: Text
    country: Country


class PartyIn(In):
    """A party, with both names."""

    name: Text
    name_latin: Text
    kind: Code
    country: Country
    hq_country: Country
    aliases: Annotated[list[Text], Field(max_length=50)] = []
    identifiers: Annotated[dict[Code, Code], Field(max_length=20)] = {}
    addresses: Annotated[list[AddressIn], Field(max_length=20)] = []
    ultimate_parent_id: Id | None = None
    provenance: Annotated[str, StringConstraints(max_length=300), AfterValidator(storable)] = ""


class ShareIn(In):
    """A share of one party in another."""

    owner_id: Id
    share_bp: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    as_of: date
    source: Text


class MatchIn(In):
    """An officer's judgement of one match."""

    entry_uid: Text
    same: bool
    reason: Text


class ListHow(Asked):
    """How a list counts; what is not given stays as it is."""

    required: bool | None = None
    max_age_days: Annotated[int, Field(ge=1, le=365)] | None = None


class OwnerOut(Out):
    """A share that one party holds in another, in basis points."""

    owner_id: int
    share_bp: int
    as_of: date
    source: str


class PartyOut(Out):
    """A party."""

    id: int
    name: str
    name_latin: str
    kind: str
    country: str
    hq_country: str
    ultimate_parent_id: int | None
    aliases: list[str]
    identifiers: dict[str, str]
    addresses: list[AddressIn]
    owners: list[OwnerOut]
    provenance: str


class ScreeningOut(Out):
    """What a screening found, with its explanation."""

    id: int
    party_id: int
    at: datetime
    outcome: str
    lists_digest: str
    engine: str
    matches: list[dict[str, Any]]


class ListOut(Out):
    """A screening list."""

    code: str
    title: str
    required: bool
    max_age_days: int
    entries: int
    imported_at: datetime | None
    sha256: str
