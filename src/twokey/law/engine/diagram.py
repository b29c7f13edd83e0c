"""Every order at once: provisions and questions as decision diagrams over the classes that the law can tell apart.

A diagram is reduced and shared, so two provisions that always agree are the same node, and the millions of millions of
distinguishable orders need a few thousand nodes. With some facts known the rest of the diagram is the exact set of
answers still possible, and what each depends on; with none known it proves what holds for every order.

A comparison that joins two facts (a sum of bandwidths, a shipment against its licence), `any(...)` over the circuits of
a computer, and a value that no law sets each are a variable of their own; `care` rules out what their parts exclude.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twokey.law.engine.cells import Classes, Flag, Ordered, atoms_of, classes_of, single_fact, truth
from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import Folded
from twokey.law.engine.one import compile_provision
from twokey.law.engine.tree import (
    CALCULATE,
    COMPARE,
    And,
    AnyOf,
    Arith,
    Compare,
    Const,
    Fact,
    Node,
    Not,
    Operand,
    Or,
    Ref,
    facts_of,
    refs_of,
    walk,
)

IMPOSSIBLE: Final = "(impossible)"
_UNSET: Final = "(no law sets it)"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the diagrams: a fact with its classes, or a joined condition that is true or false."""

    name: str
    classes: Classes
    joined: Compare | AnyOf | None = None
    law: int = 0  # whose circuits' provision an `any(...)` asks, where two laws are compared


class Diagrams:
    """The diagrams of one folded law, or of two that are to be compared (`also`)."""

    def __init__(self, folded: Folded, also: Folded | None = None) -> None:
        self.laws: Final = (folded,) if also is None else (folded, also)
        nodes = [node for law in self.laws for node in _nodes(law)]
        closed = {name: fact.choices for name, fact in dictionary().items() if fact.choices}
        self.variables: Final = _variables(self.laws, classes_of(atoms_of(nodes), closed))
        self._rank: Final = {variable.name: rank for rank, variable in enumerate(self.variables)}
        self._nodes: list[tuple[int, tuple[int, ...]]] = []
        self._leaves: dict[int, Hashable] = {}
        self._intern: dict[Hashable, int] = {}
        self._memo: dict[tuple[Any, ...], int] = {}
        self._provisions: dict[tuple[int, str, tuple[tuple[str, bool], ...]], int] = {}
        self._qualify: dict[str, Callable[[Callable[[str], Any]], bool | None]] = {}
        self.false: Final = self.leaf(False)
        self.true: Final = self.leaf(True)

    # -- nodes ---------------------------------------------------------------------------------------------------

    def leaf(self, value: Hashable) -> int:
        """Return the node that stands for a value."""
        key = ("leaf", type(value).__name__, value)
        if key not in self._intern:
            self._intern[key] = len(self._nodes)
            self._leaves[len(self._nodes)] = value
            self._nodes.append((len(self.variables), ()))
        return self._intern[key]

    def node(self, rank: int, children: tuple[int, ...]) -> int:
        """Return the node that decides by one variable; where every way leads to the same place it is that place."""
        first = children[0]
        if all(child == first for child in children):
            return first
        key = (rank, children)
        found = self._intern.get(key)
        if found is None:
            found = self._intern[key] = len(self._nodes)
            self._nodes.append(key)
        return found

    def ite(self, condition: int, then: int, otherwise: int) -> int:
        """Return the diagram that is `then` where the condition holds and `otherwise` elsewhere."""
        if condition == self.true or then == otherwise:
            return then
        if condition == self.false:
            return otherwise
        key = (condition, then, otherwise)
        found = self._memo.get(key)
        if found is None:
            rank = min(self._nodes[condition][0], self._nodes[then][0], self._nodes[otherwise][0])
            size = self.variables[rank].classes.size
            found = self.node(
                rank,
                tuple(
                    self.ite(self._down(condition, rank, i), self._down(then, rank, i), self._down(otherwise, rank, i))
                    for i in range(size)
                ),
            )
            self._memo[key] = found
        return found

    def both(self, left: int, right: int) -> int:
        """Return where both hold."""
        return self.ite(left, right, self.false)

    def either(self, left: int, right: int) -> int:
        """Return where at least one holds."""
        return self.ite(left, self.true, right)

    def negation(self, node: int) -> int:
        """Return where it does not hold."""
        return self.ite(node, self.false, self.true)

    def paired(self, left: int, right: int) -> int:
        """Return the diagram whose values are pairs of the two diagrams' values."""
        key = ("pair", left, right)
        found = self._memo.get(key)
        if found is None:
            rank = min(self._nodes[left][0], self._nodes[right][0])
            if rank == len(self.variables):
                found = self.leaf((self._leaves[left], self._leaves[right]))
            else:
                size = self.variables[rank].classes.size
                found = self.node(
                    rank,
                    tuple(self.paired(self._down(left, rank, i), self._down(right, rank, i)) for i in range(size)),
                )
            self._memo[key] = found
        return found

    def _down(self, node: int, rank: int, index: int) -> int:
        own, children = self._nodes[node]
        return children[index] if own == rank else node

    # -- the law -------------------------------------------------------------------------------------------------

    def provision(self, key: str, law: int = 0, forced: Mapping[str, bool] | None = None) -> int:
        """Return a provision's diagram; `forced` gives provisions that a person's statement stands for."""
        if forced and key in forced:
            return self.leaf(forced[key])
        memo = (law, key, tuple(sorted(forced.items())) if forced else ())
        if memo not in self._provisions:
            tree = self.laws[law].provisions[key]
            self._provisions[memo] = self.condition(tree, law, forced)
        return self._provisions[memo]

    def condition(self, node: Node, law: int = 0, forced: Mapping[str, bool] | None = None) -> int:
        """Return the diagram of a condition."""
        match node:
            case Const(bool(value)):
                return self.leaf(value)
            case Const():
                return self._joined(_UNSET)
            case Ref(key):
                return self.provision(key, law, forced)
            case Not(part):
                return self.negation(self.condition(part, law, forced))
            case And(parts):
                result = self.true
                for part in parts:
                    result = self.both(result, self.condition(part, law, forced))
                return result
            case Or(parts):
                result = self.false
                for part in parts:
                    result = self.either(result, self.condition(part, law, forced))
                return result
            case _:
                name = None if isinstance(node, AnyOf) else single_fact(node)
                if name is None:
                    return self._joined(_list_name(self.laws, law, node) if isinstance(node, AnyOf) else repr(node))
                rank = self._rank[name]
                classes = self.variables[rank].classes
                holds = truth(node, classes)  # type: ignore[arg-type]  # an atom, as AnyOf was handled above
                return self.node(rank, tuple(self.true if i in holds else self.false for i in range(classes.size)))

    def _joined(self, name: str) -> int:
        return self.node(self._rank[name], (self.false, self.true))

    def question(self, key: str, law: int = 0, forced: Mapping[str, bool] | None = None, *, cared: bool = True) -> int:
        """Return the diagram of a question; its leaves are answers, and (`cared`) IMPOSSIBLE where no order can be."""
        memo = ("question", law, key, cared, tuple(sorted(forced.items())) if forced else ())
        found = self._memo.get(memo)
        if found is None:
            branches = self.laws[law].questions[key]
            found = self.leaf(branches[-1].answer)
            for branch in branches[-2::-1]:
                found = self.ite(self.condition(branch.condition, law, forced), self.leaf(branch.answer), found)
            if cared:
                found = self.ite(self.care, found, self.leaf(IMPOSSIBLE))
            self._memo[memo] = found
        return found

    @property
    def care(self) -> int:
        """Return where joined conditions agree with each other and with their parts."""
        found = self._memo.get(("care",))
        if found is None:
            found = self.both(self._care_for_lists(), self._care_for_sums())
            self._memo[("care",)] = found
        return found

    def _care_for_lists(self) -> int:
        """Return which `any(...)` can hold together: what one circuit can do, closed under having several circuits."""
        every = [one for one in self.variables if isinstance(one.joined, AnyOf)]
        if not every:
            return self.true
        together = self.leaf(())
        for one in every:
            assert isinstance(one.joined, AnyOf)
            together = self._extended(together, self.provision(one.joined.provision, one.law))
        single = {value for value in self.values(together) if isinstance(value, tuple)}
        reachable = set(single)
        while True:
            more = {tuple(map(operator.or_, a, b)) for a in reachable for b in single} - reachable
            if not more:
                break
            reachable |= more
        result = self.false
        for combination in reachable:
            literal = self.true
            for one, value in zip(every, combination, strict=True):
                holds = self._joined(one.name)
                literal = self.both(literal, holds if value else self.negation(holds))
            result = self.either(result, literal)
        return result

    def _extended(self, left: int, right: int) -> int:
        paired = self.paired(left, right)
        flat = {
            leaf: self.leaf((*value[0], value[1]))
            for leaf, value in list(self._leaves.items())
            if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], tuple)
        }
        return self._mapped(paired, flat)

    def _mapped(self, node: int, leaves: Mapping[int, int]) -> int:
        memo: dict[int, int] = {}

        def visit(one: int) -> int:
            if one not in memo:
                rank, children = self._nodes[one]
                memo[one] = (
                    leaves.get(one, one) if not children else self.node(rank, tuple(visit(child) for child in children))
                )
            return memo[one]

        return visit(node)

    def _care_for_sums(self) -> int:
        """Return where a comparison of two facts can be as it is, given the classes of the facts by themselves."""
        result = self.true
        for one in self.variables:
            if isinstance(one.joined, Compare):
                names = [name for name in facts_of(one.joined) if name in self._rank]
                numbers = all(dictionary()[name].type in ("number", "integer") for name in facts_of(one.joined))
                if numbers and len(names) == len(facts_of(one.joined)):
                    result = self.both(result, self._feasible(one, names))
        return result

    def _feasible(self, one: Variable, names: list[str]) -> int:
        assert isinstance(one.joined, Compare)
        joined, holds = one.joined, self._joined(one.name)

        def build(rest: list[str], corner: dict[str, tuple[Any, Any]]) -> int:
            if not rest:
                outcomes = {_decide(joined, values) for values in _corners(corner)}
                if outcomes == {True}:
                    return holds
                return self.negation(holds) if outcomes == {False} else self.true
            rank = self._rank[rest[0]]
            classes = self.variables[rank].classes
            result = self.false
            for index in range(classes.size):
                here = self.node(rank, tuple(self.true if i == index else self.false for i in range(classes.size)))
                result = self.either(
                    result, self.both(here, build(rest[1:], {**corner, rest[0]: _ends(classes, index)}))
                )
            return result

        return build(names, {})

    # -- asking --------------------------------------------------------------------------------------------------

    def given(self, node: int, facts: Mapping[str, Any]) -> int:
        """Return what is left of a diagram when these facts are known."""
        memo: dict[int, int] = {}
        settled: dict[int, int | None] = {}

        def choice(rank: int) -> int | None:
            if rank not in settled:
                settled[rank] = self._settle(self.variables[rank], facts)
            return settled[rank]

        impossible = self._intern.get(("leaf", "str", IMPOSSIBLE), -1)

        def visit(one: int) -> int:
            found = memo.get(one)
            if found is None:
                rank, children = self._nodes[one]
                if not children:
                    found = one
                else:
                    index = choice(rank)
                    if index is not None:
                        found = visit(children[index])
                    else:
                        parts = [visit(child) for child in children]
                        possible = {part for part in parts if part != impossible}
                        found = possible.pop() if len(possible) == 1 else self.node(rank, tuple(parts))
                memo[one] = found
            return found

        return visit(node)

    def _settle(self, variable: Variable, facts: Mapping[str, Any]) -> int | None:
        match variable.joined:
            case None:
                value = facts.get(variable.name)
                return None if value is None else variable.classes.index(value)
            case Compare() as joined:
                known = {name: (facts[name], facts[name]) for name in facts_of(joined) if facts.get(name) is not None}
                if len(known) < len(facts_of(joined)):
                    if not known:
                        return None
                    unknown: dict[str, tuple[Any, Any]] = {
                        name: (0, float("inf")) for name in facts_of(joined) if name not in known
                    }
                    if any(dictionary()[name].type not in ("number", "integer") for name in facts_of(joined)):
                        return None
                    known |= unknown
                outcomes = {_decide(joined, values) for values in _corners(known)}
                return int(outcomes.pop()) if len(outcomes) == 1 else None
            case AnyOf(key, items):
                if facts.get(items.name) is None:
                    return None
                if variable.name not in self._qualify:
                    self._qualify[variable.name] = compile_provision(self.laws[variable.law], key)
                values = [self._qualify[variable.name](item.get) for item in facts[items.name]]
                return 1 if True in values else None if None in values else 0
        return None

    def values(self, node: int) -> list[Hashable]:
        """Return the values that a diagram can have, each once, IMPOSSIBLE left out."""
        return [
            self._leaves[one] for one in self._below(node) if one in self._leaves and self._leaves[one] != IMPOSSIBLE
        ]

    def support(self, node: int) -> list[Variable]:
        """Return the variables that a diagram depends on, in order."""
        ranks = {self._nodes[one][0] for one in self._below(node) if self._nodes[one][1]}
        return [self.variables[rank] for rank in sorted(ranks)]

    def _below(self, node: int) -> list[int]:
        seen: dict[int, None] = {}
        todo = [node]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen[one] = None
                todo.extend(self._nodes[one][1])
        return list(seen)

    def size(self, node: int) -> int:
        """Return the number of nodes of a diagram."""
        return len(self._below(node))

    def count(self, node: int, value: Hashable, over: Iterable[Variable]) -> int:
        """Return in how many cells of the given variables a diagram has a value."""
        ranks = [self._rank[one.name] for one in over]
        place = {rank: number for number, rank in enumerate(ranks)}
        memo: dict[int, int] = {}

        def cells(start: int, end: int) -> int:
            product = 1
            for rank in ranks[start:end]:
                product *= self.variables[rank].classes.size
            return product

        def visit(one: int) -> int:
            if one not in memo:
                rank, children = self._nodes[one]
                if not children:
                    memo[one] = int(self._leaves[one] == value)
                else:
                    at = place[rank]
                    memo[one] = sum(visit(child) * cells(at + 1, below(child)) for child in children)
            return memo[one]

        def below(one: int) -> int:
            rank = self._nodes[one][0]
            return place.get(rank, len(ranks))

        return visit(node) * cells(0, below(node))

    def boxes(
        self, node: int, wanted: Callable[[Hashable], bool], limit: int = 1000
    ) -> Iterator[tuple[dict[str, frozenset[int]], Hashable]]:
        """Yield disjoint boxes of classes, each with its value: together they are all cells with a wanted value."""
        yielded = 0
        dead: set[int] = set()

        def reaches(one: int) -> bool:
            return any(one in self._leaves and wanted(self._leaves[one]) for one in self._below(one))

        def visit(one: int, box: dict[str, frozenset[int]]) -> Iterator[tuple[dict[str, frozenset[int]], Hashable]]:
            nonlocal yielded
            if one in self._leaves:
                if wanted(self._leaves[one]) and yielded < limit:
                    yielded += 1
                    yield box, self._leaves[one]
                return
            if one in dead:
                return
            if not reaches(one):
                dead.add(one)
                return
            rank, children = self._nodes[one]
            for child in dict.fromkeys(children):
                indexes = frozenset(i for i, other in enumerate(children) if other == child)
                yield from visit(child, {**box, self.variables[rank].name: indexes})

        yield from visit(node, {})

    def where(self, node: int, wanted: Callable[[Hashable], bool]) -> int:
        """Return where a diagram has a wanted value."""
        return self._mapped(node, {leaf: self.leaf(bool(wanted(value))) for leaf, value in list(self._leaves.items())})

    def cover(
        self, node: int, wanted: Callable[[Hashable], bool], limit: int, facts: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, frozenset[int]]]:
        """Yield boxes as large as they can be that together cover every cell with a wanted value; they may overlap.

        A box names only the facts that it needs, so it reads as a rule: everything within it has a wanted value.
        `facts`: those that the diagram was asked with (`given`).
        """
        target = self.where(node, wanted)
        care = self.given(self.care, facts) if facts else self.care
        allowed = self.either(target, self.negation(care))
        rest = self.both(target, care)
        for _ in range(limit):
            found = next(self.boxes(rest, bool), None)
            if found is None:
                return
            box = found[0]
            for name in reversed(list(found[0])):
                wider = {fact: indexes for fact, indexes in box.items() if fact != name}
                if self._all_within(allowed, wider):
                    box = wider
            for name in list(box):
                box = self._widened(allowed, box, name)
            yield box
            rest = self.both(rest, self.negation(self._box(box)))

    def _widened(self, allowed: int, box: dict[str, frozenset[int]], name: str) -> dict[str, frozenset[int]]:
        for index in range(self.variables[self._rank[name]].classes.size):
            wider = {**box, name: box[name] | {index}}
            if index not in box[name] and self._all_within(allowed, wider):
                box = wider
        return box

    def _box(self, box: Mapping[str, frozenset[int]]) -> int:
        result = self.true
        for name, indexes in box.items():
            rank = self._rank[name]
            size = self.variables[rank].classes.size
            inside = self.node(rank, tuple(self.true if index in indexes else self.false for index in range(size)))
            result = self.both(result, inside)
        return result

    def _all_within(self, node: int, box: Mapping[str, frozenset[int]]) -> bool:
        by_rank = {self._rank[name]: indexes for name, indexes in box.items()}
        seen: set[int] = set()
        todo = [node]
        while todo:
            one = todo.pop()
            if one == self.false:
                return False
            if one in seen or one == self.true:
                continue
            seen.add(one)
            rank, children = self._nodes[one]
            inside = by_rank.get(rank)
            todo.extend(child for index, child in enumerate(children) if inside is None or index in inside)
        return True


def _nodes(law: Folded) -> list[Node]:
    conditions = [branch.condition for branches in law.questions.values() for branch in branches]
    return [*law.provisions.values(), *conditions]


def _list_name(laws: tuple[Folded, ...], law: int, node: AnyOf) -> str:
    """Return the name of an `any(...)`; two laws that ask the same of a circuit share one variable."""
    same = law == 0 or _cone(laws[0], node.provision) == _cone(laws[law], node.provision)
    return f"{'' if same else 'then: '}any {node.provision} of {node.items.name}"


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


def _variables(laws: tuple[Folded, ...], classes: dict[str, Classes]) -> tuple[Variable, ...]:
    """Return the variables in the order of the dictionary of facts, a joined condition right after its last fact."""
    places = {name: number for number, name in enumerate(dictionary())}
    ranked: list[tuple[float, Variable]] = [(places[name], Variable(name, one)) for name, one in classes.items()]
    joined: dict[str, tuple[float, Variable]] = {}
    for number, law in enumerate(laws):
        for part in (part for node in _nodes(law) for part in walk(node)):
            if isinstance(part, AnyOf):
                name = _list_name(laws, number, part)
                joined.setdefault(name, (places[part.items.name] + 0.5, Variable(name, Flag(), part, number)))
            elif isinstance(part, Const) and part.value is None:
                joined[_UNSET] = (-1, Variable(_UNSET, Flag()))
            elif isinstance(part, Compare) and single_fact(part) is None:
                last = max(places[name] for name in facts_of(part))
                joined[repr(part)] = (last + 0.5, Variable(repr(part), Flag(), part))
    ranked += joined.values()
    return tuple(variable for _, variable in sorted(ranked, key=lambda pair: pair[0]))


def _decide(joined: Compare, values: Mapping[str, Any]) -> bool:
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


def _corners(ends: Mapping[str, tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    names = list(ends)
    for choice in range(1 << len(names)):
        yield {name: ends[name][choice >> bit & 1] for bit, name in enumerate(names)}


def _ends(classes: Classes, index: int) -> tuple[Any, Any]:
    """Return the least and the greatest value of a class, just inside its ends."""
    assert isinstance(classes, Ordered)
    low, high = classes.describe(index)
    least = 0 if low is None else low[0] if low[1] == 0 else low[0] + 1e-9
    greatest = float("inf") if high is None else high[0] if high[1] else high[0] - 1e-9
    return least, greatest
