"""Training: seconds per optimiser step of a whole cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twokey.deploy.performance.columns import Array, Setting
from twokey.deploy.performance.network import all_reduce, all_to_all
from twokey.deploy.performance.power import share_of_peak

_STATE_BYTES = 18.0  # weight and gradient in 16 bits, master weight and two moments in 32


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds of one step and where they go; `tokens` is the step's global batch."""

    compute: Array
    tensor: Array
    experts: Array
    bubble: Array
    data: Array
    tokens: Array

    @property
    def total(self) -> Array:
        """The sum of the parts."""
        return self.compute + self.tensor + self.experts + self.bubble + self.data


def model_flops(on: Setting, length: Array) -> Array:
    """Return the FLOPs per token that MFU counts: forward and backward, attention in full (Megatron's convention)."""
    s = on.shape
    linear = s.layers * (s.attention + s.dense_ffn) + s.moe_layers * s.topk * s.expert + s.head
    return 6 * linear + 3 * s.layers * s.prefill_flops * length * s.full_share


def step(on: Setting, length: Array, sequences: Array, recompute: Array) -> Step:
    """Return one step over `sequences` of `length` tokens on tp x pp x dp x cp devices.

    `recompute` is the extra forward work as a share of the forward pass (1 full, 0 none). The rate is the device's
    peak for the arithmetic of the linear layers; attention and everything else stays in 16 bits.
    """
    s, c, w = on.shape, on.config, on.world
    tokens = sequences * length
    devices = c.tp * c.pp * c.dp * c.cp
    each = tokens / devices  # tokens worked per device, as if it held the whole model
    linear = 2 * (s.layers * (s.attention + s.dense_ffn) + s.head)
    routed = 2 * s.moe_layers * s.topk * s.expert / w.moe_train
    attention = s.layers * s.prefill_flops * length * s.full_share / 2
    passes = 3 + recompute
    width = s.hidden / np.sqrt(c.tp)
    fill = width / (width + w.width)
    sixteen = on.device.tflops16 * 1e12
    kept = share_of_peak(on.device.watts, sixteen, w.watts)
    base = sixteen * kept * on.family.compute * w.train * fill
    gain = c.rate * share_of_peak(on.device.watts, c.rate, w.watts) / (sixteen * kept)
    fast = 1 + (gain - 1) * w.fp8_train
    compute = each * passes * ((linear + routed) / (base * fast) + attention / (base * w.attention_train))
    compute = compute * (1 + w.kernels / np.maximum(s.hidden, 1))

    per_pass = np.maximum(length * c.micro / c.cp, 1)
    times = 2 * passes / 3 * 3 / 2  # two all-reduces a layer in each direction, once more when recomputed
    reduce = all_reduce(on, c.tp, per_pass * s.hidden * 2)
    runs = sequences / (c.dp * c.micro)  # micro-batches through one pipeline
    tensor = np.where(c.tp > 1, runs * s.layers / c.pp * 2 * times / 1.5 * reduce * (1 - w.tp_overlap), 0.0)
    ring = np.where(
        c.cp > 1, runs * s.layers / c.pp * passes * all_to_all(on, c.cp, per_pass * s.cache_values * 2), 0.0
    )
    tensor = tensor + ring * 0.5

    sent = per_pass / c.tp * s.topk * s.hidden * 4
    exchange = all_to_all(on, c.ep, sent / 2, s.topk)
    experts = np.where(c.ep > 1, runs * s.moe_layers / c.pp * passes * exchange * (1 - w.ep_overlap), 0.0)

    inner = compute + tensor + experts
    bubble = inner * w.bubble * (c.pp - 1) / np.maximum(runs, 1)

    held = s.total / (c.tp * c.pp * np.where(s.experts > 0, np.maximum(c.ep, 1), 1))
    moved = np.where((c.tp * c.pp) > 1, 4.0, 6.0) * held
    transfer = np.where(c.dp * c.cp > 1, all_reduce(on, c.dp * c.cp, moved / 2), 0.0)
    hidden = inner * w.dp_overlap
    data = larger_than(transfer, hidden)
    data = data + w.straggle * np.log2(np.maximum(devices / 8, 1)) * inner
    return Step(compute, tensor, experts, bubble, data, tokens)


def larger_than(value: Array, hidden: Array) -> Array:
    """Return the part of `value` that sticks out behind `hidden`, with a soft corner."""
    rest = value - hidden
    return 0.5 * (rest + np.sqrt(rest * rest + (0.1 * (value + hidden)) ** 2)) * (value > 0)


def state_gb(on: Setting) -> Array:
    """Return the GB of weights, gradients and optimiser state on one device, sharded over data parallelism."""
    s, c = on.shape, on.config
    held = s.total / (c.tp * c.pp)
    return held * (np.where(c.dp * c.ep > 1, 4.0 / np.maximum(c.ep, 1) + 14.0 / c.dp, _STATE_BYTES)) / 1e9
