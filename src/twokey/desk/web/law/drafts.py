"""Laws that the pages can ask: the one in force, and the same with one of the ready amendments put in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_lazy as _

from twokey.law.change import amended, ready_amendments
from twokey.law.engine.law import Law
from twokey.law.engine.words import Lang
from twokey.law.source import law

_KNOWN: Final = MappingProxyType(
    {
        "secondary; the day is assumed": _("secondary; the day is assumed"),
        "primary for the thresholds; the day is assumed": _("primary for the thresholds; the day is assumed"),
        "assumed": _("assumed"),
    }
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One amendment: its name, titles, first day, and how well it is known."""

    name: str
    titles: tuple[str, str]
    notes: tuple[str, str]
    start: date
    confidence: str
    citation: str

    def title(self, lang: Lang) -> str:
        """Return its title in a language."""
        return self.titles[lang == "zh"]

    def note(self, lang: Lang) -> str:
        """Return what is to be known of it."""
        return self.notes[lang == "zh"]

    @property
    def known(self) -> str:
        """Return how well it is known, in words."""
        return str(_KNOWN.get(self.confidence, self.confidence))


@cache
def drafts() -> tuple[Draft, ...]:
    """Return the ready amendments, by title."""
    found = []
    for name, path in ready_amendments().items():
        head = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(
            Draft(
                name,
                (head["title"], head["title_zh"]),
                (head.get("note", ""), head.get("note_zh", "")),
                head["from"],
                head["confidence"],
                head.get("citation", ""),
            )
        )
    return tuple(sorted(found, key=lambda draft: draft.titles[0]))


def find_draft(name: str) -> Draft | None:
    """Return a ready amendment by its name, or None."""
    return next((draft for draft in drafts() if draft.name == name), None)


@cache
def law_under(name: str) -> Law:
    """Return the law in force, or with a ready amendment put in; unknown names are the law in force."""
    return amended(law(), ready_amendments()[name]) if find_draft(name) else law()
