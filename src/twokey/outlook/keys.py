"""The two keys as coupled chains in steps of a week (or a month): open or closed, by chance where nothing is fixed.

The dwell in a state is exponential with a rate from the record's posterior (or Weibull with the scenario's
`dwell_shape`, as a sensitivity). For 30 days after the export key opens, the import key closes `coupling` times faster:
China tightened within 30 days of six of seven loosenings (facts/outlook.md, finding 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.timeline import CHANCE, Timeline

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
COUPLING_DAYS: Final = 30
MOVES: Final = 24  # clocks drawn for each key and path; after that many moves they are used again


@dataclass(frozen=True, slots=True)
class KeyPaths:
    """The states of both keys; each array has the shape (steps, paths)."""

    us: Flags
    cn: Flags
    reopened: Flags  # the import key opened at this step


def simulate(  # noqa: PLR0913, PLR0917 (everything that turns a key)
    line: Timeline,
    rates: tuple[Floats, Floats, Floats, Floats],
    coupling: Floats,
    clocks: Floats,
    closed_for_good: npt.NDArray[np.int64],
    step_weeks: float,
    dwell_shape: float = 1.0,
    hot_steps: int = 0,
) -> KeyPaths:
    """Run both chains.

    Args:
        line: what events fix.
        rates: per year, each of shape (paths,): export closes, export opens, import closes, import opens.
        coupling: factor on the import key's closing rate after a loosening, shape (paths,).
        clocks: unit-exponential draws of shape (2, MOVES, paths).
        closed_for_good: step from which an act of Congress keeps the export key closed, shape (paths,).
        step_weeks: length of a step.
        dwell_shape: Weibull shape of the dwell; 1 is exponential.
        hot_steps: steps for which a loosening before the start still counts.

    """
    steps, paths = len(line.us_fixed), coupling.shape[0]
    year = 7 * step_weeks / 365.25
    if dwell_shape != 1.0:
        clocks = clocks ** (1 / dwell_shape) / math.gamma(1 + 1 / dwell_shape)
    us_close, us_open, cn_close, cn_open = (rate * year for rate in rates)
    us_chain = _Chain(line.us_start, clocks[0])
    cn_chain = _Chain(line.cn_start, clocks[1])
    us_out, cn_out = np.empty((steps, paths), dtype=np.bool_), np.empty((steps, paths), dtype=np.bool_)
    reopened = np.zeros((steps, paths), dtype=np.bool_)
    hot_until = np.full(paths, hot_steps, dtype=np.int64)
    heat = max(1, round(COUPLING_DAYS / 7 / step_weeks))
    last_hot = hot_steps
    for t in range(steps):
        opened = us_chain.step(int(line.us_fixed[t]), us_close, us_open)
        if opened.size:
            hot_until[opened] = t + heat
            last_hot = t + heat
        close = np.where(hot_until > t, cn_close * coupling, cn_close) if t < last_hot else cn_close
        reopened[t, cn_chain.step(int(line.cn_fixed[t]), close, cn_open)] = True
        us_out[t], cn_out[t] = us_chain.open, cn_chain.open
    by_chance = np.arange(steps)[:, None] < closed_for_good
    us_out &= by_chance | (line.us_fixed == 1)[:, None]  # what an event fixes open, no act of chance closes
    return KeyPaths(us_out, cn_out, reopened)


class _Chain:
    """One key: its state, its clock, and the hazard that has run since the last turn."""

    def __init__(self, start: bool, clocks: Floats) -> None:
        self.clocks = clocks
        paths = clocks.shape[1]
        self.open = np.full(paths, start, dtype=np.bool_)
        self.run = np.zeros(paths)
        self.turns = np.zeros(paths, dtype=np.int64)
        self.due = clocks[0].copy()
        self._rate = np.empty(paths)

    def step(self, fixed: int, close: Floats, opens: Floats) -> npt.NDArray[np.int64]:
        """Advance one step; return the paths on which the key opened."""
        if fixed != CHANCE:
            turned = np.flatnonzero(self.open != bool(fixed))
        else:
            np.copyto(self._rate, opens)
            np.copyto(self._rate, close, where=self.open)
            self.run += self._rate
            turned = np.flatnonzero(self.run >= self.due)
        if not turned.size:
            return turned
        self.open[turned] ^= True
        self.run[turned] = 0.0
        self.turns[turned] += 1
        self.due[turned] = self.clocks[self.turns[turned] % MOVES, turned]
        return turned[self.open[turned]]
