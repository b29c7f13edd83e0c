"""A chip that a user describes in a TOML file of their own, read strictly: nothing is guessed, nothing is skipped."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from twokey.chips.chip import Chip
from twokey.chips.errors import UserError, nearest
from twokey.chips.metrics import dies_of_facts
from twokey.chips.numbers import QUANTITIES, check_number, plain, show
from twokey.chips.records import Rate

BITS: Final[dict[str, int]] = {
    "fp64": 64,
    "fp32": 32,
    "fp16": 16,
    "bf16": 16,
    "int16": 16,
    "fp8": 8,
    "int8": 8,
    "mxfp8": 8,
    "fp6": 6,
    "mxfp6": 6,
    "fp4": 4,
    "int4": 4,
    "mxfp4": 4,
    "nvfp4": 4,
}
"""Bit length of each number format. TF32 is not among them: the technical notes do not settle it (19 bits or 32)."""

_TEXTS = ("name", "vendor", "country", "released", "memory_type", "process", "family", "confidence", "notes")
_NUMBERS = ("memory_gb", "dram_bandwidth_gbs", "interconnect_gbs", "tdp_w", "price_usd")
_LISTS = ("aliases", "sources")
_KNOWN = (*_TEXTS, *_NUMBERS, *_LISTS, "datacenter", "us_commercial_since", "unchecked", "dense_rates", "dies")
_LONGEST_TEXT = 2000
_COUNTRY = re.compile("[A-Z]{2}")
_RELEASED = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?|-Q[1-4])?|not launched")


def load_chip(path: str | Path) -> Chip:
    """Return the chip that a TOML file describes; its keys are the fields of `Chip`, units as in their names.

    A key that is left out is unknown. UserError names the file and the line and column of malformed TOML, or the field
    that is unknown, of the wrong type, negative, not finite or not believable, with the remedy.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path}: cannot be read ({reason})") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {_place(str(error), text)}") from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as TOML ({type(error).__name__}: {str(error)[:80]})") from None
    return chip_of_facts(table, str(path))


def chip_of_facts(table: Mapping[str, Any], where: str) -> Chip:
    """Return the chip of a plain table of its fields; `where` (a file's name) opens every error.

    >>> chip_of_facts({"name": "Acme A1", "vendor": "Acme", "dense_rates": [{"format": "fp8", "tops": 600}]}, "a1").tpp
    4800.0
    """
    for key in table:
        if key not in _KNOWN:
            raise UserError(f"{where}: unknown field {key!r}{nearest(key, _KNOWN) or '; see docs/chips.md'}")
    for key in ("name", "vendor"):
        if key not in table:
            raise UserError(f"{where}: {key} is missing; every chip has a name and a vendor")
    texts = {key: _text(f"{where}: {key}", table[key]) for key in _TEXTS if key in table}
    _check_form(where, texts, "country", _COUNTRY, "two capital letters, as in US or CN")
    _check_form(where, texts, "released", _RELEASED, "2026, 2026-05, 2026-05-31, 2026-Q2 or 'not launched'")
    numbers = {key: check_number(f"{where}: {key}", table[key], QUANTITIES[key]) for key in _NUMBERS if key in table}
    lists = {key: _texts(f"{where}: {key}", table[key]) for key in _LISTS if key in table}
    flags = {key: _flag(f"{where}: {key}", table[key]) for key in ("datacenter", "unchecked") if key in table}
    dates = {key: _date(f"{where}: {key}", table[key]) for key in ("us_commercial_since",) if key in table}
    given: dict[str, Any] = {"confidence": "own file", **texts, **numbers, **lists, **flags, **dates}
    return Chip(
        **given,
        dense_rates=_rates(f"{where}: dense_rates", table.get("dense_rates", [])),
        dies=dies_of_facts(table.get("dies", []), f"{where}: dies"),
    )


def _rates(where: str, entries: object) -> tuple[Rate, ...]:
    if not isinstance(entries, list):
        raise UserError(f"{where}: must be [[dense_rates]] tables with format and tops (got {show(entries)})")
    rates: list[Rate] = []
    for position, entry in enumerate(entries, start=1):
        place = f"{where}[{position}]"
        if not isinstance(entry, dict):
            raise UserError(f"{place}: must be a table with format and tops (got {show(entry)})")
        for key in entry:
            if key not in ("format", "tops", "bits"):
                raise UserError(f"{place}: unknown field {key!r}; known here: format, tops, bits")
        for key in ("format", "tops"):
            if key not in entry:
                raise UserError(f"{place}: {key} is missing")
        name = _text(f"{place}.format", entry["format"])
        rate = Rate(_bits(place, name, entry.get("bits")), _tops(place, entry), name)
        if any(rate.format == other.format for other in rates):
            raise UserError(f"{place}.format: {name} is given twice; keep the dense rate")
        rates.append(rate)
    return tuple(rates)


def _tops(place: str, entry: Mapping[str, object]) -> float:
    return check_number(f"{place}.tops", entry["tops"], QUANTITIES["tops"])


def _bits(place: str, name: str, given: object) -> int:
    known = BITS.get(name)
    if given is None:
        if known is None:
            hint = nearest(name, BITS) or f"; known: {', '.join(BITS)}"
            raise UserError(f"{place}.format: {name!r} is not a known format{hint}, or give its bits")
        return known
    if isinstance(given, bool) or not isinstance(given, int) or given not in range(1, 129):
        raise UserError(f"{place}.bits: must be a whole number of bits between 1 and 128 (got {show(given)})")
    if known is not None and given != known:
        raise UserError(f"{place}.bits: {name} has {known} bits, not {plain(given)}")
    return given


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: must be text in quotes (got {show(value)})")
    if not value.strip():
        raise UserError(f"{where}: is empty; leave it out if it is unknown")
    if len(value) > _LONGEST_TEXT:
        raise UserError(f"{where}: is longer than {_LONGEST_TEXT} characters")
    return value.strip()


def _texts(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UserError(f'{where}: must be a list of texts, as in ["one", "two"] (got {show(value)})')
    return tuple(_text(f"{where}[{position}]", item) for position, item in enumerate(value, start=1))


def _flag(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"{where}: must be true or false, without quotes (got {show(value)})")
    return value


def _date(where: str, value: object) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise UserError(f"{where}: must be a date such as 2026-01-15 (got {show(value)})") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UserError(f"{where}: must be a date such as 2026-01-15, without a time (got {show(value)})")
    return value


def _check_form(where: str, texts: Mapping[str, str], key: str, form: re.Pattern[str], words: str) -> None:
    if key in texts and not form.fullmatch(texts[key]):
        raise UserError(f"{where}: {key}: must be {words} (got {texts[key]!r})")


def _place(message: str, text: str) -> str:
    """Return tomllib's message with line and column in front, also where it speaks of the end of the document."""
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return f"line {found[1]}, column {found[2]}: {message[: found.start()]}"
    lines = text.split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}: {message.removesuffix(' (at end of document)')}"
