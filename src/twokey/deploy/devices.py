"""A chip as the performance model sees it: per device, with its links, from the catalogue and `systems.csv`.

A *device* is what a parallel program counts: one per card, except where a card's two dies are two devices (Ascend
910C). Everything below is per device; `per_card` turns a count of cards into devices.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from twokey.chips import Chip, UserError, catalogue, find, nearest
from twokey.deploy.performance.power import USUAL

_NO_SYSTEM: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Hardware:
    """One device of a chip. Rates in TFLOPS (dense), bandwidths in GB/s (link: one direction), memory in GB.

    A precision that the chip does not have has the rate of the next wider one, and its `native_...` is 0: weights are
    then only stored narrow. `unknown` names the figures that nobody has published; an estimate needs them.

    >>> hardware("Ascend 910C").per_card, hardware("Ascend 910C").tflops16
    (2.0, 376.0)
    >>> hardware("H20").per_card
    1.0
    """

    name: str
    family: str
    domestic: bool
    per_card: float
    tflops16: float
    tflops8: float
    tflops4: float
    native_fp8: float
    native_int8: float
    native_fp4: float
    memory_gb: float
    bandwidth_gbs: float
    link_gbs: float
    domain: float  # devices in one scale-up network
    out_gbs: float  # scale-out network, one direction
    watts: float  # for arithmetic; a usual share of the rate where the TDP is not published
    tdp_w: float | None = None  # per card
    price_usd: float | None = None  # per card
    unknown: tuple[str, ...] = ()
    unchecked: bool = False
    notes: str = ""

    def need(self) -> Hardware:
        """Return this record, or raise UserError with the figures that an estimate would have to invent."""
        if self.unknown:
            raise UserError(
                f"{self.name}: no public figure for {', '.join(self.unknown)}; "
                "describe the chip in a file of your own (`twokey chips show --file CHIP.toml`)"
            )
        return self


@cache
def _systems() -> dict[str, dict[str, str]]:
    text = files("twokey.deploy").joinpath("data/systems.csv").read_text("utf-8")
    return {_fold(row["name"]): row for row in csv.DictReader(text.splitlines())}


@cache
def _by_catalogue_name() -> dict[str, dict[str, str]]:
    """Return the first system that runs on a catalogue chip as it is (variants come by their own name)."""
    found: dict[str, dict[str, str]] = {}
    for row in _systems().values():
        if row["chip"] and not _is_variant(find(row["chip"]), row):
            found.setdefault(row["chip"], row)
    return found


def _is_variant(chip: Chip | None, row: dict[str, str]) -> bool:
    """Return whether a system contradicts its catalogue chip: a bin or a memory of its own, under its own name."""
    if chip is None:
        return True
    pairs = (("memory_gb", chip.memory_gb), ("fp16_tflops", chip.rate(16)), ("memory_bw_gbs", chip.dram_bandwidth_gbs))
    return any(row.get(field) and known is not None and float(row[field]) != known for field, known in pairs)


def _fold(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def names() -> tuple[str, ...]:
    """Return every name that `hardware` takes: the catalogue's and the systems' own."""
    return (*catalogue().names(), *(row["name"] for row in _systems().values()))


@cache
def hardware(name: str) -> Hardware:
    """Return the device of a chip by its catalogue name, an alias, or a system's name; UserError where there is none.

    >>> hardware("A100-40G-SXM").memory_gb
    40.0
    """
    row = _systems().get(_fold(name))
    if row is not None:
        return _build(find(row["chip"]) if row["chip"] else None, row)
    try:
        chip = find(name)
    except UserError as error:
        hint = nearest(name, names())
        raise UserError(f"{name}: no chip of this name{hint}; `twokey chips list` shows the catalogue") from error
    return of_chip(chip)


def of_chip(chip: Chip) -> Hardware:
    """Return the device of a chip record, the user's own included (a chip without a system row is uncalibrated)."""
    return _build(chip, _by_catalogue_name().get(chip.name, _NO_SYSTEM))


def _build(chip: Chip | None, row: dict[str, str]) -> Hardware:
    def given(field: str, from_chip: float | None) -> float | None:
        return float(row[field]) if row.get(field) else from_chip

    per_card = float(row.get("ranks_per_chip") or 1)
    own = _is_variant(chip, row)
    fp8 = given("fp8_tflops", None if own else _rate(chip, "fp8"))
    int8 = given("int8_tops", None if own else _rate(chip, "int8"))
    four = given("fp4_tflops", None if own else _rate(chip, "fp4"))
    sixteen = given("fp16_tflops", chip.rate(16) if chip else None)
    eight = fp8 or int8 or sixteen
    figures: dict[str, float | None] = {
        "16-bit rate": sixteen,
        "memory": given("memory_gb", chip.memory_gb if chip else None),
        "memory bandwidth": given("memory_bw_gbs", chip.dram_bandwidth_gbs if chip else None),
    }
    link = given("link_gbs", None)
    if link is None:
        link = (chip.interconnect_gbs / 2) if chip and chip.interconnect_gbs else 32.0
    confidence = row.get("confidence", "")
    value = {key: (number or 0.0) / per_card for key, number in figures.items()}
    tdp = given("tdp_w", chip.tdp_w if chip else None)
    return Hardware(
        name=chip.name if chip and not own else row["name"],
        family=row.get("family", "other"),
        domestic=row["domestic"] == "1" if row else bool(chip and chip.country == "CN"),
        per_card=per_card,
        tflops16=value["16-bit rate"],
        tflops8=(eight or 0.0) / per_card,
        tflops4=(four or eight or 0.0) / per_card,
        native_fp8=float(fp8 is not None),
        native_int8=float(int8 is not None),
        native_fp4=float(four is not None),
        memory_gb=value["memory"],
        bandwidth_gbs=value["memory bandwidth"],
        link_gbs=link / per_card,
        domain=float(row.get("scale_up_ranks") or 8),
        out_gbs=float(row.get("scale_out_gbs") or 25) / per_card,
        watts=tdp / per_card if tdp else value["16-bit rate"] * USUAL,
        tdp_w=tdp,
        price_usd=chip.price_usd if chip else None,
        unknown=tuple(key for key, number in figures.items() if number is None),
        unchecked=bool(chip and chip.unchecked) or "[UNCHECKED]" in confidence,
        notes=(chip.notes if chip else "") or row.get("source", ""),
    )


def _rate(chip: Chip | None, form: str) -> float | None:
    return next((rate.tops for rate in chip.dense_rates if rate.format == form), None) if chip else None


def altered(base: Hardware, **changes: Any) -> Hardware:
    """Return a copy with some figures changed, for "what if the bandwidth were 4 TB/s"."""
    return replace(base, **changes)


NUMBERS = (
    "per_card",
    "tflops16",
    "tflops8",
    "tflops4",
    "native_fp8",
    "native_int8",
    "native_fp4",
    "memory_gb",
    "bandwidth_gbs",
    "link_gbs",
    "domain",
    "out_gbs",
    "watts",
)
