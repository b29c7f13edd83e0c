"""The vendor's chips: foundry, finished stock, inspection, customs, and into service."""

from __future__ import annotations

from typing import Final

import numpy as np

from twokey.outlook.given import Given
from twokey.outlook.keys import Factors
from twokey.outlook.stocks import WEEKS_A_YEAR, Floats
from twokey.outlook.strikes import NEVER, Changes

VERIFICATION_WEEKS: Final = 4.0  # assumption: location verification lengthens inspection by a month


class Vendor:
    """What was ever shipped, inspected, delivered, started, fabricated and packaged, on every path.

    `unspoilt` is the stock at the start less what was written down since.
    """

    def __init__(self, given: Given, keys: Factors) -> None:
        line, x, moments, step_weeks = given.line, given.x, given.moments, given.step_weeks
        self._line, self._x, self._keys, self._h = line, x, keys, step_weeks
        steps, paths, precision = len(line.price), len(x["vendor_stock"]), keys.us.dtype
        self.unspoilt, self.installing, self._writedown, self._stay = np.zeros((4, paths), precision)
        self._foundry, self._a, self._b = np.zeros((3, paths), precision)
        self.unspoilt[:], self._writedown[:] = x["vendor_stock"], x["writedown_year"] * step_weeks / WEEKS_A_YEAR

        # On the way: a share of what waits before inspection and customs passes, while the key concerned is open.
        self.sent = np.zeros((3, paths), precision)
        self._sent_moved, self._sent_share = np.empty((2, 2, paths), precision)
        self._shipped, _, self.delivered = self.sent
        self.arrived = self._sent_moved[1]  # through customs in this step
        self._verified = moments.chip_security
        self._inspect(0)
        self._sent_share[1] = self._share(x["customs_weeks"])
        struck = x["inspection_weeks"] + VERIFICATION_WEEKS
        struck += line.inspection_extra[np.minimum(self._verified, steps - 1)]
        self._verification = Changes(self._verified, steps, self._share(struck))
        self._stay[:] = 1 - self._share(x["install_weeks"])

        # The foundry, from its restart on, at half its capacity after a shock.
        self.built = np.zeros((3, paths), precision)
        self._built_moved, self._built_share = np.empty((2, 2, paths), precision)
        self._started, _, self._packaged = self.built
        self._built_share[0], self._built_share[1] = self._share(x["wafer_weeks"]), self._share(x["package_weeks"])
        capacity, shock = x["foundry_units_week"] * step_weeks, moments.foundry_shock
        restart = np.asarray(x["restart_weeks"] // step_weeks, dtype=np.int64)
        self._capacity = Changes(
            np.stack([restart, np.where(shock > restart, shock, NEVER)]),
            steps,
            np.stack([np.where(shock > restart, capacity, capacity / 2), capacity / 2]),
        )
        self._extra: list[float] = line.inspection_extra.tolist()

    def events(self, t: int) -> None:
        """Take in what chance and dated events change at step `t`."""
        if t and self._extra[t] != self._extra[t - 1]:
            self._inspect(t)
        if struck := self._verification.at(t):
            who, share = struck
            self._sent_share[0][who] = share
        if struck := self._capacity.at(t):
            who, capacity = struck
            self._foundry[who] = capacity

    def move(self) -> None:
        """Let a share of what waits before each gate pass it; all from what was there when the step began."""
        moved = np.subtract(self.sent[:-1], self.sent[1:], out=self._sent_moved)
        moved *= self._sent_share
        moved *= self._keys.each
        self.sent[1:] += moved
        self.installing *= self._stay
        self.installing += self.arrived
        moved = np.subtract(self.built[:-1], self.built[1:], out=self._built_moved)
        moved *= self._built_share
        self.built[1:] += moved

    def ship(self, ordered: Floats) -> None:
        """Orders meet finished chips; the foundry starts what is still missing; idle stock loses value."""
        a, b = self._a, self._b
        np.add(self._packaged, self.unspoilt, out=b)
        np.minimum(ordered, b, out=self._shipped)
        b -= self._shipped
        b *= self._writedown
        b *= self._keys.idle
        np.subtract(ordered, self.unspoilt, out=a)
        self.unspoilt -= b
        np.add(self._started, self._foundry, out=b)
        np.minimum(a, b, out=a)
        np.maximum(self._started, a, out=self._started)

    def _inspect(self, t: int) -> None:
        """Set the share that leaves inspection on every path."""
        verification = np.where(self._verified <= t, VERIFICATION_WEEKS, 0.0)
        self._sent_share[0] = self._share(self._x["inspection_weeks"] + verification + self._line.inspection_extra[t])

    def _share(self, weeks: Floats) -> Floats:
        """Return the share that leaves a stage in a step."""
        return np.asarray(np.minimum(1.0, self._h / weeks))
