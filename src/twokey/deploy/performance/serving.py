"""Serving: time per output token, prompts per second, throughput of a whole server, and what fits in memory."""

from __future__ import annotations

import numpy as np

from twokey.deploy.performance.columns import Array, Setting
from twokey.deploy.performance.forward import Pass, forward

_CHUNK = 8192.0  # tokens of prompt that an engine reads in one pass
_ARRIVING = 4.0  # of so many sequences in flight, one prompt waits when a pass begins


def weights_gb(on: Setting) -> Array:
    """Return the GB of weights that one device holds."""
    s, c = on.shape, on.config
    experts = s.moe_layers * s.experts * s.expert
    held = np.where(
        s.experts > 0, np.minimum(c.tp * c.dp, np.maximum(s.experts, 1)), c.tp
    )  # a device holds one at least
    rest = np.maximum(s.total - experts, s.layers * s.attention)
    return (rest * c.weight_bytes / c.tp + experts * c.expert_bytes / held) / c.pp / 1e9


def cache_gb(on: Setting, context: Array) -> Array:
    """Return the GB of cache on one device for one sequence of `context` tokens in its rank."""
    s, c = on.shape, on.config
    held = np.where(s.window > 0, s.full_share * context + (1 - s.full_share) * np.minimum(context, s.window), context)
    held = np.where((s.full_share < 0.2) & (s.cache_values < 700), context, held)  # sparse attention keeps everything
    return s.layers / c.pp * held * s.cache_values * c.cache_bytes / np.minimum(c.tp, s.kv_heads) / 1e9


def room(on: Setting, context: Array) -> Array:
    """Return the largest number of sequences (over all ranks of a replica) that fit beside the weights.

    Below 1 where not even one does. A tenth of the memory is kept for activations and the runtime.
    """
    free = on.device.memory_gb * 0.9 - weights_gb(on) - 1.0
    return np.maximum(free / cache_gb(on, context), 0.0) * on.config.dp


def prompt_pass(on: Setting, sequences: Array, length: Array) -> Pass:
    """Return the time in which a replica reads `sequences` prompts of `length` tokens, chunk by chunk.

    Stages of a pipeline read successive chunks at the same time; the first chunk passes through all of them alone.
    """
    per_rank = np.maximum(sequences / on.config.dp, 1)
    chunks = np.maximum(np.ceil(per_rank * length / _CHUNK), 1)
    one = forward(on, per_rank * on.config.dp, length / chunks, length / 2, prompt=True)
    stages = on.config.pp
    times = (chunks + stages - 1) / stages
    return Pass(
        one.matrices * times, one.attention * times, one.experts * times, one.network * times, one.overhead * times
    )


def decode_pass(on: Setting, sequences: Array, context: Array, draft: Array) -> Pass:
    """Return one decoding step of `sequences` in flight; `draft` tokens beside the next one are checked at once."""
    stages = on.config.pp
    return forward(on, np.maximum(sequences / stages, on.config.dp * 0 + 1), 1 + draft, context, prompt=False)


def drafting(on: Setting, step: Array, draft: Array) -> Array:
    """Return the seconds in which `draft` tokens are proposed, one after another, beside a step of `step` seconds.

    A draft of EAGLE or MTP is about one layer of the model with an output projection, scheduled by the host each time.
    """
    c = on.config
    head = on.shape.head * c.weight_bytes / c.tp / (on.device.bandwidth_gbs * 1e9 * on.family.eta_m)
    return draft * (step / on.shape.layers + head + on.world.step_ms * 1e-3)


def token_time(on: Setting, sequences: Array, prompt: Array, output: Array, draft: Array, accepted: Array) -> Array:
    """Return the seconds per output token of one sequence while its replica also reads the prompts that come in.

    `accepted` is the mean number of tokens that one step yields (1 without speculation). `output` of 0 means that
    prompts are read elsewhere, and `prompt` is the context.
    """
    mixed = output > 0
    context = np.where(mixed, prompt + output / 2, prompt)
    step = decode_pass(on, sequences, context, draft).total
    if np.any(draft):
        step = step + drafting(on, step, draft)
    step = step / accepted
    length = np.maximum(prompt, 1)
    at_once = np.clip(sequences / on.config.dp / _ARRIVING, 1, np.maximum(_CHUNK / length, 1))
    reading = prompt_pass(on, at_once * on.config.dp, length).total / (at_once * on.config.dp)
    reading = reading * sequences / np.maximum(output, 1)
    return step + np.where(mixed, reading * on.world.interference, 0.0)
