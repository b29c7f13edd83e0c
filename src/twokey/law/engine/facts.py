"""The facts of an order: the dictionary of names, and the door where a person's values are checked and made plain."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any, Final

from twokey.chips.errors import UserError, nearest

_UNITS_ZH: Final = {"days": "天", "units": "件", "billion": "十亿", "years": "年", "USD": "美元"}
_UNKNOWN: Final = (None, -1, -1.0)
_DEEPEST: Final = 10  # names have one dot; more than that only comes from a mistake
_LEGAL_FORM: Final = re.compile(r"[\s,]+(corporation|corp|incorporated|inc|limited|ltd|llc|co)\.?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FactType:
    """One entry of the dictionary: what a fact may be, its unit, and its words."""

    name: str
    type: str  # number, integer, boolean, text, country, date, list, choice
    en: str
    zh: str
    unit: str = ""
    max: float | None = None
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None
    words: Mapping[str, tuple[str, str]] | None = None  # choice -> its words in English and in Chinese

    def label(self, lang: str) -> str:
        """Return the fact's words in "en" or "zh"."""
        return self.zh if lang == "zh" else self.en

    def word(self, value: str, lang: str) -> str:
        """Return one of the choices in words; any other text is returned as it is."""
        pair = (self.words or {}).get(value)
        return value if pair is None else pair[lang == "zh"]

    def unit_in(self, lang: str) -> str:
        """Return the unit in a language: symbols stay, words are translated."""
        return unit_in(self.unit, lang)


def unit_in(unit: str, lang: str) -> str:
    """Return a unit in a language: symbols stay, words are translated.

    >>> unit_in("days", "zh"), unit_in("GB/s", "zh")
    ('天', 'GB/s')
    """
    return _UNITS_ZH.get(unit, unit) if lang == "zh" else unit


@cache
def dictionary() -> Mapping[str, FactType]:
    """Return every fact that an order may state, by name, in the order of the data file."""
    text = resources.files("twokey.law").joinpath("facts.toml").read_text(encoding="utf-8")
    return {
        name: FactType(name, **{**entry, "choices": tuple(entry.get("choices", ())), "words": _words(entry)})
        for name, entry in tomllib.loads(text).items()
    }


def _words(entry: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {choice: (words[0], words[1]) for choice, words in entry.get("words", {}).items()}


def flatten(table: Mapping[str, Any], where: str = "order", prefix: str = "") -> dict[str, Any]:
    """Return a nested table as one level of dotted names; lists stay as they are.

    Errors: UserError that names `where` and a fact that is stated twice, or tables deeper than any fact's name.

    >>> flatten({"item": {"kind": "ic"}, "movement.kind": "export"})
    {'item.kind': 'ic', 'movement.kind': 'export'}
    """
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if name.count(".") >= _DEEPEST:
            raise UserError(f"{where}: {name[:60]}: tables are nested deeper than the name of any fact")
        found = flatten(value, where, f"{name}.") if isinstance(value, Mapping) else {name: value}
        for twice in found.keys() & flat.keys():
            raise UserError(f"{where}: {twice}: is stated twice; keep one of the two")
        flat.update(found)
    return flat


def admit(stated: Mapping[str, Any], where: str = "order") -> dict[str, Any]:
    """Return the facts as the engine reads them: checked, without those that are unknown.

    `stated` maps dotted names to values, as read from TOML, JSON, CSV or a form. NaN, "" and -1 are unknown.
    Errors: UserError that names `where`, the fact, what is wrong and the remedy.

    >>> admit({"item.tpp": 4800, "item.performance_density": float("nan"), "movement.destination": "cn"})
    {'item.tpp': 4800, 'movement.destination': 'CN'}
    """
    types = dictionary()
    facts: dict[str, Any] = {}
    for name, value in stated.items():
        if name not in types:
            raise UserError(f"{where}: {name}: no such fact{nearest(name, types)}")
        if isinstance(value, bool) or not _is_unknown(value):
            facts[name] = _admit_one(types[name], value, f"{where}: {name}")
    return facts


def _is_unknown(value: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return True
    if isinstance(value, str):
        return not value.strip()
    return not isinstance(value, list | tuple | Mapping | date) and value in _UNKNOWN


def _admit_one(fact: FactType, value: Any, where: str) -> Any:
    match fact.type:
        case "boolean":
            if isinstance(value, bool):
                return value
            raise UserError(f"{where}: must be true or false (got {value!r})")
        case "number" | "integer":
            return _number(fact, value, where)
        case "date":
            return _date(value, where)
        case "list":
            if isinstance(value, list | tuple) and all(isinstance(element, Mapping) for element in value):
                return list(value)
            raise UserError(f"{where}: must be a list of tables (got {value!r})")
        case "country":
            if isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha():
                return value.upper()
            raise UserError(
                f"{where}: must be a country as two letters, ISO 3166-1 alpha-2, such as CN (got {value!r})"
            )
        case "choice":
            word = str(value).strip().lower().replace(" ", "_").replace("-", "_")
            word = (fact.aliases or {}).get(word, word)
            if word in fact.choices:
                return word
            raise UserError(
                f"{where}: must be one of {', '.join(fact.choices)} (got {value!r}){nearest(word, fact.choices)}"
            )
        case "company" if isinstance(value, str):
            return _LEGAL_FORM.sub("", value.strip()).upper()
        case _:
            if isinstance(value, str):
                return value.strip()
            raise UserError(f"{where}: must be text (got {value!r})")


def _number(fact: FactType, value: Any, where: str) -> int | float:
    unit = f" in {fact.unit}" if fact.unit else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: must be a number{unit} (got {value!r}); leave it out if it is unknown")
    if value < 0:
        raise UserError(f"{where}: must not be negative (got {_short(value)}); leave it out if it is unknown")
    most = math.inf if fact.max is None else fact.max
    if value > most or value == math.inf:
        raise UserError(f"{where}: {_short(value)} is beyond what is possible (at most {most:g}); is the unit right?")
    if fact.type == "integer" and value != int(value):
        raise UserError(f"{where}: must be a whole number of {fact.unit or 'units'} (got {value})")
    return int(value) if fact.type == "integer" else value


def _short(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:  # a whole number that no float holds
        return "the number"


def _date(value: Any, where: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UserError(f"{where}: must be a date as YYYY-MM-DD (got {value!r})") from None
