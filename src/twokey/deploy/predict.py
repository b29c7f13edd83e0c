"""From measurements to predictions: the same figure that a row reports, computed by the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twokey.deploy.candidates import RESERVES, Candidates, serving, training
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


def _speculation(ready: Prepared, at: NDArray[np.intp], constants: Constants) -> tuple[Array, Array]:
    draft, accepted = np.zeros(len(at)), np.ones(len(at))
    for position, index in enumerate(at):
        kind = ready.rows[index].draft
        if kind.startswith("eagle"):
            draft[position], accepted[position] = 3.0, constants.of("world", "all", "eagle_accepted")
        elif kind == "mtp":
            draft[position], accepted[position] = 1.0, constants.of("world", "all", "mtp_accepted")
    return draft, accepted


def _best(score: Array, row: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return, per row, the index of its candidate with the highest score; -1 where it has none."""
    order = np.lexsort((score, row))
    last = np.full(count, -1, dtype=np.intp)
    last[row[order]] = order
    return last


def predict(ready: Prepared, constants: Constants) -> Array:
    """Return the predicted figure of each row, in the row's own metric; NaN where the model has no answer."""
    answer = np.full(len(ready.rows), np.nan)
    if len(ready.serving.row):
        _serve(ready, constants, answer)
    if len(ready.training.row):
        _train(ready, constants, answer)
    return answer


def _serve(ready: Prepared, constants: Constants, answer: Array) -> None:
    on = setting(ready, ready.serving, constants)
    c, at = on.config, ready.serving.row
    draft, accepted = _speculation(ready, at, constants)
    prefill = np.array([ready.rows[i].kind == "prefill" for i in at])
    server = np.array([ready.rows[i].kind == "server" for i in at])
    limit = np.array([(ready.rows[i].tpot_limit_ms or 0.0) / 1e3 for i in at])
    # TensorRT-LLM admits a request only when its whole answer has room; the others grow and evict.
    whole = np.array([ready.rows[i].engine in RESERVES for i in at])
    space = serve.room(on, c.prompt + c.output * np.where(whole, 1.0, 0.5))
    sequences = np.where(c.sequences > 0, c.sequences, np.maximum(np.minimum(space, c.cap) * on.world.queue, 1.0))
    sequences = np.where((c.output > 0) & (space >= 1), np.minimum(sequences, space), sequences)  # the rest waits
    time = serve.token_time(on, sequences, c.prompt, c.output, draft, accepted)
    for _ in range(12):  # fewer in flight until the latency limit holds
        over = server & (limit > 0) & (time > limit * 0.9)
        if not over.any():
            break
        sequences = np.where(over, np.maximum(sequences * 0.75, 1.0), sequences)
        time = serve.token_time(on, sequences, c.prompt, c.output, draft, accepted)
    rate = sequences / time * c.replicas * np.where(server, on.world.server, 1.0)  # output tokens a second, all devices

    length = np.where(c.tokens_each > 0, np.minimum(c.prompt, c.tokens_each), c.prompt)
    prompts = np.where(c.tokens_each > 0, c.dp * c.tokens_each * c.tp / length, c.sequences)
    reading = serve.prompt_pass(on, prompts, length).total
    read_rate = np.maximum(prompts, c.dp) * length / reading * c.replicas

    fits = serve.weights_gb(on) < on.device.memory_gb * 0.92
    metric_is = np.array([ready.rows[i].metric for i in at])
    score = np.where(
        metric_is == "tpot_ms", -time, np.where(metric_is == "ttft_ms", -reading, np.where(prefill, read_rate, rate))
    )
    score = score + np.where(fits, 0.0, -1e12)
    best = _best(score, at, len(ready.rows))
    for index in np.unique(at):
        j = best[index]
        row = ready.rows[index]
        cards = c.devices[j] / row.device.per_card
        value = {
            "tpot_ms": time[j] * 1e3,
            "ttft_ms": reading[j] * 1e3,
            "out_tok_s": rate[j],
            "out_tok_s_per_chip": rate[j] / cards,
            "out_tok_s_per_node": rate[j] / cards * 8,
            "total_tok_s": rate[j] * (1 + c.prompt[j] / max(c.output[j], 1.0)),
            "in_tok_s_per_chip": read_rate[j] / cards,
            "in_tok_s_per_node": read_rate[j] / cards * 8,
            "in_tok_s": read_rate[j],
        }
        answer[index] = value.get(row.metric, np.nan)


def _train(ready: Prepared, constants: Constants, answer: Array) -> None:
    on = setting(ready, ready.training, constants)
    c, at = on.config, ready.training.row
    known = {"full": 1.0, "selective": 0.05, "none": 0.0}
    unknown = constants.of("world", "all", "recompute")
    recompute = np.array([known.get(ready.rows[i].recompute, unknown) for i in at])
    step = train.step(on, c.length, c.sequences, recompute)
    rate = step.tokens / step.total / c.devices
    best = _best(rate, at, len(ready.rows))
    flops = train.model_flops(on, c.length)
    for index in np.unique(at):
        j = best[index]
        row = ready.rows[index]
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
        answer[index] = value


_TARGET_TOKENS = {"GPT-3-175B": 1.23e9, "Llama-3.1-405B": 2.37e9}  # MLPerf Training logs: tokens at convergence


def _tokens_to_target(row: Measurement, constants: Constants) -> float:
    if row.shape.name in _TARGET_TOKENS:
        return _TARGET_TOKENS[row.shape.name]
    if row.shape.name == "Llama-2-70B":
        base = constants.of("world", "all", "lora_tokens")
        return base * (1 + (row.batch or 8.0) / constants.of("world", "all", "lora_batch"))
    return constants.of("world", "all", "pretrain_8b_tokens") if row.shape.name == "Llama-3.1-8B" else np.nan
