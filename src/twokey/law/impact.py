"""What an amendment changes: over a book of orders, by line, by provision, in units and in value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from twokey.chips.errors import UserError
from twokey.law.book import admit_frame, read_book
from twokey.law.engine.coded import Coded, coded, renumbered
from twokey.law.engine.fold import THEN, Folded, side_by_side
from twokey.law.engine.law import Headline, Law
from twokey.law.engine.many import ManyLaw
from twokey.law.engine.tree import refs_of
from twokey.law.state import state_of

STATUS: Final = ("clear", "needs_information", "blocked")
UNITS, VALUE = "item.quantity", "item.value_usd"
_OPEN: Final = 255  # more than any question has answers; one less stands for an open answer


@dataclass(slots=True)
class Moved:
    """Lines that moved together: how many, and what they order where the book says so."""

    lines: int = 0
    units: float = 0.0
    value_usd: float = 0.0

    def add(self, lines: int, units: float, value_usd: float) -> None:
        """Add more lines, their units and their value in USD."""
        self.lines, self.units, self.value_usd = self.lines + lines, self.units + units, self.value_usd + value_usd


@dataclass(slots=True)
class Impact:
    """The difference that an amendment makes to a book.

    `keys`: (key, status before, status after) -> what moved; `answers`: (question, answer before, after) -> what moved;
    `provisions`: provision -> lines whose key moved and for which the provision's value differs.
    """

    lines: int = 0
    keys: dict[tuple[str, str, str], Moved] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], Moved] = field(default_factory=dict)
    provisions: dict[str, Moved] = field(default_factory=dict)

    def total(self, *, worse: bool) -> Moved:
        """Return what moved to a stricter status (`worse`), or to a looser one, on either key."""
        total = Moved()
        for (_, before, after), moved in self.keys.items():
            if (STATUS.index(after) > STATUS.index(before)) is worse and before != after:
                total.add(moved.lines, moved.units, moved.value_usd)
        return total


@dataclass(slots=True)
class Difference:
    """Two laws, ready to be asked of the same lines; only what the amendment can reach is asked twice.

    >>> from twokey.law import amended, find_amendment, law
    >>> two = Difference(law(), amended(law(), find_amendment("scale")), date(2027, 1, 1))
    >>> two.questions
    ('us-export:export_route',)
    """

    before: Law
    after: Law
    day: date
    questions: tuple[str, ...] = field(init=False)
    changed: tuple[str, ...] = field(init=False)
    _both: ManyLaw = field(init=False)

    def __post_init__(self) -> None:
        old, new = state_of(self.before, self.day).folded, state_of(self.after, self.day).folded
        self.changed = tuple(key for key, tree in new.provisions.items() if old.provisions.get(key) != tree)
        headlines = [headline for pack in self.after.packs.values() if pack.key for headline in pack.headlines]
        self.questions = tuple(one.question for one in headlines if self._reaches(one.question, old, new))
        self.changed = tuple(key for key in self.changed if "@" not in key)
        both = side_by_side(old, new)
        asked = [name for key in self.questions for name in (key, f"{THEN}{key}")]
        shown = [name for key in self.changed for name in (key, f"{THEN}{key}") if name in both.provisions]
        self._both = ManyLaw(both, tuple(asked), tuple(shown))

    def _reaches(self, question: str, old: Folded, new: Folded) -> bool:
        if old.questions.get(question) != new.questions[question]:
            return True
        todo = [ref for branch in new.questions[question] for ref in refs_of(branch.condition)]
        seen: set[str] = set()
        while todo:
            key = todo.pop()
            if key in self.changed:
                return True
            if key not in seen:
                seen.add(key)
                todo.extend(refs_of(new.provisions[key]))
        return False

    def compare(self, facts: pl.DataFrame | Coded) -> Impact:
        """Return the difference over the lines of one batch; `facts` as `admit_frame` returns them."""
        impact = Impact(lines=facts.height)
        if not self.questions:
            return impact
        told = self._both.evaluate(facts)
        weights = pl.DataFrame(
            {
                "units": facts[UNITS].fill_null(0.0)
                if UNITS in facts.columns
                else pl.Series([0.0]).new_from_index(0, facts.height),
                "value": facts[VALUE].fill_null(0.0)
                if VALUE in facts.columns
                else pl.Series([0.0]).new_from_index(0, facts.height),
            }
        )
        moved_key = pl.Series([False]).new_from_index(0, facts.height)
        for question in self.questions:
            answers = self.after.questions[question].answers
            pair = _pairs(told[question], told[f"{THEN}{question}"], answers)
            moved_key |= self._count(impact, question, pair, weights)
        for key in self.changed:
            before = told[key] if key in told.columns else pl.Series([False]).new_from_index(0, facts.height)
            differs = before.ne_missing(told[f"{THEN}{key}"]) & moved_key
            if differs.any():
                _add(impact.provisions, key, weights.filter(differs))
        return impact

    def _count(self, impact: Impact, question: str, pair: pl.Series, weights: pl.DataFrame) -> pl.Series:
        """Count the moves of one question, and return the lines on which its key moved."""
        headline = next(one for pack in self.after.packs.values() for one in pack.headlines if one.question == question)
        key = next(pack.key for pack in self.after.packs.values() if headline in pack.headlines)
        answers = self.after.questions[question].answers
        names = dict(enumerate(answers))
        groups = weights.with_columns(pair=pair).filter(pair // _OPEN != pair % _OPEN).group_by("pair")
        moving: list[int] = []
        for code, lines, units, value in groups.agg(pl.len(), pl.col("units").sum(), pl.col("value").sum()).iter_rows():
            before, after = names.get(code // _OPEN), names.get(code % _OPEN)
            moves = (question, before or "needs_information", after or "needs_information")
            impact.answers.setdefault(moves, Moved()).add(lines, units, value)
            was, now = _status(headline, before), _status(headline, after)
            if was != now:
                impact.keys.setdefault((key, was, now), Moved()).add(lines, units, value)
                moving.append(code)
        return pair.is_in(moving)


def _pairs(before: pl.Series, after: pl.Series, answers: Sequence[str]) -> pl.Series:
    """Return both answers of each line as one number: the place of the first times `_OPEN`, plus that of the second."""
    first, second = (
        renumbered(*coded(one), tuple(answers)).cast(pl.UInt16).fill_null(_OPEN - 1) for one in (before, after)
    )
    return first * _OPEN + second


def _add(table: dict[str, Moved], key: str, lines: pl.DataFrame) -> None:
    table.setdefault(key, Moved()).add(lines.height, float(lines["units"].sum()), float(lines["value"].sum()))


def _status(headline: Headline, answer: str | None) -> str:
    if answer is None:
        return "clear" if headline.condition else "needs_information"
    if answer in headline.clear:
        return "clear"
    return "blocked" if answer in headline.blocked else "needs_information"


def impact_of(difference: Difference, book: Path) -> Iterator[Impact]:
    """Yield the impact over a book, batch by batch; `merged` adds them up. Errors: UserError."""
    line = 1
    for frame in read_book(book):
        yield difference.compare(admit_frame(frame, str(book), line))
        line += frame.height
    if line == 1:
        raise UserError(f"{book}: has no lines")


def merged(impacts: list[Impact]) -> Impact:
    """Return several impacts as one."""
    whole = Impact()
    for one in impacts:
        whole.lines += one.lines
        for mine, theirs in ((whole.keys, one.keys), (whole.answers, one.answers), (whole.provisions, one.provisions)):
            _merge(mine, theirs)
    return whole


def _merge(mine: dict[Any, Moved], theirs: Mapping[Any, Moved]) -> None:
    for key, moved in theirs.items():
        mine.setdefault(key, Moved()).add(moved.lines, moved.units, moved.value_usd)
