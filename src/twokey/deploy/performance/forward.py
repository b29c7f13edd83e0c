"""One forward pass of a replica: the step of decoding, and the reading of a prompt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twokey.deploy.performance.columns import Array, Setting, larger
from twokey.deploy.performance.network import all_reduce, all_to_all
from twokey.deploy.performance.power import share_of_peak


@dataclass(frozen=True, slots=True)
class Pass:
    """Seconds of one forward pass through all layers, and where they go."""

    matrices: Array
    attention: Array
    experts: Array
    network: Array
    overhead: Array

    @property
    def total(self) -> Array:
        """The sum of the parts."""
        return self.matrices + self.attention + self.experts + self.network + self.overhead


def _gemm(on: Setting, flops: Array, size: Array) -> Array:
    """Return the seconds of a matrix product of `flops` that reads `size` bytes of weights (roofline)."""
    compute = flops / (on.config.rate * on.config.eta)
    memory = size / (on.device.bandwidth_gbs * 1e9 * on.family.eta_m)
    return larger(compute, memory)


def padded(rows: Array, tile: Array) -> Array:
    """Return by what a matrix product of `rows` rows works more than it must: kernels work on tiles of rows.

    About `tile` rows are added where there are many, and twice the rows are worked where there are few.
    """
    return 1 + tile / (rows + tile)


def forward(on: Setting, sequences: Array, new: Array, context: Array, prompt: bool) -> Pass:
    """Return the time of one pass of `sequences` (over all `dp` ranks of a replica), each of `new` tokens.

    `context` is the mean number of cached tokens that a new token attends to. `prompt` selects the arithmetic of
    attention (MLA is expanded when a prompt is read, absorbed when decoding). Columns of equal length, or scalars.
    """
    s, c, w = on.shape, on.config, on.world
    tokens = sequences * new
    mine = tokens / c.dp  # tokens of one attention rank
    layers = s.layers
    dense = s.attention + s.dense_ffn
    worked = mine * padded(mine, w.tile)
    matrices = layers * _gemm(on, 2 * dense * worked / c.tp, dense * c.weight_bytes / c.tp)
    answered = np.where(prompt, sequences / c.dp, mine)  # only the last token of a prompt needs the output projection
    matrices = matrices + _gemm(on, 2 * s.head * answered / c.tp, s.head * c.weight_bytes / c.tp)

    read = s.full_share * context + (1 - s.full_share) * np.minimum(context, s.window)
    flops_each = s.prefill_flops if prompt else s.decode_flops
    attention_flops = layers * mine * read * flops_each / c.tp
    ways = np.minimum(c.tp, s.kv_heads)
    cache = layers * sequences / c.dp * read * s.cache_values * c.cache_bytes / ways
    sixteen = on.device.tflops16 * 1e12
    kept = share_of_peak(on.device.watts, sixteen, w.watts) * on.family.compute
    kernel = w.attention_prompt if prompt else w.attention
    reads = 1.0 if prompt else 1 + on.engine.reread * (s.shared_heads - 1)  # cache read once for each query head
    attention = larger(
        attention_flops / (sixteen * kept * kernel),
        cache * reads / (on.device.bandwidth_gbs * 1e9 * on.family.eta_m * w.cache),
    )

    group = c.tp * c.dp
    n = np.maximum(s.experts, 1)
    touched = np.where(s.experts > 0, n * (1 - np.exp(tokens * np.log1p(-np.minimum(s.topk / n, 0.999)))), 0.0)
    skew = 1 + (w.imbalance - 1) * (1 - 1 / c.ep)
    wide = s.ffn_width / np.maximum(group / np.maximum(c.ep, 1), 1)  # of one device's slice of an expert
    pairs = tokens * s.topk  # of a token and an expert
    here = pairs / np.maximum(c.ep, 1)  # on one device
    passed = here * (6 * s.hidden + 8 * wide)  # bytes of activations, gathered, written and combined
    rows = pairs * padded(pairs / np.maximum(touched, 1), w.tile)
    held = touched * s.expert * c.expert_bytes / np.minimum(group, n) / w.grouped_memory
    again = s.expert * c.expert_bytes / w.block * pairs / group  # each block of rows fetches its expert anew
    experts = s.moe_layers * _gemm(on, 2 * rows * s.expert / group * skew / w.grouped, (held + passed + again) * skew)

    reduce = np.where(c.tp > 1, 2 * layers * all_reduce(on, c.tp, mine * s.hidden * 2), 0.0)
    sent = mine / c.tp * s.topk * s.hidden * 3  # one byte out (8 bits), two back
    spread = np.where(c.dp > 1, group, 1.0)
    exchange = s.moe_layers * np.where(spread > 1, 2 * all_to_all(on, spread, sent / 2, s.topk), 0.0)
    hop = np.where(c.pp > 1, (c.pp - 1) * (mine * s.hidden * 2 / (on.device.link_gbs * 1e9) + 2e-5), 0.0)
    network = reduce + exchange * (1 - w.overlap) + hop

    per_layer = on.family.layer_us * on.engine.launch * (layers + w.moe_launch * s.moe_layers)
    overhead = per_layer * 1e-6 + w.step_ms * 1e-3
    if prompt:  # the host launches every kernel, while the device still works on those before
        device, host = matrices + attention + experts + network, per_layer * 1e-6 * w.prompt_launch + w.step_ms * 1e-3
        overhead = larger(device, host) - device
    zero = np.zeros(np.broadcast_shapes(np.shape(matrices), np.shape(attention), np.shape(experts)))
    return Pass(matrices + zero, attention + zero, experts + zero, network + zero, overhead + zero)


def least_time(on: Setting, sequences: Array, new: Array, context: Array, prompt: bool) -> Array:
    """Return the time below which no such pass can be: arithmetic at the peak, bytes at the full bandwidth."""
    s, c = on.shape, on.config
    tokens = sequences * new
    group = c.tp * c.dp
    n = np.maximum(s.experts, 1)
    touched = np.where(s.experts > 0, n * (1 - np.exp(tokens * np.log1p(-np.minimum(s.topk / n, 0.999)))), 0.0)
    answered = sequences if prompt else tokens
    read = s.full_share * context + (1 - s.full_share) * np.minimum(context, s.window)
    flops = 2 * (s.attention + s.dense_ffn) * s.layers * tokens + 2 * s.moe_layers * s.topk * s.expert * tokens
    flops = (flops + 2 * s.head * answered) / c.rate + (
        s.layers * tokens * read * (s.prefill_flops if prompt else s.decode_flops) / (on.device.tflops16 * 1e12)
    )
    weights = (s.layers * (s.attention + s.dense_ffn) + s.head) * c.weight_bytes / c.tp
    weights = weights + s.moe_layers * touched * s.expert * c.expert_bytes / np.minimum(group, n)
    cache = s.layers * sequences / c.dp * read * s.cache_values * c.cache_bytes / np.minimum(c.tp, s.kv_heads)
    return np.maximum(flops / group, (weights + cache) / (on.device.bandwidth_gbs * 1e9))
