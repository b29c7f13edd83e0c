"""What goes in and out, as JSON: integers and text, no float, and no field that is not named here."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

MAX_INT = 9_007_199_254_740_991  # the largest whole number that every JSON reader keeps exact


def storable(text: str) -> str:
    """Return a text that the database can hold; raises `ValueError` for U+0000 and half surrogates."""
    if "\x00" in text:
        raise ValueError("the character U+0000 cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is not text") from None
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(storable)]
Long = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(storable)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Id = Annotated[int, Field(strict=True, ge=1, le=MAX_INT)]
Units = Annotated[int, Field(strict=True, ge=1, le=10**15)]
Minor = Annotated[int, Field(strict=True, ge=0, le=10**15)]
Delta = Annotated[int, Field(strict=True, ge=-(10**15), le=10**15)]
Fact = Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True, ge=-MAX_INT, le=MAX_INT)] | Long
PathId = Annotated[int, Field(ge=1, le=MAX_INT)]
Facts = dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$", max_length=80)], Fact]


class In(Schema):
    """A body or a query: a field that is not named is refused."""

    model_config = ConfigDict(extra="forbid")


class Out(Schema):
    """An answer."""


class Asked(In):
    """What may stand in an address after the question mark; anything else there is refused."""


class Page(Asked):
    """A page of a list: at most 200 rows after a given one."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[int, Field(ge=0, le=MAX_INT)] = 0


class CasePage(Page):
    """A page of the queue."""

    state: Annotated[str, StringConstraints(max_length=30, pattern=r"^[a-z_]*$")] = ""
    attention: bool = False


class ReasonOut(Out):
    """One reason, for programs and for people in both languages."""

    code: str
    en: str
    zh: str
    values: dict[str, Any]


class Problem(Out):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    reasons: list[ReasonOut]
