"""From a plan to a programme: one column per share of a workload on a fleet, one row per limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twokey.deploy.conditions import Ceiling, DomesticShare, EndUse, Place
from twokey.deploy.devices import hardware
from twokey.deploy.needs import Need
from twokey.deploy.performance.columns import Array
from twokey.deploy.plan import Fleet, Plan, Workload
from twokey.deploy.solver import INFINITY, Programme

_MORE = 1e-4  # what "more than" a share is taken to be: a hundredth of a point above it
_TIE = 1e-7  # of worth per card: among equal plans the one with fewer cards


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of the programme belong to what: "service", "capacity FLEET", "power SITE", "condition ID"."""

    names: tuple[str, ...]
    periods: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assembly:
    """A programme with what its columns mean (n columns).

    workload, period, fleet: numbers (period is -1 for training and for peak columns, workload -1 for peak and extra
    columns); cards: cards that the whole column takes; worth: served work of the whole column (PFLOP/s).
    """

    plan: Plan
    programme: Programme
    rows: Rows
    workload: NDArray[np.int32]
    period: NDArray[np.int32]
    fleet: NDArray[np.int32]
    cards: Array
    worth: Array
    measure: Mapping[str, Array] = field(default_factory=dict)  # condition id -> measure of the whole column


def eligible(plan: Plan, workload: Workload, fleet: Fleet, ignore: frozenset[str] = frozenset()) -> str | None:
    """Return None where a workload may run on a fleet, or the id of what forbids it (a condition, or "sites")."""
    if workload.sites and fleet.site not in workload.sites:
        return "sites"
    place = next(site.place for site in plan.sites if site.name == fleet.site)
    for condition in plan.conditions:
        if condition.id in ignore or isinstance(condition, DomesticShare | Ceiling):
            continue
        if fleet.device.name not in {hardware(chip).name for chip in condition.chips}:
            continue
        if isinstance(condition, Place) and place not in condition.allowed:
            return condition.id
        if isinstance(condition, EndUse):
            if workload.end_use not in condition.allowed:
                return condition.id
            if condition.phases and workload.phase not in condition.phases:
                return condition.id
    return None


def _forbidden(plan: Plan, ignore: frozenset[str]) -> dict[tuple[str, str, tuple[str, ...]], list[int]]:
    """Return the allowed fleets by end use, phase and sites: computed once per kind of workload."""
    found: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for workload in plan.workloads:
        key = (workload.end_use, workload.phase, workload.sites)
        if key not in found:
            found[key] = [
                i
                for i, fleet in enumerate(plan.fleets)
                if fleet.cards > 0 and eligible(plan, workload, fleet, ignore) is None
            ]
    return found


def work_pflops(workload: Workload) -> float:
    """Return the served work of a workload in model PFLOP/s, mean over periods: what "most served work" counts."""
    if workload.phase == "training":
        return 6 * workload.shape.active * workload.tokens / (workload.days * 86400) / 1e15
    per_token = 2 * workload.shape.active * (1 + workload.input / max(workload.output, 1.0))
    return per_token * float(np.mean(workload.demand)) / 1e15


def assemble(
    plan: Plan,
    needs: Mapping[tuple[int, str], Need],
    ignore: frozenset[str] = frozenset(),
    extra: str | None = None,
) -> Assembly:
    """Return the programme of a plan.

    `ignore` names conditions (or "power", "capacity", "service") that are left out; `extra` names a chip of which more
    cards may be had, at a cost of 1 each and nothing else costing anything.
    """
    allowed = _forbidden(plan, ignore)
    periods = plan.periods
    cells: list[tuple[int, int, int, float, float]] = []  # workload, period, fleet, cards, worth
    for number, workload in enumerate(plan.workloads):
        worth = work_pflops(workload) * max(workload.value, 0.0)
        total = sum(workload.demand) or 1.0
        for i in allowed[workload.end_use, workload.phase, workload.sites]:
            need = needs[number, plan.fleets[i].device.name]
            if not need.cards:
                continue
            if workload.phase == "training":
                if need.cards[0] <= plan.fleets[i].cards or extra is not None or "capacity" in ignore:
                    cells.append((number, -1, i, need.cards[0], worth))
                continue
            for t in range(periods):
                each = t if len(workload.demand) > 1 else 0
                if workload.demand[each] > 0:
                    weight = workload.demand[each] / total if len(workload.demand) > 1 else 1 / periods
                    cells.append((number, t, i, need.cards[each], worth * weight))
    table = np.array(cells, dtype=np.float64).reshape(-1, 5)
    count = len(table)
    peaks = len(plan.fleets) if plan.objective == "imported" or extra is not None else 0
    workload_ = np.concatenate([table[:, 0], np.full(peaks, -1.0)]).astype(np.int32)
    period_ = np.concatenate([table[:, 1], np.full(peaks, -1.0)]).astype(np.int32)
    fleet_ = np.concatenate([table[:, 2], np.arange(peaks)]).astype(np.int32)
    cards = np.concatenate([table[:, 3], np.ones(peaks)])
    worths = np.concatenate([table[:, 4], np.zeros(peaks)])
    build = _Builder(plan, ignore, workload_, period_, fleet_, cards, count, extra)
    return build.done(worths)


class _Builder:
    def __init__(
        self,
        plan: Plan,
        ignore: frozenset[str],
        workload: NDArray[np.int32],
        period: NDArray[np.int32],
        fleet: NDArray[np.int32],
        cards: Array,
        count: int,
        extra: str | None,
    ) -> None:
        self.plan, self.ignore, self.extra = plan, ignore, extra
        self.workload, self.period, self.fleet, self.cards, self.count = workload, period, fleet, cards, count
        self.names: list[str] = []
        self.periods: list[int] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.parts: list[tuple[NDArray[np.int32], NDArray[np.int32], Array]] = []
        self.measure: dict[str, Array] = {}
        self.is_job = np.array(
            [plan.workloads[w].phase == "training" if w >= 0 else False for w in workload], dtype=bool
        )
        self.domestic = np.array([plan.fleets[f].device.domestic for f in fleet], dtype=bool)

    def _add(self, name: str, period: int, columns: NDArray[np.intp], values: Array, low: float, high: float) -> None:
        row = len(self.names)
        self.names.append(name)
        self.periods.append(period)
        self.low.append(low)
        self.high.append(high)
        self.parts.append((np.full(len(columns), row, dtype=np.int32), columns.astype(np.int32), values))

    def _many(
        self,
        name: str,
        keys: NDArray[np.int64],
        columns: NDArray[np.intp],
        values: Array,
        low: Mapping[int, float],
        high: Mapping[int, float],
        label: Mapping[int, str],
        period: Mapping[int, int],
    ) -> None:
        """Add one row per distinct key at once."""
        distinct, inverse = np.unique(keys, return_inverse=True)
        first = len(self.names)
        for key in distinct:
            k = int(key)
            self.names.append(f"{name} {label[k]}".strip())
            self.periods.append(period[k])
            self.low.append(low[k])
            self.high.append(high[k])
        self.parts.append(((first + inverse).astype(np.int32), columns.astype(np.int32), values))

    def done(self, worth: Array) -> Assembly:
        plan, n, real = self.plan, len(self.workload), np.arange(self.count)
        periods = plan.periods
        self._service(real, periods)
        self._limits(real, periods)
        self._conditions(real, periods)
        cost = np.zeros(n)
        if self.extra is not None:
            cost[self.count :] = [1.0 if f.device.name == self.extra else 0.0 for f in plan.fleets]
        elif plan.objective == "served":
            cost = -worth + _TIE * worth.max(initial=1.0) * self.cards / max(float(self.cards.max(initial=1.0)), 1.0)
        elif plan.objective == "cost":
            share = np.where(self.is_job, 1.0, 1.0 / periods)
            cost = self.cards * np.array([plan.fleets[f].usd_hour for f in self.fleet]) * share + 1e-6 * self.cards
        else:
            cost[: self.count] = 1e-6 * self.cards[: self.count] / max(self.count, 1)
            cost[self.count :] = (~self.domestic[self.count :]).astype(float)
        high = np.ones(n)
        high[self.count :] = INFINITY if self.extra is not None or plan.objective == "imported" else 0.0
        if self.extra is not None:
            high[self.count :] = [INFINITY if f.device.name == self.extra else 0.0 for f in plan.fleets]
        rows, columns, values = (np.concatenate([part[i] for part in self.parts]) for i in range(3))
        programme = Programme(
            cost,
            np.zeros(n),
            high,
            self.is_job,
            np.array(self.low),
            np.array(self.high),
            rows.astype(np.int32),
            columns.astype(np.int32),
            values.astype(np.float64),
        )
        return Assembly(
            plan,
            programme,
            Rows(tuple(self.names), tuple(self.periods)),
            self.workload,
            self.period,
            self.fleet,
            self.cards,
            worth,
            self.measure,
        )

    def _service(self, real: NDArray[np.intp], periods: int) -> None:
        plan = self.plan
        must = plan.objective != "served" and "service" not in self.ignore
        keys = self.workload[real].astype(np.int64) * (periods + 1) + self.period[real] + 1
        present = {int(k) for k in np.unique(keys)}
        low, label, period = {}, {}, {}
        for w, workload in enumerate(plan.workloads):
            for t in [-1] if workload.phase == "training" else range(periods):
                key = w * (periods + 1) + t + 1
                label[key], period[key] = workload.name, t
                asked = workload.phase == "training" or workload.demand[t if len(workload.demand) > 1 else 0] > 0
                low[key] = (1.0 if workload.phase == "training" else plan.service) if must else -INFINITY
                if must and asked and key not in present:
                    self._add(f"service {workload.name}", t, np.zeros(0, dtype=np.intp), np.zeros(0), low[key], 1.0)
        self._many("service", keys, real, np.ones(len(real)), low, dict.fromkeys(label, 1.0), label, period)

    def _limits(self, real: NDArray[np.intp], periods: int) -> None:
        plan = self.plan
        spread_c, spread_t = self._over_periods(real, periods)
        peaks = len(self.workload) > self.count
        if "capacity" not in self.ignore:
            keys = self.fleet[spread_c].astype(np.int64) * periods + spread_t
            label = {
                f * periods + t: f"{x.device.name} at {x.site}"
                for f, x in enumerate(plan.fleets)
                for t in range(periods)
            }
            high = {f * periods + t: x.cards for f, x in enumerate(plan.fleets) for t in range(periods)}
            period = {key: key % periods for key in label}
            low = dict.fromkeys(label, -INFINITY)
            columns, values = spread_c, self.cards[spread_c]
            if self.extra is not None:
                more = np.array([self.count + f for f in range(len(plan.fleets)) for _ in range(periods)])
                keys = np.concatenate(
                    [keys, [f * periods + t for f in range(len(plan.fleets)) for t in range(periods)]]
                )
                columns, values = np.concatenate([columns, more]), np.concatenate([values, -np.ones(len(more))])
            self._many("capacity", keys, columns, values, low, high, label, period)
        if peaks and self.extra is None:
            for f, x in enumerate(plan.fleets):
                for t in range(periods):
                    on = spread_c[(self.fleet[spread_c] == f) & (spread_t == t)]
                    if len(on):
                        columns = np.concatenate([on, [self.count + f]])
                        self._add(
                            f"peak {x.device.name} at {x.site}",
                            t,
                            columns,
                            np.concatenate([self.cards[on], [-1.0]]),
                            -INFINITY,
                            0.0,
                        )
        if "power" not in self.ignore:
            site_of = {site.name: i for i, site in enumerate(plan.sites)}
            at = np.array([site_of[x.site] for x in plan.fleets])
            kw = np.array([x.kw for x in plan.fleets])
            keys = at[self.fleet[spread_c]].astype(np.int64) * periods + spread_t
            label = {i * periods + t: s.name for i, s in enumerate(plan.sites) for t in range(periods)}
            high = {i * periods + t: s.power_kw for i, s in enumerate(plan.sites) for t in range(periods)}
            self._many(
                "power",
                keys,
                spread_c,
                self.cards[spread_c] * kw[self.fleet[spread_c]],
                dict.fromkeys(label, -INFINITY),
                high,
                label,
                {k: k % periods for k in label},
            )

    def _over_periods(self, real: NDArray[np.intp], periods: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return (column, period) pairs: a training job takes its cards in every period."""
        jobs = real[self.is_job[real]]
        flows = real[~self.is_job[real]]
        columns = np.concatenate([flows, np.repeat(jobs, periods)])
        when = np.concatenate([self.period[flows], np.tile(np.arange(periods), len(jobs))]).astype(np.int64)
        return columns.astype(np.intp), when

    def _conditions(self, real: NDArray[np.intp], periods: int) -> None:
        plan = self.plan
        names = np.array([fleet.site for fleet in plan.fleets])
        for condition in plan.conditions:
            if condition.id in self.ignore:
                continue
            if isinstance(condition, DomesticShare):
                measure = self._measured(condition, periods)
                self.measure[condition.id] = measure
                phase = self.is_job if condition.of == "training" else ~self.is_job
                chosen = real[phase[real]]
                sites = condition.sites or tuple(site.name for site in plan.sites)
                for group in [(site,) for site in sites] if condition.each_site else [sites]:
                    inside = chosen[np.isin(names[self.fleet[chosen]], group)]
                    least = condition.at_least + (_MORE if condition.strict else 0.0)
                    values = (least - self.domestic[inside]) * measure[inside]
                    scale = float(np.abs(measure[inside]).max(initial=1.0)) or 1.0
                    self._add(f"condition {condition.id}", -1, inside, values / scale, -INFINITY, 0.0)
            elif isinstance(condition, Ceiling):
                chips = {hardware(chip).name for chip in condition.chips}
                spread_c, spread_t = self._over_periods(real, periods)
                of = np.array([plan.fleets[f].device.name in chips for f in range(len(plan.fleets))])
                for t in range(periods):
                    on = spread_c[(spread_t == t) & of[self.fleet[spread_c]]]
                    self._add(f"condition {condition.id}", t, on, self.cards[on], -INFINITY, condition.cards)

    def _measured(self, condition: DomesticShare, periods: int) -> Array:
        share = np.where(self.is_job, 1.0, 1.0 / periods)
        if condition.measure == "cards":
            return np.asarray(self.cards * share)
        if condition.measure == "nominal-compute":
            rate = np.array([f.device.tflops16 * f.device.per_card for f in self.plan.fleets])
            return np.asarray(self.cards * rate[self.fleet] * share)
        if condition.measure == "tasks":
            return share
        tokens = []
        for w, t in zip(self.workload, self.period, strict=True):
            if w < 0:
                tokens.append(0.0)
                continue
            x = self.plan.workloads[w]
            tokens.append(
                x.tokens / (x.days * 86400)
                if x.phase == "training"
                else x.demand[t if len(x.demand) > 1 else 0] / periods
            )
        return np.array(tokens)
