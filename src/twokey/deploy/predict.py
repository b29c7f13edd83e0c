"""From measurements to predictions: the same figure that a row reports, computed by the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twokey.deploy.candidates import Candidates, serving, training
from twokey.deploy.constants import ENGINE, FAMILY, WORLD, Constants
from twokey.deploy.devices import NUMBERS as DEVICE_NUMBERS
from twokey.deploy.measurements import Measurement
from twokey.deploy.performance import serving as serve
from twokey.deploy.performance import training as train
from twokey.deploy.performance.columns import Array, Columns, Setting, scalar, stack
from twokey.deploy.performance.power import share_of_peak
from twokey.deploy.shapes import NUMBERS as SHAPE_NUMBERS


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows made ready once, so that a fit can evaluate them many times: their columns and their candidates."""

    rows: tuple[Measurement, ...]
    families: tuple[str, ...]
    engines: tuple[str, ...]
    family: NDArray[np.intp]
    engine: NDArray[np.intp]
    metric: NDArray[np.str_]
    shape: Columns
    device: Columns
    serving: Candidates
    training: Candidates


def prepare(rows: Sequence[Measurement]) -> Prepared:
    """Return the rows' columns and candidates (no constant is used yet)."""
    families = sorted({row.device.family for row in rows})
    engines = sorted({row.engine for row in rows})
    served = [(i, row) for i, row in enumerate(rows) if row.kind != "train"]
    trained = [(i, row) for i, row in enumerate(rows) if row.kind == "train"]
    return Prepared(
        tuple(rows),
        tuple(families),
        tuple(engines),
        np.array([families.index(row.device.family) for row in rows], dtype=np.intp),
        np.array([engines.index(row.engine) for row in rows], dtype=np.intp),
        np.array([row.metric for row in rows]),
        stack([row.shape for row in rows], SHAPE_NUMBERS),
        stack([row.device for row in rows], DEVICE_NUMBERS),
        serving(served),
        training(trained),
    )


def world(constants: Constants) -> Columns:
    """Return the world's constants as columns (single numbers)."""
    return Columns({name: scalar(constants.of("world", "all", name)) for name in WORLD})


def members(constants: Constants, group: str, names: Sequence[str]) -> Columns:
    """Return the constants of some families or engines, one column per constant, in the order of `names`."""
    spec = FAMILY if group == "family" else ENGINE
    columns = {key: np.array([constants.of(group, name, key) for name in names]) for key in spec}
    return Columns(columns)


def setting(ready: Prepared, candidates: Candidates, constants: Constants) -> Setting:
    """Return the columns of every candidate."""
    at = candidates.row
    family = members(constants, "family", ready.families).take(ready.family[at])
    engine = members(constants, "engine", ready.engines).take(ready.engine[at])
    everywhere = world(constants)
    c = candidates.columns
    watts = ready.device.watts[at]
    eta = share_of_peak(watts, c.rate, everywhere.watts) * family.compute * np.where(c.bits == 16, 1.0, family.narrow)
    return Setting(ready.shape.take(at), ready.device.take(at), family, engine, everywhere, c.with_(eta=eta))


def _accepted(c: Columns, constants: Constants) -> Array:
    """Return the tokens that one decoding step yields: 1 without a draft."""
    eagle, mtp = (constants.of("world", "all", name) for name in ("eagle_accepted", "mtp_accepted"))
    return np.where(c.draft == 0, 1.0, np.where(c.draft == 1, mtp, eagle))


def _best(score: Array, row: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return, for each row that has candidates, the index of the one with the highest score, in the order of rows."""
    order = np.lexsort((score, row))
    last = np.full(count, -1, dtype=np.intp)
    last[row[order]] = order
    return last[last >= 0]


def predict(ready: Prepared, constants: Constants) -> Array:
    """Return the predicted figure of each row, in the row's own metric; NaN where the model has no answer."""
    answer = np.full(len(ready.rows), np.nan)
    if len(ready.serving.row):
        _serve(ready, constants, answer)
    if len(ready.training.row):
        _train(ready, constants, answer)
    return answer


_CUTS = 12  # a server sheds a quarter of its sequences at most so many times to keep its limit


def _in_flight(on: Setting, accepted: Array) -> Array:
    """Return the sequences in flight: as given, or as many as fit and, where a server has a limit, keep it."""
    c = on.config
    space = serve.room(on, c.prompt + c.output * np.where(c.reserves > 0, 1.0, 0.5))
    sequences = np.where(c.sequences > 0, c.sequences, np.maximum(np.minimum(space, c.cap) * on.world.queue, 1.0))
    sequences = np.where((c.output > 0) & (space >= 1), np.minimum(sequences, space), sequences)  # the rest waits
    limited = np.flatnonzero(c.limit > 0)
    part, taken = on.take(limited), accepted[limited]
    p = part.config
    most = sequences[limited]
    fewest, enough = np.zeros(len(limited)), np.full(len(limited), float(_CUTS))
    while len(limited) and (fewest < enough).any():  # the smallest cut that keeps the limit: time grows with sequences
        cut = np.floor((fewest + enough) / 2)
        tried = np.maximum(most * 0.75**cut, 1.0)
        kept = serve.token_time(part, tried, p.prompt, p.output, p.draft, taken) <= p.limit * 0.9
        fewest, enough = np.where(kept, fewest, np.minimum(cut + 1, enough)), np.where(kept, cut, enough)
    sequences[limited] = np.where(enough > 0, np.maximum(most * 0.75**enough, 1.0), most)
    return sequences


def _serve(ready: Prepared, constants: Constants, answer: Array) -> None:
    on = setting(ready, ready.serving, constants)
    c, at = on.config, ready.serving.row
    accepted = _accepted(c, constants)
    sequences = _in_flight(on, accepted)
    time = serve.token_time(on, sequences, c.prompt, c.output, c.draft, accepted)
    rate = sequences / time * c.replicas * np.where(c.server > 0, on.world.server, 1.0)  # output tokens/s, all devices

    length = np.where(c.tokens_each > 0, np.minimum(c.prompt, c.tokens_each), c.prompt)
    prompts = np.where(c.tokens_each > 0, c.dp * c.tokens_each * c.tp / length, c.sequences)
    reading = serve.prompt_pass(on, prompts, length).total
    read_rate = np.maximum(prompts, c.dp) * length / reading * c.replicas

    cards = c.devices / on.device.per_card
    value = np.full(len(at), np.nan)
    for metric, figure in (
        ("tpot_ms", time * 1e3),
        ("ttft_ms", reading * 1e3),
        ("out_tok_s", rate),
        ("out_tok_s_per_chip", rate / cards),
        ("out_tok_s_per_node", rate / cards * 8),
        ("total_tok_s", rate * (1 + c.prompt / np.maximum(c.output, 1.0))),
        ("in_tok_s_per_chip", read_rate / cards),
        ("in_tok_s_per_node", read_rate / cards * 8),
        ("in_tok_s", read_rate),
    ):
        value = np.where(ready.metric[at] == metric, figure, value)
    fits = serve.weights_gb(on) < on.device.memory_gb * 0.92
    faster = np.where(np.isin(ready.metric[at], ("tpot_ms", "ttft_ms")), -value, value)
    best = _best(faster + np.where(fits, 0.0, -1e12), at, len(ready.rows))
    answer[at[best]] = value[best]


def _train(ready: Prepared, constants: Constants, answer: Array) -> None:
    on = setting(ready, ready.training, constants)
    c, at = on.config, ready.training.row
    step = train.step(on, c.length, c.sequences, np.where(c.recompute < 0, on.world.recompute, c.recompute))
    rate = step.tokens / step.total / c.devices
    best = _best(rate, at, len(ready.rows))
    flops = train.model_flops(on, c.length)
    for j in best:
        row = ready.rows[at[j]]
        each = rate[j] * row.device.per_card  # tokens a second and card
        if row.metric == "tok_s_per_chip":
            value = each
        elif row.metric == "iter_time_s":
            value = step.total[j]
        elif row.metric in {"gpu_hours", "gpu_hours_per_T_tokens"}:
            lost = constants.of("world", "all", "goodput") if row.metric == "gpu_hours" else 1.0
            value = (row.tokens or 1e12) / each / 3600 / lost
        elif row.metric == "mfu_pct":
            value = 100 * each * flops[j] / (row.device.tflops16 * row.device.per_card * 1e12)
        elif row.metric == "hw_tflops_per_chip":
            value = each * flops[j] * (4 / 3 if row.recompute == "full" else 1.0) / 1e12
        elif row.metric == "time_to_train_min":
            value = _tokens_to_target(row, constants) / (each * (row.count or 8.0)) / 60
        else:
            value = np.nan
        answer[at[j]] = value


_TARGET_TOKENS = {"GPT-3-175B": 1.23e9, "Llama-3.1-405B": 2.37e9}  # MLPerf Training logs: tokens at convergence


def _tokens_to_target(row: Measurement, constants: Constants) -> float:
    if row.shape.name in _TARGET_TOKENS:
        return _TARGET_TOKENS[row.shape.name]
    if row.shape.name == "Llama-2-70B":
        base = constants.of("world", "all", "lora_tokens")
        return base * (1 + (row.batch or 8.0) / constants.of("world", "all", "lora_batch"))
    return constants.of("world", "all", "pretrain_8b_tokens") if row.shape.name == "Llama-3.1-8B" else np.nan
