"""Published and own measurements: a CSV file in the form of `data/measurements.csv`, read row by row and checked."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from twokey.chips import UserError, nearest
from twokey.deploy.devices import Hardware, hardware
from twokey.deploy.shapes import Shape, model, shape_of

Kind = Literal["train", "prefill", "decode", "offline_serve", "server"]
KINDS: Final[tuple[Kind, ...]] = ("train", "prefill", "decode", "offline_serve", "server")
METRICS: Final = frozenset(
    {
        "tpot_ms",
        "ttft_ms",
        "out_tok_s",
        "out_tok_s_per_chip",
        "out_tok_s_per_node",
        "total_tok_s",
        "in_tok_s_per_chip",
        "in_tok_s_per_node",
        "in_tok_s",
        "tok_s_per_chip",
        "iter_time_s",
        "gpu_hours",
        "gpu_hours_per_T_tokens",
        "hw_tflops_per_chip",
        "mfu_pct",
        "time_to_train_min",
    }
)
PRECISIONS: Final = ("bf16", "fp16", "fp8", "int8", "fp4", "int4", "mxfp4", "amp", "fp8/fp4", "nan", "")
REQUIRED: Final = ("id", "kind", "model", "chip", "metric", "value")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured figure and the configuration that gave it; a number that the source leaves out is None.

    `count` is in cards, `tp`, `pp`, `dp`, `ep` in devices (see `hardware`); `batch` is per attention rank.
    """

    line: int
    id: str
    kind: Kind
    shape: Shape
    device: Hardware
    metric: str
    value: float
    count: float | None
    tp: float | None
    pp: float | None
    dp: float | None
    ep: float | None
    cp: float | None
    precision: str
    length: float | None
    output: float | None
    batch: float | None
    concurrency: float | None
    tokens: float | None
    engine: str
    draft: str
    recompute: str
    source_family: str
    group: str
    provenance: str = ""
    notes: str = ""
    tpot_limit_ms: float | None = None

    @property
    def chip_family(self) -> str:
        """The family whose constants this row tells about."""
        return self.device.family


_OF_CARDS: Final = frozenset({"count", "tp", "pp", "dp", "ep", "cp"})


def _number(row: Mapping[str, str], field: str, where: str) -> float | None:
    text = (row.get(field) or "").strip()
    if not text or text.casefold() == "nan":
        return None
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: {field}: {text!r} is not a number; leave the cell empty if it is unknown") from None
    if not math.isfinite(value) or value < 0 or (value == 0 and field not in {"experts", "topk"}):
        raise UserError(f"{where}: {field}: must be greater than zero (got {text}); leave it empty if it is unknown")
    if field in _OF_CARDS and value < 1:
        raise UserError(f"{where}: {field}: must be one card or more (got {text}); leave it empty if it is unknown")
    return value


def engine_of(text: str, kind: str, domestic: bool) -> str:
    """Return the engine whose constants apply: one name for all versions of one engine.

    >>> engine_of("trtllm 1.2.0rc6", "decode", False), engine_of("", "server", False)
    ('tensorrt-llm', 'mlperf')
    >>> engine_of("vLLM 0.6.5.dev964+mlperf50", "server", False)
    'vllm'
    """
    word = text.casefold()
    if kind == "train":
        return "training"
    if word.startswith("tensorrt 1") or (not word and kind in {"server", "offline_serve"}):
        return "mlperf"
    for start, name in (
        ("trtllm", "tensorrt-llm"),
        ("tensorrt-llm", "tensorrt-llm"),
        ("vllm-ascend", "vllm-ascend"),
        ("sglang", "sglang-ascend" if domestic else "sglang"),
        ("chitu", "chitu"),
        ("mindie", "mindie"),
        ("mango", "vllm"),  # LLMBoost on ROCm, taken as vLLM [UNCHECKED]
    ):
        if word.startswith(start):
            return name
    if word.startswith("vllm"):
        return "vllm"
    return "own" if not word else "other"


def _engine(row: Mapping[str, str], kind: str, domestic: bool) -> str:
    """Name the engine, with static batches (a fixed batch run to its end) apart from continuous batching."""
    name = engine_of(row.get("engine") or "", kind, domestic)
    return f"{name}-static" if kind == "offline_serve" and (row.get("batch") or "").strip() else name


def read_row(row: Mapping[str, str], line: int, source: str) -> Measurement:
    """Return one measurement; UserError with file, line and field where the row cannot be understood."""
    where = f"{source}:{line}"
    for field in REQUIRED:
        if not (row.get(field) or "").strip():
            raise UserError(f"{where}: {field}: is empty; every measurement needs {', '.join(REQUIRED)}")
    kind = row["kind"].strip()
    if kind not in KINDS:
        raise UserError(f"{where}: kind: {kind!r} is not one of {', '.join(KINDS)}{nearest(kind, KINDS)}")
    metric = row["metric"].strip()
    if metric not in METRICS:
        raise UserError(f"{where}: metric: {metric!r} is not known{nearest(metric, METRICS)}")
    precision = (row.get("precision") or "").strip().casefold()
    if precision not in PRECISIONS:
        raise UserError(f"{where}: precision: {precision!r} is not known{nearest(precision, PRECISIONS)}")
    try:
        shape = model(row["model"])
    except UserError:
        shape = _own_shape(row, where)
    try:
        device = hardware(row["chip"]).need()
    except UserError as error:
        raise UserError(f"{where}: chip: {error}") from error

    def number(field: str) -> float | None:
        return _number(row, field, where)

    value = number("value")
    if value is None:
        raise UserError(f"{where}: value: is empty; a measurement without its figure tells nothing")
    length = "seq_len/input_len" if "seq_len/input_len" in row else "length"
    notes = row.get("notes") or ""
    return Measurement(
        line=line,
        id=row["id"],
        kind=kind,
        shape=shape,
        device=device,
        metric=metric,
        value=value,
        count=number("count"),
        tp=number("tp"),
        pp=number("pp"),
        dp=number("dp"),
        ep=number("ep"),
        cp=number("cp"),
        precision=precision,
        length=number(length),
        output=number("output_len"),
        batch=number("batch"),
        concurrency=number("concurrency"),
        tokens=(number("tokens_b") or 0) * 1e9 or None,
        engine=_engine(row, kind, device.domestic),
        draft=(row.get("spec_decode") or "none").strip().casefold(),
        recompute=(row.get("recompute") or "unknown").strip().casefold(),
        source_family=(row.get("family") or "own").strip(),
        group=(row.get("group") or row["id"]).strip(),
        provenance=(row.get("provenance") or "").strip(),
        notes=notes,
        tpot_limit_ms=number("tpot_limit_ms") or _scenario_limit(row["model"], kind, notes),
    )


_LIMITS_MS: Final = {  # MLPerf Inference v5.1: TPOT limits of the Server and Interactive scenarios
    ("llama-2-70b", "server"): 200.0,
    ("llama-2-70b", "interactive"): 40.0,
    ("llama-3.1-8b", "server"): 100.0,
    ("llama-3.1-8b", "interactive"): 30.0,
    ("llama-3.1-405b", "server"): 175.0,
    ("llama-3.1-405b", "interactive"): 80.0,
    ("deepseek-v3", "server"): 80.0,
    ("mixtral-8x7b", "server"): 200.0,
}


def _scenario_limit(name: str, kind: str, notes: str) -> float | None:
    """Return the latency limit of a public benchmark scenario, which its name implies."""
    scenario = "interactive" if "interactive" in notes.casefold() else "server"
    return _LIMITS_MS.get((name.casefold(), scenario)) if kind == "server" else None


def _own_shape(row: Mapping[str, str], where: str) -> Shape:
    try:
        return shape_of(row)
    except UserError as error:
        raise UserError(f"{where}: model: {error}") from error


def read_text(text: str, source: str) -> tuple[list[Measurement], list[str]]:
    """Return the measurements of a CSV text and the refusals of rows that cannot be used, one message each.

    Errors: UserError where a needed column is missing.
    """
    reader = csv.DictReader(text.splitlines())
    missing = [field for field in REQUIRED if field not in (reader.fieldnames or ())]
    if missing:
        raise UserError(
            f"{source}: no column {', '.join(missing)}; the first line names the columns as in measurements.csv"
        )
    rows: list[Measurement] = []
    refused: list[str] = []
    for row in reader:
        try:
            rows.append(read_row(row, reader.line_num, source))
        except UserError as error:
            refused.append(str(error))
    return rows, refused


def read_file(path: Path) -> tuple[list[Measurement], list[str]]:
    """Return the measurements of a CSV file; UserError where it cannot be read or has no usable header."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); give a CSV file in UTF-8") from error
    return read_text(text, path.name)


@cache
def public() -> tuple[Measurement, ...]:
    """Return the packaged public measurements (677 rows with their sources). Errors: UserError where one is broken."""
    text = files("twokey.deploy").joinpath("data/measurements.csv").read_text("utf-8")
    rows, refused = read_text(text, "measurements.csv")
    if refused:
        raise UserError(f"the packaged measurements do not read: {refused[0]}")
    return tuple(rows)


def groups(rows: Iterable[Measurement]) -> list[str]:
    """Return the group of each row, in order: what a split must keep together."""
    return [row.group for row in rows]
