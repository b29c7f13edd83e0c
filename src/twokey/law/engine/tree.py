"""The tree of a provision: a handful of frozen node types, the one form that every backend reads."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

Scalar = bool | int | float | str | date


@dataclass(frozen=True, slots=True)
class Fact:
    """A property of the order by its dotted name; unknown is None."""

    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """A value that law sets, by its name in the pack's parameter file."""

    name: str


@dataclass(frozen=True, slots=True)
class Const:
    """A value written in the provision itself: True, False or a word such as "export"."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Arith:
    """A sum, difference or product of two numbers, or `years_after(date, years)`."""

    op: str  # "+", "-", "*", "years_after"
    left: Operand
    right: Operand


Operand = Fact | Param | Const | Arith


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two operands; unknown where either is."""

    op: str  # "<", "<=", ">", ">=", "==", "!="
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Member:
    """`fact in law.list`; unknown where the fact is."""

    item: Operand
    group: Param


@dataclass(frozen=True, slots=True)
class And:
    """Kleene conjunction: False wins over unknown."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene disjunction: True wins over unknown."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation: not unknown is unknown."""

    part: Node


@dataclass(frozen=True, slots=True)
class Ref:
    """Another provision, by its identifier `regime:name`."""

    provision: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`any(provision(ic, law) for ic in order.item.contains)`: one qualifying element of a list is enough."""

    provision: str
    items: Fact


Node = Compare | Member | And | Or | Not | Ref | AnyOf | Fact | Const


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a question: `if condition: return answer`; the last has the condition True."""

    condition: Node
    answer: str


def children(node: Node | Operand) -> tuple[Node | Operand, ...]:
    """Return the direct parts of a node."""
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part):
            return (part,)
        case Compare(_, left, right) | Arith(_, left, right):
            return (left, right)
        case Member(item, group):
            return (item, group)
        case AnyOf(_, items):
            return (items,)
        case _:
            return ()


def walk(node: Node | Operand) -> Iterator[Node | Operand]:
    """Yield the node and everything below it, parents first; references are not followed."""
    yield node
    for child in children(node):
        yield from walk(child)


def facts_of(node: Node | Operand) -> tuple[str, ...]:
    """Return the names of the facts that a tree itself mentions, each once, in order of appearance.

    >>> facts_of(Compare(">=", Fact("item.tpp"), Param("a1_tpp")))
    ('item.tpp',)
    """
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Fact)))


def params_of(node: Node | Operand) -> tuple[str, ...]:
    """Return the names of the parameters that a tree itself mentions, each once."""
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Param)))


def refs_of(node: Node) -> tuple[str, ...]:
    """Return the provisions that a tree refers to, over lists too, each once."""
    return tuple(dict.fromkeys(part.provision for part in walk(node) if isinstance(part, Ref | AnyOf)))


def years_after(start: date, years: int) -> date:
    """Return the same day some years later; 29 February becomes 1 March where there is none.

    >>> years_after(date(2024, 2, 29), 5)
    datetime.date(2029, 3, 1)
    """
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
CALCULATE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "years_after": years_after,
}  # fmt: skip


def rewrite(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return the tree with every node for which `change` gives another one replaced by it, from the top."""
    changed = change(node)
    if changed is not None:
        return changed
    match node:
        case And(parts):
            return And(tuple(rewrite(part, change) for part in parts))
        case Or(parts):
            return Or(tuple(rewrite(part, change) for part in parts))
        case Not(part):
            return Not(rewrite(part, change))
        case _:
            return node
