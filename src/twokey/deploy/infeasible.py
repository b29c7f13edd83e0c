"""Why there is no plan: the limits that cannot hold together, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from twokey.deploy.assembly import assemble, eligible
from twokey.deploy.conditions import PHASES_ZH, Condition, DomesticShare
from twokey.deploy.needs import Need
from twokey.deploy.plan import Plan
from twokey.deploy.said import Said, say
from twokey.deploy.solver import solve

Needs = Mapping[tuple[int, str], Need]


def explain(plan: Plan, need: Needs) -> tuple[Said, ...]:
    """Return sentences: what can run nowhere, the smallest clash, the share within reach, more cards or power."""
    words = _nowhere(plan, need)
    if words:
        return tuple(words)
    core = _core(plan, need)
    by_id: dict[str, Condition] = {c.id: c for c in plan.conditions}
    named = [by_id[name].words() if name in by_id else _LIMITS[name] for name in core]
    words.append(
        Said(
            "these cannot hold together: " + "; ".join(named),
            "以下各项不能同时成立：" + "；".join(each.zh for each in named),
        )
    )
    for name in core:
        condition = by_id.get(name)
        if isinstance(condition, DomesticShare) and (most := _most(plan, need, condition)) is not None:
            phase = PHASES_ZH[condition.of]
            words.append(
                Said(
                    f"{condition.of} can be at most {100 * most:.1f} % domestic with these fleets",
                    f"以现有卡数，{phase}国产份额最高为 {100 * most:.1f} %",
                )
            )
    conditions = [by_id[name].words() for name in core if name in by_id]
    subject = conditions[0].split(" (")[0] if conditions else "the service that must be given"
    subject_zh = conditions[0].zh.split("（")[0] if conditions else "须满足的服务量"
    for chip, cards, kw in _more(plan, need):
        power, power_zh = (f" and {kw:,.0f} kW more power for them", f" 及其 {kw:,.0f} kW 供电") if kw else ("", "")
        words.append(
            Said(
                f"{subject} cannot be met before {cards:,.0f} more {chip}{power}",
                f"在增加 {cards:,.0f} 张 {chip}{power_zh} 之前，无法达到：{subject_zh}",
            )
        )
    return tuple(words)


_LIMITS = {
    "power": Said("the power of the sites", "各站点的供电"),
    "capacity": Said("the number of cards", "卡数"),
    "service": Said("the service that must be given", "须满足的服务量"),
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


def _nowhere(plan: Plan, need: Needs) -> list[Said]:
    words = []
    for w, workload in enumerate(plan.workloads):
        fleets = [f for f in plan.fleets if need[w, f.device.name].cards]
        if not fleets:
            reason = next((need[w, f.device.name].why_not for f in plan.fleets), "")
            words.append(
                Said(
                    f"{workload.name} can run on no chip of the plan: {reason}",
                    f"{workload.name} 在计划中的任何芯片上都无法运行：{say(reason, 'zh')}",
                )
            )
            continue
        reasons = {eligible(plan, workload, f) for f in fleets}
        if None not in reasons:
            barred = ", ".join(sorted(map(str, reasons)))
            words.append(
                Said(
                    f"{workload.name} may run nowhere: barred by {barred}",
                    f"{workload.name} 无处可运行：受限于 {barred}",
                )
            )
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


def _more(plan: Plan, need: Needs) -> list[tuple[str, float, float]]:
    """How many more cards of one chip, at sites that have it, make a plan possible (fewest first).

    Where no number of cards does because of the power of their sites, the kW that the cards would need come with them.
    """
    found = []
    for ignore in (frozenset[str](), frozenset({"power"})):
        for chip in sorted({f.device.name for f in plan.fleets}):
            built = assemble(plan, need, ignore, extra=chip)
            answer = solve(built.programme.relaxed())
            if answer.status == "optimal" and answer.objective > 1e-6:
                cards = float(math.ceil(answer.objective - 1e-6))
                kw = max(f.kw for f in plan.fleets if f.device.name == chip) * cards if ignore else 0.0
                found.append((chip, cards, kw))
        if found:
            break
    return sorted(found, key=lambda item: item[1])[:3]
