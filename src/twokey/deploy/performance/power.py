"""How much of its peak a chip keeps up within its power budget."""

from __future__ import annotations

from twokey.deploy.performance.columns import Array

USUAL = 0.8
"""W per dense 16-bit TFLOPS of a chip whose power is not published: between an H100 (0.71) and an A100 (1.28)."""


def share_of_peak(watts: Array, rate: Array, half: Array) -> Array:
    """Return the share of a peak of `rate` FLOP/s that lasts at `watts` W per device; `half` W/TFLOPS allow a half.

    Large matrix products throttle long before the nominal peak where many TFLOPS share few watts: the published kernel
    tables have an A100 (1.28 W per TFLOPS) at 0.86, an H100 (0.71) at 0.79, a B200 (0.44) at 0.68 in 16 bits and
    0.62 and 0.44 for H100 and B200 in 8 bits. More rate for the same power is never slower: rate times share grows.

    >>> round(float(share_of_peak(700.0, 989e12, 0.2)), 2), round(float(share_of_peak(400.0, 148e12, 0.2)), 2)
    (0.78, 0.93)
    """
    budget = watts / (rate / 1e12)
    return budget / (budget + half)
