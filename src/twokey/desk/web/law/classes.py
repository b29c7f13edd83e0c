"""Chips × dates: what the law of each day says of each chip of the catalogue, for one question at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twokey.chips import Chip, catalogue
from twokey.desk.web.law import phrases
from twokey.law.assessing import answer_to, decide
from twokey.law.engine.words import Lang, answer_of
from twokey.law.reach import ORDINARY
from twokey.law.report import fact_label
from twokey.law.source import law

_CONSIGNEE: Final = {f"consignee.{name}": "CN" for name in ("country", "hq", "parent_hq")}
_LEFT_OUT: Final = "item.family"  # the chip's own counts


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the table: what is taken as given for every chip, and the days that are shown unless others are."""

    name: str
    question: str
    words: str | Promise
    given_words: str | Promise
    given: Mapping[str, Any]
    days: tuple[date, ...]


QUESTIONS: Final = (
    Asked(
        "paragraph",
        "us-export:classification",
        _("Paragraph of 3A090 (United States)"),
        _("For each chip as one integrated circuit."),
        MappingProxyType({"item.kind": "ic"}),
        (date(2022, 10, 21), date(2023, 11, 17)),
    ),
    Asked(
        "export",
        "us-export:export_route",
        _("Export to China (United States)"),
        _(
            "Taken as given: the chip's maker exports it from the United States to a private party in China that "
            "nobody lists, with every certification made and evidenced and none of the volume cap used."
        ),
        MappingProxyType(
            {
                **{name: value for name, value in ORDINARY.items() if name != _LEFT_OUT},
                **_CONSIGNEE,
                "movement.destination": "CN",
                "aggregate.window": "per_year",
                "buyer.kind": "private",
            }
        ),
        (date(2022, 10, 21), date(2023, 11, 17), date(2025, 4, 16), date(2026, 1, 15)),
    ),
    Asked(
        "import",
        "cn-import:import_permission",
        _("Import into China (reported guidance)"),
        _(
            "Taken as given: a private company buys it, an officer has judged the use necessary, and documents say "
            "how it will be used. What is reported is not law."
        ),
        MappingProxyType(
            {
                "item.kind": "ic",
                "movement.kind": "export",
                "movement.destination": "CN",
                "buyer.kind": "private",
                "end_use.necessary": True,
                "application.use_documents": True,
            }
        ),
        (date(2025, 8, 12), date(2025, 9, 17), date(2026, 1, 13), date(2026, 1, 28)),
    ),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """The answer for one chip on one day; `open` where facts are missing, with their words."""

    words: str
    missing: str
    changed: bool  # another answer than on the day before it in the table
    address: str  # the query of the page that asks what the law would say

    @property
    def open(self) -> bool:
        """Whether the answer is open."""
        return self.missing != ""


@dataclass(frozen=True, slots=True)
class Line:
    """One chip with its answers."""

    chip: str
    vendor: str
    country: str
    unchecked: bool
    cells: tuple[Cell, ...]


def asked(name: str) -> Asked:
    """Return a question of the table by its name; the first for any other name."""
    return next((one for one in QUESTIONS if one.name == name), QUESTIONS[0])


@lru_cache(maxsize=24)
def table(name: str, days: tuple[date, ...], lang: Lang) -> tuple[Line, ...]:
    """Return the whole table of a question: one line a chip, one cell a day, in the order of the catalogue."""
    one = asked(name)
    return tuple(
        Line(chip.name, chip.vendor, chip.country or "", chip.unchecked, _cells(one, chip, days, lang))
        for chip in catalogue()
    )


def given(one: Asked, chip: Chip) -> dict[str, Any]:
    """Return the facts that a question of the table takes as given for a chip; its maker exports it."""
    facts = {**one.given, "item.chip": chip.name}
    return {**facts, "exporter.name": chip.vendor} if one.name == "export" else facts


def shown(lines: tuple[Line, ...], words: str = "", country: str = "") -> list[Line]:
    """Return the lines whose chip fits a reader's words and the country of its maker."""
    wanted = words.casefold().split()
    return [
        line
        for line in lines
        if country in ("", line.country) and all(word in f"{line.chip} {line.vendor}".casefold() for word in wanted)
    ]


def _cells(one: Asked, chip: Chip, days: tuple[date, ...], lang: Lang) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    stated = given(one, chip)
    for day in days:
        decided = decide(stated, day)
        answer = answer_to(decided, one.question)
        settled = answer.answer is not None
        possible = [answer_of(one.question, each, decided.law, lang) for each in answer.possible]
        words = (" / " if lang == "en" else "／").join(possible)
        missing = "" if settled else phrases.items(fact_label(fact, lang) for fact in answer.missing)
        query = {"given": one.name, "item.chip": chip.name, "on": day.isoformat()}
        cells.append(Cell(words, missing, bool(cells) and cells[-1].words != words, f"?{urlencode(query)}"))
    return tuple(cells)


def clear() -> None:
    """Forget the tables that were made (the law was changed by a test)."""
    table.cache_clear()


def law_days() -> tuple[date, ...]:
    """Return every day on which the law in force changes, for the choice of columns."""
    return law().days
