"""Rows of published inputs and outputs, and the numbers that a person wrote in their cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from twokey.chips.errors import UserError
from twokey.outlook.sources import Row, data_folder, read_rows

_SCALE: Final = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9, "B": 1e9, "%": 0.01}
_NUMBER: Final = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)\s?(k|K|M|bn|B|%)?(?![A-Za-z\d])(\+)?")
_STOP: Final = frozenset(
    [
        "of",
        "the",
        "a",
        "an",
        "in",
        "to",
        "per",
        "and",
        "or",
        "for",
        "by",
        "from",
        "if",
        "with",
        "at",
        "on",
        "us",
        "chip",
        "chips",
    ]
)
_COLUMNS: Final = ("analysis", "output", "value", "low", "high", "unit", "tolerance_or_check", "how")

Status = Literal["reproduced", "partly reproduced", "restated", "differs", "not reproducible"]


@dataclass(frozen=True, slots=True)
class Published:
    """One published output as printed, with the place it was read from."""

    analysis: str
    output: str
    value: str
    low: str
    high: str
    unit: str
    tolerance: str
    how: str
    url: str
    verified: str
    place: str  # "published_outputs.csv line 4"

    @property
    def text(self) -> str:
        """Everything that the row says about what is counted and how."""
        return f"{self.output} {self.unit} {self.tolerance} {self.how}"

    @property
    def values(self) -> tuple[float, ...]:
        """The numbers of the value cell: "0.66 -> 0.08" is two."""
        return numbers(self.value)

    @property
    def bound(self) -> Literal["=", "<", ">"]:
        """How the value binds: "<4" is an upper bound, ">12" and "15M+" lower ones."""
        return "<" if self.value.startswith("<") else ">" if self.value.startswith(">") or "+" in self.value else "="


@dataclass(frozen=True, slots=True)
class Computed:
    """What our function gives for one published output; `values` is empty where nothing can be computed."""

    values: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    working: str = ""
    reason: str = ""  # why it is not, or only partly, reproducible
    partly: bool = False
    restated: bool = False
    agrees: bool | None = None  # set where the answer is not a number


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the report of `twokey outlook check`."""

    published: Published
    computed: Computed
    status: Status
    off_by: float | None  # largest relative difference
    tolerance: float
    notes: tuple[str, ...] = field(default=())


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers that a person wrote, with k, M, bn and % applied; a date or a name gives none.

    >>> numbers("13M / 8 = 1.625M"), numbers("0.66 -> 0.08"), numbers("<4"), numbers("15M+"), numbers("910C")
    ((13000000.0, 8.0, 1625000.0), (0.66, 0.08), (4.0,), (15000000.0,), ())
    """
    return tuple(float(n.replace(",", "")) * _SCALE[scale or ""] for n, scale, _ in _NUMBER.findall(text))


def years(text: str) -> tuple[int, ...]:
    """Return the calendar years named in a text.

    >>> years("China accelerator demand 2025 / 2027"), years("DeepSeek used 2048 chips")
    ((2025, 2027), ())
    """
    return tuple(int(year) for year in re.findall(r"(?<!\d)(20[12]\d|2030)(?!\d)", text))


def words(text: str) -> frozenset[str]:
    """Return the words that tell one quantity from another, folded."""
    found = re.findall(r"[a-z0-9][a-z0-9.]*", text.casefold())
    return frozenset(word.rstrip("s.") or word for word in found if word not in _STOP)


def read_published(file: Traversable | Path) -> list[Published]:
    """Read a file of the form of `published_outputs.csv`.

    Raises:
        UserError: a column is missing or a row names no analysis; file and line are given.

    """
    rows = read_rows(file)
    _need(file, rows, _COLUMNS)
    return [_published(file.name, row) for row in rows]


def _need(file: Traversable | Path, rows: list[Row], columns: Iterable[str]) -> None:
    missing = [column for column in columns if rows and column not in rows[0]]
    if not rows or missing:
        what = f"no column {', '.join(missing)}" if missing else "no rows"
        raise UserError(f"{file}: line 1: {what}; a file of published outputs has {', '.join(columns)}")
    for row in rows:
        if not row[next(iter(row))]:
            raise UserError(f"{file}: line {row['_line']}: the first cell is empty; name the analysis")


def _published(name: str, row: Row) -> Published:
    return Published(
        row["analysis"],
        row["output"],
        row["value"],
        row["low"],
        row["high"],
        row["unit"],
        row["tolerance_or_check"],
        row["how"],
        row.get("url", ""),
        row.get("verified", ""),
        f"{name} line {row['_line']}",
    )


class Inputs:
    """The published inputs, found by the house and by the words of a quantity."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    @classmethod
    def load(cls, file: Path | None = None) -> Inputs:
        """Read `published_inputs.csv` of the package, or another file of its form."""
        source: Traversable | Path = file or data_folder() / "published_inputs.csv"
        rows = read_rows(source)
        _need(source, rows, ("analysis", "quantity", "value", "low", "high", "unit"))
        return cls(rows)

    def row(self, analysis: str, quantity: str) -> Row | None:
        """Return the row of this house whose quantity shares most words; years must agree; None where none fits."""
        wanted, wanted_years = words(quantity), set(years(quantity))
        best: tuple[float, Row | None] = (0.0, None)
        for row in self._rows:
            has = words(row["quantity"])
            if row["analysis"] != analysis or (wanted_years and not wanted_years & set(years(row["quantity"]))):
                continue
            score = len(wanted & has) / max(1, len(wanted | has))
            if score > best[0]:
                best = (score, row)
        return best[1]

    def number(self, analysis: str, quantity: str) -> float | None:
        """Return the first number of that input, or None where it is not stored."""
        row = self.row(analysis, quantity)
        found = numbers(row["value"]) if row else ()
        return found[0] if found else None

    def restates(self, published: Published) -> Row | None:
        """Return the stored input of the same house that says the very same thing, or None."""
        row = self.row(published.analysis, published.output)
        if row is None:
            return None
        has, wanted = words(row["quantity"]), words(published.output)
        alike = len(has & wanted) >= 0.6 * len(has | wanted)
        return row if alike and numbers(row["value"]) == published.values else None
