"""One workload on one chip: the best configuration, how fast, how sure, and where the time goes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twokey.chips import UserError
from twokey.deploy import intervals
from twokey.deploy.candidates import number
from twokey.deploy.constants import Constants
from twokey.deploy.devices import Hardware
from twokey.deploy.performance import serving, training
from twokey.deploy.performance.columns import scalar
from twokey.deploy.said import Said
from twokey.deploy.search import (
    FREE,
    MEASURED_AS,
    Fixed,
    Options,
    Work,
    precision_of,
    serving_options,
    training_options,
)

CLUSTER = 1024.0  # cards of a training cluster where none is given
FACILITY = 1.6  # watts at the meter per watt of accelerator TDP: host, network, cooling (an assumption, shown)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The best configuration found. Rates are tokens a second *per card*; layout counts are devices.

    `low` and `high` bound the rate at 80 %. `parts` are shares of the time (they add to 1). `power_kw` is None where
    the TDP is unknown. `calibrated` is False where no measurement ever told about the chip's family.
    """

    chip: str
    model: str
    kind: str
    precision: str
    engine: str
    cards: float  # of one replica
    devices: float
    tp: float
    pp: float
    dp: float
    ep: float
    in_flight: float
    rate: float
    low: float
    high: float
    tpot_ms: float | None
    ttft_ms: float | None
    mfu: float | None
    memory_share: float
    power_kw: float | None
    parts: tuple[tuple[str, float], ...]
    calibrated: bool
    unchecked: bool
    tried: int
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data."""
        return {**asdict(self), "parts": dict(self.parts), "notes": list(self.notes)}


def options(
    device: Hardware, work: Work, constants: Constants, cards: float | None = None, fixed: Fixed = FREE
) -> Options:
    """Return every configuration of a work on a chip; `cards` is the most (serving) or exact (training) number.

    Errors: UserError for fewer than one card, or a chip whose figures are unknown.
    """
    if cards is not None and not cards >= 1:
        raise UserError(f"count: must be at least one card (got {cards:g})")
    if work.kind == "train":
        return training_options(device, work, constants, (cards or CLUSTER) * device.per_card, fixed)
    most = 768.0 if cards is None else cards * device.per_card
    return serving_options(device, work, constants, fixed, most)


def best(
    device: Hardware, work: Work, constants: Constants, cards: float | None = None, fixed: Fixed = FREE
) -> Estimate:
    """Return the configuration with the highest rate per card that fits the memory and keeps the latency limits.

    Raises UserError that says what stands in the way (memory, the limit with the nearest reachable value).
    """
    found = options(device, work, constants, cards, fixed)
    if work.kind != "train" and cards is None:
        score = np.where(found.feasible, found.rate / found.world, 0.0)
        top = float(score.max(initial=0.0))
        good = np.flatnonzero((score >= top * 0.97) & (score > 0))
        index = int(good[np.argmin(found.world[good])]) if len(good) else None  # the smallest within 3 % of the best
    else:
        index = found.best_for((cards or CLUSTER) * device.per_card)
    if index is None:
        raise UserError(_why_not(found, device, work))
    return _estimate(found, index, device, work, constants)


def _why_not(found: Options, device: Hardware, work: Work) -> Said:
    name, name_zh = f"{work.shape.name} on {device.name}", f"{device.name} 上的 {work.shape.name}"
    fits = found.memory <= 0.9
    if not fits.any():
        need = float(np.min(found.memory * found.world)) * device.memory_gb
        return Said(
            f"{name}: does not fit; the weights and one sequence need about {need:.0f} GB, give more cards (--count)",
            f"{name_zh}：显存不足；权重与一个序列约需 {need:.0f} GB，请增加卡数（--count）",
        )
    if work.tpot_ms is not None and work.kind != "prefill":
        reach, limit = float(np.min(found.tpot[fits])) * 1e3, work.tpot_ms
        if reach > limit:
            return Said(
                f"{name}: no configuration answers within {limit:g} ms a token; the nearest takes {reach:.1f} ms",
                f"{name_zh}：没有配置能在每 token {limit:g} 毫秒内作答；最接近者需 {reach:.1f} 毫秒",
            )
    reach = float(np.min(found.ttft[fits])) * 1e3
    return Said(
        f"{name}: no configuration keeps the limits; the shortest time to the first token is {reach:.0f} ms",
        f"{name_zh}：没有配置满足时延限制；首 token 最短需 {reach:.0f} 毫秒",
    )


def _estimate(found: Options, i: int, device: Hardware, work: Work, constants: Constants) -> Estimate:
    on = found.on.take(np.array([i]))
    c = on.config
    per_card = found.rate[i] / found.world[i] * device.per_card
    measured_as = MEASURED_AS[work.kind]
    engine = "training" if work.kind == "train" else work.engine
    slow, fast = intervals.bounds(constants, measured_as, device.family, device.domestic, engine)
    calibrated = constants.calibrated("family", device.family)
    notes: list[Said] = []
    if not calibrated:
        notes.append(
            Said(
                f"{device.name}: uncalibrated; no public measurement of its family, the interval is the widest",
                f"{device.name}：未校准；其系列没有公开实测，区间取最宽",
            )
        )
    if not constants.calibrated("engine", engine):
        notes.append(Said(f"engine {engine}: uncalibrated; the priors are used", f"引擎 {engine}：未校准，采用先验值"))
    if device.unchecked:
        notes.append(
            Said(
                f"{device.name}: some figures were not checked at their source [UNCHECKED]",
                f"{device.name}：部分数据未经来源核实 [UNCHECKED]",
            )
        )
    if (stored := _only_stored(work, device)) is not None:
        notes.append(stored)
    cards = found.world[i] / device.per_card
    mfu = None
    if work.kind == "train":
        flops = float(np.ravel(training.model_flops(on, scalar(work.input)))[0])
        mfu = per_card * flops / (device.tflops16 * device.per_card * 1e12)
    return Estimate(
        chip=device.name,
        model=work.shape.name,
        kind=work.kind,
        precision=precision_of(work, device),
        engine=engine,
        cards=float(cards),
        devices=float(found.world[i]),
        tp=float(c.tp[0]),
        pp=float(c.pp[0]),
        dp=float(c.dp[0]),
        ep=float(c.ep[0]),
        in_flight=float(found.sequences[i]),
        rate=float(per_card),
        low=float(per_card * slow),
        high=float(per_card * fast),
        tpot_ms=float(found.tpot[i] * 1e3) if work.kind in {"decode", "serve"} else None,
        ttft_ms=float(found.ttft[i] * 1e3) if work.kind in {"prefill", "serve"} else None,
        mfu=mfu,
        memory_share=float(np.ravel(found.memory)[i] if np.ndim(found.memory) else found.memory),
        power_kw=None if device.tdp_w is None else float(cards * device.tdp_w * FACILITY / 1e3),
        parts=_parts(on, found, i, work),
        calibrated=calibrated,
        unchecked=device.unchecked,
        tried=len(found.world),
        notes=tuple(notes),
    )


def _only_stored(work: Work, device: Hardware) -> Said | None:
    """Say where a format is one that the chip stores and does not compute in."""
    asked, kind = precision_of(work, device), "training" if work.kind == "train" else work.engine
    bits = {"fp8": 8.0, "int8": 8.0, "fp4": 4.0, "fp8/fp4": 4.0, "int4": 4.0}.get(asked, 16.0)
    computed = number(asked, device, work.shape, kind).bits
    if work.kind == "train" and asked == "fp8" and device.native_fp8:
        computed = 8.0
    if computed <= bits:
        return None
    return Said(
        f"{device.name} does not compute in {asked}: weights are stored so, and computed in {computed:g} bits",
        f"{device.name} 不支持 {asked} 运算：权重以此格式存储，以 {computed:g} 位计算",
    )


def _parts(on: Any, found: Options, i: int, work: Work) -> tuple[tuple[str, float], ...]:
    sequences = found.sequences[i : i + 1]
    length = scalar(work.input)
    if work.kind == "train":
        step = training.step(on, length, sequences, scalar(work.recompute or 0.25))
        named = (
            (Said("compute", "计算"), step.compute),
            (Said("tensor parallel", "张量并行"), step.tensor),
            (Said("experts' exchange", "专家交换"), step.experts),
            (Said("pipeline bubble", "流水线气泡"), step.bubble),
            (Said("data parallel and stragglers", "数据并行与掉队"), step.data),
        )
    else:
        if work.kind == "prefill":
            one = serving.prompt_pass(on, sequences, length)
        else:
            one = serving.decode_pass(on, sequences, length, scalar(0.0))
        named = (
            (Said("dense matrices", "稠密矩阵"), one.matrices),
            (Said("attention and cache", "注意力与缓存"), one.attention),
            (Said("experts", "专家"), one.experts),
            (Said("network", "网络"), one.network),
            (Said("launches and scheduler", "启动与调度"), one.overhead),
        )
    values = [(name, float(np.ravel(value)[0])) for name, value in named]
    if work.kind == "serve":
        step_time = sum(value for _, value in values)
        whole = float(found.tpot[i]) * found.speed
        values.append((Said("reading prompts", "读取提示"), max(whole - step_time, 0.0)))
    total = sum(value for _, value in values) or 1.0
    return tuple((name, value / total) for name, value in values)
