"""Domestic output: the least of good dies, memory stacks and packaging, and of what is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twokey.outlook.stocks import DIES_A_PACKAGE, STACKS_A_PACKAGE, WEEKS_A_MONTH, WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import Changes, Moments
from twokey.outlook.timeline import Timeline


class Home:
    """Dies, memory and packages made at home on every path: all in packages, on one count from the output to date.

    Good dies follow a yield whose distance to its ceiling shrinks with time and with each doubling of output.
    """

    def __init__(
        self, line: Timeline, x: Mapping[str, Floats], moments: Moments, step_weeks: float, exchange: float
    ) -> None:
        steps, year = len(line.price), step_weeks / WEEKS_A_YEAR
        self.made = x["output_to_date"].copy()  # since ever
        self.dies = self.made + x["die_bank"] / DIES_A_PACKAGE
        self.stacks = self.made + x["hbm_stock"] / STACKS_A_PACKAGE
        self.in_progress, self._stay = x["domestic_wip"].copy(), 1 - np.minimum(1.0, step_weeks / x["domestic_weeks"])
        self._packaging, self._substitution = x["packaging_year"] * year, x["substitution"] * exchange

        # Gross dies and memory of a step, with their growth.
        self._supply, self._growth = np.empty((2, len(self.made))), np.empty((2, len(self.made)))
        self._gross, self._memory = self._supply
        wafers = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * step_weeks * x["ai_wafer_share"]
        self._gross[:] = wafers * x["dies_per_wafer"] / DIES_A_PACKAGE
        self._memory[:] = x["hbm_year"] * year / STACKS_A_PACKAGE
        self._growth[0], self._growth[1] = (1 + x["logic_growth"]) ** year, (1 + x["hbm_growth"]) ** year
        self._stopped: list[bool] = line.growth_stopped.tolist()
        self._equipment, self._relief = Changes(moments.equipment, steps), Changes(moments.hbm_relief, steps)

        self._ceiling, self._missing = x["die_yield_ceiling"], x["die_yield_ceiling"] - x["die_yield"]
        self._kept, self._forgotten = 1 - x["yield_speed"] * year, -x["learning"]
        # No step makes more than the packaging allows; where even that leaves some of the distance, no bound is needed.
        self._may_close = bool(np.any(self._packaging / self.made * x["learning"] > self._kept))
        self._now = np.zeros_like(self.made)  # made in this step
        self._a, self._b = np.empty_like(self.made), np.empty_like(self.made)

    @property
    def die_yield(self) -> Floats:
        """The share of dies that are good."""
        return np.asarray(self._ceiling - self._missing)

    def events(self, t: int) -> None:
        """Take in what chance and dated events change at step `t`."""
        if struck := self._relief.at(t):
            self._memory[struck[0]] *= 2.0
        if self._stopped[t]:
            self._growth[:] = 1.0
        elif struck := self._equipment.at(t):
            for row in self._growth:
                row[struck[0]] = 1.0

    def make(self, asked: Floats, foreign: Floats, arrived: Floats) -> None:
        """Make what is asked of domestic chips, as far as good dies, memory and packaging go.

        `asked` is in packages; of `foreign` demand, in units, a share is asked at home where less `arrived`.
        """
        a, b = self._a, self._b
        np.divide(self._now, self.made, out=a)
        a *= self._forgotten
        a += self._kept
        if self._may_close:
            np.maximum(a, 0.0, out=a)
        self._missing *= a
        self._supply *= self._growth
        np.subtract(self._ceiling, self._missing, out=a)
        a *= self._gross
        self.dies += a
        self.stacks += self._memory

        np.subtract(foreign, arrived, out=b)
        np.maximum(b, 0.0, out=b)
        b *= self._substitution
        b += asked
        np.minimum(b, self._packaging, out=b)
        b += self.made
        np.minimum(b, self.dies, out=b)
        np.minimum(b, self.stacks, out=b)
        np.subtract(b, self.made, out=self._now)
        self.made, self._b = b, self.made
        self.in_progress *= self._stay
        self.in_progress += self._now
