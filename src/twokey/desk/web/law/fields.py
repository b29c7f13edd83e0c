"""Facts as fields of a form: each with its words, its unit or choices, and what a person wrote in it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twokey.chips import UserError, catalogue, find
from twokey.law.engine.facts import FactType, admit, dictionary
from twokey.law.engine.words import Lang

CORE: Final[Mapping[str, tuple[str, ...]]] = {
    "item": ("item.chip", "item.kind", "item.quantity"),
    "movement": ("movement.kind", "movement.origin", "movement.destination"),
    "parties": (
        "exporter.name",
        "consignee.country",
        "consignee.hq",
        "consignee.parent_hq",
        "buyer.kind",
    ),
    "statements": ("certifications.complete", "end_use.necessary", "application.use_documents"),
}
FIRST: Final[Mapping[str, str]] = {  # what an empty form asks
    "item.chip": "NVIDIA H200 SXM",
    "item.kind": "ic",
    "movement.kind": "export",
    "movement.origin": "US",
    "movement.destination": "CN",
    "exporter.name": "NVIDIA",
    "consignee.country": "CN",
    "consignee.hq": "CN",
    "consignee.parent_hq": "CN",
    "buyer.kind": "private",
}
GROUPS: Final[Mapping[str, str | Promise]] = {
    "item": gettext_lazy("The item"),
    "movement": gettext_lazy("Movement of the item"),
    "designer": gettext_lazy("Designer"),
    "packager": gettext_lazy("Packager"),
    "exporter": gettext_lazy("Exporter"),
    "consignee": gettext_lazy("Consignee"),
    "buyer": gettext_lazy("Buyer"),
    "end_use": gettext_lazy("End use"),
    "application": gettext_lazy("Application"),
    "certifications": gettext_lazy("Certifications"),
    "aggregate": gettext_lazy("Totals over all orders"),
    "laboratory": gettext_lazy("Laboratory"),
    "remote_user": gettext_lazy("Remote users"),
    "notification": gettext_lazy("Notification"),
    "purchase_order": gettext_lazy("Purchase order"),
    "licence": gettext_lazy("Licence"),
    "shipment": gettext_lazy("Shipment"),
    "record": gettext_lazy("Records"),
    "site": gettext_lazy("Site"),
    "use": gettext_lazy("Use"),
}
_TABLES: Final = (
    "item.dense_rates",
    "item.processing_units",
    "item.dies",
    "item.contains",
)  # more than one line of text


@dataclass(frozen=True, slots=True)
class Field:
    """One fact as a form shows it; `sort` says which control: choice, boolean, number, date, country, chip or text."""

    name: str
    label: str
    sort: str
    value: str = ""
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def id(self) -> str:
        """Return its id on the page."""
        return f"fact-{self.name.replace('.', '-')}"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a person stated: facts that can be asked about, and what is wrong with the others, by name."""

    facts: Mapping[str, Any]
    problems: Mapping[str, str]


def field(name: str, lang: Lang, value: str = "", problem: str = "") -> Field:
    """Return a fact as a field."""
    fact = dictionary()[name]
    sort = {"integer": "number", "company": "text"}.get(fact.type, fact.type)
    choices = tuple((choice, fact.word(choice, lang)) for choice in fact.choices)
    if name == "item.chip":
        sort = "chip"
    if fact.type == "boolean":
        choices = (("true", _("yes")), ("false", _("no")))
    return Field(name, _capital(fact.label(lang)), sort, value, fact.unit_in(lang), choices, problem)


def by_group(shown: Iterable[Field]) -> list[tuple[str, list[Field]]]:
    """Return fields under the words of what they are facts of, in the order of the dictionary."""
    groups: dict[str, list[Field]] = {}
    for each in shown:
        groups.setdefault(each.name.partition(".")[0], []).append(each)
    return [(str(GROUPS.get(name, name)), members) for name, members in groups.items()]


def fillable(name: str) -> bool:
    """Say whether a fact can be stated in one field."""
    return name in dictionary() and name not in _TABLES


def others(shown: Iterable[str], lang: Lang) -> list[tuple[str, str]]:
    """Return the facts that a form does not show yet, with their words, for the choice of another one."""
    here = set(shown)
    return [(name, fact.label(lang)) for name, fact in dictionary().items() if name not in here and fillable(name)]


def read(texts: Mapping[str, str]) -> Stated:
    """Return the facts of a form; a text that is no such fact is named with what is wrong and the remedy.

    >>> read({"item.quantity": "1,000", "movement.destination": "cn"}).facts
    {'item.quantity': 1000, 'movement.destination': 'CN'}
    """
    facts: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, text in texts.items():
        plain = unicodedata.normalize("NFKC", text).strip()
        if not plain or not fillable(name):
            continue
        fact = dictionary()[name]
        try:
            facts.update(admit({name: _typed(fact, plain)}))
            if name == "item.chip":
                find(plain)
        except (UserError, ValueError):
            facts.pop(name, None)
            problems[name] = _problem(fact, plain)
    return Stated(facts, problems)


def _typed(fact: FactType, text: str) -> Any:
    match fact.type:
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "integer":
            return int(text.replace(",", ""))
        case "number":
            return _finite(text)
        case _:
            return text


def _problem(fact: FactType, text: str) -> str:
    match fact.type:
        case _ if fact.name == "item.chip":
            return _("No chip of this name in the catalogue. Take one from the list, or state its figures instead.")
        case "number" | "integer" if _is_number(text):
            return _("Out of range. Is the unit right?")
        case "number" | "integer":
            return _("Write a number, or leave it empty if it is unknown.")
        case "date":
            return _("Write a day as YYYY-MM-DD.")
        case "country":
            return _("Write a country as two letters, such as CN.")
        case _:
            return _("Not one of the choices.")


def _finite(text: str) -> float:
    """Return a number; "nan" is none. Errors: ValueError."""
    number = float(text.replace(",", ""))
    if math.isnan(number):
        raise ValueError(text)
    return number


def _is_number(text: str) -> bool:
    try:
        _finite(text)
    except ValueError:
        return False
    return True


def day(text: str) -> date | None:
    """Return a day that a person wrote, or None."""
    try:
        return date.fromisoformat(unicodedata.normalize("NFKC", text).strip())
    except ValueError:
        return None


def chips() -> tuple[str, ...]:
    """Return the names of the catalogue, for the list under a field."""
    return catalogue().names()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
