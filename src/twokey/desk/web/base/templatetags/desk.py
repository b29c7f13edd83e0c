"""Filters for what every page shows: words for codes, days, moments, numbers, money. `{% load desk %}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from twokey.desk.audit.models import Event
from twokey.desk.parties.models import Authority, Organisation
from twokey.desk.reasons import Reason
from twokey.desk.web.base import saying, words

register = template.Library()
_NO_CENTS = frozenset({"JPY", "KRW", "VND"})
_MARKS = {"USD": "US$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}
NOTHING = "–"


@register.filter
def word(code: object, table: str) -> str:
    """Put a code into words: `{{ case.state|word:"state" }}`."""
    return NOTHING if code in ("", None) else words.word(code, table)


@register.filter
def say(reason: Reason) -> str:
    """Put a reason into words."""
    return saying.say(reason)


@register.filter
def evidence_name(code: str) -> str:
    """Say what a piece of evidence shows."""
    return saying.evidence_name(code)


@register.filter
def number(value: int | None) -> str:
    """Group a whole number in thousands: 400,000.

    >>> number(400000), number(None)
    ('400,000', '–')
    """
    return NOTHING if value is None else f"{value:,}"


@register.filter
def money(value_minor: int | None, currency: str) -> str:
    """Show whole minor currency with its currency.

    >>> money(1_000_000_000_000, "USD"), money(99, "EUR")
    ('US$10,000,000,000.00', '€0.99')
    """
    if value_minor is None:
        return NOTHING
    mark = _MARKS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    sign, amount = ("−" if value_minor < 0 else ""), abs(value_minor)
    if currency in _NO_CENTS:
        return f"{sign}{mark}{amount:,}"
    return f"{sign}{mark}{amount // 100:,}.{amount % 100:02d}"


@register.filter
def day(value: date | datetime | str | None) -> str:
    """Show a day: 28 January 2026, or 2026年1月28日; a text is a day in ISO form."""
    if not value:
        return NOTHING
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return saying.day_in_words(value)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Show a moment in UTC, to the minute, readable by machines too."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    text = f"{day(utc)} {utc:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', value.isoformat(timespec="seconds"), text)


@register.filter
def name(party: Organisation | None) -> str:
    """Return a party's name for the language of the page: its own script in Chinese, Latin letters in English."""
    if party is None:
        return NOTHING
    return party.name if words.language() == "zh" else party.name_latin


@register.filter
def authority(body: Authority | None) -> str:
    """Return an authority's name for the language of the page."""
    if body is None:
        return NOTHING
    return body.name_zh if words.language() == "zh" else body.name_en


@register.filter
def both(item: Any, field: str) -> str:
    """Return the field of an object that holds the language of the page: `{{ condition|both:"text" }}`."""
    return str(getattr(item, f"{field}_{words.language()}", ""))


@register.filter
def size(octets: int) -> str:
    """Show the size of a file.

    >>> size(900), size(25 * 1024 * 1024)
    ('900 B', '25.0 MB')
    """
    if octets < 1024:
        return f"{octets} B"
    return f"{octets / 1024:,.0f} kB" if octets < 1024 * 1024 else f"{octets / 1024 / 1024:,.1f} MB"


@register.filter
def percent(part: int | None, whole: int | None) -> int:
    """Return how many per cent of a whole a part is, from 0 to 100, rounded down; 0 where there is no whole."""
    return min(100, max(0, (part or 0) * 100 // whole)) if whole else 0


@register.filter
def used(whole: int | None, left: int | None) -> int:
    """Return how much of a whole is gone; 0 where there is no limit."""
    return 0 if whole is None or left is None else whole - left


@register.filter
def codes(text: str) -> list[str]:
    """Return the codes in a text, for a template that loops over a few: `"mainland macau"|codes`."""
    return text.split()


@register.filter
def happened(event: Event) -> str:
    """Put one event of the time line into words: what was done, by which seat, and its number or outcome."""
    return saying.happened(event)


@register.filter
def at(table: Mapping[Any, Any], key: Any) -> Any:
    """Look a key up: `{{ clocks|at:case.pk }}`."""
    return table.get(key, NOTHING)


@register.filter
def both_of(table: Mapping[str, Any], field: str) -> str:
    """Return the entry of a mapping that holds the language of the page."""
    return str(table.get(f"{field}_{words.language()}", ""))


@register.filter
def basis_points(share: int) -> str:
    """Show a share in per cent: 50 %, 1.25 %."""
    whole, rest = divmod(share, 100)
    return f"{whole}\N{NO-BREAK SPACE}%" if not rest else f"{whole}.{rest:02d}\N{NO-BREAK SPACE}%"


@register.filter
def total(rows: Iterable[Any], field: str) -> int:
    """Add one whole number of every row up: `{{ order.lines.all|total:"units" }}`."""
    return sum(getattr(row, field) for row in rows)
