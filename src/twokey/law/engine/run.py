"""A program run on the lines of a frame: the planes of every step, chunk by chunk.

Lines are taken in chunks whose planes stay in the processor's cache. What is asked of one column by itself is asked in
the chunk; what joins columns, or runs over lists, is made for all lines beforehand.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from twokey.law.engine.calculated import OPS, calculated
from twokey.law.engine.cells import sides, single_fact
from twokey.law.engine.coded import Coded
from twokey.law.engine.facts import dictionary
from twokey.law.engine.planes import Pair, Plane, column, flags, numbers, ones, plane
from twokey.law.engine.program import All, Atom, Program, Stated, Step
from twokey.law.engine.tree import AnyOf, Compare, Const, Member, facts_of

CHUNK: Final = 1 << 17  # lines; a multiple of 64
FEW: Final = 2  # words that are compared one by one rather than looked up
GROUP: Final = 8  # the bits of a byte
PAIRED: Final = 1 << 16  # entries of a table that is for two words at once
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(slots=True)
class Run:
    """The planes of every step of a program on the lines from `start` up to `stop`."""

    frame: Frame
    start: int
    stop: int
    lines: Plane = field(init=False)  # set on every line of the chunk
    true: list[Plane] = field(default_factory=list)
    false: list[Plane] = field(default_factory=list)
    _known: dict[str, Plane] = field(default_factory=dict)
    _looked_up: dict[tuple[str, int], npt.NDArray[np.uint8]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = ones(self.stop - self.start)
        for step, ask in self.frame.steps:
            true, false = ask(self) if ask else self._join(step)
            self.true.append(true)
            self.false.append(false)

    @property
    def place(self) -> slice:
        """Return the words of a whole plane that are this chunk's."""
        return slice(self.start // 64, -(-self.stop // 64))

    def pair(self, literal: int) -> Pair:
        """Return the planes of a literal."""
        return (
            (self.true[literal], self.false[literal]) if literal >= 0 else (self.false[~literal], self.true[~literal])
        )

    def known(self, name: str) -> Plane:
        """Return the lines on which a fact is known."""
        if name not in self._known:
            found = self.frame.columns.get(name)
            self._known[name] = found.is_known(self.start, self.stop) if found else np.zeros_like(self.lines)
        return self._known[name]

    def where(self, name: str, holds: Plane) -> Pair:
        """Return the planes of a condition on one fact: True where it `holds`, as far as the fact is known."""
        known = self.known(name)
        true = holds & known
        return true, known ^ true

    def values(self, name: str) -> npt.NDArray[Any]:
        """Return the values of a fact on these lines."""
        return self.frame.columns[name].values[self.start : self.stop]

    def looked_up(self, name: str, group: int) -> npt.NDArray[np.uint8]:
        """Return for each line the truths of one table of its word, as the bits of a byte."""
        found = self._looked_up.get((name, group))
        if found is None:
            table, codes = self.frame.tables[name][group], self.values(name)
            if len(table) == PAIRED and table.dtype == np.uint16 and len(codes) % 2 == 0:
                found = table.take(codes.view(np.uint16), mode="clip").view(np.uint8)
            else:
                found = table.take(codes, mode="clip").astype(np.uint8)
            self._looked_up[name, group] = found
        return found

    def _join(self, step: Step) -> Pair:
        match step:
            case All(literals):
                (true, false), (also, nor), *rest = [self.pair(literal) for literal in literals]
                true, false = true & also, false | nor
                for also, nor in rest:
                    np.bitwise_and(true, also, out=true)
                    np.bitwise_or(false, nor, out=false)
                return true, false
            case Stated(literal, fact):
                (true, false), (says, denies) = self.pair(literal), self.pair(fact)
                return true | says & ~false, false | denies & ~true
            case Const(value):
                nothing = np.zeros_like(self.lines)
                return (self.lines if value else nothing), nothing
            case _:
                raise TypeError(step)


Ask = Callable[[Run], Pair]
_Words = tuple[Mapping[Atom, Ask], list[npt.NDArray[Any]]]  # of a column of words: how each atom is asked, the tables


class Asked:
    """What a program asks of the facts, found once: which atoms are of one column, of a list, or join columns."""

    def __init__(self, program: Program) -> None:
        atoms = [step for step in program.steps if isinstance(step, Atom)]
        self.program: Final = program
        self.names: Final = tuple(
            name
            for name in dict.fromkeys(name for atom in atoms for name in facts_of(atom))
            if dictionary()[name].type != "list"
        )
        self.alone: Final[dict[str, list[Atom]]] = {}
        self.lists: Final[dict[str, tuple[list[AnyOf], Asked, list[int]]]] = {}
        self.joined: Final[list[Compare]] = []
        lists: dict[str, list[AnyOf]] = {}
        for atom in atoms:
            name = None if isinstance(atom, AnyOf) else single_fact(atom)
            if isinstance(atom, AnyOf):
                lists.setdefault(atom.items.name, []).append(atom)
            elif name is not None:
                self.alone.setdefault(name, []).append(atom)
            elif isinstance(atom, Compare):
                self.joined.append(atom)
        for name, over in lists.items():
            inner = Program(program.folded)
            literals = [inner.provision(atom.provision) for atom in over]
            self.lists[name] = (over, Asked(inner), literals)
        self._last: dict[str, tuple[tuple[str, ...], bool, _Words]] = {}

    def of_words(self, name: str, words: tuple[str, ...], *, long: bool) -> _Words:
        """Return how the atoms of a fact are asked of a column of these words; kept for the next batch like it."""
        last = self._last.get(name)
        if last is None or last[:2] != (words, long):
            last = (words, long, self._of_words(name, words, long))
            self._last[name] = last
        return last[2]

    def _of_words(self, name: str, words: tuple[str, ...], long: bool) -> _Words:
        hits = {atom: [number for number, word in enumerate(words) if _holds(atom, word)] for atom in self.alone[name]}
        asks = {atom: _equal(name, codes) for atom, codes in hits.items() if len(codes) <= FEW}
        many = [atom for atom in hits if atom not in asks]
        groups = [many[at : at + GROUP] for at in range(0, len(many), GROUP)]
        for number, group in enumerate(groups):
            asks.update({atom: _worded(name, number, bit) for bit, atom in enumerate(group)})
        return asks, [_table(len(words), [hits[atom] for atom in group], long) for group in groups]


class Frame:
    """The facts of every line as columns, and for each atom of a program how its planes are made."""

    def __init__(self, asked: Asked, facts: Coded) -> None:
        self._facts: Final = facts
        given = [name for name in asked.names if name in facts.columns and facts.frame[name].dtype != pl.Null]
        self.columns: Final = {name: column(facts, name) for name in given}
        self.tables: Final[dict[str, list[npt.NDArray[Any]]]] = {}
        asks: dict[Atom, Ask] = {atom: self._joined(atom) for atom in asked.joined}
        for name, atoms in asked.alone.items():
            asks.update(self._of_column(name, atoms, asked) if name in given else dict.fromkeys(atoms, _unknown))
        for name, (over, elements, literals) in asked.lists.items():
            asks.update(self._of_list(name, over, elements, literals))
        self.steps: Final = [(step, asks.get(step) if isinstance(step, Atom) else None) for step in asked.program.steps]

    def _of_column(self, name: str, atoms: list[Atom], asked: Asked) -> Mapping[Atom, Ask]:
        found = self.columns[name]
        if found.words is None:
            return {atom: _compared(name, atom) if isinstance(atom, Compare) else _stated(name) for atom in atoms}
        long = found.values.dtype == np.uint8 and len(found.values) >= CHUNK
        asks, self.tables[name] = asked.of_words(name, found.words, long=long)
        return asks

    def _joined(self, atom: Compare) -> Ask:
        """Return how a comparison is made that calculates, or that joins two facts."""
        holds = numbers(calculated(atom, self._facts), "boolean").values
        names = facts_of(atom)

        def ask(run: Run) -> Pair:
            known = reduce(operator.and_, [run.known(name) for name in names])
            true = holds[run.place] & known
            return true, known ^ true

        return ask

    def _of_list(self, name: str, atoms: list[AnyOf], elements: Asked, literals: list[int]) -> Mapping[Atom, Ask]:
        if name not in self._facts.columns or not isinstance(self._facts[name].dtype, pl.List):
            return dict.fromkeys(atoms, _unknown)
        found = _over_lists(elements, literals, self._facts[name])
        return {atom: _prepared(*pair) for atom, pair in zip(atoms, found, strict=True)}


def runs(asked: Asked, facts: Coded) -> Iterator[Run]:
    """Yield a program run on each chunk of a frame's lines, in order."""
    frame = Frame(asked, facts)
    for start in range(0, facts.height, CHUNK):
        yield Run(frame, start, min(start + CHUNK, facts.height))


def _table(words: int, hits: list[list[int]], long: bool) -> npt.NDArray[Any]:
    """Return the truths of eight atoms for each word, or for each two words where the column is long."""
    table = np.zeros(max(256, words), np.uint8)
    for bit, codes in enumerate(hits):
        table[codes] |= 1 << bit
    if not long:
        return table
    whole = table.astype(np.uint16)
    return (whole[:, None] << 8 | whole[None, :]).ravel()  # the first of two words is the low byte


def _unknown(run: Run) -> Pair:
    nothing = np.zeros_like(run.lines)
    return nothing, nothing


def _prepared(true: Plane, false: Plane) -> Ask:
    return lambda run: (true[run.place], false[run.place])


def _stated(name: str) -> Ask:
    return lambda run: run.where(name, run.frame.columns[name].values[run.place])


def _compared(name: str, atom: Compare) -> Ask:
    op, value = sides(atom)
    compare = OPS[op]
    if isinstance(value, bool):
        holds = _stated(name)
        return holds if compare(True, value) else lambda run: holds(run)[::-1]
    if isinstance(value, date):
        value = value.toordinal() - _EPOCH
    return lambda run: run.where(name, plane(compare(run.values(name), value)))


def _equal(name: str, codes: Sequence[int]) -> Ask:
    if not codes:
        return lambda run: run.where(name, np.zeros_like(run.lines))

    def ask(run: Run) -> Pair:
        values = run.values(name)
        return run.where(name, plane(reduce(operator.or_, [values == code for code in codes])))

    return ask


def _worded(name: str, group: int, bit: int) -> Ask:
    mask = np.uint8(1 << bit)
    return lambda run: run.where(name, plane(run.looked_up(name, group) & mask))


def _holds(atom: Atom, word: str) -> bool:
    match atom:
        case Member(_, Const(words)):
            return word in words
        case Compare():
            op, value = sides(atom)
            return bool(OPS[op](word, value))
        case _:
            raise TypeError(atom)


def _over_lists(asked: Asked, literals: Sequence[int], lists: pl.Series) -> list[Pair]:
    """Return where an element of a list meets each literal: True wins, then unknown; of no elements none does."""
    lengths = lists.list.len()
    elements = lists.filter(lengths > 0).explode().struct.unnest()
    found = [
        (run.stop - run.start, [run.pair(literal) for literal in literals]) for run in runs(asked, Coded(elements))
    ]
    ends = lengths.fill_null(0).cast(pl.Int64).cum_sum().to_numpy()
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    known = plane(lists.is_not_null().to_numpy())

    def somewhere(parts: list[npt.NDArray[np.uint8]]) -> Plane:
        total = np.concatenate([np.zeros(1, np.int64), *parts]).cumsum()
        return plane(total[ends] > total[starts])

    pairs = []
    for number in range(len(literals)):
        hit = somewhere([flags(each[number][0], lines) for lines, each in found])
        unsure = somewhere([1 - flags(each[number][0] | each[number][1], lines) for lines, each in found])
        pairs.append((hit & known, known & ~hit & ~unsure))
    return pairs
