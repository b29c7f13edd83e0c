"""Which orders there can be: joined conditions agree with each other and with the facts that they join."""

from __future__ import annotations

import operator
from collections.abc import Mapping

from twokey.law.engine.facts import dictionary
from twokey.law.engine.forest import Forest
from twokey.law.engine.tree import Compare, facts_of
from twokey.law.engine.variables import Ends, Variable, ends_of, outcomes


def care_for_lists(forest: Forest, qualify: Mapping[str, int]) -> int:
    """Return which `any(...)` can hold together: what one circuit can do, closed under having several circuits.

    `qualify`: by the name of each `any(...)`, the diagram of what it asks of one circuit.
    """
    if not qualify:
        return forest.true
    together = forest.leaf(())
    for asked in qualify.values():
        together = _extended(forest, together, asked)
    single = {value for value in forest.values(together) if isinstance(value, tuple)}
    reachable = set(single)
    while True:
        more = {tuple(map(operator.or_, a, b)) for a in reachable for b in single} - reachable
        if not more:
            break
        reachable |= more
    result = forest.false
    for combination in reachable:
        all_so = forest.true
        for name, holds in zip(qualify, combination, strict=True):
            all_so = forest.both(all_so, forest.within(name, [int(holds)]))
        result = forest.either(result, all_so)
    return result


def _extended(forest: Forest, left: int, right: int) -> int:
    paired = forest.paired(left, right)
    flat = {
        leaf: forest.leaf((*value[0], value[1]))
        for leaf, value in list(forest.leaves.items())
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], tuple)
    }
    return forest.mapped(paired, flat)


def care_for_sums(forest: Forest) -> int:
    """Return where a comparison of two facts can be as it is, given the classes of the facts by themselves."""
    result = forest.true
    for one in forest.variables:
        if isinstance(one.joined, Compare):
            names = facts_of(one.joined)
            if all(dictionary()[name].type in ("number", "integer") and name in forest.rank for name in names):
                result = forest.both(result, _feasible(forest, one, one.joined, list(names)))
    return result


def _feasible(forest: Forest, one: Variable, joined: Compare, names: list[str]) -> int:
    def build(rest: list[str], ends: dict[str, Ends]) -> int:
        if not rest:
            left = outcomes(joined, ends)
            return forest.true if len(left) > 1 else forest.within(one.name, [int(left.pop())])
        classes = forest.variables[forest.rank[rest[0]]].classes
        result = forest.false
        for index in range(classes.size):
            inner = build(rest[1:], {**ends, rest[0]: ends_of(classes, index)})
            result = forest.either(result, forest.both(forest.within(rest[0], [index]), inner))
        return result

    return build(names, {})
