"""Telemetry as it is exported, read into one form: what a device did at a moment, and counters of served tokens."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from twokey.chips import UserError
from twokey.deploy.devices import Hardware, hardware, names
from twokey.deploy.said import Said

# metric -> (scale to 0..1, preference: the higher is closer to what tensor cores did)
UTILISATION: Final[dict[str, tuple[float, int]]] = {
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": (1.0, 3),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": (1.0, 2),
    "DCGM_FI_DEV_GPU_UTIL": (0.01, 1),
    "npu_chip_info_utilization": (0.01, 1),
    "npu_chip_info_overall_utilization": (0.01, 2),
    "mlu_utilization": (0.01, 1),
    "dcu_utilizationrate": (0.01, 1),
    "mx_gpu_usage": (0.01, 1),
}
COUNTERS: Final = (
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens",
    "vllm:generation_tokens",
)
QUEUES: Final = "kueue_cluster_queue_resource_usage"
REQUESTS: Final = "kube_pod_container_resource_requests"
NODE_LABELS: Final = "kube_node_labels"
OWNERS: Final = "mlu_container"  # says which pod holds a card
_OTHERS: Final = frozenset({QUEUES, OWNERS, REQUESTS, NODE_LABELS})
_MODEL = ("modelName", "model_name", "model", "name", "mlu_model", "device_model")
_DEVICE = ("UUID", "uuid", "gpu", "npuID", "id", "device_id", "deviceId", "card", "minor_number")
_HOST = ("Hostname", "hostname", "node", "node_name", "instance", "host")
_NAMESPACE = ("exported_namespace", "namespace", "dcu_pod_namespace", "pod_namespace")
_POD = ("exported_pod", "pod", "podName", "pod_name", "dcu_pod_name")
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[T_](\d{2})[-:]?(\d{2})[-:]?(\d{2})?Z?")


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample. `device` is a device's identity, a node's for pods' requests, and empty for a Kueue queue.

    `value` is utilisation 0..1 for a device, devices in use for a queue or asked for by a pod, the counter for tokens.
    """

    time: float  # seconds since 1970
    metric: str
    site: str
    device: str
    model: str
    namespace: str
    pod: str
    value: float
    source: str
    container: str = ""  # of a pod's request


@dataclass(frozen=True, slots=True)
class Flag:
    """Something in the telemetry that a reader must know: where, what, and how many."""

    source: str
    kind: str  # clock, duplicate, conflict, reset, gap, unknown-chip, unknown-phase, bad-sample, no-telemetry
    words: str
    count: int = 1


def _first(labels: Mapping[str, str], names: Iterable[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def time_of(path: Path) -> float | None:
    """Return the time in a file's name ("2026-11-01T00-00-00Z.prom"), or None."""
    match = _STAMP.search(path.name)
    if not match:
        return None
    day, hour, minute, second = match.groups()
    return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}").replace(tzinfo=UTC).timestamp()


def read_exposition(
    text: str, source: str, site: str, at: float | None, host: str = ""
) -> tuple[list[Reading], list[Flag]]:
    """Return the readings of a Prometheus exposition text in the order of the file.

    A sample without a timestamp of its own is taken at `at`; UserError where neither is known. A text that ends with
    `# EOF` is OpenMetrics, whose timestamps are seconds. `host` names the node where the exporter does not. Metrics
    that this report does not use are skipped.
    """
    open_metrics = text.rstrip().endswith("# EOF")
    from prometheus_client.parser import text_string_to_metric_families

    readings: list[Reading] = []
    flags: list[Flag] = []
    for line_text in text.splitlines():
        line = line_text.partition(" # {")[0].strip()  # an exemplar follows its sample
        if not line or line.startswith("#"):
            continue
        name = re.split(r"[{\s]", line, maxsplit=1)[0]
        if name not in UTILISATION and name not in COUNTERS and name not in _OTHERS:
            continue
        try:
            family = next(iter(text_string_to_metric_families(line + "\n")))
            sample = family.samples[0]
            value = float(sample.value)
        except (ValueError, StopIteration, IndexError):
            flags.append(Flag(source, "bad-sample", Said(f"cannot be read: {line[:80]}", f"无法读取：{line[:80]}")))
            continue
        when = float(sample.timestamp) * (1000 if open_metrics else 1) if sample.timestamp is not None else at
        if when is None:
            raise UserError(
                f"{source}: samples carry no time; put it in the file's name, as in 2026-11-01T00-00-00Z.prom"
            )
        if not math.isfinite(value) or value < 0:
            flags.append(Flag(source, "bad-sample", Said(f"{name} is {sample.value}", f"{name} 的值为 {sample.value}")))
            continue
        readings.append(_reading(name, sample.labels, value, when, site, source, host))
    return readings, flags


def _reading(
    name: str, labels: Mapping[str, str], value: float, when: float, site: str, source: str, host: str
) -> Reading:
    if name == QUEUES:
        return Reading(
            when,
            name,
            site,
            "",
            labels.get("flavor", ""),
            labels.get("cluster_queue", ""),
            labels.get("resource", ""),
            value,
            source,
        )
    if name in {REQUESTS, NODE_LABELS}:
        return Reading(
            when,
            name,
            site,
            labels.get("node", ""),
            labels.get("resource", "") if name == REQUESTS else labels.get(_CHIP, ""),
            _first(labels, _NAMESPACE),
            _first(labels, _POD),
            value,
            source,
            _first(labels, ("exported_container", "container")),
        )
    identity = "/".join(
        part for part in (_first(labels, _HOST) or host, _first(labels, _DEVICE), labels.get("vdie_id", "")) if part
    )
    scale = UTILISATION.get(name, (1.0, 0))[0]
    return Reading(
        when,
        name,
        site,
        identity,
        _first(labels, _MODEL),
        _first(labels, _NAMESPACE),
        _first(labels, _POD),
        value * scale,
        source,
    )


def files_of(folder: Path) -> list[Path]:
    """Return the `.prom` and `.txt` files of a folder and its sub-folders (or the one file), by name."""
    if not folder.is_dir():
        return [folder]
    return sorted(p for p in folder.rglob("*") if p.suffix in {".prom", ".txt"} and p.is_file())


def read_folder(folder: Path, site: str) -> tuple[list[Reading], list[Flag]]:
    """Return the readings of a folder's files (or of one file).

    A sub-folder is a node: its name stands for the host where an exporter does not give its own, as npu-exporter does
    not. Errors: UserError where a file cannot be read.
    """
    readings: list[Reading] = []
    flags: list[Flag] = []
    for path in files_of(folder):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot be read ({error})") from error
        host = path.parent.relative_to(folder).as_posix() if folder.is_dir() else ""
        found, odd = read_exposition(text, path.name, site, time_of(path), "" if host == "." else host)
        readings += found
        flags += odd
    if not readings:
        words = Said(f"no sample of a known exporter for site {site}", f"站点 {site} 没有任何已知导出器的样本")
        flags.append(Flag(str(folder.name), "no-telemetry", words))
    return readings, flags


_CHIP: Final = "label_chip_twokey_dev_name"  # the nodes' chip label, as kube-state-metrics writes it


@cache
def exported() -> frozenset[str]:
    """Return the plug-ins' resource names as kube-state-metrics writes them (`nvidia_com_gpu`)."""
    text = files("twokey.deploy").joinpath("data/resources.csv").read_text("utf-8")
    names = [f"{r['vendor_resource']};{r['other_resources']}".split(";") for r in csv.DictReader(text.splitlines())]
    return frozenset(re.sub(r"[^A-Za-z0-9_]", "_", name) for each in names for name in each if name)


_CHIP_WORDS = re.compile(r"(?i)nvidia|tesla|huawei|80gb|141gb|hbm3e?|\s+")


def chip_of(model: str) -> Hardware | None:
    """Return the device that an exporter's model name stands for; None where it cannot be told.

    >>> chip_of("NVIDIA H200").name
    'NVIDIA H200 SXM'
    >>> chip_of("Ascend910B2").name, chip_of("Ascend910") is None
    ('Huawei Ascend 910B2', True)
    """
    if not model or re.fullmatch(r"(?i)ascend[ -]?910", model.strip()):
        return None  # the name stands for every bin and generation of the 910
    spaced = re.sub(r"(?i)^ascend[ -]?(\d)", r"Ascend \1", model.strip())
    for attempt in (spaced, spaced.replace("-", " "), _CHIP_WORDS.sub(" ", spaced).strip(), spaced.replace("_", " ")):
        try:
            return hardware(attempt)
        except UserError:
            continue
    return _by_slug().get(re.sub(r"[^a-z0-9]+", "-", model.casefold()).strip("-"))


@cache
def largest_rate() -> float:
    """Return the dense 16-bit TFLOPS of the strongest known device: what one that cannot be told has at most."""
    return max(hardware(name).tflops16 for name in names())


def _by_slug() -> dict[str, Hardware]:
    from twokey.deploy.enforce.policy import slug

    return {slug(name): hardware(name) for name in names()}


def series(readings: Iterable[Reading]) -> Iterator[tuple[tuple[str, ...], list[Reading]]]:
    """Yield each series (metric, site, device, model) with its readings in the order of the files."""
    found: dict[tuple[str, ...], list[Reading]] = {}
    for reading in readings:
        found.setdefault((reading.metric, reading.site, reading.device, reading.model), []).append(reading)
    yield from found.items()
