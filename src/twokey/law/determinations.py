"""Determinations: questions with a known answer, kept as data and run as a test."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from twokey.chips.errors import UserError, nearest
from twokey.law.engine.fold import fold
from twokey.law.engine.law import Law
from twokey.law.engine.one import Compiled, compile_one
from twokey.law.order import facts_of_order

COLUMNS = ("id", "regime", "as_of", "question", "facts", "expected")


@dataclass(frozen=True, slots=True)
class Determination:
    """One row: a question of a regime, asked on a day of an order, and the answer that is known."""

    id: str
    regime: str
    as_of: date
    question: str
    facts: Mapping[str, Any]
    expected: str
    line: int
    paragraph: str = ""
    confidence: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A determination with the answer that the law gave, or the error that kept it from answering."""

    row: Determination
    given: str
    passed: bool


def read_determinations(path: Path) -> Iterator[Determination]:
    """Yield the rows of a CSV file of determinations.

    Errors: UserError with file and line for a missing column, a bad date, or facts that are not a JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise UserError(f"{path}:1: lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}")
            for record in reader:
                yield _row(record, f"{path}:{reader.line_num}", reader.line_num)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as CSV: {error}") from None


def _row(record: Mapping[str, str | None], where: str, line: int) -> Determination:
    try:
        facts = json.loads(record["facts"] or "")
    except (ValueError, RecursionError) as error:  # malformed, or endless
        raise UserError(f"{where}: facts: not valid JSON: {error}") from None
    if not isinstance(facts, dict):
        raise UserError(f"{where}: facts: must be a JSON object of fact names and values")
    try:
        as_of = date.fromisoformat(record["as_of"] or "")
    except ValueError:
        raise UserError(f"{where}: as_of: must be a date as YYYY-MM-DD (got {record['as_of']!r})") from None
    texts = {name: record.get(name) or "" for name in ("id", "regime", "question", "expected")}
    more = {name: record.get(name) or "" for name in ("paragraph", "confidence", "note")}
    return Determination(as_of=as_of, facts=facts, line=line, **texts, **more)


class Checker:
    """Runs determinations against one law; the law of each day is compiled once."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._compiled: dict[int, Compiled] = {}

    def check(self, row: Determination) -> Checked:
        """Return the row with the answer given; an answer that stays open is `needs_information`."""
        try:
            given = self._answer(row)
        except UserError as error:
            return Checked(row, f"error: {error}", False)
        return Checked(row, _text(given), _same(given, row.expected))

    def _answer(self, row: Determination) -> Any:
        key = f"{row.regime}:{row.question}"
        if key not in self._law.questions:
            names = [one.name for one in self._law.questions.values() if one.regime == row.regime]
            hint = nearest(row.question, names) if names else nearest(row.regime, self._law.packs)
            raise UserError(f"line {row.line}: {row.regime} has no question {row.question!r}{hint}")
        at = self._law.at(row.as_of)
        if id(at) not in self._compiled:
            self._compiled[id(at)] = compile_one(fold(at))
        compiled = self._compiled[id(at)]
        facts = facts_of_order(row.facts, f"line {row.line}")
        return compiled.decide(facts.get)[1][compiled.questions.index(key)]


def _text(value: Any) -> str:
    if value is None:
        return "needs_information"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _same(given: Any, expected: str) -> bool:
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return abs(given - float(expected)) <= 1e-9 * max(1.0, abs(given))
        except ValueError:
            return False
    return _text(given) == expected.strip()
