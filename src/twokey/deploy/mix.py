"""The cheapest mix of chips to rent for one service (after Mélange, arXiv 2404.14527)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twokey.chips import UserError
from twokey.deploy.solver import INFINITY, Programme, solve


def cheapest(
    rates: Sequence[float],
    throughput: Mapping[str, Sequence[float]],
    price: Mapping[str, float],
    slices: int | None = 1,
) -> tuple[dict[str, int], float]:
    """Return cards per chip and their price for `rates` (requests a second per size of request).

    `throughput` is what one card of a chip serves of each size alone; `slices` is into how many equal parts a size may
    be split over chips (None: freely). Errors: UserError for a throughput or a number of slices below its least.

    >>> cheapest([6, 3, 15, 6], {"A10G": [2, 1, 5, 2], "A100": [20, 20, 40, 20]}, {"A10G": 1.01, "A100": 3.67})[0]
    {'A10G': 3, 'A100': 1}
    """
    if slices is not None and slices < 1:
        raise UserError(f"slices: must be at least 1 (got {slices}); leave it out for a free split")
    chips = list(throughput)
    sizes, kinds = len(rates), len(chips)
    parts = slices or 1
    n = sizes * kinds + kinds  # parts of a size on a chip, then cards of a chip
    rows, columns, values = [], [], []
    for s in range(sizes):
        for c in range(kinds):
            column = s * kinds + c
            if not throughput[chips[c]][s] > 0:
                raise UserError(f"{chips[c]}: throughput must be greater than zero for every size")
            rows += [s, sizes + c]
            columns += [column, column]
            values += [1.0, rates[s] / throughput[chips[c]][s] / parts]
    for c in range(kinds):
        rows.append(sizes + c)
        columns.append(sizes * kinds + c)
        values.append(-1.0)
    integer = np.ones(n, dtype=bool)
    if slices is None:
        integer[: sizes * kinds] = False
    high = np.concatenate([np.full(sizes * kinds, float(parts)), np.full(kinds, INFINITY)])
    programme = Programme(
        np.array([0.0] * sizes * kinds + [price[chip] for chip in chips]),
        np.zeros(n),
        high,
        integer,
        np.array([float(parts)] * sizes + [-INFINITY] * kinds),
        np.array([float(parts)] * sizes + [0.0] * kinds),
        np.array(rows, dtype=np.int32),
        np.array(columns, dtype=np.int32),
        np.array(values),
    )
    answer = solve(programme, gap=0.0)
    cards = {chip: round(float(answer.x[sizes * kinds + c])) for c, chip in enumerate(chips)}
    return cards, round(sum(price[chip] * count for chip, count in cards.items()), 6)
