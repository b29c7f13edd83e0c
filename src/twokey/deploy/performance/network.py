"""What communication costs: all-reduce of tensor parallelism and all-to-all of expert parallelism."""

from __future__ import annotations

import numpy as np

from twokey.deploy.performance.columns import Array, Setting


def all_reduce(on: Setting, group: Array, size: Array) -> Array:
    """Return the seconds of one all-reduce of `size` bytes over `group` devices (ring: 2 (g - 1) / g of the bytes).

    Inside the scale-up domain the bus runs at the family's share of the link; beyond it a second level over the
    scale-out network of the whole domain carries one share of each device's bytes.
    """
    local = np.minimum(group, on.device.domain)
    bus = on.device.link_gbs * 1e9 * on.family.bus
    inside = 2 * (local - 1) / local * size / bus
    groups = group / local
    across = 2 * (groups - 1) / groups * size / local / (on.device.out_gbs * 1e9 * on.family.bus)
    latency = on.family.alpha_us * 1e-6 * ((group > 1) + (groups > 1))
    return inside + across + latency


def all_to_all(on: Setting, group: Array, size: Array) -> Array:
    """Return the seconds of one all-to-all in which each device sends `size` bytes evenly to `group` devices.

    The share of the bytes that leaves the scale-up domain goes over the scale-out network (after DeepEP, which sends
    a token once per node it visits; with few nodes that saves little, and is left out).
    """
    local = np.minimum(group, on.device.domain)
    bus = on.device.link_gbs * 1e9 * on.family.bus
    outside = 1 - local / group
    inside = np.where(group > 1, (1 - 1 / group) * size / bus, 0.0)
    across = outside * size / (on.device.out_gbs * 1e9 * on.family.bus)
    latency = on.family.alpha_us * 1e-6 * np.where(group > 1, 1 + np.log2(np.maximum(group / local, 1)), 0)
    return np.maximum(inside, across) + latency
