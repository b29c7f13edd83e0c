"""Making a series fit to add up: clock jumps, duplicates and counter resets are flagged, never passed over."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from twokey.deploy.report.readings import Flag, Reading

_LATE = 2.5  # of the usual distance between samples: longer is a gap
_FUTURE = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [start, end) in which a series had a known value, or (None) had none: a gap."""

    start: float
    end: float
    value: float | None
    reading: Reading


def in_order(readings: Sequence[Reading]) -> tuple[list[Reading], list[Flag]]:
    """Return readings with times that only rise; what goes back in time, or repeats, is flagged and dropped.

    Two different values at one time contradict each other: both go, which leaves a gap.
    """
    flags: list[Flag] = []
    kept: list[Reading] = []
    contradicted: set[float] = set()
    latest = float("-inf")
    for reading in readings:
        name = f"{reading.metric} of {reading.device or reading.namespace}"
        if reading.time > latest + _FUTURE and kept:
            flags.append(Flag(reading.source, "clock", f"{name}: jumps more than a year ahead"))
            continue
        if reading.time > latest:
            kept.append(reading)
            latest = reading.time
        elif reading.time == latest and kept:
            same = abs(kept[-1].value - reading.value) < 1e-9
            flags.append(Flag(reading.source, "duplicate" if same else "conflict", f"{name}: two samples at one time"))
            if not same:
                contradicted.add(latest)
        else:
            flags.append(Flag(reading.source, "clock", f"{name}: time goes back by {latest - reading.time:.0f} s"))
    return [r for r in kept if r.time not in contradicted], flags


def spans(readings: Sequence[Reading], start: float, end: float, step: float | None = None) -> list[Span]:
    """Return the stretches between `start` and `end` (seconds): each value holds until the next sample.

    `readings` come from `in_order`. Before the first sample and where the next one is late there is a gap.
    """
    inside = [r for r in readings if start <= r.time < end]
    if not inside:
        return [Span(start, end, None, readings[0])] if readings else []
    distances = [b.time - a.time for a, b in itertools.pairwise(inside)]
    usual = step or (statistics.median(distances) if distances else 60.0)
    found: list[Span] = []
    if inside[0].time - start > _LATE * usual:
        found.append(Span(start, inside[0].time, None, inside[0]))
    elif inside[0].time > start:
        found.append(Span(start, inside[0].time, inside[0].value, inside[0]))
    for i, reading in enumerate(inside):
        until = inside[i + 1].time if i + 1 < len(inside) else end
        if until - reading.time > _LATE * usual:
            found.append(Span(reading.time, reading.time + usual, reading.value, reading))
            found.append(Span(reading.time + usual, until, None, reading))
        else:
            found.append(Span(reading.time, until, reading.value, reading))
    return found


def increase(readings: Sequence[Reading], start: float, end: float) -> tuple[float, float | None, list[Flag]]:
    """Return how much a counter rose between `start` and `end`: at least, at most (None: not bounded), and flags.

    At a reset the counter's new value is counted: what it had reached before it fell is not known.
    """
    inside = [r for r in readings if start <= r.time < end]
    least, flags, open_ended = 0.0, [], False
    for before, after in itertools.pairwise(inside):
        if after.value >= before.value:
            least += after.value - before.value
        else:
            least += after.value
            open_ended = True
            flags.append(
                Flag(after.source, "reset", f"{after.metric} of {after.pod or after.device}: fell, counted from zero")
            )
    return least, None if open_ended else least, flags
