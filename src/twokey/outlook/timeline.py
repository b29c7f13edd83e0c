"""A scenario's events on the grid of steps: where a key is fixed, where chance runs, which caps are in force."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.events import Event
from twokey.outlook.scenario import Scenario
from twokey.outlook.sources import spells

Floats = npt.NDArray[np.float64]
CHANCE: Final = -1


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the events fix, step by step; every array has one value a step. Ceilings are cumulative units."""

    dates: tuple[date, ...]
    us_start: bool
    cn_start: bool
    us_fixed: npt.NDArray[np.int8]  # -1 chance, 0 closed, 1 open
    cn_fixed: npt.NDArray[np.int8]
    us_free: npt.NDArray[np.bool_]  # open without licence
    cn_free: npt.NDArray[np.bool_]  # open without approval
    licence_cap: Floats  # inf where none
    ratio: Floats  # share of same-chip home sales; inf where none
    import_cap: Floats
    batches: Floats  # units approved by a dated batch at this step
    price: Floats  # duties and fees that the price carries
    mandate: Floats  # least domestic share that rules ask for
    offshore: Floats
    licence_extra: Floats  # weeks
    inspection_extra: Floats  # weeks
    growth_stopped: npt.NDArray[np.bool_]


def build(scenario: Scenario) -> Timeline:
    """Lay the scenario's events on its grid. Events before the start set the state at the start.

    >>> from twokey.outlook.scenario import load
    >>> line = build(load("founding-case-2026-01-28"))
    >>> line.us_start, line.cn_start, float(line.batches[0])
    (True, True, 400000.0)
    """
    steps, days = scenario.steps, 7 * scenario.step_weeks
    dates = tuple(scenario.as_of + timedelta(days=round(days * t)) for t in range(steps))

    def step_of(when: date) -> int:
        return min(steps, max(0, math.ceil((when - scenario.as_of).days / days)))

    def forward(act: str, field: str, start: float, key: str = "") -> Floats:
        values = np.full(steps, start)
        for event in scenario.events:
            if event.act == act and (not key or event.key == key):
                end = step_of(event.until) if event.until else steps
                values[step_of(event.date) : end] = event.numbers.get(field, start)
        return values

    us_start, us_fixed = _state(scenario, "export", step_of, steps)
    cn_start, cn_fixed = _state(scenario, "import", step_of, steps)
    batches = np.zeros(steps)
    for event in scenario.events:
        if event.act == "batch" and step_of(event.date) < steps:
            batches[step_of(event.date)] += event.numbers["units"]
    cap = np.minimum(forward("total_cap", "units", np.inf, "export"), forward("licence", "units", np.inf))
    per_buyer = forward("per_buyer_cap", "units", np.inf) * forward("per_buyer_cap", "buyers", 1.0)
    fee = np.maximum(forward("fee", "rate", 0.0), forward("licence", "fee", 0.0))
    return Timeline(
        dates,
        us_start,
        cn_start,
        us_fixed,
        cn_fixed,
        _free(scenario, "export", "unrestricted", step_of, steps),
        _free(scenario, "import", "open", step_of, steps),
        np.minimum(cap, per_buyer),
        forward("ratio_cap", "ratio", np.inf),
        forward("total_cap", "units", np.inf, "import"),
        batches,
        forward("tariff", "rate", 0.0, "export") + forward("tariff", "rate", 0.0, "import") + fee,
        np.maximum.accumulate(forward("domestic_share", "share", 0.0)),
        forward("location", "share", 0.0),
        forward("slow_licence", "weeks", 0.0),
        forward("location_verification", "weeks", 0.0),
        np.array([_stopped(scenario, day) for day in dates], dtype=np.bool_),
    )


def _stopped(scenario: Scenario, day: date) -> bool:
    return any(
        e.act == "equipment_controls" and e.date <= day and (e.until is None or day < e.until) for e in scenario.events
    )


def _turns(scenario: Scenario, key: str) -> list[Event]:
    return [event for event in scenario.events if event.key == key and (event.opens or event.closes)]


def _state(
    scenario: Scenario, key: str, step_of: Callable[[date], int], steps: int
) -> tuple[bool, npt.NDArray[np.int8]]:
    fixed = np.full(steps, CHANCE, dtype=np.int8)
    known = spells(key, scenario.as_of)
    start = bool(known) and known[-1].state == "open"
    for event in _turns(scenario, key):
        first = step_of(event.date)
        if event.date <= scenario.as_of:
            start = event.opens
        end = steps if event.hold else step_of(event.until) if event.until else first + 1
        if event.hold or event.until or event.date >= scenario.as_of:
            fixed[first:end] = int(event.opens)
    return start, fixed


def _free(scenario: Scenario, key: str, act: str, step_of: Callable[[date], int], steps: int) -> npt.NDArray[np.bool_]:
    free = np.zeros(steps, dtype=np.bool_)
    for event in _turns(scenario, key):
        if event.act != "batch":
            free[step_of(event.date) :] = event.act == act
    return free
