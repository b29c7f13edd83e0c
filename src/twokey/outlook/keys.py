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
    for t in np.flatnonzero(line.us_fixed != 1):  # what an event fixes open, no act of Congress closes
        np.greater(us[t], closed_for_good <= t, out=us[t])
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
    rate x (n - since + extra x hot steps in between) >= drawn.
    """

    def __init__(self, start: bool, fixed: npt.NDArray[np.int8], clocks: Floats, close: Floats, opens: Floats) -> None:
        paths = clocks.shape[1]
        self.fixed, self.clocks, self.close, self.opens = fixed, clocks, close, opens
        self.open = np.full(paths, start, dtype=np.bool_)
        self.turns = np.zeros(paths, dtype=np.intp)
        self.since = np.zeros(paths, dtype=np.intp)
        self.chance = np.flatnonzero(fixed == CHANCE)  # the steps of chance; count n is step chance[n - 1]
        self.hot: npt.NDArray[np.int16] | None = None
        self.extra = np.zeros(paths)

    def heat(self, hot: Flags, coupling: Floats) -> None:
        """Let the key close `coupling` times faster at hot steps, flags of shape (steps, paths)."""
        self.hot = np.zeros((len(self.chance) + 1, hot.shape[1]), dtype=np.int16)
        for count, step in enumerate(self.chance):
            np.add(self.hot[count], hot[step], out=self.hot[count + 1])
        self.extra = coupling - 1

    def run(self) -> tuple[Flags, Flags]:
        """Return whether the key is open, and whether it opened, at each step: shape (steps, paths)."""
        turned = np.zeros((len(self.fixed), len(self.open)), dtype=np.bool_)
        was_open = self.open.copy()
        everyone = np.arange(len(self.open))
        due = self._due(everyone)
        edges = np.flatnonzero(np.diff(self.fixed)) + 1
        for first, after in pairwise([0, *edges, len(self.fixed)]):
            if (state := int(self.fixed[first])) != CHANCE:
                who = np.flatnonzero(self.open != bool(state))
                turned[first, who] = True
                self._turn(who, int(np.searchsorted(self.chance, first)))
                due[who] = self._due(who)
                continue
            last = np.searchsorted(self.chance, after)
            who = np.flatnonzero(due <= last)
            while who.size:
                turned[self.chance[due[who] - 1], who] = True
                self._turn(who, due[who])
                due[who] = again = self._due(who)
                who = who[again <= last]
        states, before = np.empty_like(turned), was_open
        for now, turn in zip(states, turned, strict=True):
            before = np.not_equal(before, turn, out=now)
        return states, turned & states

    def _turn(self, who: Paths, count: int | Paths) -> None:
        self.open[who] ^= True
        self.turns[who] += 1
        self.since[who] = count

    def _due(self, who: Paths) -> Paths:
        """Return the count at which each path turns next, or one past the last."""
        since, is_open = self.since[who], self.open[who]
        drawn = self.clocks[self.turns[who] % MOVES, who]
        never = len(self.chance) + 1
        with np.errstate(divide="ignore"):
            wait = drawn / np.where(is_open, self.close[who], self.opens[who])
        due = np.asarray(np.minimum(since + np.maximum(np.ceil(wait), 1), never), dtype=np.intp)
        if self.hot is not None:
            heated = np.flatnonzero(is_open & (self.hot[np.minimum(due, never - 1), who] > self.hot[since, who]))
            if heated.size:
                due[heated] = self._sooner(who[heated], wait[heated], since[heated], due[heated])
        return due

    def _sooner(self, who: Paths, wait: Floats, since: Paths, due: Paths) -> Paths:
        """Find, by halving, the first count at which the steps and the extra of the hot ones reach the wait."""
        assert self.hot is not None
        extra = self.extra[who]
        low, high = since, np.where(extra < 0, len(self.chance) + 1, due)
        before = self.hot[since, who]
        for _ in range(int((high - low).max()).bit_length()):
            middle = (low + high) // 2
            reached = middle - since + extra * (self.hot[middle, who] - before) >= wait
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return high
