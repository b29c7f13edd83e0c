"""Domestic output: the least of good dies, memory stacks and packaging, and of what is asked for."""

from __future__ import annotations

import numpy as np

from twokey.outlook.demand import Demand, growth_of
from twokey.outlook.given import Given
from twokey.outlook.stocks import DIES_A_PACKAGE, STACKS_A_PACKAGE, WEEKS_A_MONTH, WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import Changes


class Home:
    """Dies, memory and packages made at home on every path: all in packages, on one count from the output to date.

    Good dies follow a yield whose distance to its ceiling shrinks with time and with each doubling of output.
    """

    def __init__(self, given: Given) -> None:
        line, x, moments, step_weeks, precision = given.line, given.x, given.moments, given.step_weeks, given.precision
        steps, paths, year = len(line.price), len(x["output_to_date"]), step_weeks / WEEKS_A_YEAR
        self.made, self.dies, self.stacks, self._before, self._a = np.empty((5, paths), precision)
        self.made[:] = self._before[:] = x["output_to_date"]  # since ever, and one step earlier
        self.dies[:] = x["output_to_date"] + x["die_bank"] / DIES_A_PACKAGE
        self.stacks[:] = x["output_to_date"] + x["hbm_stock"] / STACKS_A_PACKAGE

        # Of what is in progress a share leaves in a step: so what ever left is that share of a fading sum of `made`.
        self._fading, self._leaves, self._stay, self._packaging = np.empty((4, paths), precision)
        self._leaves[:] = leaves = np.minimum(1.0, step_weeks / x["domestic_weeks"])
        self._fading[:], self._stay[:] = (x["output_to_date"] - x["domestic_wip"]) / leaves, 1 - leaves
        self._packaging[:] = x["packaging_year"] * year

        # Gross dies and memory of a step, with their growth.
        self._supply, self._growth, self._grown = np.empty((3, 2, paths), precision)
        self._gross, self._memory = self._supply
        wafers = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * step_weeks * x["ai_wafer_share"]
        self._gross[:] = wafers * x["dies_per_wafer"] / DIES_A_PACKAGE
        self._memory[:] = x["hbm_year"] * year / STACKS_A_PACKAGE
        self._growth[0], self._growth[1] = growth_of(x["logic_growth"], year), growth_of(x["hbm_growth"], year)
        self._stopped: list[bool] = line.growth_stopped.tolist()
        self._equipment, self._relief = Changes(moments.equipment, steps), Changes(moments.hbm_relief, steps)

        self._ceiling, self._missing, self._learning, self._kept = np.empty((4, paths), precision)
        self._ceiling[:], self._missing[:] = x["die_yield_ceiling"], x["die_yield_ceiling"] - x["die_yield"]
        self._learning[:], self._kept[:] = x["learning"], 1 - x["yield_speed"] * year - x["learning"]
        # No step makes more than the packaging allows; where even that leaves some of the distance, no bound is needed.
        learnt = self._packaging / self.made * self._learning
        self._may_close = bool(np.any(learnt > self._kept + self._learning))

    @property
    def deployed(self) -> Floats:
        """What ever left production, in packages, on the count of `made`."""
        return np.asarray(self._fading * self._leaves)

    @property
    def die_yield(self) -> Floats:
        """The share of dies that are good."""
        return np.asarray(self._ceiling - self._missing)

    def events(self, t: int) -> None:
        """Take in what chance and dated events change at step `t`."""
        if struck := self._relief.at(t):
            self._memory[struck[0]] *= 2.0
        if self._stopped[t]:
            self._growth[:] = 0.0
        elif struck := self._equipment.at(t):
            for row in self._growth:
                row[struck[0]] = 0.0

    def make(self, demand: Demand, arrived: Floats) -> None:
        """Make what is asked of domestic chips where `arrived` came in, as far as dies, memory and packaging go."""
        a, b, made = self._a, self._before, self.made
        np.divide(b, made, out=a)
        a *= self._learning
        a += self._kept
        if self._may_close:
            np.maximum(a, 0.0, out=a)
        self._missing *= a
        self._supply += np.multiply(self._supply, self._growth, out=self._grown)
        np.subtract(self._ceiling, self._missing, out=a)
        a *= self._gross
        self.dies += a
        self.stacks += self._memory
        self._fading *= self._stay
        self._fading += made

        np.minimum(demand.foreign, arrived, out=b)
        b *= demand.substituted
        np.subtract(demand.domestic, b, out=b)
        np.minimum(b, self._packaging, out=b)
        b += made
        np.minimum(b, self.dies, out=b)
        np.minimum(b, self.stacks, out=b)
        self.made, self._before = b, made
