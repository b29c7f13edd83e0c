"""Consent: applications, licences, approvals, and the share of approvals that turns into orders."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twokey.outlook.keys import Factors, Flags
from twokey.outlook.stocks import WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import Changes
from twokey.outlook.timeline import Timeline


class Consent:
    """What was ever applied for, licensed, approved, converted and ordered, on every path."""

    def __init__(  # noqa: PLR0913, PLR0917 (everything that consent turns on)
        self, line: Timeline, x: Mapping[str, Floats], reopened: Flags, fresh: Floats, keys: Factors, step_weeks: float
    ) -> None:
        self._line, self._x, self._keys, self._h = line, x, keys, step_weeks
        self.passed = np.zeros((5, len(x["applications"])))
        self._applied, self._licensed, self._approved, self._converted, self.ordered = self.passed
        self._applied[:] = x["applications"]
        self._wanted = _wanted(x, float(line.price[0])) * step_weeks
        self._grant = self._share(x["licence_weeks"] + line.licence_extra[0])
        self._order = self._share(x["conversion_weeks"])
        self._home_cap = self._home_growth = np.empty(0)
        self._batch, self._allowed = x["batch_units"] * step_weeks / x["batch_weeks"], np.zeros_like(self._applied)
        self._convert, self._openings = fresh[0].copy(), _openings(reopened, fresh)
        self._a, self._b = np.empty_like(self._applied), np.empty_like(self._applied)

    def events(self, t: int) -> None:
        """Take in what dated events change at step `t`, and where the import key opened again."""
        line, x = self._line, self._x
        if t and line.price[t] != line.price[t - 1]:
            self._wanted = _wanted(x, float(line.price[t])) * self._h
        if t and line.licence_extra[t] != line.licence_extra[t - 1]:
            self._grant = self._share(x["licence_weeks"] + line.licence_extra[t])
        if line.ratio[t] < np.inf:
            if t and line.ratio[t] == line.ratio[t - 1]:
                self._home_cap += self._home_growth
            else:
                self._home_growth = line.ratio[t] * x["us_units_week"] * self._h
                self._home_cap = line.ratio[t] * x["us_units_to_date"] + self._home_growth * t
        if struck := self._openings.at(t):
            who, share = struck
            self._convert[who] = share
            converted = self._converted[who]
            self._converted[who] = converted + share * (self._approved[who] - converted)

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
        line, a = self._line, self._a
        np.subtract(self._applied, self._licensed, out=a)
        a *= self._keys.us
        if line.us_free[t]:
            self._licensed += a
            return
        a *= self._grant
        a += self._licensed
        if line.ratio[t] < np.inf:
            np.minimum(a, self._home_cap, out=a)
        if line.licence_cap[t] < np.inf:
            np.minimum(a, line.licence_cap[t], out=a)
        np.maximum(self._licensed, a, out=self._licensed)

    def approve(self, t: int) -> None:
        """Approve by dated batches and, while the import key is open, by batches of chance; a share converts."""
        line, a, b = self._line, self._a, self._b
        if line.cn_free[t]:
            np.subtract(self._licensed, self._approved, out=a)
        else:
            self._allowed += np.multiply(self._batch, self._keys.cn, out=a)
            if line.batches[t]:
                self._allowed += line.batches[t]
            np.minimum(self._licensed, self._allowed, out=a)
            a -= self._approved
        a *= self._keys.cn
        if line.import_cap[t] < np.inf:
            np.subtract(line.import_cap[t], self._approved, out=b)
            np.maximum(b, 0.0, out=b)
            np.minimum(a, b, out=a)
        self._approved += a
        if line.cn_free[t]:
            self._allowed += a  # what needs no batch uses none up
        if not (line.us_free[t] and line.cn_free[t]):
            a *= self._convert
        self._converted += a

    def _share(self, weeks: Floats) -> Floats:
        """Return the share that leaves a stage in a step."""
        return np.asarray(np.minimum(1.0, self._h / weeks))


def _openings(reopened: Flags, fresh: Floats) -> Changes:
    """Return the share that converts from each opening of the import key on: the n-th of a path takes its n-th draw."""
    steps, paths = np.divmod(np.flatnonzero(reopened), reopened.shape[1])
    by_path = np.argsort(paths.astype(np.min_scalar_type(reopened.shape[1])), kind="stable")  # few bits sort fast
    counts = np.bincount(paths, minlength=reopened.shape[1])
    nth = np.empty_like(paths)
    nth[by_path] = np.arange(1, len(paths) + 1) - np.repeat(np.cumsum(counts) - counts, counts)
    share = fresh[nth % len(fresh), paths]
    return Changes(steps, len(reopened), share, who=paths)


def _wanted(x: Mapping[str, Floats], duty: float) -> Floats:
    """Units a week that buyers want at a duty: demand x (1 + pass-through x duty) ^ -elasticity."""
    weekly = x["foreign_demand_year"] / WEEKS_A_YEAR
    return weekly * (1 + x["pass_through"] * duty) ** -x["elasticity"] if duty else weekly
