"""The search for the best configuration of one workload on one chip: every layout and batch at once, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twokey.chips import UserError, nearest
from twokey.deploy import corrections
from twokey.deploy.candidates import number
from twokey.deploy.constants import ENGINE, FAMILY, Constants
from twokey.deploy.devices import NUMBERS as DEVICE_NUMBERS
from twokey.deploy.devices import Hardware
from twokey.deploy.measurements import PRECISIONS
from twokey.deploy.performance import serving, training
from twokey.deploy.performance.columns import Array, Columns, Setting, scalar
from twokey.deploy.performance.forward import least_time
from twokey.deploy.performance.power import share_of_peak
from twokey.deploy.predict import world
from twokey.deploy.shapes import NUMBERS as SHAPE_NUMBERS
from twokey.deploy.shapes import Shape

Kind = Literal["train", "prefill", "decode", "serve"]
KINDS: Final[tuple[Kind, ...]] = ("train", "prefill", "decode", "serve")
KINDS_ZH: Final = {"train": "训练", "prefill": "预填充", "decode": "解码", "serve": "推理服务"}
MEASURED_AS: Final = {"train": "train", "prefill": "prefill", "decode": "decode", "serve": "offline_serve"}
_WORLDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 24, 48, 72, 96, 144, 160, 192, 288, 320, 384, 576, 640, 768)
_BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_DRAFTS = {"none": (0.0, ""), "mtp": (1.0, "mtp_accepted"), "eagle3": (3.0, "eagle_accepted")}


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be run. Lengths are in tokens; limits in ms; `precision` "auto" is the narrowest the chip computes in.

    `decode` reads a context of `input` tokens and reads no prompts; `serve` reads prompts of `input` and writes
    `output`; `prefill` only reads; `train` takes sequences of `input` in a global batch of `batch_tokens`.
    """

    kind: Kind
    shape: Shape
    input: float = 4096.0
    output: float = 1024.0
    tpot_ms: float | None = None
    ttft_ms: float | None = None
    precision: str = "auto"
    engine: str = "own"
    draft: str = "none"
    batch_tokens: float = 4e6
    recompute: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"work: {self.kind!r} is not one of {', '.join(KINDS)}{nearest(self.kind, KINDS)}")
        for field in ("input", "output", "batch_tokens"):
            if not getattr(self, field) > 0:
                raise UserError(f"{field}: must be greater than zero (got {getattr(self, field):g})")
        for field in ("tpot_ms", "ttft_ms"):
            value = getattr(self, field)
            if value is not None and not value > 0:
                raise UserError(
                    f"{field}: a latency limit must be greater than zero (got {value:g}); leave it out for none"
                )
        if self.draft not in _DRAFTS:
            raise UserError(f"draft: {self.draft!r} is not one of {', '.join(_DRAFTS)}")


def precision(name: str, where: str) -> str:
    """Return a precision's own spelling; UserError with the nearest where it is none.

    >>> precision("FP8", "--precision"), precision("auto", "--precision")
    ('fp8', 'auto')
    """
    word = name.casefold()
    if word != "auto" and word not in PRECISIONS:
        raise UserError(f"{where}: {name!r} is not known{nearest(word, PRECISIONS)}")
    return word


def engine(name: str, where: str, constants: Constants) -> str:
    """Return an engine's own spelling; UserError for one that the constants do not have. `other` has the priors.

    >>> engine("vLLM", "--engine", Constants({"engine.vllm.launch": 1.0}))
    'vllm'
    """
    known = sorted({key.split(".")[1] for key in constants.values if key.startswith("engine.")} - {"training"})
    if name.casefold() not in (*known, "other"):
        hint = nearest(name.casefold(), known)
        names = ", ".join((*known, "other"))
        raise UserError(f"{where}: {name!r} is not one of {names}{hint}; any that is not there is other")
    return name.casefold()


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a caller fixes of the layout, in devices; None is searched."""

    tp: float | None = None
    pp: float | None = None
    dp: float | None = None
    ep: float | None = None
    batch: float | None = None  # sequences in flight over all ranks of one replica


FREE: Final = Fixed()


@dataclass(frozen=True, slots=True)
class Options:
    """Every configuration tried, as columns: rate is tokens a second of one replica of `world` devices.

    `feasible` says that it fits the memory and keeps the latency limits.
    """

    on: Setting
    world: Array
    sequences: Array
    rate: Array
    tpot: Array  # seconds per token (decode, serve), or of one step or pass
    ttft: Array
    memory: Array  # share of the device's memory that weights and cache take
    feasible: NDArray[np.bool_]
    speed: float

    def best_for(self, devices: float) -> int | None:
        """Return the configuration with the highest rate on `devices` devices in whole replicas; None where none fits.

        Among equals the one with the smaller replica wins. More devices never give less.
        """
        copies = np.floor(devices / self.world)
        total = np.where(self.feasible, copies * self.rate, 0.0)
        best = float(total.max(initial=0.0))
        if best <= 0:
            return None
        good = np.flatnonzero(total >= best * (1 - 1e-9))
        return int(good[np.argmin(self.world[good])])


def precision_of(work: Work, device: Hardware) -> str:
    """Return the precision a work runs in: as asked, or the narrowest (down to 8 bits) that the chip computes in."""
    if work.precision != "auto":
        return work.precision
    if work.kind == "train":
        return "bf16"
    return "fp8" if device.native_fp8 else "int8" if device.native_int8 else "bf16"


def _single(record: object, names: tuple[str, ...]) -> Columns:
    return Columns({n: scalar(getattr(record, n)) for n in names})


def _constants(constants: Constants, family: str, engine: str) -> tuple[Columns, Columns]:
    f = {key: scalar(constants.of("family", family, key)) for key in FAMILY}
    e = {key: scalar(constants.of("engine", engine, key)) for key in ENGINE}
    return Columns(f), Columns(e)


@cache
def _grid(experts: float, fixed: Fixed, most: float) -> tuple[Array, ...]:
    """Return all layouts (tp, pp, dp, ep) and batches per rank for a model with so many experts, as columns."""
    found: set[tuple[float, float, float, float]] = set()
    for size in _WORLDS:
        if size > most:
            continue
        for tp in (1, 2, 4, 8, 16):
            for pp in (1, 2, 4, 8):
                if size % (tp * pp) or tp > size:
                    continue
                dp = size // (tp * pp)
                if dp > 1 and (not experts or pp > 1):
                    continue
                found.add((tp, pp, dp, min(size, experts) if dp > 1 else 1))
    if any(value is not None for value in (fixed.tp, fixed.pp, fixed.dp, fixed.ep)):
        wide, deep = fixed.tp or 1.0, fixed.pp or 1.0
        ranks = fixed.dp or max((fixed.ep or 1.0) / wide, 1.0)
        found = {(wide, deep, ranks, fixed.ep or (min(wide * ranks, experts) if ranks > 1 else 1.0))}
    layouts = np.array(sorted(found), dtype=np.float64).reshape(-1, 4)
    batches = np.array(_BATCHES if fixed.batch is None else (fixed.batch,), dtype=np.float64)
    pick = np.repeat(np.arange(len(layouts)), len(batches))
    per_rank = np.tile(batches, len(layouts))
    columns = [np.ascontiguousarray(layouts[pick, i]) for i in range(4)]
    sequences = per_rank * columns[2] * columns[1] if fixed.batch is None else per_rank
    return (*columns, sequences)


def serving_options(
    device: Hardware, work: Work, constants: Constants, fixed: Fixed = FREE, most: float = 768.0
) -> Options:
    """Return every configuration for prefill, decode or serve on at most `most` devices in one replica."""
    device = device.need()
    precision = precision_of(work, device)
    n = number(precision, device, work.shape, work.engine)
    tp, pp, dp, ep, sequences = _grid(work.shape.experts, fixed, most)
    family, engine = _constants(constants, device.family, work.engine)
    everywhere = world(constants)
    eta = share_of_peak(scalar(device.watts), scalar(n.rate), everywhere.watts) * family.compute
    if n.bits != 16:
        eta = eta * family.narrow
    config = Columns(
        {
            "tp": tp,
            "pp": pp,
            "dp": dp,
            "ep": ep,
            **{
                k: scalar(v)
                for k, v in (("weight_bytes", n.weight), ("expert_bytes", n.expert), ("cache_bytes", n.cache))
            },
            "rate": scalar(n.rate),
            "eta": eta,
        }
    )
    on = Setting(
        _single(work.shape, SHAPE_NUMBERS), _single(device, DEVICE_NUMBERS), family, engine, everywhere, config
    )
    named = corrections.categories(
        MEASURED_AS[work.kind], work.engine, work.shape, device.name, device.family, precision
    )
    speed = corrections.speed(constants.effects, named)
    return _evaluate(on, device, work, constants, sequences, speed)


def _evaluate(
    on: Setting, device: Hardware, work: Work, constants: Constants, sequences: Array, speed: float
) -> Options:
    c = on.config
    prompt, size = scalar(work.input), c.tp * c.pp * c.dp
    draft, name = _DRAFTS[work.draft]
    accepted = constants.of("world", "all", name) if name else 1.0
    weights = serving.weights_gb(on)
    if work.kind == "prefill":
        raw = serving.prompt_pass(on, sequences, prompt).total / speed
        least = least_time(on, sequences, prompt, prompt / 2, prompt=True) / c.pp
        time = np.maximum(raw, least)
        rate = np.maximum(sequences, c.dp) * prompt / time
        used = weights + serving.cache_gb(on, prompt) * sequences / c.dp
        tpot, ttft = time, time
    else:
        output = scalar(work.output if work.kind == "serve" else 0.0)
        context = prompt + output / 2
        raw = serving.token_time(on, sequences, prompt, output, scalar(draft), scalar(accepted)) / speed
        least = least_time(on, np.maximum(sequences / c.pp, 1), scalar(1 + draft), context, prompt=False) / accepted
        tpot = np.maximum(raw, least)
        rate = sequences / tpot
        used = weights + serving.cache_gb(on, context) * sequences / c.dp
        ttft = serving.prompt_pass(on, c.dp, prompt).total / speed if work.kind == "serve" or work.ttft_ms else tpot
    share = used / device.memory_gb
    feasible = (used + 1.0 <= device.memory_gb * 0.9) & np.isfinite(rate)
    if work.tpot_ms is not None and work.kind != "prefill":
        feasible &= tpot <= work.tpot_ms / 1e3
    if work.ttft_ms is not None:
        feasible &= ttft <= work.ttft_ms / 1e3
    return Options(on, size, sequences, rate, tpot, ttft, share, feasible, speed)


def training_options(
    device: Hardware, work: Work, constants: Constants, devices: float, fixed: Fixed = FREE
) -> Options:
    """Return every layout of one training job on exactly `devices` devices (one replica: the whole job).

    The global batch is kept: where it holds fewer sequences than there would be data-parallel ranks, devices are idle.

    Errors: UserError for too few devices, or a chip whose figures are unknown.
    """
    device = device.need()
    shape = work.shape
    precision = precision_of(work, device)
    n = number("bf16", device, shape, "training")
    rate = n.rate
    if "fp8" in precision and device.native_fp8:
        rate = device.tflops8 * 1e12
    cells = []
    for tp in (fixed.tp,) if fixed.tp else (1.0, 2.0, 4.0, 8.0):
        for pp in (fixed.pp,) if fixed.pp else (1.0, 2.0, 4.0, 8.0, 16.0):
            for ep in (fixed.ep,) if fixed.ep else ((1.0, 8.0, 32.0, 64.0) if shape.experts else (1.0,)):
                for micro in (1.0, 2.0, 4.0):
                    most = np.floor(work.batch_tokens / work.input / micro)  # ranks that find a micro-batch each
                    dp = min(np.floor(devices / (tp * pp)), max(most, 1.0))
                    if dp >= 1 and (micro == 1 or most >= 1) and pp <= shape.layers and ep <= max(dp * tp, 1):
                        cells.append((tp, pp, dp, ep, micro))
    if not cells:
        raise UserError(f"{devices:g} devices: too few for the layout that was given")
    tp_, pp_, dp_, ep_, micro_ = (np.ascontiguousarray(column) for column in np.array(cells).T)
    family, engine = _constants(constants, device.family, "training")
    everywhere = world(constants)
    config = Columns(
        {
            "tp": tp_,
            "pp": pp_,
            "dp": dp_,
            "ep": ep_,
            "micro": micro_,
            "cp": np.ones(len(cells)),
            "rate": np.full(len(cells), rate),
            "eta": np.full(len(cells), float(family.compute)),
        }
    )
    on = Setting(_single(shape, SHAPE_NUMBERS), _single(device, DEVICE_NUMBERS), family, engine, everywhere, config)
    sequences = np.maximum(np.full(len(cells), work.batch_tokens / work.input), dp_ * micro_)
    recompute = work.recompute if work.recompute is not None else constants.of("world", "all", "recompute")
    step = training.step(on, scalar(work.input), sequences, scalar(recompute))
    named = corrections.categories("train", "training", shape, device.name, device.family, precision)
    speed = corrections.speed(constants.effects, named)
    flops = training.model_flops(on, scalar(work.input))
    least = step.tokens * flops / (devices * rate)
    time = np.maximum(step.total / speed, least)
    used = training.state_gb(on)
    return Options(
        on,
        np.full(len(cells), float(devices)),
        sequences,
        step.tokens / time,
        time,
        time,
        used / device.memory_gb,
        used <= device.memory_gb * 0.85,
        speed,
    )
