"""The buyer's answer: when an approved quantity arrives, and how many domestic chips to order meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.model import simulate
from twokey.outlook.scenario import Scenario

Floats = npt.NDArray[np.float64]
GRID: Final = 21


@dataclass(frozen=True, slots=True)
class Choice:
    """One order of domestic packages: expected cost and what it costs more than the best in each case, USD."""

    order: float
    cost: float
    regret_never: float
    regret_late: float
    regret_on_time: float

    @property
    def worst_regret(self) -> float:
        """The largest of the three."""
        return max(self.regret_never, self.regret_late, self.regret_on_time)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The buyer's answer: P(arrived >= q by t) for several q, and the domestic order."""

    scenario: Scenario
    days: tuple[date, ...]  # quarter ends
    quantities: tuple[float, ...]
    probability: Floats  # (quantities, days)
    expected: Floats  # (days,)
    chosen: Choice  # least expected cost
    cautious: Choice  # least worst regret
    choices: tuple[Choice, ...]
    least_order: float  # the mandate's floor


def arrive(scenario: Scenario, workers: int = 1) -> Arrival:
    """Answer the buyer's question for one scenario.

    The buyer's chips arrive in proportion to what all buyers were approved: approved x delivered / approved by all.
    The domestic order x (packages) must keep the mandate: x at least mandate x the need; it takes 3-4 quarters, so it
    is placed now. Cost of a path = shortage cost x H100e short + excess cost x H100e too many, at week `by_week`.

    >>> from dataclasses import replace
    >>> from twokey.outlook.scenario import load
    >>> answer = arrive(replace(load("founding-case-2026-01-28"), paths=500, quarters=6))
    >>> bool((np.diff(answer.probability, axis=1) >= 0).all())
    True
    """
    buyer, chip, home = scenario.buyer, scenario.chip, scenario.domestic_chip
    shares = []
    for block in simulate(scenario, workers):
        delivered = block.of("delivered")
        everyone = np.maximum(np.maximum.accumulate(block.of("approved_ever"), axis=0), buyer.approved)
        share = buyer.share_of_flow or buyer.approved / everyone
        shares.append(np.maximum.accumulate(np.minimum(buyer.approved, delivered * share), axis=0))
    arrived = np.concatenate(shares, axis=1)
    quantities = tuple(buyer.approved * part for part in (0.01, 0.1, 0.25, 0.5, 1.0))
    slack = 1 - 1e-9
    probability = np.array([(arrived >= q * slack).mean(axis=1) for q in quantities])
    quarter = min(scenario.quarters, -(-buyer.by_week // 13))
    foreign = arrived[quarter] * chip.h100e_8bit
    return Arrival(
        scenario,
        tuple(scenario.as_of + timedelta(days=91 * n) for n in range(scenario.quarters + 1)),
        quantities,
        probability,
        arrived.mean(axis=1),
        *_order(scenario, foreign, home.h100e_8bit),
        least_order=buyer.mandate * buyer.need_h100e / home.h100e_8bit,
    )


def _order(scenario: Scenario, foreign: Floats, each: float) -> tuple[Choice, Choice, tuple[Choice, ...]]:
    """Weigh domestic orders from the mandate's floor to 1.2 times the need."""
    buyer = scenario.buyer
    floor = buyer.mandate * buyer.need_h100e / each
    orders = np.linspace(floor, max(floor, 1.2 * buyer.need_h100e / each), GRID)
    # Late: half of what was approved; on time: all of it.
    cases = (0.0, buyer.approved * scenario.chip.h100e_8bit / 2, buyer.approved * scenario.chip.h100e_8bit)

    def cost(order: float, supply: Floats | float) -> Floats:
        gap = buyer.need_h100e - order * each - np.asarray(supply)
        return np.where(gap > 0, gap * buyer.shortage_cost, -gap * buyer.excess_cost)

    best = [min(float(cost(float(o), case)) for o in orders) for case in cases]
    choices = tuple(
        Choice(
            float(order),
            float(cost(float(order), foreign).mean()),
            *(float(cost(float(order), case)) - low for case, low in zip(cases, best, strict=True)),
        )
        for order in orders
    )
    return min(choices, key=lambda c: c.cost), min(choices, key=lambda c: c.worst_regret), choices
