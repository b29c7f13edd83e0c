"""Means and quantiles over paths that come in blocks: exact while they fit in memory, else from fixed bins."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
EXACT_PATHS: Final = 60_000
BINS: Final = 4_096
_TOP: Final = np.log1p(1e15)  # every line lies in 0 .. 1e12, in units of 1e-3
QUANTILES: Final = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


class Tally:
    """Collects blocks of shape (lines, quarters, paths), in order; memory does not grow beyond `EXACT_PATHS` paths.

    Up to that many paths the quantiles are exact. Beyond, values fall into 4,096 bins of equal width in
    log(1 + 1000 v): a bin is 0.85 % wide, and a quantile is read by interpolation inside its bin.

    >>> tally = Tally(paths=4)
    >>> tally.add(np.array([[[1.0, 2.0, 3.0, 4.0]]]))
    >>> float(tally.mean()[0, 0]), float(tally.quantiles()[3, 0, 0])
    (2.5, 2.5)
    """

    def __init__(self, paths: int) -> None:
        self.exact = paths <= EXACT_PATHS
        self.paths = 0
        self._kept: list[Floats] = []
        self._sum: Floats | None = None
        self._bins: npt.NDArray[np.int64] | None = None

    def add(self, values: Floats) -> None:
        """Add one block."""
        if self._sum is None:
            self._sum = np.zeros(values.shape[:2])
        self._sum += values.sum(axis=2)
        self.paths += values.shape[2]
        if self.exact:
            self._kept.append(values)
            return
        lines, quarters, paths = values.shape
        if self._bins is None:
            self._bins = np.zeros((lines * quarters, BINS), dtype=np.int64)
        at = np.log1p(np.maximum(values, 0.0) * 1e3) * (BINS / _TOP)
        flat = np.minimum(at.astype(np.int64), BINS - 1).reshape(lines * quarters, paths)
        for row, line in enumerate(flat):
            self._bins[row] += np.bincount(line, minlength=BINS)

    def mean(self) -> Floats:
        """Return the mean of each line and quarter."""
        if self._sum is None:
            raise ValueError("nothing was added")
        return self._sum / self.paths

    def values(self) -> Floats:
        """Return every value, shape (lines, quarters, paths); only while the tally is exact."""
        if not self.exact:
            raise ValueError(f"single paths are kept only up to {EXACT_PATHS} paths")
        return np.concatenate(self._kept, axis=2)

    def quantiles(self, at: tuple[float, ...] = QUANTILES) -> Floats:
        """Return quantiles, shape (len(at), lines, quarters)."""
        if self.exact:
            return np.quantile(self.values(), at, axis=2)
        if self._bins is None or self._sum is None:
            raise ValueError("nothing was added")
        ever = np.cumsum(self._bins, axis=1)
        out = np.empty((len(at), *self._sum.shape))
        edges = np.expm1(np.arange(BINS + 1) * (_TOP / BINS)) / 1e3
        for n, q in enumerate(at):
            wanted = q * self.paths
            bin_ = np.minimum((ever < wanted).sum(axis=1), BINS - 1)
            rows = np.arange(len(bin_))
            below = ever[rows, bin_] - self._bins[rows, bin_]
            inside = np.clip((wanted - below) / np.maximum(self._bins[rows, bin_], 1), 0.0, 1.0)
            low = np.where(bin_ == 0, 0.0, edges[bin_])
            high = np.where(bin_ == 0, 0.0, edges[bin_ + 1])  # the first bin holds the zeros
            out[n] = (low + inside * (high - low)).reshape(self._sum.shape)
        return out
