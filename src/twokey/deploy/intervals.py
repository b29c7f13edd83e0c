"""Intervals: how far measurements of a kind lie from predictions made without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twokey.deploy.constants import Constants
from twokey.deploy.corrections import sign
from twokey.deploy.measurements import Measurement
from twokey.deploy.performance.columns import Array

_ENOUGH = 18  # rows for a stratum to have quantiles of its own
_LOW, _HIGH = 0.09, 0.91


def _strata(kind: str, domestic: bool, engine: str) -> tuple[str, ...]:
    origin = "domestic" if domestic else "imported"
    return (f"{kind}, {origin}, {engine}", f"{kind}, {origin}", kind if not domestic else "domestic", "all")


def learn(rows: Sequence[Measurement], predicted: Array) -> dict[str, list[float]]:
    """Return per stratum the 9th and 91st percentile of log(speed measured / speed predicted), held out, and its rows.

    `predicted` must come from fits that did not see the rows' groups; anything else makes intervals too narrow.
    """
    error = np.log(np.array([row.value for row in rows]) / predicted) * sign(rows)
    members: dict[str, list[float]] = {}
    for row, e in zip(rows, error, strict=True):
        for stratum in _strata(row.kind, row.device.domestic, row.engine):
            members.setdefault(stratum, []).append(float(e))
    found = {
        name: [float(np.quantile(e, _LOW)), float(np.quantile(e, _HIGH)), len(e)]
        for name, e in members.items()
        if len(e) >= _ENOUGH or name == "all"
    }
    widths = [high - low for low, high, _ in found.values()]
    found["uncalibrated"] = [-max(1.2, max(widths) / 2), max(0.9, max(widths) / 2), 0]
    return found


def bounds(constants: Constants, kind: str, family: str, domestic: bool, engine: str) -> tuple[float, float]:
    """Return the factors on speed of the 80 % interval: the narrowest stratum with enough rows.

    A chip family that no measurement told about has the widest interval there is.
    """
    residuals: Mapping[str, Any] = constants.residuals
    if not constants.calibrated("family", family):
        low, high = residuals.get("uncalibrated", (-1.2, 0.9, 0))[:2]
        return float(np.exp(low)), float(np.exp(high))
    for stratum in _strata(kind, domestic, engine):
        if stratum in residuals:
            low, high = residuals[stratum][:2]
            return float(np.exp(low)), float(np.exp(high))
    return 0.4, 2.0
