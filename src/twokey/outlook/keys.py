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
class Openings:
    """Every opening of a key: its step, its path, and how many openings that makes on the path; each (openings,)."""

    steps: Paths
    who: Paths
    nth: Paths


@dataclass(frozen=True, slots=True)
class KeyPaths:
    """The states of both keys, each of shape (steps, paths), and the openings of the import key."""

    us: Flags
    cn: Flags
    openings: Openings

    @property
    def reopened(self) -> Flags:
        """Whether the import key opened, by step and path."""
        flags = np.zeros_like(self.cn)
        flags[self.openings.steps, self.openings.who] = True
        return flags


class Factors:
    """Both keys of one step as factors, 1 where a key is open and 0 where it is closed."""

    def __init__(self, paths: int, precision: npt.DTypeLike) -> None:
        self._all = np.empty((4, paths), precision)
        self.us, self.cn, self.both, self.idle = self._all
        self.each = self._all[:2]

    def turn(self, us: Flags, cn: Flags) -> None:
        """Set both keys for a step."""
        np.copyto(self.us, us)
        np.copyto(self.cn, cn)
        np.multiply(self.us, self.cn, out=self.both)
        np.subtract(1.0, self.both, out=self.idle)


@dataclass(frozen=True, slots=True)
class Hazards:
    """What turns the keys by chance; arrays are of shape (paths,)."""

    rates: tuple[Floats, Floats, Floats, Floats]  # per year: export closes, export opens, import closes, import opens
    coupling: Floats  # factor on the import key's closing rate after a loosening
    closed_for_good: npt.NDArray[np.int64]  # step from which an act of Congress keeps the export key closed
    dwell_shape: float = 1.0  # Weibull shape of the dwell; 1 is exponential
    hot_steps: int = 0  # steps for which a loosening before the start still counts


def simulate(line: Timeline, hazards: Hazards, clocks: Floats, step_weeks: float) -> KeyPaths:
    """Run both chains.

    Args:
        line: what events fix.
        hazards: what turns the keys by chance.
        clocks: unit-exponential draws of shape (2, MOVES, paths).
        step_weeks: length of a step.

    """
    year, shape = 7 * step_weeks / 365.25, hazards.dwell_shape
    if shape != 1.0:
        clocks = clocks ** (1 / shape) / math.gamma(1 + 1 / shape)
    us_close, us_open, cn_close, cn_open = (rate * year for rate in hazards.rates)
    us_chain = _Chain(line.us_start, line.us_fixed, clocks[0], us_close, us_open)
    us, loosened = us_chain.run()
    hot = _hot(loosened, us.shape, max(1, round(COUPLING_DAYS / 7 / step_weeks)))
    hot[: hazards.hot_steps] = True
    cn_chain = _Chain(line.cn_start, line.cn_fixed, clocks[1], cn_close, cn_open)
    cn_chain.heat(hot, hazards.coupling)
    cn, openings = cn_chain.run()
    closed = np.minimum(hazards.closed_for_good, len(us)).astype(np.int16)
    for t in np.flatnonzero(line.us_fixed != 1):  # what an event fixes open, no act of Congress closes
        np.greater(us[t], closed <= t, out=us[t])
    return KeyPaths(us, cn, openings)


def _hot(loosened: Openings, shape: tuple[int, ...], held: int) -> Flags:
    """Return the steps that follow a loosening within `held` steps, the first its own."""
    steps, paths = shape
    hot = np.zeros(shape, dtype=np.bool_)
    for later in loosened.steps * paths + loosened.who + np.arange(min(held, steps))[:, None] * paths:
        hot.ravel()[later[later < hot.size]] = True
    return hot


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
        self.turned = np.zeros((len(fixed), self.paths), dtype=np.bool_)
        none = np.zeros(0, dtype=np.intp)
        self.openings: list[tuple[Paths, Paths, Paths]] = [(none, none, none)]
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

    def run(self) -> tuple[Flags, Openings]:
        """Return whether the key is open at each step, of shape (steps, paths), and every opening."""
        everyone = np.arange(self.paths)
        is_open, state = np.full(self.paths, self.start), self.start
        with np.errstate(divide="ignore"):
            due = self._due(everyone, np.zeros_like(everyone), self.turns, state)
            edges = np.flatnonzero(np.diff(self.fixed)) + 1
            for first, after in pairwise([0, *edges, len(self.fixed)]):
                if self.fixed[first] != CHANCE:
                    state = bool(self.fixed[first])
                    who = np.flatnonzero(is_open != state)
                    nth = self._turn(who, np.full_like(who, first), state)
                    due[who] = self._due(who, np.full_like(who, np.searchsorted(self.chance, first)), nth, state)
                    is_open[:] = state
                    continue
                last, now = np.searchsorted(self.chance, after), state
                who = np.flatnonzero(due <= last)
                count = due[who]
                while who.size:
                    now = not now
                    nth = self._turn(who, self.chance.take(count - 1), now)
                    is_open[who] = now
                    due[who] = again = self._due(who, count, nth, now)
                    soon = np.flatnonzero(again <= last)
                    who, count = who.take(soon), again.take(soon)
        states = self.turned  # until here where the key turned, from here on where it is open
        states[0] ^= self.start
        for before, here in pairwise(states):
            np.not_equal(before, here, out=here)
        return states, Openings(*(np.concatenate(parts) for parts in zip(*self.openings, strict=True)))

    def _turn(self, who: Paths, steps: Paths, is_open: bool) -> Paths:
        """Turn the key on some paths, at one step each, into one state; return how many turns that makes on each."""
        nth = self.turns.take(who) + 1
        self.turns[who] = nth
        self.turned.ravel()[steps * self.paths + who] = True
        if is_open:
            self.openings.append((steps, who, (nth + 1 - self.start) // 2))
        return nth

    def _due(self, who: Paths, since: Paths, nth: Paths, is_open: bool) -> Paths:
        """Return the count at which each path turns next after its n-th turn, or one past the last."""
        if nth.max(initial=0) >= MOVES:
            nth = nth % MOVES
        wait = self.clocks.take(nth * self.paths + who)
        wait /= (self.close if is_open else self.opens).take(who)
        never = len(self.chance) + 1
        due = np.asarray(np.minimum(since + np.maximum(np.ceil(wait), 1), never), dtype=np.intp)
        if self.hot is not None and is_open:
            then = self.hot.take(np.minimum(due, never - 1) * self.paths + who)
            heated = np.flatnonzero(then > self.hot.take(since * self.paths + who))
            if heated.size:
                due[heated] = self._sooner(self.hot, who[heated], wait[heated], since[heated], due[heated])
        return due

    def _sooner(self, hot: npt.NDArray[np.int16], who: Paths, wait: Floats, since: Paths, due: Paths) -> Paths:
        """Find, by halving, the first count at which the steps and the extra of the hot ones reach the wait."""
        extra = self.extra.take(who)
        low, high = since, np.where(extra < 0, len(self.chance) + 1, due)
        before = hot.take(since * self.paths + who)
        for _ in range(int((high - low).max()).bit_length()):
            middle = (low + high) // 2
            reached = middle - since + extra * (hot.take(middle * self.paths + who) - before) >= wait
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return high
