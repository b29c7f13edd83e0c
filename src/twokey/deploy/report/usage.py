"""Adding up: device-seconds by site, phase, chip and period, allocated, used and delivered, with what is not known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from twokey.deploy.devices import Hardware
from twokey.deploy.report.cleaning import in_order, spans
from twokey.deploy.report.delivered import Holders, tokens
from twokey.deploy.report.readings import OWNERS, QUEUES, UTILISATION, Flag, Reading, chip_of, largest_rate, series
from twokey.deploy.report.requests import requested
from twokey.deploy.report.sums import UNKNOWN, Amount, Sums
from twokey.deploy.said import Said


@dataclass(frozen=True, slots=True)
class Usage:
    """All amounts of a report with the flags that they raised."""

    amounts: tuple[Amount, ...]
    flags: tuple[Flag, ...]
    edges: tuple[float, ...]  # boundaries of the periods, n + 1 of them


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
    sums, fleets = Sums(edges, phases), list(fleets)
    asked, pods, odd = requested(readings)
    sums.flags += odd
    holders = Holders(pods)
    seen = _devices(readings, sums, holders, step)
    told = {r.site for r in asked}
    queues = [r for r in readings if r.metric == QUEUES and r.site not in told]  # pods' requests are closer than quotas
    metered = {r.site for r in readings if r.metric in UTILISATION}
    _queues([r for r in (*queues, *asked) if r.site not in metered], sums, fleets, step)
    counted = tokens(readings, sums, holders)
    scheduled = {r.site for r in (*queues, *asked)}
    _silent(fleets, seen, sums, scheduled - metered, bool(counted))
    return Usage(sums.amounts(), _merged(sums.flags), tuple(edges))


def _devices(
    readings: Sequence[Reading], sums: Sums, holders: Holders, step: float | None
) -> dict[tuple[str, str], set[str]]:
    """Add what device exporters tell; return the devices that were heard by site and chip."""
    owners = {(r.site, r.device): r for r in readings if r.metric == OWNERS}
    seen: dict[tuple[str, str], set[str]] = {}
    unknown_chips: dict[str, int] = {}
    for (metric, site, identity, model), raw in series(_one_metric_per_device(readings)):
        kept, odd = in_order(raw)
        sums.flags += odd
        device = chip_of(model)
        if device is None:
            unknown_chips[model or "(no model label)"] = unknown_chips.get(model or "(no model label)", 0) + 1
        else:
            seen.setdefault((site, device.name), set()).add(identity)
        rate = device.tflops16 if device else largest_rate()
        owner = owners.get((site, identity))
        gap = 0.0
        for period, (start, end) in enumerate(itertools.pairwise(sums.edges)):
            for span in spans(kept, start, end, step):
                r = owner or span.reading
                seconds = (span.end - span.start) * rate
                phase = sums.phase_of(r.namespace) if r.namespace else UNKNOWN
                if span.value is None:
                    gap += span.end - span.start
                    for measure in ("allocated", "used"):
                        sums.add(site, period, UNKNOWN, device, model, measure, 0.0, seconds)
                elif r.namespace or r.pod:
                    sums.add(site, period, phase, device, model, "allocated", seconds)
                    sums.add(site, period, phase, device, model, "used", seconds * min(span.value, 1.0))
                    if device is not None:
                        holders.see((site, r.namespace, r.pod), device, span.reading.time)
        if gap > 0:
            hours = f"{gap / 3600:.2f}"
            words = Said(
                f"{metric} of {identity}: no samples for {hours} h", f"{identity} 的 {metric}：{hours} 小时无样本"
            )
            sums.flag(site, "gap", words)
    for name, count in unknown_chips.items():
        words = Said(
            f"model {name!r} of {count} devices: origin cannot be told, it may be either",
            f"{count} 个设备的型号 {name!r}：无法判定国产或进口，两者皆有可能",
        )
        sums.flag("", "unknown-chip", words)
    return seen


def _one_metric_per_device(readings: Sequence[Reading]) -> list[Reading]:
    """Keep, per device, the utilisation metric closest to tensor work; they must not be added."""
    best: dict[tuple[str, str], int] = {}
    for r in readings:
        if r.metric in UTILISATION:
            best[r.site, r.device] = max(best.get((r.site, r.device), 0), UTILISATION[r.metric][1])
    return [r for r in readings if r.metric in UTILISATION and UTILISATION[r.metric][1] == best[r.site, r.device]]


def _queues(
    readings: Sequence[Reading],
    sums: Sums,
    fleets: Sequence[tuple[str, Hardware, float]],
    step: float | None,
) -> None:
    """Allocation from pods' requests or from Kueue where a site has no device exporter."""
    devices = {(site, device.name): cards * device.per_card for site, device, cards in fleets}
    groups: dict[tuple[str, str, str, str], list[Reading]] = {}
    for r in readings:
        groups.setdefault((r.site, r.model, r.namespace, r.pod), []).append(r)
    for (site, flavour, queue, _), raw in groups.items():
        kept, odd = in_order(raw)
        sums.flags += odd
        device = chip_of(flavour)
        if device is None:
            words = Said(
                f"flavour {flavour!r}: origin cannot be told, it may be either",
                f"资源规格 {flavour!r}：无法判定国产或进口，两者皆有可能",
            )
            sums.flag(site, "unknown-chip", words)
        most = devices.get((site, device.name)) if device else None
        gap = 0.0
        for period, (start, end) in enumerate(itertools.pairwise(sums.edges)):
            for span in spans(kept, start, end, step):
                rate = (device.tflops16 if device else largest_rate()) * (span.end - span.start)
                phase = sums.phase_of(queue)
                if span.value is None:
                    gap += span.end - span.start
                    held = max(r.value for r in raw) if most is None else most
                    sums.add(site, period, phase, device, flavour, "allocated", 0.0, rate * held)
                else:
                    sums.add(site, period, phase, device, flavour, "allocated", rate * span.value)
        if gap > 0:
            hours = f"{gap / 3600:.2f}"
            by, by_zh = (
                ("by the cards of the plan", "以计划卡数为上限")
                if most
                else ("by the most it held", "以其最大占用为上限")
            )
            words = Said(
                f"{flavour} of {queue}: no samples for {hours} h, bounded by {by}",
                f"{queue} 的 {flavour}：{hours} 小时无样本，以{by_zh}为上限",
            )
            sums.flag(site, "gap", words)


def _silent(
    fleets: Iterable[tuple[str, Hardware, float]],
    seen: Mapping[tuple[str, str], set[str]],
    sums: Sums,
    scheduled: set[str],
    counted: bool,
) -> None:
    """Cards of which nothing was heard are a gap, unless a scheduler told what it gave out of them."""
    for site, device, cards in fleets:
        heard = len(seen.get((site, device.name), ())) / device.per_card
        silent = cards - heard
        if silent < 0:
            words = Said(
                f"{heard:g} {device.name} were heard, the plan has {cards:g}",
                f"监测到 {heard:g} 张 {device.name}，计划仅有 {cards:g} 张",
            )
            sums.flag(site, "conflict", words)
        if silent <= 0:
            continue
        words = Said(
            f"{silent:g} of {cards:g} {device.name} sent nothing",
            f"{cards:g} 张 {device.name} 中 {silent:g} 张无任何数据",
        )
        sums.flag(site, "no-telemetry", words)
        if site in scheduled:
            continue  # what its scheduler did not give out was not used
        for period, (start, end) in enumerate(itertools.pairwise(sums.edges)):
            missing = silent * device.per_card * device.tflops16 * (end - start)
            for measure in ("allocated", "used"):
                sums.add(site, period, UNKNOWN, device, device.name, measure, 0.0, missing)
            if counted:
                sums.add(site, period, UNKNOWN, device, device.name, "delivered", 0.0, math.inf)


def filled(amounts: Sequence[Amount]) -> tuple[list[Amount], list[Flag]]:
    """Return amounts with what a site's sources cannot tell put in as missing, and the flags of it.

    A site of which only a scheduler speaks may have used anything up to what it gave out; one that counts no tokens
    while others do may have delivered any number.
    """
    found, flags = list(amounts), []
    counting = any(a.measure == "delivered" for a in amounts)
    for site in sorted({a.site for a in amounts}):
        mine = [a for a in amounts if a.site == site]
        held = [a for a in mine if a.measure == "allocated"]
        told = {a.measure for a in mine}
        if held and "used" not in told:
            found += [replace(a, measure="used", known=0.0, missing=a.known + a.missing) for a in held]
            words = Said("nothing tells how busy its devices were", "没有数据说明其设备的利用率")
            flags.append(Flag(site, "no-telemetry", words))
        if counting and "delivered" not in told and any(a.phase != "training" for a in held):
            found += [
                replace(a, measure="delivered", known=0.0, missing=math.inf) for a in held if a.phase != "training"
            ]
            words = Said("nothing counts the tokens that it delivered", "没有数据说明其交付的 token 数")
            flags.append(Flag(site, "no-telemetry", words))
    return found, flags


def _merged(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    found: dict[tuple[str, str, str], int] = {}
    for flag in flags:
        key = (flag.source if flag.kind in {"no-telemetry", "gap"} else "", flag.kind, flag.words)
        found[key] = found.get(key, 0) + flag.count
    return tuple(Flag(source, kind, words, count) for (source, kind, words), count in found.items())
