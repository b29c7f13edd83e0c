"""Which chips a list shows, and in what order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from twokey.chips import Chip, UserError, nearest
from twokey.chips.register import fold

_KEYS: Final = {
    "density": "performance_density",
    "memory": "memory_gb",
    "bandwidth": "dram_bandwidth_gbs",
    "interconnect": "interconnect_gbs",
    "power": "tdp_w",
    "price": "price_usd",
}


def select(
    chips: Iterable[Chip],
    *,
    vendor: str | None = None,
    country: str | None = None,
    min_tpp: float | None = None,
    max_tpp: float | None = None,
    datacenter: bool | None = None,
) -> tuple[list[Chip], int]:
    """Return the chips that fit every filter, and how many were left out only because a number is unknown.

    `min_tpp` and `max_tpp` (bit-TOPS) are inclusive. UserError names a vendor or country that no chip has.
    """
    found = list(chips)
    if vendor is not None:
        found = _of(found, "vendor", vendor)
    if country is not None:
        found = _of(found, "country", country)
    for option, bound in (("--min-tpp", min_tpp), ("--max-tpp", max_tpp)):
        if bound is not None and not (math.isfinite(bound) and bound >= 0):
            raise UserError(f"{option}: must be a TPP of zero or more (got {bound:g})")
    hidden = 0
    if datacenter is not None:
        hidden += sum(chip.datacenter is None for chip in found)
        found = [chip for chip in found if chip.datacenter is datacenter]
    if min_tpp is not None or max_tpp is not None:
        hidden += sum(chip.tpp is None for chip in found)
        low, high = min_tpp or 0.0, math.inf if max_tpp is None else max_tpp
        found = [chip for chip in found if chip.tpp is not None and low <= chip.tpp <= high]
    return found, hidden


def sort(chips: Iterable[Chip], key: str, ascending: bool = False) -> list[Chip]:
    """Return the chips in order of a number (largest first), or of a name or date; what is unknown comes last."""
    listed = list(chips)
    if key == "table":
        return listed
    if key == "name":
        return sorted(listed, key=lambda chip: chip.name.casefold())
    values: dict[Chip, Any] = {
        chip: _released(chip) if key == "released" else getattr(chip, _KEYS.get(key, key)) for chip in listed
    }
    known = [chip for chip in listed if values[chip] is not None]
    rest = [chip for chip in listed if values[chip] is None]
    return [*sorted(known, key=values.__getitem__, reverse=not ascending), *rest]


def _released(chip: Chip) -> str | None:
    """Return a release date that sorts: a quarter as its last month, what is not launched as unknown."""
    if chip.released is None or chip.released == "not launched":
        return None
    year, _, quarter = chip.released.partition("-Q")
    return f"{year}-{int(quarter) * 3:02}" if quarter else chip.released


def _of(chips: list[Chip], field: str, wanted: str) -> list[Chip]:
    values = {getattr(chip, field) for chip in chips} - {None}
    found = [chip for chip in chips if fold(str(getattr(chip, field))) == fold(wanted)]
    if not found:  # part of a name will do: Kunlunxin for Baidu Kunlunxin
        found = [chip for chip in chips if fold(wanted) and fold(wanted) in fold(str(getattr(chip, field) or ""))]
    if not found:
        hint = nearest(wanted, sorted(values)) or f"; known: {', '.join(sorted(values))}"
        raise UserError(f"--{field} {wanted}: no chip is of this {field}{hint}")
    return found
