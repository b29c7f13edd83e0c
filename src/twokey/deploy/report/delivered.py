"""Delivered tokens: each counter joined to its pod, and the pod to the chip it ran on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from twokey.deploy.devices import Hardware
from twokey.deploy.report.cleaning import LATE, in_order, usual_step
from twokey.deploy.report.readings import COUNTERS, Reading
from twokey.deploy.report.sums import UNKNOWN, Sums
from twokey.deploy.report.tokens import peak_rate, rises
from twokey.deploy.said import Said


@dataclass(slots=True)
class Holders:
    """Which chip each pod (site, namespace, pod) ran on, and when it was last seen on one."""

    chip: dict[tuple[str, str, str], Hardware]
    torn: set[tuple[str, str, str]] = field(default_factory=set)  # seen on chips of both origins
    last: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def see(self, pod: tuple[str, str, str], device: Hardware, time: float) -> None:
        """Note a pod on a chip."""
        before = self.chip.setdefault(pod, device)
        if before.domestic != device.domestic:
            self.torn.add(pod)
        self.last[pod] = max(time, self.last.get(pod, time))

    def of(self, pod: tuple[str, str, str]) -> Hardware | None:
        """Return the chip of a pod; None where it was seen on none, or on both origins."""
        return None if pod in self.torn else self.chip.get(pod)


def tokens(readings: Sequence[Reading], sums: Sums, holders: Holders) -> set[tuple[str, str, str]]:
    """Add what token counters tell; return the pods that counted."""
    groups: dict[tuple[str, str, str, str, str], list[Reading]] = {}
    for r in readings:
        if r.metric in COUNTERS:
            groups.setdefault((r.metric, r.site, r.namespace, r.pod, r.device), []).append(r)
    clean = {}
    for key, raw in groups.items():
        clean[key], odd = in_order(raw)
        sums.flags += odd
    site_last: dict[str, float] = {}
    for r in readings:
        site_last[r.site] = max(r.time, site_last.get(r.site, r.time))
    peaks = {
        (metric, site): peak_rate(kept for key, kept in clean.items() if key[:2] == (metric, site))
        for metric, site in {key[:2] for key in clean}
    }
    for (metric, site, namespace, pod, _), kept in clean.items():
        holder = (site, namespace, pod)
        device = holders.of(holder)
        if device is None:
            why, zh = ("was seen on chips of both origins", "见于国产与进口芯片")
            if holder not in holders.torn:
                why, zh = ("was seen on no device", "未见于任何设备")
            words = Said(
                f"{metric}: pod {pod or '(none)'} {why}, its tokens may be either's",
                f"{metric}：Pod {pod or '（无）'} {zh}，其 token 归属不明",
            )
            sums.flag(site, "unknown-chip", words)
        phase = sums.phase_of(namespace)
        alive = holders.last.get(holder, 0.0)
        if kept and kept[-1].time + LATE * usual_step(kept) >= site_last[site]:
            alive = sums.edges[-1]  # the site's telemetry ends with it
        risen, odd = rises(kept, sums.edges, alive, peaks[metric, site])
        sums.flags += odd
        for period, rise in enumerate(risen):
            if rise.known or rise.missing:
                served = phase if phase != UNKNOWN else "inference"
                sums.add(site, period, served, device, UNKNOWN, "delivered", rise.known, rise.missing)
    counted = {(site, namespace, pod) for _, site, namespace, pod, _ in clean}
    if counted:
        _uncounted(sums, holders, counted)
    return counted


def _uncounted(sums: Sums, holders: Holders, counted: set[tuple[str, str, str]]) -> None:
    """Pods that may serve and count no tokens leave the delivered share without a bound on their chip's side."""
    left: dict[tuple[str, str], tuple[Hardware, int]] = {}
    for (site, namespace, pod), device in holders.chip.items():
        if (site, namespace, pod) in counted or sums.phase_of(namespace) == "training":
            continue
        left[site, device.name] = (device, left.get((site, device.name), (device, 0))[1] + 1)
    for (site, _), (device, count) in left.items():
        words = Said(
            f"{count} pods on {device.name} count no tokens: what they delivered is not bounded",
            f"{device.name} 上 {count} 个 Pod 未计 token：其交付量无上限",
        )
        sums.flag(site, "no-telemetry", words)
        for period in range(len(sums.edges) - 1):
            sums.add(site, period, "inference", device, device.name, "delivered", 0.0, math.inf)
