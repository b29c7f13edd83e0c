"""The flow of chips: application, licence, approval, conversion, order, stock or foundry, inspection, customs, service.

Everything is an array over paths; `reference.py` states the same equations for one path in plain Python, and a test
holds the two together. Stocks are units of the controlled chip, except where the name says otherwise.

    applications -> licensed -> (convertible | stalled) -> backlog      consent: what both keys have allowed
    wafers -> packaging -> finished -> inspection -> transit -> installing -> deployed      chips
    finished -> written_down                                            idle stock while a key is closed

An order in the backlog and a finished chip meet in `inspection`. Domestic output of a step is the least of dies,
memory stacks and packaging, and of what is asked for; good dies follow a yield that rises with time and with output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook.keys import KeyPaths
from twokey.outlook.timeline import Timeline

Floats = npt.NDArray[np.float64]
STACKS_A_PACKAGE: Final = 8.0
DIES_A_PACKAGE: Final = 2.0
WEEKS_A_YEAR: Final = 52.0
WEEKS_A_MONTH: Final = 52.0 / 12.0

STOCKS: Final = (
    "applications", "licensed", "stalled", "convertible", "backlog",
    "wafers", "packaging", "finished", "inspection", "transit", "installing", "deployed", "written_down",
    "die_bank", "memory_stacks", "domestic_wip", "domestic_deployed",
)  # fmt: skip
COUNTS: Final = (
    "applied", "licensed_ever", "approved_ever", "ordered_ever", "started", "inspected_ever", "delivered",
    "dies_made", "stacks_made", "domestic_made",
)  # fmt: skip
LEVELS: Final = ("die_yield", "mandate")
STATE: Final = STOCKS + COUNTS + LEVELS
_AT: Final = {name: i for i, name in enumerate(STATE)}


@dataclass(frozen=True, slots=True)
class Moments:
    """When chance events strike, as step numbers: each (paths,), the mandate's (n, paths)."""

    mandate: npt.NDArray[np.int64]
    hbm_relief: npt.NDArray[np.int64]
    foundry_shock: npt.NDArray[np.int64]
    chip_security: npt.NDArray[np.int64]
    equipment: npt.NDArray[np.int64]


class Schedule:
    """The paths that an event strikes at each step, found in one sort."""

    def __init__(self, at: npt.NDArray[np.int64], steps: int) -> None:
        flat = at.ravel()
        struck = np.flatnonzero(flat < steps)
        order = struck[np.argsort(flat[struck], kind="stable")]
        self._paths = order % at.shape[-1]
        self._bounds = np.searchsorted(flat[order], np.arange(steps + 1))

    def __call__(self, step: int) -> npt.NDArray[np.int64]:
        """Return the paths struck at one step."""
        found: npt.NDArray[np.int64] = self._paths[self._bounds[step] : self._bounds[step + 1]]
        return found


def run(  # noqa: PLR0912, PLR0913, PLR0915 (one step of the model, read from top to bottom)
    line: Timeline,
    keys: KeyPaths,
    x: Mapping[str, Floats],
    fresh: Floats,
    moments: Moments,
    *,
    step_weeks: float,
    h100e: float,
    h100e_domestic: float,
    every: int,
) -> Floats:
    """Run the flows; return the state at the start and after each `every` steps, shape (records, len(STATE), paths).

    Args:
        line: caps, duties and mandates by step.
        keys: the states of both keys.
        x: every input by name, shape (paths,).
        fresh: shares of approvals that convert, one for each opening of the import key, shape (n, paths).
        moments: when chance events strike.
        step_weeks: length of a step.
        h100e: H100-equivalents (8-bit) of the controlled chip.
        h100e_domestic: the same of the domestic package.
        every: steps between records.

    """
    steps, paths = keys.us.shape
    h = float(step_weeks)
    state = np.zeros((len(STATE), paths))
    s = {name: state[i] for name, i in _AT.items()}
    s["applications"][:] = s["applied"][:] = x["applications"]
    s["finished"][:] = x["vendor_stock"]
    s["die_bank"][:], s["memory_stacks"][:] = x["die_bank"], x["hbm_stock"]
    s["domestic_wip"][:], s["die_yield"][:] = x["domestic_wip"], x["die_yield"]
    s["mandate"][:] = np.maximum(x["mandate"], line.mandate[0])

    demand = x["china_demand_year"] / WEEKS_A_YEAR * h
    demand_growth = (1 + x["china_demand_growth"]) ** (h / WEEKS_A_YEAR)
    logic = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * h * x["ai_wafer_share"] * x["dies_per_wafer"]
    logic_growth = (1 + x["logic_growth"]) ** (h / WEEKS_A_YEAR)
    memory = x["hbm_year"] / WEEKS_A_YEAR * h
    memory_growth = (1 + x["hbm_growth"]) ** (h / WEEKS_A_YEAR)
    packaging = x["packaging_year"] / WEEKS_A_YEAR * h
    speed = x["yield_speed"] * h / WEEKS_A_YEAR
    ever_made = x["output_to_date"].copy()
    made = np.zeros(paths)
    foundry = np.zeros(paths)
    capacity = x["foundry_units_week"] * h
    batch = x["batch_units"] * h / x["batch_weeks"]
    approvable = np.zeros(paths)
    home, home_to_date = x["us_units_week"] * h, x["us_units_to_date"]
    convert = fresh[0].copy()
    openings = np.zeros(paths, dtype=np.int64)
    writedown = x["writedown_year"] * h / WEEKS_A_YEAR
    inspection_weeks = x["inspection_weeks"].copy()

    def each(weeks: Floats | float) -> Floats:
        return np.minimum(1.0, h / np.asarray(weeks))

    leave_convertible, leave_wafers, leave_packaging = (
        each(x[n]) for n in ("conversion_weeks", "wafer_weeks", "package_weeks")
    )
    leave_transit, leave_installing, leave_domestic = (
        each(x[n]) for n in ("customs_weeks", "install_weeks", "domestic_weeks")
    )
    leave_inspection = each(inspection_weeks + line.inspection_extra[0])
    grant = each(x["licence_weeks"] + line.licence_extra[0])
    wanted = _wanted(x, line.price[0]) * h

    strikes = {name: Schedule(getattr(moments, name), steps) for name in Moments.__slots__}
    restart = Schedule(np.asarray(x["restart_weeks"] // h, dtype=np.int64), steps)
    records = np.empty((steps // every + 1, len(STATE), paths))
    records[0] = state
    a, b, c = np.empty(paths), np.empty(paths), np.empty(paths)
    us_all, cn_all = keys.us.astype(np.float64), keys.cn.astype(np.float64)

    for t in range(steps):
        us, cn = us_all[t], cn_all[t]
        both = us * cn
        # What chance and events change at this step.
        if t and line.price[t] != line.price[t - 1]:
            wanted = _wanted(x, line.price[t]) * h
        if t and line.licence_extra[t] != line.licence_extra[t - 1]:
            grant = each(x["licence_weeks"] + line.licence_extra[t])
        struck = strikes["chip_security"](t)
        if struck.size or (t and line.inspection_extra[t] != line.inspection_extra[t - 1]):
            inspection_weeks[struck] += VERIFICATION_WEEKS
            leave_inspection = each(inspection_weeks + line.inspection_extra[t])
        if (struck := strikes["mandate"](t)).size:
            raised = s["mandate"].copy()
            np.add.at(raised, struck, x["mandate_step"][struck])
            np.maximum(s["mandate"], np.minimum(raised, MOST_DOMESTIC), out=s["mandate"])
        if t and line.mandate[t] > line.mandate[t - 1]:
            np.maximum(s["mandate"], line.mandate[t], out=s["mandate"])
        memory[strikes["hbm_relief"](t)] *= 2.0
        capacity[strikes["foundry_shock"](t)] *= 0.5
        foundry[strikes["foundry_shock"](t)] *= 0.5
        struck = restart(t)
        foundry[struck] = capacity[struck]
        struck = strikes["equipment"](t) if not line.growth_stopped[t] else np.arange(paths)
        logic_growth[struck] = memory_growth[struck] = 1.0
        opened = np.flatnonzero(keys.reopened[t])
        if opened.size:
            openings[opened] += 1
            convert[opened] = fresh[openings[opened] % len(fresh), opened]
            again = convert[opened] * s["stalled"][opened]
            s["convertible"][opened] += again
            s["stalled"][opened] -= again

        # Stages that empty by a share a step; all from what was there when the step began.
        np.multiply(s["convertible"], leave_convertible, out=a)
        a *= both
        s["convertible"] -= a
        s["backlog"] += a
        s["ordered_ever"] += a
        np.multiply(s["packaging"], leave_packaging, out=a)
        s["packaging"] -= a
        s["finished"] += a
        np.multiply(s["wafers"], leave_wafers, out=a)
        s["wafers"] -= a
        s["packaging"] += a
        np.multiply(s["installing"], leave_installing, out=a)
        s["installing"] -= a
        s["deployed"] += a
        np.multiply(s["transit"], leave_transit, out=b)
        b *= cn
        s["transit"] -= b
        s["installing"] += b
        s["delivered"] += b
        np.multiply(s["inspection"], leave_inspection, out=a)
        a *= us
        s["inspection"] -= a
        s["transit"] += a
        s["inspected_ever"] += a
        np.multiply(s["domestic_wip"], leave_domestic, out=a)
        s["domestic_wip"] -= a
        s["domestic_deployed"] += a

        # Applications: what buyers want, within what the mandate leaves to foreign chips.
        demand *= demand_growth
        np.subtract(1.0, s["mandate"], out=c)
        c *= demand  # H100e left to foreign chips; used again for unmet demand
        np.multiply(c, 1.0 / h100e, out=a)
        np.minimum(a, wanted, out=a)
        s["applications"] += a
        s["applied"] += a

        # Licences, within every cap on the export side.
        if line.us_free[t]:
            np.multiply(s["applications"], us, out=a)
        else:
            np.multiply(s["applications"], grant, out=a)
            a *= us
            if np.isfinite(line.ratio[t]):
                a = np.minimum(a, np.maximum(0.0, line.ratio[t] * (home_to_date + home * t) - s["licensed_ever"]))
            if np.isfinite(line.licence_cap[t]):
                a = np.minimum(a, np.maximum(0.0, line.licence_cap[t] - s["licensed_ever"]))
        s["applications"] -= a
        s["licensed"] += a
        s["licensed_ever"] += a

        # Approvals: dated batches and, while the import key is open, batches by chance; then the split by conversion.
        if line.cn_free[t]:
            np.multiply(s["licensed"], cn, out=a)
        else:
            np.multiply(batch, cn, out=a)
            approvable += a
            if line.batches[t]:
                approvable += line.batches[t]
            np.minimum(s["licensed"], approvable, out=a)
            a *= cn
            approvable -= a
        if np.isfinite(line.import_cap[t]):
            a = np.minimum(a, np.maximum(0.0, line.import_cap[t] - s["approved_ever"]))
        s["licensed"] -= a
        s["approved_ever"] += a
        if line.us_free[t] and line.cn_free[t]:
            s["convertible"] += a
        else:
            s["stalled"] += a
            a *= convert
            s["convertible"] += a
            s["stalled"] -= a

        # Orders meet finished chips; the foundry starts what is still missing.
        np.minimum(s["backlog"], s["finished"], out=a)
        s["backlog"] -= a
        s["finished"] -= a
        s["inspection"] += a
        np.subtract(s["backlog"], s["wafers"], out=a)
        a -= s["packaging"]
        a -= s["finished"]
        np.maximum(a, 0.0, out=a)
        np.minimum(a, foundry, out=a)
        s["wafers"] += a
        s["started"] += a
        np.subtract(1.0, both, out=a)
        a *= writedown
        a *= s["finished"]
        s["finished"] -= a
        s["written_down"] += a

        # Domestic: yield, dies, stacks, packages.
        np.divide(made, ever_made, out=a)
        a *= x["learning"]
        a += speed
        np.minimum(a, 1.0, out=a)
        made = x["die_yield_ceiling"] - s["die_yield"]
        made *= a
        s["die_yield"] += made
        logic *= logic_growth
        np.multiply(logic, s["die_yield"], out=a)
        s["die_bank"] += a
        s["dies_made"] += a
        memory *= memory_growth
        s["memory_stacks"] += memory
        s["stacks_made"] += memory
        np.subtract(demand, c, out=a)  # what the mandate keeps for domestic chips
        b *= -h100e
        b += c  # foreign demand that no delivery met
        np.maximum(b, 0.0, out=b)
        b *= x["substitution"]
        a += b
        a *= 1.0 / h100e_domestic
        np.minimum(a, packaging, out=a)
        np.multiply(s["die_bank"], 1.0 / DIES_A_PACKAGE, out=b)
        np.minimum(a, b, out=a)
        np.multiply(s["memory_stacks"], 1.0 / STACKS_A_PACKAGE, out=b)
        made = np.minimum(a, b)
        s["domestic_wip"] += made
        s["domestic_made"] += made
        ever_made += made
        np.multiply(made, DIES_A_PACKAGE, out=a)
        s["die_bank"] -= a
        np.multiply(made, STACKS_A_PACKAGE, out=a)
        s["memory_stacks"] -= a
        if (t + 1) % every == 0:
            records[(t + 1) // every] = state
    return records


VERIFICATION_WEEKS: Final = 4.0  # assumption: location verification lengthens inspection by a month
MOST_DOMESTIC: Final = 0.95  # a mandate never reaches everything


def _wanted(x: Mapping[str, Floats], duty: float) -> Floats:
    """Units a week that buyers want at a duty: demand x (1 + pass-through x duty) ^ -elasticity."""
    weekly = x["foreign_demand_year"] / WEEKS_A_YEAR
    return weekly * (1 + x["pass_through"] * duty) ** -x["elasticity"] if duty else weekly
