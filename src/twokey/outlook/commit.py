"""The vendor's answer: how many dies and packages to commit while either key may close.

Sellable units S come from the model: what customs would let through inside the selling window if stock were no limit.
One unit sold earns Cu = price x (1 - fee) - cost - margin forgone; one unit too many loses Co = cost - salvage. The
critical fractile is Cu / (Cu + Co): commit the smallest Q with P(S <= Q) at least that, and nothing where P(S = 0)
already exceeds it. In two stages dies come first and are fungible; packages are committed once both keys were seen.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from twokey.chips.errors import UserError
from twokey.outlook.inputs import override
from twokey.outlook.model import Block, simulate
from twokey.outlook.scenario import Scenario, Vendor

Floats = npt.NDArray[np.float64]
TAIL: Final = 0.10
GRID: Final = 41


@dataclass(frozen=True, slots=True)
class Stage:
    """What to package in one state of both keys, seen at the decision."""

    export_open: bool
    import_open: bool
    probability: float
    packages: float


@dataclass(frozen=True, slots=True)
class Commitment:
    """The vendor's answer. Units are chips; money is USD."""

    scenario: Scenario
    underage: float  # Cu
    overage: float  # Co
    fractile: float
    break_even: float  # the least P(sell) at which a first unit pays: Co / (Cu + Co)
    p_any: float  # P(S >= 1)
    quantity: float  # one stage
    profit: float  # expected
    cvar: float  # mean of the worst 10 % of outcomes
    quantity_cvar: float  # the quantity with the best CVaR
    dies: float  # two stages
    stages: tuple[Stage, ...]
    profit_two_stage: float
    cvar_two_stage: float
    curve: tuple[tuple[float, float, float], ...]  # (quantity, expected profit, CVaR)
    turns_on: tuple[tuple[str, float], ...]  # input, rank correlation with S
    sellable: tuple[float, float, float]  # p10, p50, p90 of S


def unit_economics(vendor: Vendor) -> tuple[float, float]:
    """Return (Cu, Co), USD a unit.

    >>> unit_economics(Vendor(price=27000.0, fee=0.25, cost=7700.0, salvage=6900.0))
    (12550.0, 800.0)

    Raises:
        UserError: nothing is earned by a sale, or nothing is lost by an unsold unit.

    """
    underage = vendor.price * (1 - vendor.fee) - vendor.cost - vendor.margin_forgone
    overage = vendor.cost - vendor.salvage
    if underage <= 0:
        raise UserError(
            f"vendor: a unit sold earns {underage:,.0f} USD (price x (1 - fee) - cost - margin forgone): commit "
            "nothing, or correct the numbers"
        )
    if overage <= 0:
        raise UserError(
            f"vendor: salvage {vendor.salvage:,.0f} is not below cost {vendor.cost:,.0f}: nothing is at risk"
        )
    return underage, overage


def newsvendor(sellable: Floats, underage: float, overage: float) -> float:
    """Return the smallest Q with P(S <= Q) >= Cu / (Cu + Co); 0 where P(S = 0) already exceeds it.

    >>> newsvendor(np.array([0.0, 0.0, 0.0, 100.0]), 1.0, 1.0), newsvendor(np.array([0.0, 10.0, 20.0, 30.0]), 3.0, 1.0)
    (0.0, 20.0)
    """
    fractile = underage / (underage + overage)
    ordered = np.sort(sellable)
    return float(ordered[min(len(ordered) - 1, max(0, int(np.ceil(fractile * len(ordered) - 1e-9)) - 1))])


def profit(sellable: Floats, quantity: float | Floats, underage: float, overage: float) -> Floats:
    """Return profit by path: Cu x sold - Co x unsold."""
    sold = np.minimum(sellable, quantity)
    return underage * sold - overage * (quantity - sold)


def cvar(values: Floats, tail: float = TAIL) -> float:
    """Return the mean of the worst `tail` of outcomes.

    >>> cvar(np.arange(100.0), 0.1)
    4.5
    """
    worst = np.sort(values)[: max(1, round(tail * len(values)))]
    return float(worst.mean())


def commit(scenario: Scenario, workers: int = 1) -> Commitment:
    """Answer the vendor's question for one scenario."""
    vendor = scenario.vendor
    underage, overage = unit_economics(vendor)
    sellable, seen, inputs = _sellable(scenario, workers)
    quantity = newsvendor(sellable, underage, overage)
    curve = _curve(sellable, underage, overage)
    made = profit(sellable, quantity, underage, overage)
    dies, stages, two = _two_stages(sellable, seen, vendor, underage, overage)
    low, middle, high = np.quantile(sellable, (0.1, 0.5, 0.9))
    return Commitment(
        scenario,
        underage,
        overage,
        underage / (underage + overage),
        overage / (underage + overage),
        float(np.mean(sellable >= 1.0)),
        quantity,
        float(made.mean()),
        cvar(made),
        max(curve, key=lambda point: point[2])[0],
        dies,
        stages,
        float(two.mean()),
        cvar(two),
        curve,
        _turns_on(sellable, inputs, scenario),
        (float(low), float(middle), float(high)),
    )


def _sellable(scenario: Scenario, workers: int) -> tuple[Floats, npt.NDArray[np.int64], dict[str, Floats]]:
    """Sellable units by path, the state of both keys at the decision (0-3), and the inputs; stock made no limit."""
    inputs = dict(scenario.inputs)
    inputs["vendor_stock"] = override(inputs["vendor_stock"], 1e9, 1e9, 0, ("made no limit",))
    free = replace(scenario, inputs=inputs, quarters=max(scenario.vendor.window_quarters, 1))
    at = min(int(scenario.vendor.decide_week / free.step_weeks), free.steps - 1)

    def part(block: Block) -> tuple[Floats, npt.NDArray[np.int64], dict[str, Floats]]:
        delivered = block.of("delivered")[-1]
        return delivered, 2 * block.us[at].astype(np.int64) + block.cn[at], dict(block.inputs)

    parts = [part(block) for block in simulate(free, workers)]
    names = [n for n, i in scenario.inputs.items() if not i.fixed and n != "vendor_stock"]
    drawn = {n: np.concatenate([p[2][n] for p in parts]) for n in names}
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), drawn


def _curve(sellable: Floats, underage: float, overage: float) -> tuple[tuple[float, float, float], ...]:
    top = max(1.0, float(np.quantile(sellable, 0.99)))
    points = []
    for quantity in np.linspace(0.0, top, GRID):
        made = profit(sellable, float(quantity), underage, overage)
        points.append((float(quantity), float(made.mean()), cvar(made)))
    return tuple(points)


def _two_stages(
    sellable: Floats, seen: npt.NDArray[np.int64], vendor: Vendor, underage: float, overage: float
) -> tuple[float, tuple[Stage, ...], Floats]:
    """Dies first at `dies_cost` (salvaged in proportion), then packages within the dies, by the state that was seen.

    A die left bare loses its part of Co; a package unsold loses all of Co.
    """
    die_loss = overage * min(1.0, vendor.dies_cost / vendor.cost)
    step_loss = overage - die_loss
    cells = [np.flatnonzero(seen == n) for n in range(4)]
    # With dies sunk, a package earns Cu + die_loss if sold and loses step_loss if not.
    wanted = [newsvendor(sellable[c], underage + die_loss, max(step_loss, 1e-9)) if c.size else 0.0 for c in cells]

    def outcome(dies: float) -> Floats:
        packages = np.zeros_like(sellable)
        for cell, want in zip(cells, wanted, strict=True):
            packages[cell] = min(want, dies)
        sold = np.minimum(sellable, packages)
        return underage * sold - step_loss * (packages - sold) - die_loss * (dies - sold)

    grid = np.unique(np.concatenate([[0.0], wanted, np.linspace(0, max([1.0, *wanted]), GRID)]))
    dies = float(max(grid, key=lambda d: float(outcome(float(d)).mean())))
    stages = tuple(
        Stage(bool(n // 2), bool(n % 2), len(cell) / len(seen), min(want, dies))
        for n, (cell, want) in enumerate(zip(cells, wanted, strict=True))
        if cell.size
    )
    return dies, stages, outcome(dies)


def _turns_on(
    sellable: Floats, inputs: dict[str, Floats], scenario: Scenario, top: int = 8
) -> tuple[tuple[str, float], ...]:
    """Rank correlation of each input with what could be sold, the strongest first; noise is left out."""
    if np.ptp(sellable) == 0:
        return ()
    ranks = _ranks(sellable)
    found = [(name, float(np.corrcoef(_ranks(values), ranks)[0, 1])) for name, values in inputs.items()]
    noise = 3 / math.sqrt(len(sellable))  # three standard errors of a correlation that is none
    clear = [pair for pair in found if abs(pair[1]) > noise]
    return tuple(sorted(clear, key=lambda pair: -abs(pair[1]))[:top])


def _ranks(values: Floats) -> Floats:
    stats: Any = importlib.import_module("scipy.stats")  # 0.3 s to import
    return np.asarray(stats.rankdata(values), dtype=np.float64)
