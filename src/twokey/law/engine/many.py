"""Many orders: every provision and question of a day as a column, with the same three values as for one order.

The law becomes a list of steps (`program`), each step two columns of bits (`planes`), so that a connective costs one
pass over bits (`run`). These, with `coded` and `calculated`, are the only modules of the engine that import Polars,
PyArrow and NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from twokey.law.engine.calculated import calculated
from twokey.law.engine.coded import Coded
from twokey.law.engine.fold import Folded
from twokey.law.engine.planes import Known, Plane, code
from twokey.law.engine.program import All, Atom, Program, Stated
from twokey.law.engine.run import GROUP, Asked, Run, runs
from twokey.law.engine.tree import AnyOf, facts_of

MISSING: Final = "missing"
Codes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class ManyLaw:
    """The law of one day, ready to be asked of frames of facts.

    `questions` and `provisions` limit what is answered, and with it what is computed; with neither it is everything.
    """

    folded: Folded
    questions: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    _program: Program = field(init=False)
    _asked: Asked = field(init=False)
    _provisions: dict[str, int] = field(init=False)
    _questions: dict[str, list[tuple[int, str]]] = field(init=False)

    def __post_init__(self) -> None:
        if not self.questions and not self.provisions:
            self.questions = (*self.folded.questions, *self.folded.values)
            self.provisions = tuple(self.folded.provisions)
        self._program = Program(self.folded)
        self._provisions = {key: self._program.provision(key) for key in self.provisions}
        self._questions = {key: self._program.question(key) for key in self.questions if key in self.folded.questions}
        self._asked = Asked(self._program)

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the facts that are read, each once."""
        read = [name for step in self._program.steps if isinstance(step, Atom) for name in facts_of(step)]
        values = [self.folded.values[key] for key in self.questions if key in self.folded.values]
        return tuple(dict.fromkeys([*read, *(name for operand in values for name in facts_of(operand))]))

    def evaluate(self, facts: pl.DataFrame | Coded, *, missing: bool = False) -> pl.DataFrame:
        """Return a frame with a column for each provision (True, False, null) and each question (its answer, or null).

        `facts`: one column a fact; a column that is absent, a null or a NaN is unknown. With `missing` there is one
        more column of the same name: the facts that the open questions wait for, as a comma-separated list.
        """
        facts = facts if isinstance(facts, Coded) else Coded(facts)
        lines, words = facts.height, -(-facts.height // 64)
        provisions = {key: (np.empty(words, np.uint64), Known(lines)) for key in self._provisions}
        answers = {key: (np.empty(lines, np.uint8), Known(lines)) for key in self._questions}
        waits: dict[str, Plane] = {}
        for run in runs(self._asked, facts):
            for key, literal in self._provisions.items():
                true, false = run.pair(literal)
                provisions[key][0][run.place] = true
                provisions[key][1].put(run.place, true | false, run.lines)
            opened = {}
            for key, branches in self._questions.items():
                codes, settled = _decide(run, branches)
                answers[key][0][run.start : run.stop] = codes
                answers[key][1].put(run.place, settled, run.lines)
                opened[key] = run.lines & ~settled
            for name, bits in self._waits(run, opened) if missing else ():
                waits.setdefault(name, np.zeros(words, np.uint64))[run.place] |= bits
        arrays = {key: known.array(pa.bool_(), bits) for key, (bits, known) in provisions.items()}
        arrays |= {key: known.array(pa.uint8(), codes) for key, (codes, known) in answers.items()}
        found = pl.DataFrame(pa.table(arrays))  # all at once, since each crossing costs some fixed work
        columns = found.get_columns()[: len(provisions)]
        for key in self.questions:
            if key in answers:
                names = list(dict.fromkeys(answer for _, answer in self._questions[key]))
                columns.append(pl.Series(key, names, pl.Enum(names)).gather(found[key]))
            else:
                value = calculated(self.folded.values[key], facts).alias(key)
                columns.append(value.fill_nan(None) if value.dtype.is_float() and value.is_nan().any() else value)
        if missing:
            columns.append(_names({name: waits[name] for name in self.facts if name in waits}, lines))
        return pl.DataFrame(columns)

    def _waits(self, run: Run, opened: Mapping[str, Plane]) -> Iterable[tuple[str, Plane]]:
        """Yield unknown facts with the lines on which open questions wait for them, from the questions down."""
        asked: dict[int, Plane] = {}

        def ask(literal: int, lines: Plane) -> None:
            number = literal if literal >= 0 else ~literal
            asked[number] = asked[number] | lines if number in asked else lines

        for key, lines in opened.items():
            reached = lines
            for literal, _ in self._questions[key][:-1]:
                ask(literal, reached)
                reached = reached & ~run.pair(literal)[0]
        for number in range(len(self._program.steps) - 1, 1, -1):
            here = asked[number] & ~(run.true[number] | run.false[number]) if number in asked else None
            if here is None or not here.any():
                continue
            match self._program.steps[number]:
                case All(literals):
                    for literal in literals:
                        ask(literal, here)
                case Stated(literal, fact):
                    ask(literal, here)
                    ask(fact, here)
                case AnyOf(_, items):
                    yield items.name, here
                case step:
                    yield from ((name, here & ~run.known(name)) for name in facts_of(step))  # an atom


def _decide(run: Run, branches: Sequence[tuple[int, str]]) -> tuple[Codes, Plane]:
    """Return the number of each line's answer, and the lines on which there is one.

    From the last branch to the first: an unknown condition leaves an answer settled only where both ways give it.
    """
    nothing = np.zeros_like(run.lines)
    holds = {branches[-1][1]: run.lines}
    for literal, answer in branches[-2::-1]:
        true, false = run.pair(literal)
        holds = {other: where if other == answer else where & false for other, where in holds.items()}
        holds[answer] = true | holds.get(answer, nothing)
    names = list(dict.fromkeys(answer for _, answer in branches))
    digits = [
        reduce(operator.or_, [holds[name] for number, name in enumerate(names) if number >> digit & 1])
        for digit in range((len(names) - 1).bit_length())
    ]
    return code(digits or [nothing], run.stop - run.start), reduce(operator.or_, holds.values())


def _names(waits: Mapping[str, Plane], lines: int) -> pl.Series:
    """Return for each line the names of the facts that it waits for; the text is made once for each combination."""
    parts = [list(waits)[at : at + 64] for at in range(0, len(waits), 64)]
    if not parts:
        return pl.Series(MISSING, [""], dtype=pl.Enum([""])).new_from_index(0, lines)
    keys = [pa.array(_keys([waits[name] for name in part], lines)).dictionary_encode() for part in parts]
    joint = _numbers(keys[0])
    for one in keys[1:]:
        joint = joint * np.uint64(len(one.dictionary)) + _numbers(one)
    found = pa.array(joint).dictionary_encode() if len(keys) > 1 else keys[0]
    left = found.dictionary.to_numpy() if len(keys) > 1 else np.arange(len(found.dictionary), dtype=np.uint64)
    words: list[pl.Series] = []
    for part, one in zip(reversed(parts), reversed(keys), strict=True):
        left, place = np.divmod(left, np.uint64(len(one.dictionary)))
        words[:0] = _words(part, one.dictionary.to_numpy()[place])
    texts = pl.select(pl.concat_str(words, separator=", ", ignore_nulls=True)).to_series()
    return pl.Series(MISSING, texts, dtype=pl.Enum(texts)).gather(_numbers(found))


def _words(names: Sequence[str], keys: npt.NDArray[np.unsignedinteger]) -> list[pl.Series]:
    """Return for each key the names that its digits stand for, as a column of text for every eight; none is null."""
    columns = []
    for number, digits in enumerate(np.ascontiguousarray(keys).view(np.uint8).reshape(len(keys), -1).T):
        group = names[number * GROUP : (number + 1) * GROUP]
        table: list[str | None] = [None] * 256
        for value in np.unique(digits).tolist():
            table[value] = ", ".join(name for bit, name in enumerate(group) if value >> bit & 1) or None
        columns.append(pl.Series(f"{names[0]} {number}", table, dtype=pl.String).gather(digits))
    return columns


def _numbers(encoded: pa.DictionaryArray) -> npt.NDArray[np.uint64]:
    numbers: npt.NDArray[np.uint64] = encoded.indices.to_numpy().astype(np.uint64)
    return numbers


def _keys(planes: Sequence[Plane], lines: int) -> npt.NDArray[np.unsignedinteger]:
    """Return for each line one number whose binary digits are its bits of at most sixty-four planes."""
    width = next(width for width in (1, 2, 4, 8) if width * GROUP >= len(planes))
    bytes_ = np.zeros((lines, width), np.uint8)
    for number, at in enumerate(range(0, len(planes), GROUP)):
        bytes_[:, number] = code(planes[at : at + GROUP], lines)
    return bytes_.view(f"<u{width}")[:, 0]
