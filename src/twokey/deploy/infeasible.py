"""Why there is no plan: the limits that cannot hold together, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from twokey.deploy.assembly import assemble, eligible
from twokey.deploy.conditions import Condition, DomesticShare
from twokey.deploy.needs import Need
from twokey.deploy.plan import Plan
from twokey.deploy.solver import solve

Needs = Mapping[tuple[int, str], Need]


def explain(plan: Plan, need: Needs) -> tuple[str, ...]:
    """Return sentences: what can run nowhere, the smallest clash, the share within reach, more cards."""
    words = list(_nowhere(plan, need))
    if words:
        return tuple(words)
    core = _core(plan, need)
    by_id: dict[str, Condition] = {c.id: c for c in plan.conditions}
    named = [by_id[name].words() if name in by_id else _LIMITS[name] for name in core]
    words.append("these cannot hold together: " + "; ".join(named))
    for name in core:
        condition = by_id.get(name)
        if isinstance(condition, DomesticShare) and (most := _most(plan, need, condition)) is not None:
            words.append(f"{condition.of} can be at most {100 * most:.1f} % domestic with these fleets")
    subject = next((by_id[name].words().split(" (")[0] for name in core if name in by_id), "the plan")
    for chip, cards in _more(plan, need, core):
        words.append(f"{subject} cannot be met before {cards:,.0f} more {chip}")
    return tuple(words)


_LIMITS = {
    "power": "the power of the sites",
    "capacity": "the number of cards",
    "service": "the service that must be given",
}


def _possible(plan: Plan, need: Needs, ignore: frozenset[str]) -> bool:
    built = assemble(plan, need, ignore)
    return bool(len(built.cards)) and solve(built.programme.relaxed()).status == "optimal"


def _core(plan: Plan, need: Needs) -> list[str]:
    """Filter by deletion: a limit stays in the core where the rest is still impossible without it being kept."""
    names = [c.id for c in plan.conditions] + ["power", "capacity", "service"]
    dropped: set[str] = set()
    for name in names:
        if not _possible(plan, need, frozenset(dropped | {name})):
            dropped.add(name)  # still impossible: this limit is not needed for the clash
    return [name for name in names if name not in dropped] or ["service"]


def _nowhere(plan: Plan, need: Needs) -> list[str]:
    words = []
    for w, workload in enumerate(plan.workloads):
        fleets = [f for f in plan.fleets if need[w, f.device.name].cards]
        if not fleets:
            reason = next((need[w, f.device.name].why_not for f in plan.fleets), "")
            words.append(f"{workload.name} can run on no chip of the plan: {reason}")
            continue
        reasons = {eligible(plan, workload, f) for f in fleets}
        if None not in reasons:
            words.append(f"{workload.name} may run nowhere: barred by {', '.join(sorted(map(str, reasons)))}")
    return words


def _most(plan: Plan, need: Needs, condition: DomesticShare) -> float | None:
    """Find the largest share of this condition that leaves a plan, by halving."""

    def at(share: float) -> bool:
        changed = tuple(replace(condition, at_least=share) if c is condition else c for c in plan.conditions)
        return _possible(replace(plan, conditions=changed), need, frozenset())

    if not at(0.0):
        return None
    low, high = 0.0, condition.at_least
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle) else (low, middle)
    return low


def _more(plan: Plan, need: Needs, core: list[str]) -> list[tuple[str, float]]:
    """How many more cards of one chip, at sites that have it, make a plan possible (fewest first)."""
    found = []
    for chip in sorted({f.device.name for f in plan.fleets}):
        built = assemble(plan, need, frozenset(), extra=chip)
        answer = solve(built.programme.relaxed())
        if answer.status == "optimal" and answer.objective > 1e-6:
            found.append((chip, float(math.ceil(answer.objective - 1e-6))))
    return sorted(found, key=lambda item: item[1])[:3]
