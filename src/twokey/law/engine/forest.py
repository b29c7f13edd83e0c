"""Decision diagrams, reduced and shared: equal ones are the same node, whatever they were made from.

A node decides by one variable, with a child for each class; a leaf is a value. Nodes are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final

from twokey.law.engine.variables import Variable

IMPOSSIBLE: Final = "(impossible)"


class Forest:
    """Diagrams over the same variables, in their order."""

    def __init__(self, variables: tuple[Variable, ...]) -> None:
        self.variables: Final = variables
        self.rank: Final = {variable.name: rank for rank, variable in enumerate(variables)}
        self.nodes: Final[list[tuple[int, tuple[int, ...]]]] = []
        self.leaves: Final[dict[int, Hashable]] = {}
        self.memo: Final[dict[tuple[Any, ...], int]] = {}
        self._intern: dict[Hashable, int] = {}
        self.false: Final = self.leaf(False)
        self.true: Final = self.leaf(True)

    def leaf(self, value: Hashable) -> int:
        """Return the node that stands for a value."""
        key = ("leaf", type(value).__name__, value)
        if key not in self._intern:
            self._intern[key] = len(self.nodes)
            self.leaves[len(self.nodes)] = value
            self.nodes.append((len(self.variables), ()))
        return self._intern[key]

    def node(self, rank: int, children: tuple[int, ...]) -> int:
        """Return the node that decides by one variable; where every way leads to the same place it is that place."""
        first = children[0]
        if all(child == first for child in children):
            return first
        key = (rank, children)
        found = self._intern.get(key)
        if found is None:
            found = self._intern[key] = len(self.nodes)
            self.nodes.append(key)
        return found

    def ite(self, condition: int, then: int, otherwise: int) -> int:
        """Return the diagram that is `then` where the condition holds and `otherwise` elsewhere."""
        if condition == self.true or then == otherwise:
            return then
        if condition == self.false:
            return otherwise
        key = (condition, then, otherwise)
        found = self.memo.get(key)
        if found is None:
            rank = min(self.nodes[condition][0], self.nodes[then][0], self.nodes[otherwise][0])
            size = self.variables[rank].classes.size
            found = self.node(
                rank,
                tuple(
                    self.ite(self._down(condition, rank, i), self._down(then, rank, i), self._down(otherwise, rank, i))
                    for i in range(size)
                ),
            )
            self.memo[key] = found
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
        found = self.memo.get(key)
        if found is None:
            rank = min(self.nodes[left][0], self.nodes[right][0])
            if rank == len(self.variables):
                found = self.leaf((self.leaves[left], self.leaves[right]))
            else:
                size = self.variables[rank].classes.size
                found = self.node(
                    rank,
                    tuple(self.paired(self._down(left, rank, i), self._down(right, rank, i)) for i in range(size)),
                )
            self.memo[key] = found
        return found

    def _down(self, node: int, rank: int, index: int) -> int:
        own, children = self.nodes[node]
        return children[index] if own == rank else node

    def within(self, name: str, classes: Iterable[int]) -> int:
        """Return where a variable is of one of these classes."""
        rank, chosen = self.rank[name], frozenset(classes)
        size = self.variables[rank].classes.size
        return self.node(rank, tuple(self.true if index in chosen else self.false for index in range(size)))

    def mapped(self, node: int, leaves: Mapping[int, int]) -> int:
        """Return a diagram with some of its leaves become other nodes."""
        memo: dict[int, int] = {}

        def visit(one: int) -> int:
            if one not in memo:
                rank, children = self.nodes[one]
                memo[one] = (
                    leaves.get(one, one) if not children else self.node(rank, tuple(visit(child) for child in children))
                )
            return memo[one]

        return visit(node)

    def where(self, node: int, wanted: Callable[[Hashable], bool]) -> int:
        """Return where a diagram has a wanted value."""
        return self.mapped(node, {leaf: self.leaf(bool(wanted(value))) for leaf, value in list(self.leaves.items())})

    def values(self, node: int) -> list[Hashable]:
        """Return the values that a diagram can have, each once, IMPOSSIBLE left out."""
        return [self.leaves[one] for one in self.below(node) if one in self.leaves and self.leaves[one] != IMPOSSIBLE]

    def support(self, node: int) -> list[Variable]:
        """Return the variables that a diagram depends on, in order."""
        ranks = {self.nodes[one][0] for one in self.below(node) if self.nodes[one][1]}
        return [self.variables[rank] for rank in sorted(ranks)]

    def below(self, node: int) -> list[int]:
        """Return the nodes of a diagram, itself first."""
        seen: dict[int, None] = {}
        todo = [node]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen[one] = None
                todo.extend(self.nodes[one][1])
        return list(seen)

    def size(self, node: int) -> int:
        """Return the number of nodes of a diagram."""
        return len(self.below(node))

    def count(self, node: int, value: Hashable, over: Iterable[Variable]) -> int:
        """Return in how many cells of the given variables a diagram has a value."""
        ranks = [self.rank[one.name] for one in over]
        place = {rank: number for number, rank in enumerate(ranks)}
        memo: dict[int, int] = {}

        def cells(start: int, end: int) -> int:
            product = 1
            for rank in ranks[start:end]:
                product *= self.variables[rank].classes.size
            return product

        def visit(one: int) -> int:
            if one not in memo:
                rank, children = self.nodes[one]
                if not children:
                    memo[one] = int(self.leaves[one] == value)
                else:
                    at = place[rank]
                    memo[one] = sum(visit(child) * cells(at + 1, below(child)) for child in children)
            return memo[one]

        def below(one: int) -> int:
            rank = self.nodes[one][0]
            return place.get(rank, len(ranks))

        return visit(node) * cells(0, below(node))
