"""Why the answer is what it is: one input at a time, shares of variance, and what would have to be true."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from twokey.chips.errors import UserError, nearest
from twokey.outlook.lines import AT, measure
from twokey.outlook.model import BLOCK, Chosen, run_block, simulate
from twokey.outlook.run import offshore_by_quarter
from twokey.outlook.scenario import Scenario
from twokey.outlook.timeline import build

Floats = npt.NDArray[np.float64]
_Z80: Final = 1.2815515655446004
LUCK: Final = 64  # draws of chance that every setting of the inputs meets


@dataclass(frozen=True, slots=True)
class Swing:
    """What one input does to the mean of a line when it goes from its 10th to its 90th percentile."""

    name: str
    low_input: float
    high_input: float
    low: float
    high: float
    base: float

    @property
    def width(self) -> float:
        """The size of the swing."""
        return abs(self.high - self.low)


@dataclass(frozen=True, slots=True)
class Share:
    """Sobol indices of one input: alone (`first`) and with all its interactions (`total`), with 95 % half-widths."""

    name: str
    first: float
    first_conf: float
    total: float
    total_conf: float


@dataclass(frozen=True, slots=True)
class Limit:
    """One side of a box: the quantity must lie between two values."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Box:
    """What would have to be true: the outcome happens in `density` of the box, which holds `coverage` of it all."""

    asked: str
    limits: tuple[Limit, ...]
    density: float
    coverage: float
    mass: float
    base_rate: float


def check_line(name: str, quarter: int, scenario: Scenario) -> None:
    """Raise `UserError` for an unknown line or a quarter outside the horizon."""
    if name not in AT:
        raise UserError(f"unknown line {name!r}{nearest(name, AT)}; known: {', '.join(AT)}")
    if not 1 <= quarter <= scenario.quarters:
        raise UserError(f"quarter {quarter} is not within 1 to {scenario.quarters}")


def uncertain(scenario: Scenario) -> list[str]:
    """Return the names of the inputs that are not one value."""
    return [name for name, given in scenario.inputs.items() if not given.fixed]


def _answer(scenario: Scenario, z: Floats, line: str, quarter: int) -> Floats:
    """Mean of a line over `LUCK` draws of chance, for each setting of the scores (inputs, settings)."""
    quick = replace(scenario, steps_a_quarter=3, quarters=quarter)
    timeline, offshore = build(quick), offshore_by_quarter(quick)
    settings = z.shape[1]
    a_block = max(1, BLOCK // LUCK)
    means = []
    for first in range(0, settings, a_block):
        part = np.repeat(z[:, first : first + a_block], LUCK, axis=1)
        luck = np.tile(np.arange(LUCK), part.shape[1] // LUCK)
        block = run_block(quick, 0, part.shape[1], timeline, Chosen(part, luck))
        values = measure(quick, block, offshore)[AT[line], quarter]
        means.append(values.reshape(-1, LUCK).mean(axis=1))
    return np.concatenate(means)


def tornado(scenario: Scenario, line: str, quarter: int) -> list[Swing]:
    """Return every uncertain input's swing, the widest first; the others stay at their medians.

    >>> from twokey.outlook.scenario import load
    >>> swings = tornado(load("founding-case-2026-01-28"), "delivered_total", 3)
    >>> swings[0].name
    'conversion'
    """
    check_line(line, quarter, scenario)
    names = list(scenario.inputs)
    free = uncertain(scenario)
    z = np.zeros((len(names), 1 + 2 * len(free)))
    for i, name in enumerate(free):
        z[names.index(name), 1 + 2 * i] = -_Z80
        z[names.index(name), 2 + 2 * i] = _Z80
    found = _answer(scenario, z, line, quarter)
    swings = []
    for i, name in enumerate(free):
        ends = scenario.inputs[name].at(np.array([-_Z80, _Z80]))
        swings.append(
            Swing(
                name, float(ends[0]), float(ends[1]), float(found[1 + 2 * i]), float(found[2 + 2 * i]), float(found[0])
            )
        )
    return sorted(swings, key=lambda s: -s.width)


def sobol(scenario: Scenario, line: str, quarter: int, *, top: int = 10, samples: int = 256) -> list[Share]:
    """Return Sobol indices of the `top` inputs by swing, the largest total first (SALib).

    Raises:
        UserError: an unknown line or quarter, or a line that does not vary.

    """
    check_line(line, quarter, scenario)
    sampler: Any = importlib.import_module("SALib.sample.sobol")
    analyser: Any = importlib.import_module("SALib.analyze.sobol")
    special: Any = importlib.import_module("scipy.special")
    names = list(scenario.inputs)
    chosen = [swing.name for swing in tornado(scenario, line, quarter)[:top]]
    problem = {"num_vars": len(chosen), "names": chosen, "bounds": [[0.0, 1.0]] * len(chosen)}
    drawn = sampler.sample(problem, samples, calc_second_order=False, seed=scenario.seed % 2**32)
    z = np.zeros((len(names), len(drawn)))
    for i, name in enumerate(chosen):
        z[names.index(name)] = special.ndtri(np.clip(drawn[:, i], 1e-4, 1 - 1e-4))
    answers = _answer(scenario, z, line, quarter)
    if float(np.ptp(answers)) == 0.0:
        raise UserError(f"{line} does not vary in this scenario, so nothing explains it")
    found = analyser.analyze(problem, answers, calc_second_order=False, seed=scenario.seed % 2**32)
    shares = [
        Share(name, *(float(found[key][i]) for key in ("S1", "S1_conf", "ST", "ST_conf")))
        for i, name in enumerate(chosen)
    ]
    return sorted(shares, key=lambda s: -s.total)


def box(  # noqa: PLR0913 (what is asked of the box)
    scenario: Scenario,
    line: str,
    quarter: int,
    *,
    below: float | None = None,
    above: float | None = None,
    least_mass: float = 0.05,
    workers: int = 1,
) -> Box:
    """Return what would have to be true for a line to end below (or above) a value.

    By peeling (PRIM, Friedman and Fisher 1999).

    Candidates are the uncertain inputs and what the keys did: the share of weeks in which each, and both, were open.
    Without a value the best tenth of paths is asked for.

    Raises:
        UserError: an unknown line or quarter, or no path ends there.

    """
    check_line(line, quarter, scenario)
    cut = replace(scenario, quarters=quarter)
    offshore = offshore_by_quarter(cut)
    outcome, columns = [], []
    free = uncertain(cut)
    for block in simulate(cut, workers):
        outcome.append(measure(cut, block, offshore)[AT[line], quarter])
        known = [block.inputs[name] for name in free]
        known += [block.us.mean(axis=0), block.cn.mean(axis=0), (block.us & block.cn).mean(axis=0)]
        columns.append(np.array(known))
    y, x = np.concatenate(outcome), np.concatenate(columns, axis=1)
    if below is None and above is None:
        above = float(np.quantile(y, 0.9))
    wanted = np.ones(len(y), dtype=np.bool_)
    asked = []
    if below is not None:
        wanted &= y < below
        asked.append(f"{line} < {below:,.6g}")
    if above is not None:
        wanted &= y > above
        asked.append(f"{line} > {above:,.6g}")
    if not wanted.any():
        raise UserError(f"no path ends with {' and '.join(asked)}: the range is {y.min():,.6g} to {y.max():,.6g}")
    names = [*free, "share of weeks export key open", "share of weeks import key open", "share of weeks both open"]
    return _peel(" and ".join(asked), x, wanted, names, least_mass)


def _peel(asked: str, x: Floats, wanted: npt.NDArray[np.bool_], names: Sequence[str], least_mass: float) -> Box:
    """Cut away, again and again, the twentieth that leaves the highest density; keep at most four limits."""
    inside = np.ones(x.shape[1], dtype=np.bool_)
    limits: dict[int, list[float]] = {}
    while inside.mean() > least_mass:
        best: tuple[float, int, int, float] | None = None
        for i in range(len(x)):
            if i not in limits and len(limits) >= 4:
                continue
            values = x[i, inside]
            for side, q in ((0, 0.05), (1, 0.95)):
                at = float(np.quantile(values, q))
                keep = values >= at if side == 0 else values <= at
                if keep.all() or keep.sum() < least_mass * x.shape[1]:
                    continue
                density = float(wanted[inside][keep].mean())
                if best is None or density > best[0]:
                    best = (density, i, side, at)
        if best is None or best[0] <= float(wanted[inside].mean()) + 1e-12:
            break
        _, i, side, at = best
        limits.setdefault(i, [-np.inf, np.inf])[side] = at
        inside &= x[i] >= at if side == 0 else x[i] <= at
    found = tuple(Limit(names[i], low, high) for i, (low, high) in limits.items())
    return Box(
        asked,
        found,
        float(wanted[inside].mean()),
        float(wanted[inside].sum() / wanted.sum()),
        float(inside.mean()),
        float(wanted.mean()),
    )
