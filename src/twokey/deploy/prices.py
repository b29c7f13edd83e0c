"""What each condition of a placement costs: its slack, and its price from the duals of the last linear solve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twokey.deploy.assembly import Assembly, assemble
from twokey.deploy.conditions import Ceiling, DomesticShare
from twokey.deploy.needs import Need
from twokey.deploy.performance.columns import Array
from twokey.deploy.said import Said
from twokey.deploy.solver import Solution, solve

_PRICE_COLUMNS = 60_000  # programmes up to this size are solved again without each condition that has no row


@dataclass(frozen=True, slots=True)
class ConditionReport:
    """What a condition did: `achieved` against `bound` in `unit`, and `price` of one more `step` of it.

    The price is in the objective's unit (PFLOP/s of served work lost, US$ an hour, or imported cards); None where it
    was not computed.
    """

    id: str
    words: str
    bound: float | None
    achieved: float | None
    slack: float | None
    price: float | None
    step: str
    binding: bool


def priced(
    built: Assembly, need: Mapping[tuple[int, str], Need], x: Array, final: Solution
) -> tuple[ConditionReport, ...]:
    """Return what each condition did: its slack from the solution `x`, its price from the last solve's duals."""
    plan = built.plan
    reports = []
    for condition in plan.conditions:
        rows = [i for i, name in enumerate(built.rows.names) if name == f"condition {condition.id}"]
        if isinstance(condition, DomesticShare):
            reports.append(_share_report(built, condition, rows, x, final))
        elif isinstance(condition, Ceiling):
            used = max((float(_row_value(built, row, x)) for row in rows), default=0.0)
            price = -float(sum(final.row_dual[row] for row in rows))
            reports.append(
                ConditionReport(
                    condition.id,
                    condition.words(),
                    condition.cards,
                    used,
                    condition.cards - used,
                    _clean(price, final.objective),
                    Said("1 card more", "多 1 张卡"),
                    used >= condition.cards - 1e-6,
                )
            )
        else:
            loss = None
            if len(x) <= _PRICE_COLUMNS:
                free = solve(assemble(plan, need, frozenset({condition.id})).programme.relaxed())
                here = solve(built.programme.relaxed())
                loss = _clean(here.objective - free.objective, here.objective) if free.status == "optimal" else None
            reports.append(
                ConditionReport(
                    condition.id,
                    condition.words(),
                    None,
                    None,
                    None,
                    loss,
                    Said("the condition as a whole (linear bound)", "整项条件（线性上界）"),
                    bool(loss and loss > 1e-6),
                )
            )
    return tuple(reports)


def _clean(value: float, of: float) -> float:
    """Return 0 for what is only the tie-breaking cost or the solver's tolerance."""
    return 0.0 if abs(value) < 1e-6 * max(abs(of), 1.0) else float(value)


def _row_value(built: Assembly, row: int, x: Array) -> float:
    p = built.programme
    inside = p.row == row
    return float((p.value[inside] * x[p.column[inside]]).sum())


def _share_report(
    built: Assembly, condition: DomesticShare, rows: list[int], x: Array, final: Solution
) -> ConditionReport:
    measure = built.measure[condition.id]
    domestic = np.array([built.plan.fleets[f].device.domestic for f in built.fleet])
    price, achieved, binding = 0.0, 1.0, False
    for row in rows:
        on = built.programme.column[built.programme.row == row]
        total = float((measure[on] * x[on]).sum())
        part = float((measure[on] * x[on] * domestic[on]).sum())
        achieved = min(achieved, part / total if total > 0 else 1.0)
        scale = float(np.abs(measure[on]).max(initial=1.0)) or 1.0
        price += -float(final.row_dual[row]) * total / scale * 0.01
        binding |= abs(float(final.row_dual[row])) > 1e-9
    return ConditionReport(
        condition.id,
        condition.words(),
        condition.at_least,
        achieved,
        achieved - condition.at_least,
        _clean(price, final.objective),
        Said("1 percentage point more", "多 1 个百分点"),
        binding,
    )
