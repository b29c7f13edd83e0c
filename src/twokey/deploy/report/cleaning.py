"""Making a series fit to add up: clock jumps, duplicates and counter resets are flagged, never passed over."""

from __future__ import annotations

import itertools
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from twokey.deploy.report.readings import Flag, Reading
from twokey.deploy.said import Said

LATE = 2.5  # of the usual distance between samples: longer is a gap
_FAR = 366 * 86400.0  # from the middle of a series: no clock is right about that


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [start, end) in which a series had a known value, or (None) had none: a gap."""

    start: float
    end: float
    value: float | None
    reading: Reading


def in_order(readings: Sequence[Reading]) -> tuple[list[Reading], list[Flag]]:
    """Return readings with times that only rise; what goes back in time, or repeats, is flagged and dropped.

    Of a clock that jumps, the fewest samples that are in the way of all others go. Two different values at one time
    contradict each other: both go, which leaves a gap.
    """
    if not readings:
        return [], []
    middle = statistics.median(r.time for r in readings)
    near = [abs(r.time - middle) <= _FAR for r in readings]
    kept_at = set(_rising([r.time for r in readings], near))
    flags: list[Flag] = []
    kept: list[Reading] = []
    contradicted: set[float] = set()
    for i, reading in enumerate(readings):
        name = f"{reading.metric} of {reading.device or reading.namespace}"
        zh = f"{reading.device or reading.namespace} 的 {reading.metric}"
        if i not in kept_at:
            words = Said(f"{name}: a time out of order", f"{zh}：时间次序错乱")
            if not near[i]:
                words = Said(f"{name}: a time more than a year from the others", f"{zh}：时间与其余样本相差一年以上")
            flags.append(Flag(reading.source, "clock", words))
        elif kept and reading.time == kept[-1].time:
            same = abs(kept[-1].value - reading.value) < 1e-9
            words = Said(f"{name}: two samples at one time", f"{zh}：同一时刻有两个样本")
            flags.append(Flag(reading.source, "duplicate" if same else "conflict", words))
            if not same:
                contradicted.add(reading.time)
        else:
            kept.append(reading)
    return [r for r in kept if r.time not in contradicted], flags


def _rising(times: Sequence[float], allowed: Sequence[bool]) -> list[int]:
    """Return the indexes of a longest run of allowed times that never fall (patience sorting)."""
    tails: list[float] = []
    ends: list[int] = []
    before: list[int] = [-1] * len(times)
    for i, (time, ok) in enumerate(zip(times, allowed, strict=True)):
        if not ok:
            continue
        place = bisect_right(tails, time)
        before[i] = ends[place - 1] if place else -1
        if place == len(tails):
            tails.append(time)
            ends.append(i)
        else:
            tails[place], ends[place] = time, i
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]


def usual_step(readings: Sequence[Reading], step: float | None = None) -> float:
    """Return the usual seconds between samples: as given, or the middle of their distances."""
    distances = [b.time - a.time for a, b in itertools.pairwise(readings)]
    return step or (statistics.median(distances) if distances else 60.0)


def spans(readings: Sequence[Reading], start: float, end: float, step: float | None = None) -> list[Span]:
    """Return the stretches between `start` and `end` (seconds): each value holds until the next sample.

    `readings` come from `in_order`. Before the first sample and where the next one is late there is a gap.
    """
    inside = [r for r in readings if start <= r.time < end]
    if not inside:
        return [Span(start, end, None, readings[0])] if readings else []
    usual = usual_step(inside, step)
    found: list[Span] = []
    if inside[0].time - start > LATE * usual:
        found.append(Span(start, inside[0].time, None, inside[0]))
    elif inside[0].time > start:
        found.append(Span(start, inside[0].time, inside[0].value, inside[0]))
    for i, reading in enumerate(inside):
        until = inside[i + 1].time if i + 1 < len(inside) else end
        if until - reading.time > LATE * usual:
            found.append(Span(reading.time, reading.time + usual, reading.value, reading))
            found.append(Span(reading.time + usual, until, None, reading))
        else:
            found.append(Span(reading.time, until, reading.value, reading))
    return found
