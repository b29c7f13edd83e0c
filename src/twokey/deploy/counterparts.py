"""Counterparts: rows that tell of the same work on two chips, whose ratio is what replaces what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from twokey.deploy.measurements import Measurement, groups


def counterparts(rows: Sequence[Measurement]) -> list[tuple[int, int]]:
    """Return the pairs of rows (by number) with equal work, layout size and metric on two different chips."""
    same: dict[tuple[object, ...], list[int]] = {}
    for i, row in enumerate(rows):
        work = (row.kind, row.shape.name, row.metric, row.precision, row.length, row.output, row.count, row.draft)
        same.setdefault((*work, row.concurrency or row.batch), []).append(i)
    return [
        (a, b)
        for members in same.values()
        for a, b in combinations(members, 2)
        if rows[a].device.name != rows[b].device.name
    ]


def kept_together(rows: Sequence[Measurement]) -> list[str]:
    """Return a name per row, equal for groups that a pair of counterparts joins: what a split by pairs keeps whole."""
    names = groups(rows)
    leader = {name: name for name in names}

    def first(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for a, b in counterparts(rows):
        leader[first(names[a])] = first(names[b])
    return [first(name) for name in names]
