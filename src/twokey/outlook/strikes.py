"""Chance events as sparse changes: which paths one strikes at each step, and what it sets there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Paths = npt.NDArray[np.intp]
Steps = npt.NDArray[np.int64]
NEVER: Final = np.int64(10**9)


@dataclass(frozen=True, slots=True)
class Moments:
    """When chance events strike, as step numbers: each (paths,), the mandate's (n, paths)."""

    mandate: Steps
    hbm_relief: Steps
    foundry_shock: Steps
    chip_security: Steps
    equipment: Steps


class Changes:
    """Sparse changes, sorted by their steps once: the paths struck at a step, and the new value on each.

    `at` holds step numbers, shape (paths,) or (n, paths); each of `values` has the same shape. Where `at` lists events
    instead, `who` names the path of each.

    >>> changes = Changes(np.array([3, 1, 9, 1]), 5, np.array([0.3, 0.1, 0.9, 0.2]))
    >>> [part.tolist() for part in changes.at(1)], changes.at(2)
    ([[1, 3], [0.1, 0.2]], [])
    """

    def __init__(self, at: Steps, steps: int, *values: npt.NDArray[Any], who: Paths | None = None) -> None:
        flat = at.ravel()
        struck = np.flatnonzero(flat < steps)
        order = struck[np.argsort(flat[struck].astype(np.min_scalar_type(steps)), kind="stable")]  # few bits sort fast
        paths = order % at.shape[-1] if who is None else who[order]
        self._kept = [paths, *(value.ravel()[order] for value in values)]
        self._bounds: list[int] = np.searchsorted(flat[order], np.arange(steps + 1)).tolist()

    def at(self, step: int) -> list[npt.NDArray[Any]]:
        """Return the paths struck at a step and their new values, or an empty list where no path is struck."""
        first, after = self._bounds[step], self._bounds[step + 1]
        return [kept[first:after] for kept in self._kept] if first != after else []
