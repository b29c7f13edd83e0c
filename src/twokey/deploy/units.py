"""Quantities as people write them: "50ms", "4k", "2.5 MW"; a unit that is not known is an error, never a guess."""

from __future__ import annotations

import math
import re

from twokey.chips import UserError, nearest

_TIME = {"ms": 1.0, "s": 1000.0, "us": 0.001, "": 1.0}
_COUNT = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_POWER = {"kw": 1.0, "mw": 1e3, "gw": 1e6, "w": 1e-3}
_FORM = re.compile(r"^\s*([-+]?[\d.,_]+(?:e[-+]?\d+)?)\s*([a-zµ]*)\s*$", re.IGNORECASE)


def _read(text: str, field: str, units: dict[str, float], what: str) -> float:
    match = _FORM.match(str(text))
    try:
        number = float(match.group(1).replace(",", "").replace("_", "")) if match else math.nan
    except ValueError:
        number = math.nan
    if not match or math.isnan(number):
        raise UserError(f"{field}: {text!r} is not {what}")
    unit = match.group(2).casefold().replace("µ", "u")
    if unit not in units:
        known = [name for name in units if name]
        raise UserError(f"{field}: unit {match.group(2)!r} is not known; use {', '.join(known)}{nearest(unit, known)}")
    if number < 0 or not math.isfinite(number):
        raise UserError(f"{field}: must not be negative (got {text})")
    return number * units[unit]


def milliseconds(text: str, field: str) -> float:
    """Return a duration in ms; a bare number is in ms. Errors: UserError for zero, less, or another unit.

    >>> milliseconds("0.05s", "tpot"), milliseconds("50", "tpot")
    (50.0, 50.0)
    """
    value = _read(text, field, _TIME, "a duration such as 50ms")
    if value == 0:
        raise UserError(f"{field}: must be greater than zero (got {text})")
    return value


def count(text: str, field: str) -> float:
    """Return a number of things, with k, M, B or T.

    >>> count("15T", "tokens")
    15000000000000.0
    """
    return _read(text, field, _COUNT, "a number such as 4096 or 4k")


def kilowatts(text: str, field: str) -> float:
    """Return a power in kW; the unit must be given, for people mean both kW and MW.

    >>> kilowatts("20 MW", "power")
    20000.0
    """
    return _read(text, field, _POWER, "a power such as 20MW")
