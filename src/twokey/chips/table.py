"""Reads the packaged tables: the accelerators as their vendors describe them, and what the law needs beside that.

`accelerators.csv` holds one chip a row, and so does `further.csv`: variants that measurements and determinations
speak of, from weaker sources. `supplement.csv` adds single values (name, field, value, source, confidence) that have a
source of their own. `processes.csv` says of each process, as printed, whether its transistors are planar.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final

from twokey.chips.chip import Chip
from twokey.chips.errors import UserError
from twokey.chips.numbers import QUANTITIES, check_number
from twokey.chips.records import Die, Origin, Rate

_RATES: Final = (
    ("fp16_tflops_dense", 16, "fp16"),
    ("fp8_tflops_dense", 8, "fp8"),
    ("int8_tops_dense", 8, "int8"),
    ("fp6_tflops_dense", 6, "fp6"),
    ("fp4_tflops_dense", 4, "fp4"),
)


@dataclass(frozen=True, slots=True)
class Addition:
    """One value of the supplement."""

    field: str
    value: str
    source: str
    confidence: str


def packaged_chips() -> tuple[Chip, ...]:
    """Return every chip of the packaged tables; UserError names the file, line and field of a value that is wrong."""
    processes = {row["process"]: _addition(row, "non_planar", row["non_planar"]) for _, row in _rows("processes.csv")}
    additions: dict[str, list[Addition]] = {}
    for _, row in _rows("supplement.csv"):
        additions.setdefault(row["name"], []).append(_addition(row, row["field"], row["value"]))
    chips = tuple(
        read_chip(row, additions.pop(row["name"], []), processes, f"{file} line {line}")
        for file in ("accelerators.csv", "further.csv")
        for line, row in _rows(file)
    )
    if additions:
        raise UserError(f"supplement.csv: {', '.join(additions)}: no such chip in accelerators.csv or further.csv")
    return chips


def read_chip(row: Mapping[str, str], additions: list[Addition], processes: Mapping[str, Addition], where: str) -> Chip:
    """Return the chip of one row with its additions; an empty cell is unknown, never zero.

    `processes` says of each process as printed whether it is non-planar; `where` names the row in an error.
    """
    if row["process"] in processes:
        additions = [*additions, processes[row["process"]]]
    added = {addition.field: addition.value for addition in additions}
    values = {**row, **{field: value for field, value in added.items() if field != "alias"}}

    def number(column: str, quantity: str) -> float | None:
        text = values.get(column, "")
        return None if text == "" else check_number(f"{where}: {column}", _parse(text), QUANTITIES[quantity])

    rates = [(bits, number(column, "tops"), name) for column, bits, name in _RATES]
    non_planar = _flag(values.get("non_planar", ""))
    sources = tuple(source for source in row["source_url"].split(" | ") if source)
    since = values.get("us_commercial_since", "")
    return Chip(
        name=row["name"],
        vendor=row["vendor"],
        country=row["country"] or None,
        released=row["released"] or None,
        dense_rates=tuple(Rate(bits, tops, name) for bits, tops, name in rates if tops is not None),
        memory_type=row["memory_type"] or None,
        memory_gb=number("memory_gb", "memory_gb"),
        dram_bandwidth_gbs=number("memory_bw_gbs", "dram_bandwidth_gbs"),
        interconnect_gbs=number("interconnect_gbs", "interconnect_gbs"),
        tdp_w=number("tdp_w", "tdp_w"),
        process=row["process"] or None,
        dies=(Die(number("die_area_mm2", "area_mm2"), non_planar, logic=True),),
        price_usd=number("price_usd", "price_usd"),
        datacenter=_flag(values.get("datacenter", "")),
        us_commercial_since=date.fromisoformat(since) if since else None,
        family=values.get("family") or None,
        aliases=tuple(addition.value for addition in additions if addition.field == "alias"),
        sources=sources,
        confidence=row["confidence"],
        notes=row["notes"],
        unchecked="[UNCHECKED]" in row["notes"],
        origins=tuple(Origin(item.field, item.source, item.confidence) for item in additions if item.field != "alias"),
    )


def _addition(row: Mapping[str, str], field: str, value: str) -> Addition:
    return Addition(field, value, row["source"], row["confidence"])


def _rows(file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of a packaged table with its line number."""
    text = resources.files("twokey.chips").joinpath("data", file).read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        yield reader.line_num, row


def _parse(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)
