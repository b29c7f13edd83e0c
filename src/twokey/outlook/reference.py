"""The equations of `flows.py` for one path in plain Python: the specification that a test and the benchmark compare.

Slow on purpose: read this one to learn the model. Every name is a stock, a count or an input of that module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twokey.outlook.demand import MOST_DOMESTIC
from twokey.outlook.stocks import COUNTS, DIES_A_PACKAGE, STACKS_A_PACKAGE, STOCKS, WEEKS_A_MONTH, WEEKS_A_YEAR
from twokey.outlook.timeline import Timeline
from twokey.outlook.vendor import VERIFICATION_WEEKS


@dataclass(frozen=True, slots=True)
class Strikes:
    """The step at which each chance event strikes one path; the mandate may rise several times."""

    mandate: Sequence[int]
    hbm_relief: int
    foundry_shock: int
    chip_security: int
    equipment: int


def run_path(  # noqa: PLR0913, PLR0917 (as `flows.run`, for one path)
    line: Timeline,
    us: Sequence[bool],
    cn: Sequence[bool],
    reopened: Sequence[bool],
    x: Mapping[str, float],
    fresh: Sequence[float],
    strikes: Strikes,
    h: float,
    h100e: float,
    h100e_domestic: float,
) -> list[dict[str, float]]:
    """Return the state of one path at the start and after every step; arguments as in `flows.run`, for one path."""
    state, step = stepper(line, x, fresh, strikes, h, h100e, h100e_domestic)
    records = [dict(state)]
    for t in range(len(us)):
        step(t, us[t], cn[t], reopened[t])
        records.append(dict(state))
    return records


Step = Callable[[int, bool, bool, bool], None]


def stepper(  # noqa: PLR0913, PLR0915, PLR0917 (one step of the model, read from top to bottom)
    line: Timeline,
    x: Mapping[str, float],
    fresh: Sequence[float],
    strikes: Strikes,
    h: float,
    h100e: float,
    h100e_domestic: float,
) -> tuple[dict[str, float], Step]:
    """Return one path's state and the function that advances it: step number, both keys, whether import reopened."""
    s = dict.fromkeys((*STOCKS, *COUNTS), 0.0)
    s["applications"] = s["applied"] = x["applications"]
    s["finished"], s["die_bank"], s["memory_stacks"] = x["vendor_stock"], x["die_bank"], x["hbm_stock"]
    s["domestic_wip"], s["die_yield"] = x["domestic_wip"], x["die_yield"]
    s["mandate"] = max(x["mandate"], float(line.mandate[0]))
    demand = x["china_demand_year"] / WEEKS_A_YEAR * h
    logic = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * h * x["ai_wafer_share"] * x["dies_per_wafer"]
    memory = x["hbm_year"] / WEEKS_A_YEAR * h
    logic_growth = (1 + x["logic_growth"]) ** (h / WEEKS_A_YEAR)
    memory_growth = (1 + x["hbm_growth"]) ** (h / WEEKS_A_YEAR)
    capacity, foundry, approvable, made = x["foundry_units_week"] * h, 0.0, 0.0, 0.0
    ever_made, verification, openings = x["output_to_date"], 0.0, 0
    convert = fresh[0]

    def step(t: int, us: bool, cn: bool, reopened: bool) -> None:  # noqa: PLR0915 - one step of the equations, from top to bottom
        nonlocal demand, logic, memory, logic_growth, memory_growth, capacity, foundry, approvable, made
        nonlocal ever_made, verification, openings, convert
        both = us and cn
        verification += VERIFICATION_WEEKS * (strikes.chip_security == t)
        for strike in strikes.mandate:
            if strike == t:
                s["mandate"] = max(s["mandate"], min(MOST_DOMESTIC, s["mandate"] + x["mandate_step"]))
        if t and line.mandate[t] > line.mandate[t - 1]:
            s["mandate"] = max(s["mandate"], float(line.mandate[t]))
        memory *= 2.0 if strikes.hbm_relief == t else 1.0
        if strikes.foundry_shock == t:
            capacity, foundry = capacity / 2, foundry / 2
        if math.floor(x["restart_weeks"] / h) == t:
            foundry = capacity
        if strikes.equipment == t or line.growth_stopped[t]:
            logic_growth = memory_growth = 1.0
        if reopened:
            openings += 1
            convert = fresh[openings % len(fresh)]
            again = convert * s["stalled"]
            s["convertible"] += again
            s["stalled"] -= again

        ordered = both * s["convertible"] * min(1.0, h / x["conversion_weeks"])
        packaged = s["packaging"] * min(1.0, h / x["package_weeks"])
        fabricated = s["wafers"] * min(1.0, h / x["wafer_weeks"])
        installed = s["installing"] * min(1.0, h / x["install_weeks"])
        delivered = cn * s["transit"] * min(1.0, h / x["customs_weeks"])
        inspecting = x["inspection_weeks"] + verification + float(line.inspection_extra[t])
        inspected = us * s["inspection"] * min(1.0, h / inspecting)
        domestic_in = s["domestic_wip"] * min(1.0, h / x["domestic_weeks"])
        s["convertible"] -= ordered
        s["backlog"] += ordered
        s["ordered_ever"] += ordered
        s["packaging"] += fabricated - packaged
        s["wafers"] -= fabricated
        s["finished"] += packaged
        s["installing"] += delivered - installed
        s["deployed"] += installed
        s["transit"] += inspected - delivered
        s["delivered"] += delivered
        s["inspection"] -= inspected
        s["inspected_ever"] += inspected
        s["domestic_wip"] -= domestic_in
        s["domestic_deployed"] += domestic_in

        demand *= (1 + x["china_demand_growth"]) ** (h / WEEKS_A_YEAR)
        left = (1 - s["mandate"]) * demand
        duty = float(line.price[t])
        wanted = x["foreign_demand_year"] / WEEKS_A_YEAR * (1 + x["pass_through"] * duty) ** -x["elasticity"] * h
        applied = min(left / h100e, wanted)
        s["applications"] += applied
        s["applied"] += applied

        if line.us_free[t]:
            licensed = us * s["applications"]
        else:
            licensed = us * s["applications"] * min(1.0, h / (x["licence_weeks"] + float(line.licence_extra[t])))
            if math.isfinite(line.ratio[t]):
                home = x["us_units_to_date"] + x["us_units_week"] * h * t
                licensed = min(licensed, max(0.0, float(line.ratio[t]) * home - s["licensed_ever"]))
            licensed = min(licensed, max(0.0, float(line.licence_cap[t]) - s["licensed_ever"]))
        s["applications"] -= licensed
        s["licensed"] += licensed
        s["licensed_ever"] += licensed

        if line.cn_free[t]:
            approved = cn * s["licensed"]
        else:
            approvable += cn * x["batch_units"] * h / x["batch_weeks"] + float(line.batches[t])
            approved = cn * min(s["licensed"], approvable)
        approved = min(approved, max(0.0, float(line.import_cap[t]) - s["approved_ever"]))
        approvable -= 0.0 if line.cn_free[t] else approved
        s["licensed"] -= approved
        s["approved_ever"] += approved
        share = 1.0 if line.us_free[t] and line.cn_free[t] else convert
        s["convertible"] += share * approved
        s["stalled"] += approved - share * approved

        shipped = min(s["backlog"], s["finished"])
        s["backlog"] -= shipped
        s["finished"] -= shipped
        s["inspection"] += shipped
        started = min(foundry, max(0.0, s["backlog"] - s["wafers"] - s["packaging"] - s["finished"]))
        s["wafers"] += started
        s["started"] += started
        written = s["finished"] * (1 - both) * x["writedown_year"] * h / WEEKS_A_YEAR
        s["finished"] -= written
        s["written_down"] += written

        closing = min(1.0, x["learning"] * made / ever_made + x["yield_speed"] * h / WEEKS_A_YEAR)
        s["die_yield"] += (x["die_yield_ceiling"] - s["die_yield"]) * closing
        logic *= logic_growth
        dies = logic * s["die_yield"]
        s["die_bank"] += dies
        s["dies_made"] += dies
        memory *= memory_growth
        s["memory_stacks"] += memory
        s["stacks_made"] += memory
        asked = demand - left + x["substitution"] * max(0.0, left - h100e * delivered)
        made = min(
            asked / h100e_domestic,
            x["packaging_year"] / WEEKS_A_YEAR * h,
            s["die_bank"] / DIES_A_PACKAGE,
            s["memory_stacks"] / STACKS_A_PACKAGE,
        )
        s["domestic_wip"] += made
        s["domestic_made"] += made
        ever_made += made
        s["die_bank"] -= DIES_A_PACKAGE * made
        s["memory_stacks"] -= STACKS_A_PACKAGE * made

    return s, step
