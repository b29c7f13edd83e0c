"""Words, dates, numbers and money of a paper, in the paper's own language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale
from babel.numbers import format_decimal, get_currency_name, get_currency_precision

from twokey.desk.papers.record import Lang

_LOCALES: Final = {"en": Locale("en", "GB"), "zh": Locale("zh", "CN", script="Hans")}
_MONTHS: Final = _LOCALES["en"].months["format"]["wide"]


@cache
def words() -> dict[str, dict[str, str]]:
    """Return every word of the papers with its two languages, from `words.toml`."""
    return tomllib.loads((files("twokey.desk.papers") / "words.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Say:
    """One language of the papers.

    >>> say = Say("zh")
    >>> say("release"), say.day("2026-01-28"), say.money(1_350_000_000, "USD"), say.whole(20_000)
    ('放行单', '2026年1月28日', '13,500,000.00美元', '20,000')
    """

    lang: Lang

    def __call__(self, word: str, /, **values: Any) -> str:
        """Return a word or sentence, its values filled in; a name of its own (a site, a code) as it is."""
        found = words().get(word)
        text = word if found is None else found[self.lang]
        return text.format(**values) if values else text

    def day(self, on: str | date) -> str:
        """Return a day; an empty one is a dash."""
        if not on:
            return "–"
        day = on if isinstance(on, date) else date.fromisoformat(on)
        return (
            f"{day.year}年{day.month}月{day.day}日"
            if self.lang == "zh"
            else f"{day.day} {_MONTHS[day.month]} {day.year}"
        )

    def moment(self, at: str | datetime) -> str:
        """Return a moment to the minute, in UTC, and say that it is."""
        when = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        if self.lang == "zh":
            return f"{self.day(when.date())} {when:%H:%M}{self('utc')}"
        return f"{self.day(when.date())}, {when:%H:%M} {self('utc')}"

    def whole(self, number: int | None) -> str:
        """Return a whole number in groups of three; none is a dash."""
        return "–" if number is None else str(format_decimal(number, locale=_LOCALES[self.lang]))

    def money(self, minor: int, currency: str) -> str:
        """Return an amount of minor currency in the currency's own unit, with its name or sign."""
        places = get_currency_precision(currency)
        amount = Decimal(minor).scaleb(-places)
        text = format_decimal(amount, format=f"#,##0.{'0' * places}" if places else "#,##0", locale="en")
        if self.lang == "zh":
            return f"{text}{get_currency_name(currency, locale=_LOCALES['zh'])}"
        return f"{currency} {text}"

    def country(self, code: str) -> str:
        """Return a country's name; a code that is none stays."""
        return str(_LOCALES[self.lang].territories.get(code, code))

    def place(self, code: str) -> str:
        """Return a place of delivery: one of our three, or a country."""
        return self(code) if code in words() else self.country(code)

    def join(self, parts: list[str]) -> str:
        """Return a list in one line."""
        return ("、" if self.lang == "zh" else ", ").join(parts)

    def colon(self, label: str, text: str) -> str:
        """Return a label and its text."""
        return f"{label}：{text}" if self.lang == "zh" else f"{label}: {text}"

    def party(self, name: str, latin: str) -> str:
        """Return a party's name as a reader of this language finds it: its own, with the Latin one beside."""
        if name == latin:
            return name
        return f"{name}（{latin}）" if self.lang == "zh" else f"{latin} ({name})"

    def percent(self, share: float | None) -> str:
        """Return a share of 0 to 1; what was not measured is a dash."""
        if share is None:
            return "–"
        return f"{share * 100:.1f}%" if self.lang == "zh" else f"{share * 100:.1f} %"
