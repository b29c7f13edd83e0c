"""Proper scores of a forecast: CRPS for a quantity, Brier for an event, pinball for quantiles, coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def crps(samples: Floats, outcome: float) -> float:
    """Return the continuous ranked probability score of a sample: E|X - y| - E|X - X'| / 2; lower is better.

    For a single value it is the absolute error.

    >>> crps(np.array([3.0]), 1.0), round(crps(np.array([0.0, 1.0]), 0.0), 3)
    (2.0, 0.25)
    """
    x = np.sort(samples)
    n = len(x)
    spread = float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x)) / n**2
    return float(np.mean(np.abs(x - outcome))) - spread


def brier(probability: float, happened: bool) -> float:
    """Return the squared error of a probability.

    >>> round(brier(0.8, True), 3)
    0.04
    """
    return (probability - float(happened)) ** 2


def pinball(samples: Floats, outcome: float, at: tuple[float, ...] = (0.1, 0.5, 0.9)) -> float:
    """Return the mean quantile loss of the sample's quantiles.

    >>> pinball(np.array([1.0]), 1.0)
    0.0
    """
    losses = []
    for q in at:
        error = outcome - float(np.quantile(samples, q))
        losses.append(max(q * error, (q - 1) * error))
    return float(np.mean(losses))


def covered(samples: Floats, outcome: float, share: float = 0.8) -> bool:
    """Say whether the central interval of the sample holds the outcome.

    >>> covered(np.arange(101.0), 50.0), covered(np.arange(101.0), 95.0)
    (True, False)
    """
    low, high = np.quantile(samples, [(1 - share) / 2, (1 + share) / 2])
    slack = 1e-9 * max(1.0, abs(outcome))
    return bool(low - slack <= outcome <= high + slack)
