"""The two keys as coupled chains in steps of a week (or a month): open or closed, by chance where nothing is fixed.

The dwell in a state is exponential with a rate from the record's posterior (or Weibull with the scenario's
`dwell_shape`, as a sensitivity). For 30 days after the export key opens, the import key closes `coupling` times faster:
China tightened within 30 days of six of seven loosenings (facts/outlook.md, finding 2).

Sojourns are drawn whole: the n-th turn of every path is found at once, so the work grows with the turns of a key and
not with the steps between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.timeline import CHANCE, Timeline

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Paths = npt.NDArray[np.intp]
COUPLING_DAYS: Final = 30
MOVES: Final = 24  # clocks drawn for each key and path; after that many moves they are used again


@dataclass(frozen=True, slots=True)
class KeyPaths:
    """The states of both keys; each array has the shape (steps, paths)."""

    us: Flags
    cn: Flags
    reopened: Flags  # the import key opened at this step


class Factors:
    """Both keys of one step as factors, 1 where a key is open and 0 where it is closed."""

    def __init__(self, paths: int) -> None:
        self.each = np.empty((2, paths))
        self.us, self.cn = self.each
        self.both, self.idle = np.empty(paths), np.empty(paths)

    def turn(self, us: Flags, cn: Flags) -> None:
        """Set both keys for a step."""
        np.copyto(self.us, us)
        np.copyto(self.cn, cn)
        np.multiply(self.us, self.cn, out=self.both)
        np.subtract(1.0, self.both, out=self.idle)


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
    year = 7 * step_weeks / 365.25
    if dwell_shape != 1.0:
        clocks = clocks ** (1 / dwell_shape) / math.gamma(1 + 1 / dwell_shape)
    us_close, us_open, cn_close, cn_open = (rate * year for rate in rates)
    us_chain = _Chain(line.us_start, line.us_fixed, clocks[0], us_close, us_open)
    us, loosened = us_chain.run()
    hot = _held(loosened, max(1, round(COUPLING_DAYS / 7 / step_weeks)))
    hot[:hot_steps] = True
    cn_chain = _Chain(line.cn_start, line.cn_fixed, clocks[1], cn_close, cn_open)
    cn_chain.heat(hot, coupling)
    cn, reopened = cn_chain.run()
    closed = np.minimum(closed_for_good, len(us)).astype(np.int16)
    for t in np.flatnonzero(line.us_fixed != 1):  # what an event fixes open, no act of Congress closes
        np.greater(us[t], closed <= t, out=us[t])
    return KeyPaths(us, cn, reopened)


def _held(flags: Flags, steps: int) -> Flags:
    """Return the flags, each held for so many steps."""
    held = flags.copy()
    for later in range(1, min(steps, len(flags))):
        held[later:] |= flags[:-later]
    return held


class _Chain:
    """One key on every path. A clock runs only over steps of chance, which are counted; events fix the others.

    A path turns at the first count `n` at which its hazard has used up what its clock drew:
    rate x (n - since + extra x hot steps in between) >= drawn. Where a stretch of chance begins every path is in one
    state, the start or what an event fixed: so the n-th turn within it opens the key on all paths, or closes it on all.
    """

    def __init__(self, start: bool, fixed: npt.NDArray[np.int8], clocks: Floats, close: Floats, opens: Floats) -> None:
        self.paths = clocks.shape[1]
        self.start, self.fixed, self.clocks, self.close, self.opens = start, fixed, clocks.ravel(), close, opens
        self.turns = np.zeros(self.paths, dtype=np.intp)
        self.chance = np.flatnonzero(fixed == CHANCE)  # the steps of chance; count n is step chance[n - 1]
        self.hot: npt.NDArray[np.int16] | None = None
        self.extra = np.zeros(self.paths)

    def heat(self, hot: Flags, coupling: Floats) -> None:
        """Let the key close `coupling` times faster at hot steps, flags of shape (steps, paths)."""
        counts = np.zeros((len(self.chance) + 1, self.paths), dtype=np.int16)
        counts[1:] = hot[self.chance]
        for before, after in pairwise(counts):
            np.add(before, after, out=after)
        self.hot = counts.ravel()
        self.extra = coupling - 1

    def run(self) -> tuple[Flags, Flags]:
        """Return whether the key is open, and whether it opened, at each step: shape (steps, paths)."""
        turned = np.zeros((len(self.fixed), self.paths), dtype=np.bool_)
        at_once, everyone = turned.ravel(), np.arange(self.paths)
        is_open, state = np.full(self.paths, self.start), self.start
        due = self._due(everyone, np.zeros_like(everyone), state)
        edges = np.flatnonzero(np.diff(self.fixed)) + 1
        for first, after in pairwise([0, *edges, len(self.fixed)]):
            if self.fixed[first] != CHANCE:
                state = bool(self.fixed[first])
                who = np.flatnonzero(is_open != state)
                turned[first, who] = True
                due[who] = self._turn(who, np.full_like(who, np.searchsorted(self.chance, first)), state)
                is_open[:] = state
                continue
            last, now = np.searchsorted(self.chance, after), state
            who = np.flatnonzero(due <= last)
            count = due[who]
            while who.size:
                at_once[self.chance[count - 1] * self.paths + who] = True
                now = not now
                is_open[who] = now
                due[who] = again = self._turn(who, count, now)
                soon = again <= last
                who, count = who[soon], again[soon]
        states, before = np.empty_like(turned), np.full(self.paths, self.start)
        for here, turn in zip(states, turned, strict=True):
            before = np.not_equal(before, turn, out=here)
        turned &= states
        return states, turned

    def _turn(self, who: Paths, count: Paths, is_open: bool) -> Paths:
        """Turn the key on some paths at a count, into one state; return the count at which each turns next."""
        self.turns[who] += 1
        return self._due(who, count, is_open)

    def _due(self, who: Paths, since: Paths, is_open: bool) -> Paths:
        """Return the count at which each path turns next, or one past the last."""
        drawn = self.clocks[self.turns[who] % MOVES * self.paths + who]
        never = len(self.chance) + 1
        with np.errstate(divide="ignore"):
            wait = drawn / (self.close if is_open else self.opens)[who]
        due = np.asarray(np.minimum(since + np.maximum(np.ceil(wait), 1), never), dtype=np.intp)
        if self.hot is not None and is_open:
            hot = self.hot[np.minimum(due, never - 1) * self.paths + who] > self.hot[since * self.paths + who]
            heated = np.flatnonzero(hot)
            if heated.size:
                due[heated] = self._sooner(self.hot, who[heated], wait[heated], since[heated], due[heated])
        return due

    def _sooner(self, hot: npt.NDArray[np.int16], who: Paths, wait: Floats, since: Paths, due: Paths) -> Paths:
        """Find, by halving, the first count at which the steps and the extra of the hot ones reach the wait."""
        extra = self.extra[who]
        low, high = since, np.where(extra < 0, len(self.chance) + 1, due)
        before = hot[since * self.paths + who]
        for _ in range(int((high - low).max()).bit_length()):
            middle = (low + high) // 2
            reached = middle - since + extra * (hot[middle * self.paths + who] - before) >= wait
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return high
