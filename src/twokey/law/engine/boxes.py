"""What a diagram says, as boxes: some classes of some facts, and everything within has the value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from twokey.law.engine.forest import Forest

Box = dict[str, frozenset[int]]  # a fact that it does not name may have any value


def boxes(
    forest: Forest, node: int, wanted: Callable[[Hashable], bool], limit: int = 1000
) -> Iterator[tuple[Box, Hashable]]:
    """Yield disjoint boxes of classes, each with its value: together they are all cells with a wanted value."""
    yielded = 0
    dead: set[int] = set()

    def reaches(one: int) -> bool:
        return any(one in forest.leaves and wanted(forest.leaves[one]) for one in forest.below(one))

    def visit(one: int, box: Box) -> Iterator[tuple[Box, Hashable]]:
        nonlocal yielded
        if one in forest.leaves:
            if wanted(forest.leaves[one]) and yielded < limit:
                yielded += 1
                yield box, forest.leaves[one]
            return
        if one in dead:
            return
        if not reaches(one):
            dead.add(one)
            return
        rank, children = forest.nodes[one]
        for child in dict.fromkeys(children):
            indexes = frozenset(i for i, other in enumerate(children) if other == child)
            yield from visit(child, {**box, forest.variables[rank].name: indexes})

    yield from visit(node, {})


def cover(forest: Forest, node: int, wanted: Callable[[Hashable], bool], limit: int, care: int) -> Iterator[Box]:
    """Yield boxes as large as they can be that together cover every cell with a wanted value; they may overlap.

    A box names only the facts that it needs, so it reads as a rule: everything within it has a wanted value.
    `care`: where there can be orders (`Diagrams.care`); a box may reach beyond it.
    """
    target = forest.where(node, wanted)
    allowed = forest.either(target, forest.negation(care))
    rest = forest.both(target, care)
    for _ in range(limit):
        found = next(boxes(forest, rest, bool), None)
        if found is None:
            return
        box = found[0]
        for name in reversed(list(found[0])):
            wider = {fact: indexes for fact, indexes in box.items() if fact != name}
            if _all_within(forest, allowed, wider):
                box = wider
        for name in list(box):
            box = _widened(forest, allowed, box, name)
        yield box
        rest = forest.both(rest, forest.negation(_inside(forest, box)))


def _widened(forest: Forest, allowed: int, box: Box, name: str) -> Box:
    for index in range(forest.variables[forest.rank[name]].classes.size):
        wider = {**box, name: box[name] | {index}}
        if index not in box[name] and _all_within(forest, allowed, wider):
            box = wider
    return box


def _inside(forest: Forest, box: Box) -> int:
    result = forest.true
    for name, indexes in box.items():
        result = forest.both(result, forest.within(name, indexes))
    return result


def _all_within(forest: Forest, node: int, box: Box) -> bool:
    by_rank = {forest.rank[name]: indexes for name, indexes in box.items()}
    seen: set[int] = set()
    todo = [node]
    while todo:
        one = todo.pop()
        if one == forest.false:
            return False
        if one in seen or one == forest.true:
            continue
        seen.add(one)
        rank, children = forest.nodes[one]
        inside = by_rank.get(rank)
        todo.extend(child for index, child in enumerate(children) if inside is None or index in inside)
    return True
