"""Answers for a page with sliders: one setting within a second, or a grid of settings that a page carries with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from twokey.outlook.lines import headline
from twokey.outlook.run import Result, run
from twokey.outlook.scenario import Scenario, with_inputs

QUICK_PATHS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Slider:
    """One input that a reader moves, with the values it can take."""

    input: str
    en: str
    zh: str
    values: tuple[float, ...]


SLIDERS: Final = (
    Slider("conversion", "share of an approval that converts", "批准的转化比例", (0.02, 0.05, 0.15, 0.4, 0.9)),
    Slider("cn_close_rate", "import key closes, times a year", "进口钥匙每年关闭次数", (0.2, 1.0, 3.0)),
    Slider("batch_units", "units in a batch", "每批件数", (20_000, 80_000, 250_000)),
    Slider("hbm_year", "domestic memory stacks a year", "国产 HBM 年产量", (1_500_000, 3_000_000, 6_500_000)),
)


def quick(scenario: Scenario, values: Mapping[str, float] | None = None) -> Result:
    """Answer one setting of the sliders within a second: monthly steps and 1,000 paths (20 to 50 ms on one core).

    >>> from twokey.outlook.scenario import load
    >>> quick(load("founding-case-2026-01-28"), {"conversion": 0.05}).scenario.paths
    1000
    """
    small = replace(scenario, paths=min(QUICK_PATHS, scenario.paths), steps_a_quarter=3)
    return run(with_inputs(small, values or {}))


def grid(scenario: Scenario, sliders: Sequence[Slider] = SLIDERS, paths: int = 400) -> dict[str, Any]:
    """Return every setting of the sliders with the fans of deliveries and of the gap, rounded: the data of a page."""
    small = replace(scenario, paths=paths, steps_a_quarter=3)
    _, gap = headline(scenario)
    cells: dict[str, Any] = {}
    for places in product(*(range(len(slider.values)) for slider in sliders)):
        chosen = {s.input: s.values[i] for s, i in zip(sliders, places, strict=True)}
        result = run(with_inputs(small, chosen))
        cells["-".join(map(str, places))] = [
            [_short(result.at(name, n, q)) for n in range(len(result.ends))]
            for name in ("delivered_total", gap)
            for q in (0.1, 0.5, 0.9)
        ]
    return {
        "sliders": [{"input": s.input, "en": s.en, "zh": s.zh, "values": s.values} for s in sliders],
        "ends": [end.isoformat() for end in result.ends],
        "cells": cells,
        "paths": paths,
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")
