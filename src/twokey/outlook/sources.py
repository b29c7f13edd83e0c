"""Typed readers of the data in the package: each row knows its source and the day on which it could be known."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from twokey.chips import UserError, find, nearest
from twokey.outlook.basis import Quantity

Row = dict[str, str]
H100_TOPS: Final = 1979.0
H100_BANDWIDTH_GBS: Final = 3350.0


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One value of one series; `low` and `high` are None where no interval was published."""

    id: str
    series: str
    period: str
    value: float
    unit: str
    low: float | None
    high: float | None
    basis: str
    as_of: date
    as_of_kind: str
    source: str
    confidence: str

    @property
    def quantity(self) -> Quantity:
        """The value with its unit and basis."""
        return Quantity(self.value, self.unit, self.basis)

    @property
    def reconstructed(self) -> bool:
        """Whether somebody estimated this figure after `as_of`."""
        return self.as_of_kind.startswith("reconstructed")


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One policy event of the record."""

    id: str
    date: dt.date
    as_of: dt.date
    key: str  # "export", "import", "foundry"
    direction: str  # "tighten", "loosen"
    instrument: str
    chips: tuple[str, ...]
    what: str
    source: str
    verified: str


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of time in which one key was open or closed; `end` is None while it lasts."""

    id: str
    key: str
    state: str
    start: date
    end: date | None
    as_of: date

    def days(self, today: date) -> int:
        """Length in days, up to `today` while the spell lasts."""
        return ((self.end if self.end and self.end <= today else today) - self.start).days


@dataclass(frozen=True, slots=True)
class OutlookChip:
    """One chip as the outlook counts it: TPP and H100-equivalents on two bases."""

    name: str
    maker: str
    tops_8bit: float
    tops_4bit: float | None
    bandwidth_gbs: float
    tpp: float
    h100e_8bit: float
    h100e_bandwidth: float
    hbm_stacks: float | None
    price_usd: tuple[float, float] | None
    legal: str
    verified: str


def data_folder() -> Traversable:
    """Return the folder of the outlook data inside the package."""
    return files("twokey.outlook") / "data"


def read_rows(file: Traversable | Path) -> list[Row]:
    """Read a CSV file as rows keyed by its header; comment rows (first cell `#`) are left out.

    Raises:
        UserError: the file is missing, empty, not text, or a row has more cells than the header.

    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; give the path of a CSV file") from None
    except (UnicodeDecodeError, IsADirectoryError, PermissionError) as error:
        raise UserError(
            f"{file}: cannot be read as UTF-8 text ({type(error).__name__}); save it as CSV UTF-8"
        ) from None
    reader = csv.DictReader(text.splitlines())
    if not reader.fieldnames:
        raise UserError(f"{file}: line 1: empty; the first line must name the columns")
    rows: list[Row] = []
    for row in reader:
        if None in row:
            raise UserError(f"{file}: line {reader.line_num}: more cells than the header has; quote cells with commas")
        if any(row.values()) and not (row[reader.fieldnames[0]] or "").startswith("#"):
            rows.append({key: (cell or "").strip() for key, cell in row.items()} | {"_line": str(reader.line_num)})
    return rows


@cache
def table(name: str) -> tuple[Row, ...]:
    """Return the rows of one table of the package, as in `table("chips")`."""
    return tuple(read_rows(data_folder() / f"{name}.csv"))


@cache
def series_rows() -> tuple[SeriesRow, ...]:
    """Return every row of `series.csv`; an interval that does not hold its own value is dropped."""
    rows: list[SeriesRow] = []
    for row in table("series"):
        value, low, high = float(row["value"]), _number(row["low"]), _number(row["high"])
        if (low is not None and low > value) or (high is not None and high < value):
            low = high = None
        rows.append(
            SeriesRow(
                row["id"],
                row["series"],
                row["period"],
                value,
                row["unit"],
                low,
                high,
                row["basis"],
                date.fromisoformat(row["as_of"]),
                row["as_of_kind"],
                row["source"],
                row["confidence"],
            )
        )
    return tuple(rows)


def series(name: str, as_of: date | None = None, *, strict: bool = False) -> list[SeriesRow]:
    """Return the rows of one series that were known on `as_of`, in the order of the file.

    `strict` also leaves out figures that were reconstructed later.

    >>> [row.value for row in series("nvidia_h20_charge", date(2025, 6, 1))]
    [4.5]
    >>> series("nvidia_h20_charge", date(2025, 5, 1))
    []

    Raises:
        UserError: no such series; the nearest names are given.

    """
    rows = [row for row in series_rows() if row.series == name]
    if not rows:
        known = {row.series for row in series_rows()}
        raise UserError(f"unknown series {name!r}{nearest(name, known)}; `twokey outlook series` lists all")
    return [row for row in rows if (as_of is None or row.as_of <= as_of) and not (strict and row.reconstructed)]


@cache
def policy_events() -> tuple[PolicyRecord, ...]:
    """Return the record of policy events, oldest first."""
    return tuple(
        PolicyRecord(
            row["id"],
            date.fromisoformat(row["date"]),
            date.fromisoformat(row["as_of"]),
            row["key"],
            row["direction"],
            row["instrument"],
            tuple(row["chips"].split(";")),
            row["what"],
            row["source"],
            row["verified"],
        )
        for row in table("events")
    )


def spells(key: str, as_of: date) -> list[Spell]:
    """Return the spells of one key known on `as_of`; an end that lies later is not known yet.

    >>> [(s.state, s.days(date(2025, 5, 1))) for s in spells("export", date(2025, 5, 1))][-1]
    ('closed', 22)
    """
    found = []
    for row in table("regimes"):
        end = date.fromisoformat(row["end"]) if row["end"] else None
        spell = Spell(
            row["id"],
            row["key"],
            row["state"],
            date.fromisoformat(row["start"]),
            end if end and end <= as_of else None,
            date.fromisoformat(row["as_of"]),
        )
        if spell.key == key and spell.as_of <= as_of:
            found.append(spell)
    return found


@cache
def outlook_chips() -> dict[str, OutlookChip]:
    """Return the chips of `chips.csv` by name."""
    return {
        row["chip"]: OutlookChip(
            row["chip"],
            row["maker"],
            float(row["dense_fp8_or_int8_tops"]),
            _number(row["dense_fp4_tflops"]),
            float(row["mem_bw_gb_s"]),
            float(row["tpp_max_over_precisions"]),
            float(row["h100e_8bit"]),
            float(row["h100e_bandwidth"]),
            _number(row["hbm_stacks"]),
            _pair(row["price_low_usd"], row["price_high_usd"]),
            row["legal_to_china_2026"],
            row["verified"],
        )
        for row in table("chips")
    }


def find_chip(name: str) -> OutlookChip:
    """Return one chip by name: from `chips.csv`, or from the catalogue of `twokey.chips`, counted the same way.

    >>> find_chip("h200").name, round(find_chip("MI300X").h100e_bandwidth, 2)
    ('H200 SXM', 1.58)

    Raises:
        UserError: no such chip, or one whose 8-bit rate, TPP or bandwidth nobody has published.

    """
    known = {_fold(chip): each for chip, each in outlook_chips().items()}
    known |= {_fold(chip.removesuffix(" SXM")): each for chip, each in outlook_chips().items()}
    if _fold(name) in known:
        return known[_fold(name)]
    try:
        chip = find(name)
    except UserError:
        hint = nearest(name, outlook_chips())
        raise UserError(f"unknown chip {name!r}{hint}; `twokey chips list` shows the catalogue") from None
    rate, bandwidth, tpp = chip.rate(8), chip.dram_bandwidth_gbs, chip.tpp
    if rate is None or bandwidth is None or tpp is None:
        raise UserError(f"chip {chip.name!r} has no published 8-bit rate, TPP or bandwidth, so it cannot be counted")
    price = (chip.price_usd, chip.price_usd) if chip.price_usd else None
    return OutlookChip(
        chip.name,
        chip.vendor,
        rate,
        chip.rate(4),
        bandwidth,
        tpp,
        rate / H100_TOPS,
        bandwidth / H100_BANDWIDTH_GBS,
        None,
        price,
        "",
        "unchecked" if chip.unchecked else chip.confidence,
    )


@cache
def snapshot_hash() -> str:
    """Return the SHA-256 of every data file in the package, in order of name: the snapshot that a result used."""
    digest = hashlib.sha256()
    for file in sorted((f for f in data_folder().iterdir() if f.name.endswith(".csv")), key=lambda f: f.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _number(text: str) -> float | None:
    return float(text) if text else None


def _pair(low: str, high: str) -> tuple[float, float] | None:
    return (float(low), float(high)) if low and high else None


def _fold(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
