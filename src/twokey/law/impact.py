"""What an amendment changes: over a book of orders, by line, by provision, in units and in value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from twokey.chips.errors import UserError
from twokey.law.book import admit_frame, read_book
from twokey.law.engine.coded import Coded, coded, renumbered
from twokey.law.engine.fold import THEN, Folded, side_by_side
from twokey.law.engine.law import NOT_ASKED, Headline, Law, Turn
from twokey.law.engine.many import ManyLaw
from twokey.law.engine.tree import refs_of
from twokey.law.state import state_of

STATUS: Final = ("clear", "needs_information", "blocked")
UNITS, VALUE = "item.quantity", "item.value_usd"
_OPEN: Final = 255  # more than any question has answers; one less stands for an open answer, two less for NOT_ASKED
_NOT_ASKED: Final = _OPEN - 2


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

    `keys`: (key, status before, status after) -> what moved;
    `answers`: (question or gate, answer before, after) -> what moved; a gate is "met" or "not_met", and what only the
    amended law asks was "not_asked" before;
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
    >>> list(two.turns)
    ['us-export:export_route']
    """

    before: Law
    after: Law
    day: date
    turns: Mapping[str, Turn] = field(init=False)  # what turns a key and may be answered otherwise
    changed: tuple[str, ...] = field(init=False)
    _asked_before: frozenset[str] = field(init=False)
    _both: ManyLaw = field(init=False)

    def __post_init__(self) -> None:
        old, new = state_of(self.before, self.day).folded, state_of(self.after, self.day).folded
        self.changed = tuple(key for key, tree in new.provisions.items() if old.provisions.get(key) != tree)
        self._asked_before = frozenset(self.before.at(self.day).law.turns)
        turns = self.after.at(self.day).law.turns
        self.turns = {name: one for name, one in turns.items() if self._reaches(name, old, new)}
        self.changed = tuple(key for key in self.changed if "@" not in key)
        both = side_by_side(old, new)
        asked = [one for name in self.turns for one in (name, f"{THEN}{name}") if one in both.questions]
        gates = [name for name in self.turns if name not in new.questions]
        shown = [one for key in (*self.changed, *gates) for one in (key, f"{THEN}{key}") if one in both.provisions]
        self._both = ManyLaw(both, tuple(asked), tuple(dict.fromkeys(shown)))

    def _reaches(self, name: str, old: Folded, new: Folded) -> bool:
        if name not in self._asked_before or old.questions.get(name) != new.questions.get(name):
            return True
        todo = (
            [ref for branch in new.questions[name] for ref in refs_of(branch.condition)]
            if name in new.questions
            else [name]
        )
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
        if not self.turns:
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
        for name, turn in self.turns.items():
            before, after = self._places(told, name, turn, ""), self._places(told, name, turn, THEN)
            moved_key |= _count(impact, name, turn, before * _OPEN + after, weights)
        for key in self.changed:
            before = told[key] if key in told.columns else pl.Series([False]).new_from_index(0, facts.height)
            differs = before.ne_missing(told[f"{THEN}{key}"]) & moved_key
            if differs.any():
                _add(impact.provisions, key, weights.filter(differs))
        return impact

    def _places(self, told: pl.DataFrame, name: str, turn: Turn, then: str) -> pl.Series:
        """Return what turns a key, line by line, as the place of its answer; an open one is `_OPEN - 1`."""
        if not then and name not in self._asked_before:
            return pl.Series([_NOT_ASKED], dtype=pl.UInt16).new_from_index(0, told.height)
        answers = told[f"{then}{name}" if f"{then}{name}" in told.columns else name]
        places = (~answers) if answers.dtype == pl.Boolean else renumbered(*coded(answers), turn.answers)
        return places.cast(pl.UInt16).fill_null(_OPEN - 1)


def _count(impact: Impact, name: str, turn: Turn, pair: pl.Series, weights: pl.DataFrame) -> pl.Series:
    """Count the moves of what turns a key, and return the lines on which its key moved.

    `pair`: both answers of each line as one number, the place of the first times `_OPEN` plus that of the second.
    """
    names = {**dict(enumerate(turn.answers)), _NOT_ASKED: NOT_ASKED}
    groups = weights.with_columns(pair=pair).filter(pair // _OPEN != pair % _OPEN).group_by("pair")
    moving: list[int] = []
    for code, lines, units, value in groups.agg(pl.len(), pl.col("units").sum(), pl.col("value").sum()).iter_rows():
        before, after = names.get(code // _OPEN), names.get(code % _OPEN)
        was, now = _status(turn.headline, before), _status(turn.headline, after)
        if before == NOT_ASKED and now == "clear":
            continue
        moves = (name, before or "needs_information", after or "needs_information")
        impact.answers.setdefault(moves, Moved()).add(lines, units, value)
        if was != now:
            impact.keys.setdefault((turn.key, was, now), Moved()).add(lines, units, value)
            moving.append(code)
    return pair.is_in(moving)


def _add(table: dict[str, Moved], key: str, lines: pl.DataFrame) -> None:
    table.setdefault(key, Moved()).add(lines.height, float(lines["units"].sum()), float(lines["value"].sum()))


def _status(headline: Headline, answer: str | None) -> str:
    if answer is None:
        return "clear" if headline.condition else "needs_information"
    if answer in headline.clear or answer == NOT_ASKED:
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
