"""What an assessment is: small frozen records that the desk stores, the command prints and the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from twokey.law.engine.law import Title

Status = Literal["clear", "blocked", "needs_information"]
Value = bool | int | float | str | date
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one provision says of one order: True, False, or None where a fact is unknown."""

    provision: str  # "3A090.a.1", the paragraph's own name
    regime: str
    value: bool | None
    in_force: bool
    instrument: str
    kind: str  # statute, rule, order, letter, guidance, reported
    confidence: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question of a regime is answered for one order on one date."""

    question: str  # "review_policy"
    regime: str
    answer: Value | None  # None while open
    possible: tuple[str, ...]  # every answer still possible; one where it is settled
    missing: tuple[str, ...]  # facts that would settle it
    because: tuple[str, ...] = ()  # provisions that decided it, in the order in which they were asked


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What one government's rules say of the order: whether its key can be turned, and what it waits for."""

    key: Literal["export", "import"]
    status: Status
    answer: str | None
    possible: tuple[str, ...]
    missing: tuple[str, ...]
    conditions: tuple[str, ...] = ()  # provisions that stay as conditions once the key is turned


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the regimes say of one order on one date: both keys, every question, every provision, what is missing.

    `law_digest` names the law that was used (parameters, provisions, overlays): two assessments with the same digest
    and facts are equal, so a case is assessed again when the digest of its date changes.
    """

    as_of: date
    facts: Facts
    status: Status
    keys: tuple[KeyAnswer, ...]
    answers: tuple[Answer, ...]
    findings: tuple[Finding, ...]
    law_digest: str
    overlays: tuple[Title, ...] = ()
    notes: tuple[tuple[str, ...], ...] = ()  # (name, parts...), put into words by `report.notes`

    def key(self, name: Literal["export", "import"]) -> KeyAnswer:
        """Return the answer for one key."""
        return next(key for key in self.keys if key.key == name)
