"""What a row leaves open is searched: every parallel layout and batch that the configuration allows, as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twokey.deploy.devices import Hardware
from twokey.deploy.measurements import Measurement
from twokey.deploy.performance.columns import Columns
from twokey.deploy.shapes import Shape

CAPS = {"mlperf": 2048.0, "tensorrt-llm": 2048.0, "vllm": 512.0, "sglang": 512.0, "mindie": 512.0}
"""Sequences per attention rank that an engine keeps in flight at most, where the row does not say."""
CAP = 512.0
_NARROW_CACHE = frozenset({"tensorrt-llm", "tensorrt-llm-static", "mlperf"})
"""Engines that keep the cache in 8 bits where the weights are in 8 or 4."""
RESERVES = frozenset({"tensorrt-llm"})
"""Engines whose default scheduler never evicts, and so reserves the cache of a whole answer beforehand."""
SCALE_UP_LIMIT = 16.0
_TRAIN_TOKENS = 4e6
_CLUSTER = 1024.0


@dataclass(frozen=True, slots=True)
class Number:
    """A precision: bytes of a weight, of an expert's weight, of a cached number, and the arithmetic's class."""

    weight: float
    expert: float
    cache: float
    rate: float  # FLOP/s of one device
    bits: float  # 16, 8, 4: whose efficiency applies
    fast: float = 0.0


def number(precision: str, device: Hardware, shape: Shape, engine: str) -> Number:
    """Return what a precision means on a chip: a format that the chip lacks is stored narrow and computed in 16 bits.

    >>> from twokey.deploy import hardware, model
    >>> number("fp8", hardware("A100 SXM"), model("Qwen3-8B"), "vllm").bits
    16.0
    """
    sixteen = device.tflops16 * 1e12
    eight, four = device.tflops8 * 1e12, device.tflops4 * 1e12
    narrow = engine in _NARROW_CACHE and precision in {"fp8", "fp4", "fp8/fp4"}
    cache = 1.0 if narrow else 2.0
    if precision == "mxfp4" or (shape.weight4 and precision in {"nan", "", "fp4", "fp8"}):
        fast = device.native_fp4 > 0
        return Number(2.0, 0.53, cache, eight if fast else sixteen, 8.0 if fast else 16.0)
    if precision == "fp8":
        return Number(1.0, 1.0, cache, *((eight, 8.0) if device.native_fp8 else (sixteen, 16.0)))
    if precision == "int8":
        return Number(1.0, 1.0, 2.0, *((eight, 8.0) if device.native_int8 else (sixteen, 16.0)))
    if precision in {"fp4", "fp8/fp4"}:
        if device.native_fp4:
            return Number(0.56, 0.56, cache, four, 4.0)
        return Number(0.56, 0.56, cache, *((eight, 8.0) if device.native_fp8 else (sixteen, 16.0)))
    if precision == "int4":
        return Number(0.55, 0.55, 2.0, sixteen, 16.0)
    return Number(2.0, 2.0, 2.0, sixteen, 16.0)


def _powers(limit: float) -> list[float]:
    return [float(2**i) for i in range(12) if 2**i <= limit]


def serving_layouts(
    shape: Shape,
    device: Hardware,
    devices: float,
    tp: float | None,
    pp: float | None,
    dp: float | None,
    ep: float | None,
    share: float = 1.0,
    spread: bool = False,
) -> Iterator[tuple[float, float, float, float]]:
    """Yield (tp, pp, dp, ep) in devices for serving; what is given is kept, what is not is varied over powers of two.

    `share` ranks of a tensor-parallel group each attend to their own sequences (attention data parallelism), where
    the source gives fewer sequences a rank than in all; `spread` lets the group choose to.
    """
    if tp is not None:
        stages = pp or 1.0
        ranks = dp if dp is not None else 1.0
        if ep is not None and dp is None:
            ranks = max(ep / tp, 1.0)
        if spread and shape.experts and ranks == 1 and tp > 1:
            yield 1.0, stages, tp, min(tp, shape.experts)
        if 1 < share <= tp and ranks == 1 and tp % share == 0:
            tp, ranks = tp / share, share
        yield tp, stages, ranks, ep or 1.0
        return
    if ep is not None:
        yield 1.0, pp or 1.0, max(dp or ep, 1.0), ep
        return
    for width in _powers(min(devices, SCALE_UP_LIMIT)):
        if width > 1 and shape.hidden % width:
            continue
        yield width, pp or 1.0, dp or 1.0, 1.0
        if shape.experts and dp is None and devices > width:
            ranks = np.floor(devices / width)
            yield width, pp or 1.0, float(ranks), float(min(ranks * width, shape.experts))


def training_layouts(
    shape: Shape, device: Hardware, devices: float, row: Measurement
) -> Iterator[tuple[float, float, float, float]]:
    """Yield (tp, pp, cp, ep) for training whose optimiser state fits; what is given is kept."""
    cp = row.cp or 1.0
    widths = [row.tp] if row.tp is not None else _powers(min(8.0, devices))
    depths = [row.pp] if row.pp is not None else _powers(min(16.0, devices, shape.layers))
    if row.ep is not None:
        spreads = [row.ep]
    else:
        spreads = (
            [1.0] if not shape.experts else [1.0, min(8.0, shape.experts, devices), min(64.0, shape.experts, devices)]
        )
    found: list[tuple[float, float, float, float]] = []
    for tp in widths:
        for pp in depths:
            if tp * pp * cp > devices:
                continue
            for ep in spreads:
                dp = devices / (tp * pp * cp)
                state = shape.total / (tp * pp) * (4.0 / min(ep, dp) / (dp if tp * pp == 1 else 1) + 14.0 / dp) / 1e9
                if row.metric == "time_to_train_min" and shape.name == "Llama-2-70B":
                    state = shape.total / (tp * pp) * 2.0 / 1e9  # adapters only: the weights are frozen
                if state < device.memory_gb * 0.85:
                    found.append((tp, pp, cp, ep))
    if not found:
        held = [(tp, pp) for tp in widths for pp in depths if tp * pp * cp <= devices] or [(widths[0], depths[0])]
        found = [(*max(held, key=lambda layout: (layout[0] * layout[1], layout[0])), cp, spreads[-1])]
    yield from found


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates of some rows of one phase: `row` is each candidate's row, the columns go with it."""

    row: NDArray[np.intp]
    columns: Columns


class _Table:
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.cells: list[tuple[float, ...]] = []

    def add(self, row: int, *cells: float) -> None:
        self.rows.append(row)
        self.cells.append(cells)

    def done(self, names: Sequence[str]) -> Candidates:
        data = np.array(self.cells, dtype=np.float64).reshape(len(self.cells), len(names))
        return Candidates(
            np.array(self.rows, dtype=np.intp),
            Columns({n: np.ascontiguousarray(data[:, i]) for i, n in enumerate(names)}),
        )


_SERVE = (
    "tp",
    "pp",
    "dp",
    "ep",
    "weight_bytes",
    "expert_bytes",
    "cache_bytes",
    "rate",
    "bits",
    "sequences",
    "prompt",
    "output",
    "devices",
    "replicas",
    "cap",
    "tokens_each",
    "server",
    "limit",
    "reserves",
    "draft",
)


def serving(rows: Sequence[tuple[int, Measurement]]) -> Candidates:
    """Return the candidates of the serving rows (prefill, decode, offline, server)."""
    table = _Table()
    for index, row in rows:
        devices = (row.count or 8.0) * row.device.per_card
        n = number(row.precision, row.device, row.shape, row.engine)
        length = row.length or (4096.0 if row.kind == "prefill" else 1024.0)
        share = row.concurrency / row.batch if row.concurrency and row.batch and row.kind == "decode" else 1.0
        free = row.kind in {"offline_serve", "server"} and row.batch is None
        layouts = serving_layouts(row.shape, row.device, devices, row.tp, row.pp, row.dp, row.ep, share, free)
        for tp, pp, dp, ep in layouts:
            world = tp * pp * dp
            replicas = max(devices / world, 1.0)
            tokens_each = 0.0
            if row.kind == "prefill":
                sequences = row.batch or dp
                if (row.batch or 0) >= 8192:
                    tokens_each, sequences = row.batch or 0.0, dp
                elif row.metric != "ttft_ms":
                    sequences = max(sequences / replicas, dp)
                    if row.batch is None:
                        tokens_each = 8192.0
            elif row.concurrency is not None:
                sequences = max(row.concurrency / replicas, 1.0)
            elif row.batch is not None:
                sequences = row.batch * dp if (row.dp or row.ep or 0) > 1 else row.batch
                if row.ep is not None and row.tp is None and row.dp is None:
                    sequences = row.batch * devices / row.device.per_card
            else:
                sequences = 0.0
            cap = CAPS.get(row.engine, CAP) * dp
            table.add(
                index,
                tp,
                pp,
                dp,
                ep,
                n.weight,
                n.expert,
                n.cache,
                n.rate,
                n.bits,
                sequences,
                length,
                row.output or 0.0,
                devices,
                replicas,
                cap,
                tokens_each,
                float(row.kind == "server"),
                (row.tpot_limit_ms or 0.0) / 1e3 if row.kind == "server" else 0.0,
                float(row.engine in RESERVES),
                3.0 if row.draft.startswith("eagle") else float(row.draft == "mtp"),
            )
    return table.done(_SERVE)


_TRAIN = (
    "tp",
    "pp",
    "dp",
    "cp",
    "ep",
    "micro",
    "weight_bytes",
    "expert_bytes",
    "cache_bytes",
    "rate",
    "bits",
    "sequences",
    "length",
    "devices",
    "recompute",
)
_RECOMPUTED = {"full": 1.0, "selective": 0.05, "none": 0.0}
"""Forward work repeated, as a share; -1 where the source does not say."""


def training(rows: Sequence[tuple[int, Measurement]]) -> Candidates:
    """Return the candidates of the training rows: layouts, and micro-batches where there is a pipeline."""
    table = _Table()
    for index, row in rows:
        devices = (row.count or _CLUSTER) * row.device.per_card
        precision = row.precision
        n = number("bf16", row.device, row.shape, row.engine)
        rate = n.rate
        if "fp8" in precision and row.device.native_fp8:
            rate = row.device.tflops8 * 1e12
            if "fp4" in precision and row.device.native_fp4:
                rate *= 1.3
        length = row.length or 4096.0
        for tp, pp, cp, ep in training_layouts(row.shape, row.device, devices, row):
            dp = max(devices / (tp * pp * cp), 1.0)
            sequences = row.batch
            if sequences is None:
                sequences = max(_TRAIN_TOKENS / length, dp * 2) if devices > 64 else dp * max(16.0, 4 * pp)
            most = max(sequences / dp, 1.0)
            micros = [1.0, 2.0, 4.0] if pp > 1 else [max(1.0, min(most, np.floor(16384 / length)))]
            for micro in micros:
                if micro <= most or micro == 1.0:
                    table.add(
                        index,
                        tp,
                        pp,
                        dp,
                        cp,
                        min(ep, dp * tp),
                        micro,
                        n.weight,
                        n.expert,
                        n.cache,
                        rate,
                        16.0,
                        sequences,
                        length,
                        devices,
                        _RECOMPUTED.get(row.recompute, -1.0),
                    )
    return table.done(_TRAIN)
