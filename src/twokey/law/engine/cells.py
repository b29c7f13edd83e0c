"""What the law can tell apart: each fact cut into the classes between which no provision sees a difference.

A number is cut at every threshold that it is compared with, a word or a country by the lists that it is looked up in, a
boolean in two. Two orders whose facts fall in the same classes get the same answer from every provision.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from twokey.law.engine.tree import AnyOf, Arith, Compare, Const, Fact, Member, Node, Operand, children, facts_of, walk

OTHER: Final = object()  # stands for a word that no list of the law names

_FLIP: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
Atom = Compare | Member | Fact


@dataclass(frozen=True, slots=True)
class Ordered:
    """A number or a date, cut at `cuts`: (value, after) means a cut before the value (0) or just after it (1)."""

    cuts: tuple[tuple[Any, int], ...]

    @property
    def size(self) -> int:
        """Return the number of classes."""
        return len(self.cuts) + 1

    def index(self, value: Any) -> int:
        """Return the class of a value."""
        return bisect_right(self.cuts, (value, 0.5))

    def truth(self, op: str, threshold: Any) -> frozenset[int]:
        """Return the classes for which `fact op threshold` holds."""
        before, after = bisect_left(self.cuts, (threshold, 0)), bisect_left(self.cuts, (threshold, 1))
        match op:
            case ">=":
                return frozenset(range(before + 1, self.size))
            case "<":
                return frozenset(range(before + 1))
            case ">":
                return frozenset(range(after + 1, self.size))
            case "<=":
                return frozenset(range(after + 1))
            case "==":
                return frozenset(range(before + 1, after + 1))
            case _:
                return frozenset(range(self.size)) - self.truth("==", threshold)

    def sample(self, index: int) -> Any:
        """Return one value of a class."""
        low = self.cuts[index - 1] if index else None
        high = self.cuts[index] if index < len(self.cuts) else None
        if low and high:
            if low[0] == high[0]:
                return low[0]
            if low[1] == 0:
                return low[0]
            return _between(low[0], high[0])
        if high:
            return high[0] if high[1] else _below(high[0])
        if low:
            return _above(low[0]) if low[1] else low[0]
        return 0

    def describe(self, index: int) -> tuple[Any, Any]:
        """Return the cuts on both sides of a class, None where it is open."""
        return (self.cuts[index - 1] if index else None), (self.cuts[index] if index < len(self.cuts) else None)


@dataclass(frozen=True, slots=True)
class Words:
    """A word, by the lists that name it: `classes` are tuples of words that no list tells apart, the last is OTHER."""

    classes: tuple[tuple[Any, ...], ...]
    of: dict[Any, int]

    @property
    def size(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    def index(self, value: Any) -> int:
        """Return the class of a word."""
        return self.of.get(value, len(self.classes) - 1)

    def truth(self, words: Iterable[Any]) -> frozenset[int]:
        """Return the classes whose words are all in the given ones."""
        chosen = set(words)
        return frozenset(
            index for index, group in enumerate(self.classes) if group[0] is not OTHER and group[0] in chosen
        )

    def sample(self, index: int) -> Any:
        """Return one word of a class; for the last a word that no list names."""
        word = self.classes[index][0]
        return "ZZ" if word is OTHER else word


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean: class 0 is False, class 1 is True."""

    size: int = 2

    def index(self, value: bool) -> int:
        """Return the class of a value."""
        return int(value)

    def sample(self, index: int) -> bool:
        """Return the value of a class."""
        return bool(index)


Classes = Ordered | Words | Flag


def atoms_of(nodes: Iterable[Node]) -> list[Atom]:
    """Return the comparisons, memberships and boolean facts of trees, each once; lists of items are left out."""
    found: dict[Atom, None] = {}
    for node in nodes:
        _collect(node, found)
    return list(found)


def _collect(node: Node | Operand, found: dict[Atom, None]) -> None:
    match node:
        case Compare() | Member():
            found[node] = None
        case Fact():
            found[node] = None
        case AnyOf():
            return
        case _:
            for child in children(node):
                _collect(child, found)


def single_fact(atom: Atom) -> str | None:
    """Return the one fact that an atom compares with a constant, or None where it joins several or calculates."""
    if isinstance(atom, Fact):
        return atom.name
    if any(isinstance(part, Arith) for part in walk(atom)):
        return None
    names = facts_of(atom)
    return names[0] if len(names) == 1 else None


def classes_of(atoms: Iterable[Atom], choices: dict[str, tuple[str, ...]] | None = None) -> dict[str, Classes]:
    """Return the classes of every fact that single-fact atoms mention.

    `choices`: the closed lists of facts that have one; such a fact has no class of other words.
    """
    cuts: dict[str, set[tuple[Any, int]]] = {}
    lists: dict[str, list[frozenset[Any]]] = {}
    flags: set[str] = set()
    for atom in atoms:
        name = single_fact(atom)
        if name is None:
            continue
        match atom:
            case Fact():
                flags.add(name)
            case Member(_, Const(values)):
                lists.setdefault(name, []).append(frozenset(values))
            case Compare():
                op, value = sides(atom)
                if isinstance(value, str):
                    lists.setdefault(name, []).append(frozenset((value,)))
                elif isinstance(value, bool):
                    flags.add(name)
                else:
                    ends = {">=": (0,), "<": (0,), ">": (1,), "<=": (1,)}.get(op, (0, 1))
                    cuts.setdefault(name, set()).update((value, end) for end in ends)
            case _:
                raise TypeError(atom)
    result: dict[str, Classes] = {name: Flag() for name in flags}
    result.update({name: Ordered(tuple(sorted(ends))) for name, ends in cuts.items()})
    result.update({name: _words(groups, (choices or {}).get(name, ())) for name, groups in lists.items()})
    return result


def sides(atom: Compare) -> tuple[str, Any]:
    """Return the operator and the constant of a comparison of one fact, with the fact on the left."""
    if isinstance(atom.right, Const):
        return atom.op, atom.right.value
    assert isinstance(atom.left, Const)
    return _FLIP[atom.op], atom.left.value


def truth(atom: Atom, classes: Classes) -> frozenset[int]:
    """Return the classes of its fact for which a single-fact atom holds."""
    match atom, classes:
        case Fact(), Flag():
            return frozenset((1,))
        case Compare(), Flag():
            op, value = sides(atom)
            return frozenset((int(value) if op == "==" else 1 - int(value),))
        case Compare(), Ordered():
            return classes.truth(*sides(atom))
        case Compare(), Words():
            op, value = sides(atom)
            equal = classes.truth((value,))
            return equal if op == "==" else frozenset(range(classes.size)) - equal
        case Member(_, Const(values)), Words():
            return classes.truth(values)
        case _:
            raise TypeError(atom)


def _words(groups: list[frozenset[Any]], closed: tuple[str, ...]) -> Words:
    every = sorted(set(closed).union(*groups))
    by_signature: dict[tuple[bool, ...], list[Any]] = {}
    for word in every:
        by_signature.setdefault(tuple(word in group for group in groups), []).append(word)
    classes = [tuple(words) for words in by_signature.values()]
    if not closed:
        classes.append((OTHER,))
    return Words(tuple(classes), {word: index for index, words in enumerate(classes) for word in words})


def _between(low: Any, high: Any) -> Any:
    if isinstance(low, date):
        return low + (high - low) / 2 if (high - low).days > 1 else high - timedelta(days=1)
    return (low + high) / 2


def _below(value: Any) -> Any:
    if isinstance(value, date):
        return value - timedelta(days=1)
    return value / 2 if value > 0 else value


def _above(value: Any) -> Any:
    return value + timedelta(days=1) if isinstance(value, date) else value * 1.5 + 1
