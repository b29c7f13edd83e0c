"""The law of a day as a flat list of steps, each over earlier ones: what `many` runs on columns of bits.

A condition is a *literal*: the number of a step, or its complement `~number` where it is negated. With negation free
and `a or b` written as `not (not a and not b)` one connective is enough, and equal steps are one step. Only what is
asked for is written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from twokey.law.engine.fold import Folded
from twokey.law.engine.tree import And, AnyOf, Compare, Const, Fact, Member, Node, Not, Or, Ref

Atom = Compare | Member | Fact | AnyOf


@dataclass(frozen=True, slots=True)
class All:
    """Every literal holds; there are at least two."""

    literals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """A literal, or where it is unknown the boolean fact that a person may state for the whole."""

    literal: int
    fact: int


Step = Const | Atom | All | Stated
TRUE: Final = 0
FALSE: Final = ~TRUE
UNKNOWN: Final = 1  # a value that no law sets


@dataclass(slots=True)
class Program:
    """The steps of a folded law, written as they are asked for.

    >>> from twokey.law.engine.tree import Const, Fact, Not, Or
    >>> program = Program(Folded({}, {}, {}, {}))
    >>> program.literal(Or((Fact("a"), Not(Fact("b")))))  # step 2 is a, step 3 is b, step 4 is (not a) and b
    -5
    """

    folded: Folded
    steps: list[Step] = field(default_factory=lambda: [Const(True), Const(None)])  # type: ignore[arg-type]  # None: unset
    _numbers: dict[Step, int] = field(default_factory=dict)
    _provisions: dict[str, int] = field(default_factory=dict)

    def provision(self, key: str) -> int:
        """Return the literal of a provision."""
        found = self._provisions.get(key)
        if found is None:
            found = self.literal(self.folded.provisions[key])
            if key in self.folded.asserted and found not in (TRUE, FALSE):
                found = self._step(Stated(found, self._step(Fact(self.folded.asserted[key]))))
            self._provisions[key] = found
        return found

    def question(self, key: str) -> list[tuple[int, str]]:
        """Return the branches of a question: the literal of each condition, and the answer."""
        return [(self.literal(branch.condition), branch.answer) for branch in self.folded.questions[key]]

    def literal(self, node: Node) -> int:
        """Return the literal of a condition."""
        match node:
            case Const(value):
                return UNKNOWN if value is None else TRUE if value else FALSE
            case Ref(key):
                return self.provision(key)
            case Not(part):
                return _negated(self.literal(part))
            case And(parts):
                return self.all_of([self.literal(part) for part in parts])
            case Or(parts):
                return _negated(self.all_of([_negated(self.literal(part)) for part in parts]))
            case _:
                return self._step(node)

    def all_of(self, literals: list[int]) -> int:
        """Return the literal that holds where all of these do."""
        kept = tuple(dict.fromkeys(literal for literal in literals if literal != TRUE))
        if FALSE in kept:
            return FALSE
        if len(kept) < 2:
            return kept[0] if kept else TRUE
        return self._step(All(kept))

    def _step(self, step: Step) -> int:
        found = self._numbers.setdefault(step, len(self.steps))
        if found == len(self.steps):
            self.steps.append(step)
        return found


def _negated(literal: int) -> int:
    return UNKNOWN if literal == UNKNOWN else ~literal
