"""Run a scenario: every line by quarter, with fans; on threads, or on a Dask cluster, with the same numbers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twokey.chips.errors import UserError
from twokey.outlook.lines import AT, LINES, Line, measure
from twokey.outlook.model import blocks_of, run_block, simulate
from twokey.outlook.scenario import Scenario
from twokey.outlook.tally import QUANTILES, Tally
from twokey.outlook.timeline import build

Floats = npt.NDArray[np.float64]
Engine = Literal["local", "dask"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario's answer: means and quantiles of every line at the start and at each quarter end."""

    scenario: Scenario
    ends: tuple[date, ...]  # (quarters + 1,)
    mean: Floats  # (len(LINES), quarters + 1)
    quantiles: Floats  # (len(QUANTILES), len(LINES), quarters + 1)
    paths: Floats | None  # (len(LINES), quarters + 1, paths) while they fit

    def rows(self, names: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the long table: one row for each line and quarter, with unit, basis and quantiles."""
        wanted = [line for line in LINES if names is None or line.name in set(names)]
        return [row for line in wanted for row in self._rows_of(line)]

    def at(self, name: str, quarter: int, quantile: float | None = None) -> float:
        """Return the mean, or a quantile, of one line at one quarter (0 is the start)."""
        if quantile is None:
            return float(self.mean[AT[name], quarter])
        return float(self.quantiles[QUANTILES.index(quantile), AT[name], quarter])

    def _rows_of(self, line: Line) -> Iterator[dict[str, Any]]:
        probability = line.unit == "probability"
        for n, end in enumerate(self.ends):
            if n == 0 and line.kind == "flow":
                continue
            fan = {
                f"p{round(q * 100):02d}": float(self.quantiles[i, AT[line.name], n]) for i, q in enumerate(QUANTILES)
            }
            yield {
                "scenario": self.scenario.name,
                "quarter": n,
                "end": end.isoformat(),
                "side": line.side,
                "line": line.name,
                "what": line.en,
                "what_zh": line.zh,
                "kind": line.kind,
                "unit": line.unit,
                "basis": line.basis,
                "mean": float(self.mean[AT[line.name], n]),
                **(dict.fromkeys(fan) if probability else fan),
            }


def quarter_ends(scenario: Scenario) -> tuple[date, ...]:
    """Return the start and the end of each quarter of 13 weeks."""
    return tuple(scenario.as_of + timedelta(days=91 * n) for n in range(scenario.quarters + 1))


def offshore_by_quarter(scenario: Scenario) -> Floats:
    """Return the share of units that must stay outside the mainland, at the end of each quarter."""
    line = build(scenario)
    ends = np.maximum(0, np.arange(scenario.quarters + 1) * scenario.steps_a_quarter - 1)
    return line.offshore[ends]


def _measured(scenario: Scenario, offshore: Floats, job: tuple[int, int]) -> Floats:
    return measure(scenario, run_block(scenario, *job), offshore)


def run(
    scenario: Scenario,
    *,
    workers: int = 1,
    engine: Engine = "local",
    scheduler: str = "",
    progress: Progress | None = None,
) -> Result:
    """Run a scenario.

    The numbers depend on the scenario and its seed alone: not on `workers`, and not on `engine`. Memory stays bounded:
    beyond 60,000 paths, quantiles come from bins (see `tally`).

    >>> from dataclasses import replace
    >>> from twokey.outlook.scenario import load
    >>> result = run(replace(load("founding-case-2026-01-28"), paths=200, quarters=2))
    >>> len(result.ends), result.at("delivered_total", 2) < 400_000
    (3, True)
    """
    tally = Tally(scenario.paths)
    offshore = offshore_by_quarter(scenario)
    jobs = blocks_of(scenario.paths)
    if engine == "dask":
        measured: Iterable[Floats] = _on_dask(partial(_measured, scenario, offshore), jobs, scheduler)
    else:
        measured = (measure(scenario, block, offshore) for block in simulate(scenario, workers))
    for done, values in enumerate(measured, 1):
        tally.add(values)
        if progress:
            progress(done, len(jobs))
    return Result(
        scenario, quarter_ends(scenario), tally.mean(), tally.quantiles(), tally.values() if tally.exact else None
    )


def _on_dask(
    function: Callable[[tuple[int, int]], Floats], jobs: list[tuple[int, int]], scheduler: str
) -> Iterator[Floats]:
    """Map the blocks over a Dask cluster and yield them in order, with a bounded number in flight."""
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise UserError("--engine dask needs the extra: pip install 'twokey[dask,outlook]'") from None
    try:
        client = (
            distributed.Client(scheduler, timeout="10s")
            if scheduler
            else distributed.Client(processes=False, dashboard_address=":0", n_workers=1)
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"--scheduler {scheduler}: no Dask scheduler answers ({error}); start one or leave it out"
        ) from None
    with client:
        ahead = 2 * max(1, sum(client.nthreads().values()))
        waiting: list[Any] = []
        for job in jobs:
            waiting.append(client.submit(function, job, pure=False))
            if len(waiting) >= ahead:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
