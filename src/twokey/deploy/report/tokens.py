"""What a token counter says of each period: at least so much, and what may have come on top.

A counter knows what happened in a gap that it lived through: only *when* is lost. What nobody saw is bounded: before
the first sample by what the counter had reached by then, across a reset and after the last sample by the highest rate
that any counter of the site showed between two samples. Where none shows a rate there is no bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twokey.deploy.report.cleaning import LATE, usual_step
from twokey.deploy.report.readings import Flag, Reading
from twokey.deploy.said import Said


@dataclass(frozen=True, slots=True)
class Rise:
    """Tokens of one period: `known` were counted in it, `missing` may have come on top (infinite: not bounded)."""

    known: float = 0.0
    missing: float = 0.0

    def __add__(self, other: Rise) -> Rise:
        """Return both together."""
        return Rise(self.known + other.known, self.missing + other.missing)


def rises(
    readings: Sequence[Reading], edges: Sequence[float], alive_until: float, peak: float
) -> tuple[list[Rise], list[Flag]]:
    """Return what a counter rose by in each period between `edges` (seconds), and the flags that this raised.

    `readings` come from `in_order`; until `alive_until` the counter's pod may have run; `peak` is in tokens a second.
    """
    found = [Rise() for _ in edges[1:]]
    flags: list[Flag] = []
    if not readings:
        return found, flags
    late, first, last = LATE * usual_step(readings), readings[0], readings[-1]

    def add(start: float, end: float, known: float, missing: float, even: bool) -> None:
        """Put the tokens of [start, end) into the periods: by time where `even`, else they may all be in each."""
        for i, (low, high) in enumerate(itertools.pairwise(edges)):
            inside = min(end, high) - max(start, low)
            if inside <= 0:
                continue
            if even:
                found[i] += Rise(known * inside / (end - start), missing * inside / (end - start))
            elif low <= start and end <= high:
                found[i] += Rise(known, missing)
            else:
                found[i] += Rise(0.0, known + missing)

    if first.time > edges[0] and first.value > 0:
        add(edges[0], first.time, 0.0, first.value, even=False)
        if first.time - edges[0] > late:
            flags.append(_gap(first, "before its first sample", "首个样本之前"))
    for a, b in itertools.pairwise(readings):
        even = b.time - a.time <= late
        if b.value >= a.value:
            add(a.time, b.time, b.value - a.value, 0.0, even)
        else:
            add(a.time, b.time, b.value, peak * (b.time - a.time), even)
        if a.time < edges[-1] and b.time > edges[0]:
            if b.value < a.value:
                flags.append(_reset(b))
            if not even:
                flags.append(_gap(b, f"for {(b.time - a.time) / 3600:.2f} h", f"{(b.time - a.time) / 3600:.2f} 小时"))
    end = min(alive_until, edges[-1])
    if end > last.time:
        add(last.time, end, 0.0, peak * (end - last.time), even=True)
        if end - max(last.time, edges[0]) > late:
            flags.append(_gap(last, "after its last sample", "末个样本之后"))
    return found, flags


def peak_rate(series: Iterable[Sequence[Reading]]) -> float:
    """Return the highest rate of some counters between two samples, tokens a second; infinite where none tells."""
    rates = [
        (b.value - a.value) / (b.time - a.time)
        for readings in series
        for a, b in itertools.pairwise(readings)
        if b.value >= a.value
    ]
    return max(rates, default=math.inf)


def _reset(reading: Reading) -> Flag:
    name = reading.pod or reading.device
    words = Said(
        f"{reading.metric} of {name}: fell, counted from zero", f"{name} 的 {reading.metric}：计数回落，按自零起计"
    )
    return Flag(reading.source, "reset", words)


def _gap(reading: Reading, en: str, zh: str) -> Flag:
    name = reading.pod or reading.device
    words = Said(f"{reading.metric} of {name}: no samples {en}", f"{name} 的 {reading.metric}：{zh}无样本")
    return Flag(reading.site, "gap", words)
