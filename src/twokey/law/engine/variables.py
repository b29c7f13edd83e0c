"""What the decision diagrams decide by: facts with their classes, and conditions that join facts.

A comparison that joins two facts (a sum of bandwidths, a shipment against its licence), `any(...)` over the circuits of
a computer, and a value that no law sets each are a variable of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twokey.law.engine.cells import Classes, Flag, Ordered, atoms_of, classes_of, single_fact
from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import Folded
from twokey.law.engine.tree import (
    CALCULATE,
    COMPARE,
    AnyOf,
    Arith,
    Compare,
    Const,
    Fact,
    Node,
    Operand,
    facts_of,
    refs_of,
    walk,
)

UNSET: Final = "(no law sets it)"
Ends = tuple[Any, Any]  # the least and the greatest value that a number can have


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the diagrams: a fact with its classes, or a joined condition that is true or false."""

    name: str
    classes: Classes
    joined: Compare | AnyOf | None = None
    law: int = 0  # whose circuits' provision an `any(...)` asks, where two laws are compared


def variables_of(laws: tuple[Folded, ...]) -> tuple[Variable, ...]:
    """Return the variables in the order of the dictionary of facts, a joined condition right after its last fact."""
    nodes = [node for law in laws for node in _nodes(law)]
    closed = {name: fact.choices for name, fact in dictionary().items() if fact.choices}
    classes = classes_of(atoms_of(nodes), closed)
    places = {name: number for number, name in enumerate(dictionary())}
    ranked: list[tuple[float, Variable]] = [(places[name], Variable(name, one)) for name, one in classes.items()]
    joined: dict[str, tuple[float, Variable]] = {}
    for number, law in enumerate(laws):
        for part in (part for node in _nodes(law) for part in walk(node)):
            if isinstance(part, AnyOf):
                name = list_name(laws, number, part)
                joined.setdefault(name, (places[part.items.name] + 0.5, Variable(name, Flag(), part, number)))
            elif isinstance(part, Const) and part.value is None:
                joined[UNSET] = (-1, Variable(UNSET, Flag()))
            elif isinstance(part, Compare) and single_fact(part) is None:
                last = max(places[name] for name in facts_of(part))
                joined[repr(part)] = (last + 0.5, Variable(repr(part), Flag(), part))
    ranked += joined.values()
    return tuple(variable for _, variable in sorted(ranked, key=lambda pair: pair[0]))


def list_name(laws: tuple[Folded, ...], law: int, node: AnyOf) -> str:
    """Return the name of an `any(...)`; two laws that ask the same of a circuit share one variable."""
    same = law == 0 or _cone(laws[0], node.provision) == _cone(laws[law], node.provision)
    return f"{'' if same else 'then: '}any {node.provision} of {node.items.name}"


def _nodes(law: Folded) -> list[Node]:
    conditions = [branch.condition for branches in law.questions.values() for branch in branches]
    return [*law.provisions.values(), *conditions]


def _cone(law: Folded, key: str) -> dict[str, Node]:
    """Return the trees that a provision rests on, its own included."""
    cone: dict[str, Node] = {}
    todo = [key]
    while todo:
        one = todo.pop()
        if one not in cone and one in law.provisions:
            cone[one] = law.provisions[one]
            todo.extend(refs_of(cone[one]))
    return cone


def outcomes(joined: Compare, ends: Mapping[str, Ends]) -> set[bool]:
    """Return what a comparison can say of facts that are known only within ends, each by itself."""
    names = list(ends)
    corners = (
        {name: ends[name][choice >> bit & 1] for bit, name in enumerate(names)} for choice in range(1 << len(names))
    )
    return {decide(joined, values) for values in corners}


def decide(joined: Compare, values: Mapping[str, Any]) -> bool:
    """Return what a comparison says of known facts."""
    return COMPARE[joined.op](_calculate(joined.left, values), _calculate(joined.right, values))


def _calculate(node: Operand, values: Mapping[str, Any]) -> Any:
    match node:
        case Fact(name):
            return values[name]
        case Const(value):
            return value
        case Arith(op, left, right):
            return CALCULATE[op](_calculate(left, values), _calculate(right, values))
        case _:
            raise TypeError(node)


def ends_of(classes: Classes, index: int) -> Ends:
    """Return the least and the greatest value of a class, just inside its ends."""
    assert isinstance(classes, Ordered)
    low, high = classes.describe(index)
    least = 0 if low is None else low[0] if low[1] == 0 else low[0] + 1e-9
    greatest = float("inf") if high is None else high[0] if high[1] else high[0] - 1e-9
    return least, greatest
