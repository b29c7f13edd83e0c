"""Placement: which workloads run on which sites and chips, within the conditions, and what each condition costs.

The linear relaxation is solved first and gives the bound. Jobs that it places whole are frozen; a small mixed-integer
programme places the few that it splits; a last linear programme polishes everything that is divisible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twokey.chips import UserError
from twokey.deploy.assembly import Assembly, assemble, eligible, work_pflops
from twokey.deploy.conditions import DomesticShare
from twokey.deploy.constants import Constants
from twokey.deploy.infeasible import explain
from twokey.deploy.needs import Need, needs
from twokey.deploy.performance.columns import Array
from twokey.deploy.plan import Plan
from twokey.deploy.prices import ConditionReport, priced
from twokey.deploy.said import Said
from twokey.deploy.solver import Programme, Session, Solution, solve

Progress = Callable[[str], None]
_NO_WHOLE = Said(
    "no whole placement of the training jobs was found within the time; give it more (--seconds)",
    "在限定时间内未找到训练任务的整体安排；请延长时间（--seconds）",
)
_WHOLE = 1e-6
_LARGE = 20_000  # columns from which the relaxation is built up
_OPENED = 0.2  # share of the columns that it begins with


@dataclass(frozen=True, slots=True)
class Assignment:
    """A workload's share on one fleet in one period (None: all periods). `cards` is what that share takes."""

    workload: str
    phase: str
    site: str
    chip: str
    domestic: bool
    period: int | None
    share: float
    cards: float


@dataclass(frozen=True, slots=True)
class Placement:
    """The answer. `value` and `bound` are in the objective's unit; `gap` is their relative distance.

    `core` explains in words why there is no plan; it is empty where there is one.
    """

    plan: str
    objective: str
    unit: str
    feasible: bool
    value: float
    bound: float
    gap: float
    served: float  # share of all work that is served
    assignments: tuple[Assignment, ...]
    conditions: tuple[ConditionReport, ...]
    unserved: tuple[tuple[str, float, str], ...]  # workload, share left out, why
    domestic_shares: Mapping[str, float | None]  # "inference by nominal-compute" and so on
    core: tuple[str, ...]
    seconds: float
    columns: int

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data."""
        return asdict(self)


_UNITS = {
    "served": Said("PFLOP/s of served work", "PFLOP/s 已满足的工作"),
    "cost": Said("US$ an hour", "美元/小时"),
    "imported": Said("imported cards", "张进口卡"),
}


def place(
    plan: Plan, constants: Constants, progress: Progress = lambda _: None, seconds: float = 60.0, prices: bool = True
) -> Placement:
    """Return the placement of a plan; where there is none, `core` says in words what stands in the way."""
    return place_with(plan, needs(plan, constants, progress), progress, seconds, prices)


def place_with(
    plan: Plan,
    need: Mapping[tuple[int, str], Need],
    progress: Progress = lambda _: None,
    seconds: float = 60.0,
    prices: bool = True,
) -> Placement:
    """Return the placement from needs that were computed before (a sweep computes them once)."""
    begun = time.perf_counter()
    built = assemble(plan, need)
    progress(f"{len(built.cards):,} columns, {len(built.rows.names):,} rows")
    if not len(built.cards):
        return _nothing(plan, need, begun)
    session, relaxed = relaxation(built.programme, seconds)
    if relaxed.status != "optimal":
        return _nothing(plan, need, begun)
    progress(f"linear bound {_shown(plan, relaxed.objective):,.4g} {_UNITS[plan.objective]}")
    found = polish(built.programme, session, relaxed, seconds, progress)
    if found is None:
        return _nothing(plan, need, begun, _NO_WHOLE)
    x, final = found
    reports = priced(built, need, x, final) if prices else ()
    return _answer(built, need, x, relaxed, reports, begun)


def relaxation(programme: Programme, seconds: float) -> tuple[Session, Solution]:
    """Return the solver with the whole linear relaxation in it, and its solution.

    Most columns of a large plan are zero in the end. A fifth of them is opened first; then those that would better the
    objective by their reduced cost, until none would: the solution is that of the whole relaxation, found sooner.
    """
    relaxed = programme.relaxed()
    session = Session(relaxed, seconds)
    closed = (programme.low == 0) & (np.random.default_rng(0).random(len(programme.cost)) > _OPENED)
    if len(closed) < _LARGE:
        return session, session.run()
    _open(session, programme, np.flatnonzero(closed), np.zeros(len(closed)))
    worth = 1e-9 * max(float(np.abs(programme.cost).max()), 1.0)
    while True:
        found = session.run()
        better = closed & (found.reduced < -worth) if found.status == "optimal" else closed
        if not better.any():
            _open(session, programme, np.flatnonzero(closed), programme.high)  # for the polish
            return session, found
        _open(session, programme, np.flatnonzero(better), programme.high)
        closed = closed & ~better


def _open(session: Session, programme: Programme, columns: NDArray[np.intp], high: Array) -> None:
    if len(columns):
        session.bound(columns, programme.low[columns], high[columns])


def polish(
    programme: Programme, session: Session, relaxed: Solution, seconds: float, progress: Progress = lambda _: None
) -> tuple[Array, Solution] | None:
    """Return a whole solution from the relaxation: freeze whole jobs, place the split ones, polish the rest."""
    x = relaxed.x
    integer = programme.integer
    split = integer & (x > _WHOLE) & (x < 1 - _WHOLE)
    low, high = programme.low.copy(), programme.high.copy()
    if split.any():
        job = _job_of(programme)
        open_jobs = np.unique(job[split])
        free = integer & np.isin(job, open_jobs)
        frozen = integer & ~free
        low[frozen] = high[frozen] = np.round(x[frozen])
        progress(f"{int((frozen & (x > 0.5)).sum())} jobs frozen, {len(open_jobs)} to place")
        near = np.abs(relaxed.reduced) <= np.quantile(np.abs(relaxed.reduced), 0.5)
        kept = integer | (x > _WHOLE) | near
        small = programme.bounded(low, high).only(kept)
        part = solve(small, seconds, gap=1e-3)
        if not np.isfinite(part.x).all() or part.status == "infeasible":
            part_x = solve(programme, seconds, gap=1e-3).x  # the frozen jobs stood in the way: the whole programme
            if not np.isfinite(part_x).all():
                return None
            whole = np.round(part_x[integer])
        else:
            spread = np.zeros(len(x))
            spread[kept] = part.x
            whole = np.round(spread[integer])
    else:
        whole = np.round(x[integer])
    session.bound(np.flatnonzero(integer), whole, whole)
    final = session.run()
    if final.status != "optimal":
        return None
    return final.x, final


def _job_of(programme: Programme) -> Array:
    """Return the first row in which a column stands: the service row of its workload."""
    first = np.full(len(programme.cost), np.inf)
    np.minimum.at(first, programme.column, programme.row)
    return first


def _shown(plan: Plan, objective: float) -> float:
    return -objective if plan.objective == "served" else objective


def _answer(
    built: Assembly,
    need: Mapping[tuple[int, str], Need],
    x: Array,
    relaxed: Solution,
    reports: tuple[ConditionReport, ...],
    begun: float,
) -> Placement:
    plan = built.plan
    assignments, done = [], np.zeros(len(plan.workloads))
    for i in np.flatnonzero(x > 1e-6):
        w = int(built.workload[i])
        if w < 0:
            continue
        workload, fleet = plan.workloads[w], plan.fleets[built.fleet[i]]
        period = int(built.period[i]) if plan.periods > 1 and built.period[i] >= 0 else None
        assignments.append(
            Assignment(
                workload.name,
                workload.phase,
                fleet.site,
                fleet.device.name,
                fleet.device.domestic,
                period,
                float(min(x[i], 1.0)),
                float(x[i] * built.cards[i]),
            )
        )
    for i in np.flatnonzero(x > 1e-9):
        w = int(built.workload[i])
        if w >= 0:
            done[w] += float(x[i]) * _part(plan, w, int(built.period[i]))
    unserved = tuple(
        (workload.name, float(1 - done[w]), _why(plan, need, w))
        for w, workload in enumerate(plan.workloads)
        if done[w] < 1 - 1e-4
    )
    final = float(built.programme.cost @ x)
    value, bound = _shown(plan, final), _shown(plan, relaxed.objective)
    work = np.array([work_pflops(w) for w in plan.workloads])
    return Placement(
        plan.name,
        plan.objective,
        _UNITS[plan.objective],
        True,
        value,
        bound,
        abs(final - relaxed.objective) / max(abs(relaxed.objective), 1e-12),
        float((work * np.minimum(done, 1)).sum() / max(work.sum(), 1e-12)),
        tuple(assignments),
        reports,
        unserved,
        shares_of(plan, assignments),
        (),
        time.perf_counter() - begun,
        len(x),
    )


def _part(plan: Plan, w: int, period: int) -> float:
    """Return the part of a workload that falls into a period."""
    demand = plan.workloads[w].demand
    if period < 0:
        return 1.0
    return demand[period] / sum(demand) if len(demand) > 1 else 1 / plan.periods


def shares_of(plan: Plan, assignments: list[Assignment]) -> dict[str, float | None]:
    """Return the domestic share of each phase by cards and by nominal compute; None where the phase does not run."""
    rate = {f.device.name: f.device.tflops16 * f.device.per_card for f in plan.fleets}
    found: dict[str, float | None] = {}
    for phase in ("inference", "training"):
        mine = [a for a in assignments if a.phase == phase]
        for measure in ("cards", "nominal-compute"):
            amount = [a.cards * (1.0 if measure == "cards" else rate[a.chip]) for a in mine]
            total = sum(amount)
            part = sum(n for n, a in zip(amount, mine, strict=True) if a.domestic)
            found[f"{phase} by {measure}"] = part / total if total > 0 else None
    return found


def _why(plan: Plan, need: Mapping[tuple[int, str], Need], w: int) -> str:
    able = [f for f in plan.fleets if need[w, f.device.name].cards]
    if not able:
        return next((need[w, f.device.name].why_not for f in plan.fleets), Said("no fleet", "无可用卡"))
    barred = {eligible(plan, plan.workloads[w], f) for f in able}
    if None not in barred:
        names = ", ".join(sorted(str(b) for b in barred))
        return Said(f"barred by {names}", f"受限于 {names}")
    return Said("capacity, power and conditions leave no room", "卡数、供电与条件已无余地")


def _nothing(plan: Plan, need: Mapping[tuple[int, str], Need], begun: float, why: str = "") -> Placement:
    core = (why,) if why else explain(plan, need)
    return Placement(
        plan.name,
        plan.objective,
        _UNITS[plan.objective],
        False,
        float("nan"),
        float("nan"),
        float("nan"),
        0.0,
        (),
        (),
        (),
        {},
        core,
        time.perf_counter() - begun,
        0,
    )


def sweep(
    plan: Plan, constants: Constants, condition_id: str, shares: list[float], progress: Progress = lambda _: None
) -> list[tuple[float, Placement]]:
    """Return the placement at each value of one domestic-share condition, its needs computed once.

    Errors: UserError where the plan has no such condition.
    """
    ids = [c.id for c in plan.conditions if isinstance(c, DomesticShare)]
    if condition_id not in ids:
        raise UserError(
            f"{condition_id}: no domestic-share condition of this id; the plan has {', '.join(ids) or 'none'}"
        )
    need = needs(plan, constants, progress)
    found = []
    for share in shares:
        changed = tuple(
            replace(c, at_least=share) if isinstance(c, DomesticShare) and c.id == condition_id else c
            for c in plan.conditions
        )
        progress(f"{condition_id} at {100 * share:.0f} %")
        found.append((share, place_with(replace(plan, conditions=changed), need)))
    return found
