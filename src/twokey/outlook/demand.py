"""What buyers ask for, divided by the mandate between controlled chips and domestic packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.given import Given
from twokey.outlook.stocks import WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import NEVER, Changes, Steps

MOST_DOMESTIC: Final = 0.95  # a mandate that chance raises never reaches everything


class Demand:
    """Demand of a step on every path: `foreign` in units of the controlled chip, `domestic` in packages.

    `domestic` is what is asked at home if no controlled chip arrives: what the mandate reserves, and of foreign demand
    the share that is `substituted`, in packages a unit. `exchange` is how many domestic packages do the work of one
    controlled chip.
    """

    def __init__(self, given: Given) -> None:
        line, x, raised = given.line, given.x, given.moments.mandate
        exchange = given.h100e / given.h100e_domestic
        self._floor: list[float] = line.mandate.tolist()
        self._raised = Changes(*_levels(line.mandate, x, raised))
        self._exchange = exchange
        year = given.step_weeks / WEEKS_A_YEAR
        self._each, self._grown = np.empty((2, 2, given.paths), given.precision)
        self.foreign, self.domestic = self._each
        self.mandate, self.substituted, self._growth = np.zeros((3, given.paths), given.precision)
        self.substituted[:] = x["substitution"] * exchange
        self._growth[:] = growth_of(x["china_demand_growth"], year)
        self.foreign[:] = x["china_demand_year"] * (year / given.h100e)
        self.domestic[:] = self.foreign * self.substituted
        level = np.maximum(x["mandate"], self._floor[0])
        self._raise(slice(None), level, level)

    def events(self, t: int) -> None:
        """Raise the mandate where chance strikes at step `t`, and everywhere where an event asks for more."""
        if struck := self._raised.at(t):
            self._raise(*struck)
        if t and self._floor[t] > self._floor[t - 1]:
            level = np.maximum(self.mandate, self._floor[t])
            self._raise(slice(None), level, _turned_away(self.mandate, level))

    def grow(self) -> None:
        """Let a step pass."""
        self._each += np.multiply(self._each, self._growth, out=self._grown)

    def _raise(self, who: npt.NDArray[np.intp] | slice, level: Floats, turned_away: Floats) -> None:
        """Raise the mandate of some paths; what buyers may no longer ask abroad they ask at home."""
        before = self.foreign[who]
        moved = before * turned_away
        self.foreign[who] = before - moved
        self.domestic[who] += moved * (self._exchange - self.substituted[who])
        self.mandate[who] = level


def growth_of(a_year: Floats, years: float) -> Floats:
    """Return by how much more there is after a step; what is near 1 would lose its digits in single precision."""
    return np.asarray(np.expm1(years * np.log1p(a_year)))


def _turned_away(before: Floats, after: Floats) -> Floats:
    """Return which share of foreign demand a rise of the mandate turns away."""
    still = 1 - before
    return np.asarray(np.divide(after - before, still, out=np.zeros_like(after), where=still > 0))


def _levels(floor: Floats, x: Mapping[str, Floats], raised: Steps) -> tuple[Steps, int, Floats, Floats]:
    """Return when the mandate rises by chance, to what, and what that turns away; strikes at one step are one rise."""
    steps, level, before = len(floor), np.maximum(x["mandate"], floor[0]), np.empty_like(floor, shape=raised.shape[1])
    at_once = np.concatenate([np.zeros((1, raised.shape[1]), dtype=np.bool_), raised[1:] == raised[:-1]])
    levels, away = np.empty(raised.shape), np.empty(raised.shape)
    for n, at in enumerate(raised):
        known = np.maximum(level, floor[np.clip(at - 1, 0, steps - 1)])
        level = np.maximum(known, np.minimum(known + x["mandate_step"], MOST_DOMESTIC))
        before = np.where(at_once[n], before, known)
        levels[n], away[n] = level, _turned_away(before, level)
    last = raised.copy()
    last[:-1][at_once[1:]] = NEVER
    return last, steps, levels, away
