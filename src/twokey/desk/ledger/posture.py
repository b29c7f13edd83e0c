"""How much of a limit is used, and the steps at which people are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twokey.desk.ledger.models import Balance

STEPS: Final = (80, 90, 95, 100)


@dataclass(frozen=True, slots=True)
class Posture:
    """What is left of one balance; None where there is no such limit. `step` is the highest of 80/90/95/100 reached."""

    units_left: int | None
    value_left: int | None
    uses_left: int | None
    step: int


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a balance: `sort` is units, value or uses; `left` counts a tolerance on the value in."""

    sort: str
    cap: int
    reserved: int
    drawn: int
    tolerance: int
    step: int

    @property
    def used(self) -> int:
        """Reserved and drawn together."""
        return self.reserved + self.drawn

    @property
    def left(self) -> int:
        """What may still be reserved; below 0 where a correction went past the cap."""
        return self.cap + self.tolerance - self.used


def limits(balance: Balance) -> list[Limit]:
    """Return the limits that a balance has, in the order units, value, uses."""
    rows = (
        ("units", balance.units_cap, balance.units_reserved, balance.units_drawn, 0),
        ("value", balance.value_cap, balance.value_reserved, balance.value_drawn, balance.value_tolerance),
        ("uses", balance.uses_cap, balance.uses_reserved, balance.uses_drawn, 0),
    )
    return [
        Limit(sort, cap, reserved, drawn, tolerance, step_of(cap, reserved + drawn))
        for sort, cap, reserved, drawn, tolerance in rows
        if cap is not None
    ]


def step_of(cap: int | None, used: int) -> int:
    """Return the highest step that `used` has reached of `cap`; 0 below the first, and where there is no cap.

    >>> step_of(100, 79), step_of(100, 80), step_of(100, 94), step_of(100, 100), step_of(None, 5)
    (0, 80, 90, 100, 0)
    """
    if not cap:
        return 0
    return max((step for step in STEPS if used * 100 >= cap * step), default=0)


def crossed(cap: int | None, before: int, after: int) -> int | None:
    """Return the step that a movement has newly reached, or None.

    >>> crossed(100, 70, 92), crossed(100, 92, 93)
    (90, None)
    """
    step = step_of(cap, after)
    return step if step > step_of(cap, before) else None


def posture(balance: Balance) -> Posture:
    """Return what is left of a balance, reserved counted as gone."""
    units, value = balance.units_reserved + balance.units_drawn, balance.value_reserved + balance.value_drawn
    uses = balance.uses_reserved + balance.uses_drawn
    return Posture(
        None if balance.units_cap is None else balance.units_cap - units,
        None if balance.value_cap is None else balance.value_cap - value,
        None if balance.uses_cap is None else balance.uses_cap - uses,
        max(step_of(balance.units_cap, units), step_of(balance.value_cap, value), step_of(balance.uses_cap, uses)),
    )
