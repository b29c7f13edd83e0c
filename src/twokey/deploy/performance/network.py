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


def all_to_all(on: Setting, group: Array, size: Array, copies: Array | float = 1.0) -> Array:
    """Return the seconds of one all-to-all in which each device sends `size` bytes evenly to `group` devices.

    The share of the bytes that leaves the scale-up domain goes over the scale-out network. `copies` destinations get
    the same bytes (a token and its experts): a domain is sent one copy, however many of its devices want it (DeepEP).
    """
    local = np.minimum(group, on.device.domain)
    bus = on.device.link_gbs * 1e9 * on.family.bus
    domains = np.maximum(group / local, 1)
    reached = domains * (1 - (1 - 1 / domains) ** np.maximum(copies, 1)) / np.maximum(copies, 1)
    outside = (1 - 1 / domains) * reached
    inside = np.where(group > 1, (1 - 1 / group) * size / bus, 0.0)
    across = outside * size / (on.device.out_gbs * 1e9 * on.family.bus)
    latency = on.family.alpha_us * 1e-6 * np.where(group > 1, 1 + np.log2(domains), 0)
    return np.maximum(inside, across) + latency
