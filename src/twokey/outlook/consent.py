"""Consent: applications, licences, approvals, and the share of approvals that turns into orders."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from twokey.outlook.given import Given
from twokey.outlook.keys import Factors
from twokey.outlook.stocks import WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import Changes
from twokey.outlook.timeline import Timeline


class Consent:
    """What was ever applied for, licensed, approved, converted and ordered, on every path."""

    def __init__(self, given: Given, keys: Factors) -> None:
        line, x, step_weeks, openings, fresh = given.line, given.x, given.step_weeks, given.keys.openings, given.fresh
        self._line, self._x, self._keys, self._h = line, x, keys, step_weeks
        paths, precision = len(x["applications"]), keys.us.dtype
        self.passed = np.zeros((5, paths), precision)
        self._applied, self._licensed, self._approved, self._converted, self.ordered = self.passed
        self._wanted, self._grant, self._order, self._batch, self._convert = np.empty((5, paths), precision)
        self._allowed, self._home_cap, self._home_growth, self._a, self._b = np.zeros((5, paths), precision)
        self._applied[:] = x["applications"]
        self._wanted[:] = _wanted(x, float(line.price[0])) * step_weeks
        self._grant[:] = self._share(x["licence_weeks"] + line.licence_extra[0])
        self._order[:] = self._share(x["conversion_weeks"])
        self._batch[:] = x["batch_units"] * step_weeks / x["batch_weeks"]
        self._convert[:] = fresh[0]
        share = fresh[openings.nth % len(fresh), openings.who]  # the n-th opening of a path takes its n-th draw
        self._openings = Changes(openings.steps, len(line.price), share, who=openings.who)
        self._us_free, self._cn_free = line.us_free.tolist(), line.cn_free.tolist()
        self._ratio, self._batches = line.ratio.tolist(), line.batches.tolist()
        self._licence_cap, self._import_cap = (
            _not_above(cap, precision) for cap in (line.licence_cap, line.import_cap)
        )
        self._caps_may_fall = _may_fall(line)
        dated = np.stack([line.price, line.licence_extra, np.nan_to_num(line.ratio)])
        self._dated = [True, *np.any(dated[:, 1:] != dated[:, :-1], axis=0).tolist()]

    def events(self, t: int) -> None:
        """Take in what dated events change at step `t`, and where the import key opened again."""
        if self._dated[t]:
            self._set(t)
        elif self._ratio[t] < math.inf:
            self._home_cap += self._home_growth
        if struck := self._openings.at(t):
            who, share = struck
            self._convert[who] = share
            converted = self._converted[who]
            self._converted[who] = converted + share * (self._approved[who] - converted)

    def _set(self, t: int) -> None:
        """Set what dated events decide from step `t` on."""
        line, x = self._line, self._x
        self._wanted[:] = _wanted(x, float(line.price[t])) * self._h
        self._grant[:] = self._share(x["licence_weeks"] + line.licence_extra[t])
        if line.ratio[t] < math.inf:
            growth = line.ratio[t] * x["us_units_week"] * self._h
            self._home_growth[:] = growth
            self._home_cap[:] = line.ratio[t] * x["us_units_to_date"] + growth * t

    def order(self) -> None:
        """Let a share of what may convert become orders, while both keys are open."""
        moved = np.subtract(self._converted, self.ordered, out=self._a)
        moved *= self._order
        moved *= self._keys.both
        self.ordered += moved

    def apply(self, foreign: Floats) -> None:
        """Buyers apply for what they want, within what the mandate leaves to foreign chips."""
        self._applied += np.minimum(foreign, self._wanted, out=self._a)

    def license(self, t: int) -> None:
        """License applications while the export key is open, within every cap on the export side."""
        licensed, a = self._licensed, self._a
        np.subtract(self._applied, licensed, out=a)
        a *= self._keys.us
        if self._us_free[t]:
            licensed += a
            return
        a *= self._grant
        reached = np.add(licensed, a, out=a if self._caps_may_fall else licensed)
        if self._ratio[t] < math.inf:
            np.minimum(reached, self._home_cap, out=reached)
        if self._licence_cap[t] < math.inf:
            np.minimum(reached, self._licence_cap[t], out=reached)
        if self._caps_may_fall:
            np.maximum(licensed, reached, out=licensed)

    def approve(self, t: int) -> None:
        """Approve by dated batches and, while the import key is open, by batches of chance; a share converts."""
        a, b = self._a, self._b
        if self._cn_free[t]:
            np.subtract(self._licensed, self._approved, out=a)
        else:
            self._allowed += np.multiply(self._batch, self._keys.cn, out=a)
            if self._batches[t]:
                self._allowed += self._batches[t]
            np.minimum(self._licensed, self._allowed, out=a)
            a -= self._approved
        a *= self._keys.cn
        if self._import_cap[t] < math.inf:
            np.add(self._approved, a, out=b)
            np.minimum(b, self._import_cap[t], out=b)
            np.maximum(b, self._approved, out=b)
            np.subtract(b, self._approved, out=a)
            self._approved[:] = b
        else:
            self._approved += a
        if self._cn_free[t]:
            self._allowed += a  # what needs no batch uses none up
        if not (self._us_free[t] and self._cn_free[t]):
            a *= self._convert
        self._converted += a

    def _share(self, weeks: Floats) -> Floats:
        """Return the share that leaves a stage in a step."""
        return np.asarray(np.minimum(1.0, self._h / weeks))


def _may_fall(line: Timeline) -> bool:
    """Return whether a cap on licences may come to lie below what was licensed before."""
    falls = [np.any(cap[1:] < cap[:-1]) for cap in (line.ratio, line.licence_cap)]
    return bool(line.us_free.any() or any(falls))


def _not_above(caps: Floats, precision: npt.DTypeLike) -> list[float]:
    """Return the caps as numbers of this precision, none above the cap itself."""
    found = caps.astype(precision)
    below: list[float] = np.where(found > caps, np.nextafter(found, 0), found).tolist()
    return below


def _wanted(x: Mapping[str, Floats], duty: float) -> Floats:
    """Units a week that buyers want at a duty: demand x (1 + pass-through x duty) ^ -elasticity."""
    weekly = x["foreign_demand_year"] / WEEKS_A_YEAR
    return weekly * (1 + x["pass_through"] * duty) ** -x["elasticity"] if duty else weekly
