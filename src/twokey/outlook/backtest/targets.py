"""Questions with known outcomes: read from a file, and understood from their words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from twokey.chips.errors import UserError
from twokey.outlook.check.rows import numbers
from twokey.outlook.sources import read_rows

Family = Literal[
    "controlled revenue", "annual china revenue", "series", "share", "delivered units", "first delivery", "charge",
    "licence", "new chip licence", "mandate", "act", "turn", "unknown",
]  # fmt: skip
_COLUMNS: Final = ("id", "origin_date", "question", "type", "known_at_origin", "outcome", "unit", "source")
_FY26Q1_END: Final = date(2025, 4, 27)


@dataclass(frozen=True, slots=True)
class Target:
    """One question: what is asked, when, what was known, and how it came out (None while open)."""

    id: str
    origin: date
    question: str
    continuous: bool
    known: str
    outcome: float | None
    bound: str  # "", "<=" where the outcome is only known to lie below
    unit: str
    source: str
    family: Family
    by: date | None  # the last day that the question covers
    start: date | None  # the first day, where it is a quarter or a year
    period: str  # "FY26Q2", "FY26", "2025"
    threshold: float | None
    place: str


def fiscal_quarter(name: str) -> tuple[date, date]:
    """Return first and last day of an NVIDIA fiscal quarter (91 days each, counted from FY26Q1).

    >>> fiscal_quarter("FY26Q2")
    (datetime.date(2025, 4, 28), datetime.date(2025, 7, 27))
    """
    year, quarter = int(name[2:4]), int(name[5])
    end = _FY26Q1_END + timedelta(days=91 * ((year - 26) * 4 + quarter - 1))
    return end - timedelta(days=90), end


def read_targets(file: Traversable | Path) -> list[Target]:
    """Read a file of the form of `backtest_targets.csv`.

    Raises:
        UserError: a column is missing, or a date, type or outcome cannot be read; file and line are given.

    """
    rows = read_rows(file)
    missing = [c for c in _COLUMNS if rows and c not in rows[0]]
    if not rows or missing:
        raise UserError(f"{file}: line 1: no {', '.join(missing) or 'rows'}; targets have {', '.join(_COLUMNS)}")
    targets = []
    for row in rows:
        place = f"{file.name} line {row['_line']}"
        try:
            origin = date.fromisoformat(row["origin_date"])
        except ValueError:
            raise UserError(f"{place}: origin_date {row['origin_date']!r} is not a date like 2025-04-27") from None
        if row["type"] not in ("continuous", "binary"):
            raise UserError(f"{place}: type {row['type']!r} must be continuous or binary")
        text = row["outcome"]
        found = numbers(re.sub(r"\d{4}-\d\d-\d\d", "", text.split("(")[0]))
        is_open = text.casefold().startswith("open") or not text
        if not is_open and not found:
            raise UserError(f"{place}: outcome {text!r} holds no number; write a number, or open")
        continuous = row["type"] == "continuous"
        family = _family(row["question"], continuous)
        start, by, period = _window(row["question"], origin)
        targets.append(
            Target(
                row["id"],
                origin,
                row["question"],
                continuous,
                row["known_at_origin"],
                None if is_open else found[0],
                "<=" if text.startswith("<") else "",
                row["unit"],
                row["source"],
                family,
                by,
                start,
                period,
                _threshold(row["question"]),
                place,
            )
        )
    return targets


def _family(question: str, continuous: bool) -> Family:
    q = question.casefold()
    if re.search(r"\bdays\b|\bweeks\b", q) and "deliver" in q:
        return "first delivery"
    if "charge" in q or "write-down" in q or "write-off" in q:
        return "charge"
    if re.search(r"\bshare\b", q) and continuous and "revenue" not in q:
        return "share"
    if re.search(r"customer-hq|headquarter|billing", q):
        return "annual china revenue"
    if "revenue" in q:
        return "controlled revenue" if re.search(r"china|h20|hopper", q) else "series"
    if re.search(r"mandate|domestic hardware|domestic[- ]share|domestic content", q):
        return "mandate"
    if "deliver" in q or "ship" in q:
        threshold = _threshold(question)
        return "delivered units" if continuous or (threshold or 0) > 1 else "first delivery"
    if "licen" in q or "approv" in q or "allow" in q:
        return "new chip licence" if re.search(r"b30a|blackwell|b200|b300|rubin", q) else "licence"
    if not continuous and re.search(r"\bact\b|\bbill\b|enact|signed into law", q):
        return "act"
    if not continuous and re.search(r"\bban|stop|pause|clos|suspend|tighten|block|lift|resum|reopen|loosen|restor", q):
        return "turn"
    return "series" if continuous and re.search(r"units|chips|stock|capacity", q) else "unknown"


def _window(question: str, origin: date) -> tuple[date | None, date | None, str]:
    if match := re.search(r"FY\d\dQ\d", question):
        return (*fiscal_quarter(match[0]), match[0])
    if match := re.search(r"FY(\d\d)\b", question):
        first, last = fiscal_quarter(f"FY{match[1]}Q1")[0], fiscal_quarter(f"FY{match[1]}Q4")[1]
        return first, last, match[0]
    if match := re.search(r"(\d{4}-\d\d-\d\d)", question):
        return origin, date.fromisoformat(match[1]), match[1]
    if match := re.search(r"\b(20\d\d)\b", question):
        return date(int(match[1]), 1, 1), date(int(match[1]), 12, 31), match[1]
    return None, None, ""


def _threshold(question: str) -> float | None:
    match = re.search(r"(?:>=|at least|more than|over|above)\s*(\d[\d.,]*\s?(?:k|M|bn|%)?)", question)
    if not match:
        return None
    text = match[1].replace(" ", "")
    return numbers(text.removesuffix("bn"))[0] if text.endswith("bn") else numbers(text)[0]
