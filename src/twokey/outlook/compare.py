"""Scenarios side by side, and the frontier of the importing state's two aims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np

from twokey.chips.errors import UserError
from twokey.outlook.basis import MixedBasisError
from twokey.outlook.events import Event
from twokey.outlook.lines import AT, find_line, headline
from twokey.outlook.run import Result, run
from twokey.outlook.scenario import Scenario, with_inputs

SHOWN: Final = (
    "delivered_total", "domestic_made", "china_8bit", "china_bandwidth", "gap_8bit", "gap_bandwidth",
    "foreign_share_8bit",
    "die_yield", "both_open",
)  # fmt: skip


def comparable(scenarios: Sequence[Scenario]) -> None:
    """Raise `UserError` where scenarios are on different bases or horizons, so that nobody reads them side by side."""
    if len(scenarios) < 2:
        raise UserError("compare needs two scenarios or more")
    for what in ("basis", "quarters", "include_smuggled"):
        found = {s.name: getattr(s, what) for s in scenarios}
        if len(set(found.values())) > 1:
            told = ", ".join(f"{name}: {value}" for name, value in found.items())
            error = MixedBasisError if what != "quarters" else UserError
            raise error(f"scenarios differ in {what} ({told}); give them the same one, as with --basis or --quarters")


def compare(scenarios: Sequence[Scenario], quarter: int, *, workers: int = 1) -> list[dict[str, Any]]:
    """Run each scenario with the same random numbers and return one row for each line: value by scenario at a quarter.

    Scenarios with one seed share every draw, so a difference is due to the scenario.

    Raises:
        MixedBasisError: they count compute, or smuggled compute, in different ways.
        UserError: fewer than two, different horizons, or a quarter outside them.

    """
    comparable(scenarios)
    seed = scenarios[0].seed
    results = [run(replace(s, seed=seed), workers=workers) for s in scenarios]
    if not 1 <= quarter <= scenarios[0].quarters:
        raise UserError(f"quarter {quarter} is not within 1 to {scenarios[0].quarters}")
    names = [n for n in SHOWN if n not in ("china_bandwidth", "gap_bandwidth")]
    if "bandwidth" in scenarios[0].basis:
        names = [n for n in SHOWN if n not in ("china_8bit", "gap_8bit")]
    return [_row(name, results, quarter) for name in names]


def _row(name: str, results: Sequence[Result], quarter: int) -> dict[str, Any]:
    line = find_line(name)
    row: dict[str, Any] = {"line": name, "what": line.en, "what_zh": line.zh, "unit": line.unit, "basis": line.basis}
    for result in results:
        row[result.scenario.name] = result.at(name, quarter, None if line.unit == "probability" else 0.5)
        if line.unit != "probability":
            row[result.scenario.name + " p10"] = result.at(name, quarter, 0.1)
            row[result.scenario.name + " p90"] = result.at(name, quarter, 0.9)
    return row


@dataclass(frozen=True, slots=True)
class Point:
    """One policy of the importing state: import cap and domestic-share mandate, and what it gives."""

    cap: float  # units a year; inf for none
    mandate: float
    compute: float  # H100e in service at the horizon, on the scenario's basis (mean)
    foreign: float  # of that, controlled chips
    domestic_made: float  # packages in all (mean)
    die_yield: float  # at the horizon (mean)
    best: bool  # no other point is better on both aims
    present: bool


CAPS: Final = (0.0, 20_000.0, 100_000.0, 200_000.0, 400_000.0, 800_000.0)
MANDATES: Final = (0.0, 0.2, 0.4, 0.6, 0.8)


def frontier(
    scenario: Scenario,
    caps: Sequence[float] = CAPS,
    mandates: Sequence[float] = MANDATES,
    *,
    paths: int = 1_000,
    conversion: float = 0.9,
) -> list[Point]:
    """Weigh the importing state's two aims: compute for developers against domestic output and learning.

    The import key is the state's own choice here: it is open, with a cap of `cap` units a year; `conversion` is the
    share of approvals that become orders when the state means them to (0.9). The export key stays as in the scenario.
    The present policy is the scenario as it stands.

    >>> from twokey.outlook.scenario import load
    >>> points = frontier(replace(load("founding-case-2026-01-28"), quarters=4), (0.0, 400000.0), (0.4, 0.8), paths=200)
    >>> sum(point.present for point in points), len(points)
    (1, 5)
    """
    small = replace(scenario, paths=paths)
    found = [_point(small, cap, mandate, conversion) for mandate in mandates for cap in caps]
    found.append(_measured(small, np.nan, float("nan"), present=True))
    return [replace(p, best=not any(_beats(q, p) for q in found)) for p in found]


_SAME: Final = 1e-3  # differences below a thousandth are no difference


def _beats(first: Point, second: Point) -> bool:
    """Whether the first is no worse on both aims and better on one."""
    compute, made = first.compute / second.compute - 1, first.domestic_made / second.domestic_made - 1
    return min(compute, made) >= -_SAME / 10 and max(compute, made) > _SAME


def _point(scenario: Scenario, cap: float, mandate: float, conversion: float) -> Point:
    start = scenario.as_of
    own = [e for e in scenario.events if e.key == "export"]
    chosen = [
        Event(start, "import", "case_by_case", {}, None, True, "", (), "frontier", 0),
        Event(start, "import", "domestic_share", {"share": mandate}, None, False, "", (), "frontier", 0),
    ]
    for year in range(-(-scenario.quarters // 4)):
        day = start + timedelta(days=364 * year)
        chosen.append(
            Event(day, "import", "total_cap", {"units": cap * (year + 1)}, None, False, "", (), "frontier", 0)
        )
    fixed = with_inputs(
        replace(scenario, events=tuple(sorted([*own, *chosen], key=lambda e: e.date))),
        {"conversion": conversion, "mandate": mandate, "mandate_rate": 1e-9, "batch_units": 1e7, "batch_weeks": 1.0},
    )
    return _measured(fixed, cap, mandate, present=False)


def _measured(scenario: Scenario, cap: float, mandate: float, *, present: bool) -> Point:
    result = run(scenario)
    compute, _ = headline(scenario)
    if result.paths is None:
        raise UserError("the frontier runs on at most 60,000 paths")
    at = scenario.quarters
    made = result.paths[AT["domestic_made"]].sum(axis=0)
    foreign = result.paths[AT["in_mainland"], at] + result.paths[AT["offshore"], at]
    if present:
        mandate = float(np.median(result.paths[AT["mandate"], at]))
    return Point(
        cap,
        mandate,
        result.at(compute, at),
        float(np.mean(foreign))
        * (scenario.chip.h100e_bandwidth if "bandwidth" in compute else scenario.chip.h100e_8bit),
        float(np.mean(made)),
        result.at("die_yield", at),
        False,
        present,
    )
