"""What a scenario is: events, inputs, horizon, paths and seed, and what the vendor and the buyer ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from twokey.outlook import basis as bases
from twokey.outlook.events import Event
from twokey.outlook.inputs import Correlation, Input
from twokey.outlook.sources import OutlookChip

BASES: Final = {"h100e-8bit": bases.H100E_8BIT, "h100e-bandwidth": bases.H100E_BANDWIDTH}
WEEKS_A_QUARTER: Final = 13
STEPS: Final = {"week": 13, "month": 3}  # steps a quarter

SHARES: Final = frozenset({"fee", "share_of_flow", "mandate"})  # fields below that lie from 0 to 1


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a unit earns and costs the vendor; placeholders unless a scenario states them. All in USD a unit."""

    price: float = 27000.0
    fee: float = 0.25
    cost: float = 7700.0
    dies_cost: float = 3800.0  # the part of `cost` that is spent when dies are committed
    salvage: float = 6900.0
    margin_forgone: float = 0.0
    window_quarters: int = 4
    decide_week: int = 17  # when packages are committed, after the state of both keys has been seen


@dataclass(frozen=True, slots=True)
class Buyer:
    """One buyer's approved quantity and need. Costs are USD for one H100-equivalent (8-bit)."""

    approved: float = 75000.0
    share_of_flow: float = 0.0  # 0: in proportion to what is approved in all
    need_h100e: float = 100000.0
    shortage_cost: float = 40000.0
    excess_cost: float = 12000.0
    mandate: float = 0.5
    by_week: int = 52


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: events, inputs, horizon, paths and seed, with the file it came from."""

    name: str
    title: str
    title_zh: str
    about: str
    about_zh: str
    as_of: date
    quarters: int
    steps_a_quarter: int
    paths: int
    seed: int
    chip: OutlookChip
    domestic_chip: OutlookChip
    basis: str
    include_smuggled: bool
    dwell_shape: float
    events: tuple[Event, ...]
    inputs: Mapping[str, Input]
    correlations: tuple[Correlation, ...]
    vendor: Vendor
    buyer: Buyer
    file: str

    @property
    def steps(self) -> int:
        """How many steps the model takes."""
        return self.quarters * self.steps_a_quarter

    @property
    def step_weeks(self) -> float:
        """Length of a step in weeks."""
        return WEEKS_A_QUARTER / self.steps_a_quarter
