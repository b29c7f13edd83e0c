"""Adding up: device-seconds by site, phase, chip and period, allocated, used and delivered, with what is not known."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.deploy.devices import Hardware
from twokey.deploy.report.cleaning import in_order, increase, spans
from twokey.deploy.report.readings import COUNTERS, OWNERS, QUEUES, UTILISATION, Flag, Reading, chip_of, series
from twokey.deploy.report.requests import requested

MEASURES: Final = ("allocated", "used", "delivered")
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of one measure (TFLOPS x seconds, or tokens): `known`, and `missing` that may come on top.

    `domestic` None is a chip whose origin could not be told; `phase` "unknown" may be either.
    """

    site: str
    period: int
    phase: str
    chip: str
    domestic: bool | None
    measure: str
    known: float
    missing: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """All amounts of a report with the flags that they raised."""

    amounts: tuple[Amount, ...]
    flags: tuple[Flag, ...]
    edges: tuple[float, ...]  # boundaries of the periods, n + 1 of them


@dataclass(slots=True)
class _Sums:
    edges: Sequence[float]
    known: dict[tuple[str, int, str, str, bool | None, str], list[float]] = field(default_factory=dict)

    def add(
        self,
        site: str,
        period: int,
        phase: str,
        device: Hardware | None,
        name: str,
        measure: str,
        known: float,
        missing: float = 0.0,
    ) -> None:
        key = (site, period, phase, device.name if device else name, device.domestic if device else None, measure)
        entry = self.known.setdefault(key, [0.0, 0.0])
        entry[0] += known
        entry[1] += missing

    def amounts(self) -> tuple[Amount, ...]:
        return tuple(
            Amount(*key, *value) for key, value in sorted(self.known.items(), key=lambda kv: [str(k) for k in kv[0]])
        )


def phase_of(namespace: str, phases: Mapping[str, str]) -> str:
    """Return the phase of a namespace, queue, QOS or partition: as mapped, or by its name; else "unknown".

    >>> phase_of("training-a", {}), phase_of("team-7", {"team-7": "inference"}), phase_of("misc", {})
    ('training', 'inference', 'unknown')
    """
    if namespace in phases:
        return phases[namespace]
    word = namespace.casefold()
    if word.startswith(("train", "pretrain", "finetune")):
        return "training"
    return "inference" if word.startswith(("infer", "serv", "prod")) else UNKNOWN


def add_up(
    readings: Sequence[Reading],
    edges: Sequence[float],
    phases: Mapping[str, str],
    fleets: Iterable[tuple[str, Hardware, float]] = (),
    step: float | None = None,
) -> Usage:
    """Return the amounts per period between `edges` (seconds since 1970).

    `fleets` (site, device, cards) let cards that no exporter speaks of count as gaps.
    """
    sums, flags = _Sums(edges), []
    owners = {(r.site, r.device): r for r in readings if r.metric == OWNERS}
    asked, pods, odd = requested(readings)
    flags += odd
    seen: dict[tuple[str, str], set[str]] = {}
    gauges = _one_metric_per_device(readings)
    unknown_chips: dict[str, int] = {}
    for (metric, site, identity, model), raw in series(gauges):
        kept, odd = in_order(raw)
        flags += odd
        device = chip_of(model)
        if device is None:
            unknown_chips[model or "(no model label)"] = unknown_chips.get(model or "(no model label)", 0) + 1
        else:
            seen.setdefault((site, device.name), set()).add(identity)
        rate = device.tflops16 if device else 1.0
        owner = owners.get((site, identity))
        for period, (start, end) in enumerate(itertools.pairwise(edges)):
            for span in spans(kept, start, end, step):
                r = owner or span.reading
                seconds = (span.end - span.start) * rate
                phase = phase_of(r.namespace, phases) if r.namespace else UNKNOWN
                if span.value is None:
                    for measure in ("allocated", "used"):
                        sums.add(site, period, UNKNOWN, device, model, measure, 0.0, seconds)
                elif r.namespace or r.pod:
                    sums.add(site, period, phase, device, model, "allocated", seconds)
                    sums.add(site, period, phase, device, model, "used", seconds * min(span.value, 1.0))
                    if device is not None:
                        pods[site, r.namespace, r.pod] = device
        gap = sum(
            s.end - s.start for a, b in itertools.pairwise(edges) for s in spans(kept, a, b, step) if s.value is None
        )
        if gap > 0:
            flags.append(Flag(site, "gap", f"{metric} of {identity}: no samples for {gap / 3600:.2f} h"))
    for name, count in unknown_chips.items():
        flags.append(
            Flag("", "unknown-chip", f"model {name!r} of {count} devices: origin cannot be told, it may be either")
        )
    told = {r.site for r in asked}
    queues = [r for r in readings if r.metric == QUEUES and r.site not in told]  # pods' requests are closer than quotas
    _queues([*(r for r in readings if r.metric in UTILISATION), *queues, *asked], edges, phases, sums, flags, step)
    _tokens(readings, edges, phases, sums, flags, pods)
    _silent(fleets, seen, edges, sums, flags)
    return Usage(sums.amounts(), _merged(flags), tuple(edges))


def _one_metric_per_device(readings: Sequence[Reading]) -> list[Reading]:
    """Keep, per device, the utilisation metric closest to tensor work; they must not be added."""
    best: dict[tuple[str, str], int] = {}
    for r in readings:
        if r.metric in UTILISATION:
            best[r.site, r.device] = max(best.get((r.site, r.device), 0), UTILISATION[r.metric][1])
    return [r for r in readings if r.metric in UTILISATION and UTILISATION[r.metric][1] == best[r.site, r.device]]


def _queues(
    readings: Sequence[Reading],
    edges: Sequence[float],
    phases: Mapping[str, str],
    sums: _Sums,
    flags: list[Flag],
    step: float | None,
) -> None:
    """Allocation from pods' requests or from Kueue where a site has no device exporter."""
    metered = {r.site for r in readings if r.metric in UTILISATION}
    groups: dict[tuple[str, str, str, str], list[Reading]] = {}
    for r in readings:
        if r.metric == QUEUES and r.site not in metered:
            groups.setdefault((r.site, r.model, r.namespace, r.pod), []).append(r)
    for (site, flavour, queue, _), raw in groups.items():
        kept, odd = in_order(raw)
        flags += odd
        device = chip_of(flavour)
        if device is None:
            flags.append(Flag(site, "unknown-chip", f"flavour {flavour!r}: origin cannot be told, it may be either"))
        most = max(r.value for r in raw)
        for period, (start, end) in enumerate(itertools.pairwise(edges)):
            for span in spans(kept, start, end, step):
                rate = (device.tflops16 if device else 1.0) * (span.end - span.start)
                phase = phase_of(queue, phases)
                if span.value is None:
                    sums.add(site, period, phase, device, flavour, "allocated", 0.0, rate * most)
                else:
                    sums.add(site, period, phase, device, flavour, "allocated", rate * span.value)


def _tokens(
    readings: Sequence[Reading],
    edges: Sequence[float],
    phases: Mapping[str, str],
    sums: _Sums,
    flags: list[Flag],
    pods: Mapping[tuple[str, str, str], Hardware],
) -> None:
    groups: dict[tuple[str, str, str, str, str], list[Reading]] = {}
    for r in readings:
        if r.metric in COUNTERS:
            groups.setdefault((r.metric, r.site, r.namespace, r.pod, r.device), []).append(r)
    for (metric, site, namespace, pod, _), raw in groups.items():
        kept, odd = in_order(raw)
        flags += odd
        device = pods.get((site, namespace, pod))
        if device is None:
            flags.append(
                Flag(
                    site,
                    "unknown-chip",
                    f"{metric}: pod {pod or '(none)'} was seen on no device, its tokens may be either's",
                )
            )
        phase = phase_of(namespace, phases)
        for period, (start, end) in enumerate(itertools.pairwise(edges)):
            least, most, odd = increase(kept, start, end)
            flags += odd
            extra = 0.0 if most is not None else max((r.value for r in kept), default=0.0)
            sums.add(
                site, period, phase if phase != UNKNOWN else "inference", device, UNKNOWN, "delivered", least, extra
            )


def _silent(
    fleets: Iterable[tuple[str, Hardware, float]],
    seen: Mapping[tuple[str, str], set[str]],
    edges: Sequence[float],
    sums: _Sums,
    flags: list[Flag],
) -> None:
    for site, device, cards in fleets:
        heard = len(seen.get((site, device.name), ())) / device.per_card
        silent = cards - heard
        if silent <= 0:
            continue
        flags.append(Flag(site, "no-telemetry", f"{silent:g} of {cards:g} {device.name} sent nothing"))
        for period, (start, end) in enumerate(itertools.pairwise(edges)):
            missing = silent * device.per_card * device.tflops16 * (end - start)
            for measure in ("allocated", "used"):
                sums.add(site, period, UNKNOWN, device, device.name, measure, 0.0, missing)


def _merged(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    found: dict[tuple[str, str, str], int] = {}
    for flag in flags:
        key = (flag.source if flag.kind in {"no-telemetry", "gap"} else "", flag.kind, flag.words)
        found[key] = found.get(key, 0) + flag.count
    return tuple(Flag(source, kind, words, count) for (source, kind, words), count in found.items())
