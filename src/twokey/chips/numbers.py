"""Numbers at the door: a figure is finite, of the right type and of a believable size, or it is refused by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from twokey.chips.errors import UserError


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number may be: its unit and the range beyond which it is a slip of the keyboard."""

    unit: str
    most: float
    zero_allowed: bool = False


QUANTITIES: Final[dict[str, Quantity]] = {
    "tops": Quantity("dense TOPS or TFLOPS", 1e7),
    "tpp": Quantity("bit-TOPS", 1e9, zero_allowed=True),
    "memory_gb": Quantity("GB", 1e5),
    "dram_bandwidth_gbs": Quantity("GB/s", 1e6),
    "interconnect_gbs": Quantity("GB/s", 1e6, zero_allowed=True),
    "tdp_w": Quantity("W", 1e5),
    "area_mm2": Quantity("mm²", 1e5),
    "price_usd": Quantity("US$", 1e8),
}
"""Every number of a chip. The bounds are ten times and more what has ever been announced; a wafer-scale part passes."""


def exact(value: float) -> Decimal:
    """Return the decimal that a person wrote: 1979.2 stays 1979.2, without binary noise.

    >>> exact(5033.2) * 8
    Decimal('40265.6')
    """
    return Decimal(repr(float(value)))


def check_number(where: str, value: object, quantity: Quantity) -> float:
    """Return `value` as a float, or raise UserError naming `where`, what is wrong and the remedy.

    >>> check_number("mine.toml: tdp_w", 700, QUANTITIES["tdp_w"])
    700.0
    >>> check_number("mine.toml: tdp_w", -1, QUANTITIES["tdp_w"])
    Traceback (most recent call last):
    twokey.chips.errors.UserError: mine.toml: tdp_w: must not be negative (got -1); leave it out if it is unknown
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{where}: must be a number in {quantity.unit}, without its unit (got {show(value)})")
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: must be a finite number in {quantity.unit} (got {value}); leave it out if unknown")
    if value < 0:
        raise UserError(f"{where}: must not be negative (got {plain(value)}); leave it out if it is unknown")
    if value == 0 and not quantity.zero_allowed:
        raise UserError(f"{where}: must be more than zero; leave it out if it is unknown (unknown is not zero)")
    if value > quantity.most:
        raise UserError(
            f"{where}: {plain(value)} {quantity.unit} is not believable (at most {quantity.most:,.0f}); check the unit"
        )
    return float(value)


def plain(value: float) -> str:
    """Return how a message prints a number, however many digits it has.

    >>> plain(-4.0), plain(10**400)
    ('-4', 'a number of many digits')
    """
    try:
        return f"{float(value):g}"
    except OverflowError:
        return "a number of many digits"


def show(value: object) -> str:
    """Return how a message prints a value of the wrong type: its kind and a short form of it.

    >>> show("80 GB")
    "text '80 GB'"
    """
    kinds = {str: "text", bool: "true/false", list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}
    if isinstance(value, int) and not isinstance(value, bool):
        return plain(value)
    text = repr(value) if len(repr(value)) <= 40 else repr(value)[:37] + "..."
    return f"{kinds.get(type(value), type(value).__name__)} {text}"
