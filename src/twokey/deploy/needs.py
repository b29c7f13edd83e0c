"""What each workload needs of each chip: cards for its whole demand, from the performance model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from twokey.chips import UserError
from twokey.deploy.constants import Constants
from twokey.deploy.devices import Hardware
from twokey.deploy.estimate import Estimate, best
from twokey.deploy.plan import Plan, Workload
from twokey.deploy.said import Said
from twokey.deploy.search import Kind, Work, engine


@dataclass(frozen=True, slots=True)
class Need:
    """Cards of one chip for one workload: `cards` per period for its whole demand (one number for training).

    `why_not` says what stands in the way where there is no number.
    """

    cards: tuple[float, ...] = ()
    estimate: Estimate | None = None
    why_not: str = ""


def work_of(workload: Workload) -> Work:
    """Return the work that the performance model is asked about."""
    kind: Kind = "train" if workload.phase == "training" else "serve"
    return Work(
        kind=kind,
        shape=workload.shape,
        input=workload.input,
        output=workload.output,
        tpot_ms=workload.tpot_ms,
        precision=workload.precision,
        engine=workload.engine,
        batch_tokens=workload.batch_tokens,
    )


def needs(
    plan: Plan, constants: Constants, progress: Callable[[str], None] = lambda _: None
) -> dict[tuple[int, str], Need]:
    """Return the need of each (workload number, chip name) of a plan; equal work on equal chips is estimated once."""
    for workload in plan.workloads:
        engine(workload.engine, f"workload {workload.name}: engine", constants)
    devices = {fleet.device.name: fleet.device for fleet in plan.fleets}
    largest = {name: max(f.cards for f in plan.fleets if f.device.name == name) for name in devices}
    seen: dict[tuple[Work, str], Estimate | str] = {}
    found = {}
    for number, workload in enumerate(plan.workloads):
        if number and number % 1000 == 0:
            progress(f"{number} of {len(plan.workloads)} workloads estimated")
        work = work_of(workload)
        for name, device in devices.items():
            if workload.phase == "training":
                found[number, name] = _training(workload, device, work, constants, largest[name])
                continue
            key = (work, name)
            if key not in seen:
                try:
                    seen[key] = best(device, work, constants)
                except UserError as error:
                    seen[key] = error.args[0]  # with its Chinese, where it has one
            found[number, name] = _serving(workload, seen[key])
    return found


def _serving(workload: Workload, estimate: Estimate | str) -> Need:
    if isinstance(estimate, str):
        return Need(why_not=estimate)
    cards = []
    for demand in workload.demand:
        exact = demand / estimate.rate
        cards.append(math.ceil(exact / estimate.cards - 1e-9) * estimate.cards)
    return Need(tuple(cards), estimate)


_JOBS: dict[tuple[Work, Hardware, int, float], tuple[float, Estimate] | str] = {}


def _training(workload: Workload, device: Hardware, work: Work, constants: Constants, most: float) -> Need:
    """Find the smallest gang that finishes in time, in steps of 8 cards, goodput counted."""
    target = workload.tokens / (workload.days * 86400) / constants.of("world", "all", "goodput")
    key = (work, device, id(constants), round(target, 3))
    if key not in _JOBS:
        _JOBS[key] = _gang(device, work, constants, target, most)
    answer = _JOBS[key]
    return Need(why_not=answer) if isinstance(answer, str) else Need((answer[0],), answer[1])


def _gang(
    device: Hardware, work: Work, constants: Constants, target: float, most: float
) -> tuple[float, Estimate] | str:
    def rate(cards: float) -> Estimate | None:
        try:
            return best(device, work, constants, cards)
        except UserError:
            return None

    low, high, found = 0.0, 8.0, None
    while high <= 2 * most:
        found = rate(high)
        if found is not None and found.rate * high >= target:
            break
        low, high = high, high * 2
    else:
        return Said(
            f"{work.shape.name} on {device.name}: {most:,.0f} cards at one site do not finish in time",
            f"{device.name} 上的 {work.shape.name}：单个站点 {most:,.0f} 张卡无法按期完成",
        )
    while high - low > 8:
        middle = math.ceil((low + high) / 16) * 8
        if middle >= high:
            break
        tried = rate(middle)
        if tried is not None and tried.rate * middle >= target:
            high, found = middle, tried
        else:
            low = middle
    assert found is not None
    return high, found
