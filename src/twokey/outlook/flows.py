"""The flow of chips: application, licence, approval, conversion, order, stock or foundry, inspection, customs, service.

Everything is an array over paths. The state is how much has ever passed each gate, and a stock is what passed the gate
before it less what passed the gate behind it: so no chip can appear or vanish. `reference.py` books stocks and counts one
by one, for one path in plain Python, and a test holds the two together. Stocks are units of the controlled chip, except
where the name says otherwise.

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

from twokey.outlook.keys import Flags, KeyPaths
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
# Gates that a chip, an order or a package passes, each one after the one above it; the timed ones let a share of what
# waits before them pass at each step. Rows of one array, so that all of them move in three operations.
_GATES: Final = (
    "converted", "ordered", "shipped", "inspected", "delivered", "deployed",
    "started", "fabricated", "packaged",
    "home_made", "home_deployed",
)  # fmt: skip


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


VERIFICATION_WEEKS: Final = 4.0  # assumption: location verification lengthens inspection by a month
MOST_DOMESTIC: Final = 0.95  # a mandate never reaches everything


def run(  # noqa: PLR0913 (as many as the model has parts)
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
    flow = _Flow(line, x, fresh, moments, float(step_weeks), h100e, h100e_domestic)
    records = np.empty((steps // every + 1, len(STATE), paths))
    flow.record(records[0])
    for t in range(steps):
        flow.events(t, np.flatnonzero(keys.reopened[t]))
        flow.turn(keys.us[t], keys.cn[t])
        flow.move()
        flow.apply()
        flow.licence(t)
        flow.approve(t)
        flow.ship()
        flow.make_at_home()
        if (t + 1) % every == 0:
            flow.record(records[(t + 1) // every])
    return records


class _Flow:
    """One block of paths on its way: what passed each gate, and what a step changes. Methods run in their order here."""

    def __init__(  # noqa: PLR0913, PLR0917 (as `run`)
        self,
        line: Timeline,
        x: Mapping[str, Floats],
        fresh: Floats,
        moments: Moments,
        h: float,
        h100e: float,
        h100e_home: float,
    ) -> None:
        steps, paths = len(line.price), len(x["applications"])
        self.line, self.x, self.fresh, self.h, self.h100e, self.h100e_home = line, x, fresh, h, h100e, h100e_home
        self.strikes = {name: Schedule(getattr(moments, name), steps) for name in Moments.__slots__}
        self.restart = Schedule(np.asarray(x["restart_weeks"] // h, dtype=np.int64), steps)
        year = h / WEEKS_A_YEAR

        # Consent: what was ever applied for, licensed, approved; and what batches ever allowed.
        self.applied, self.licensed, self.approved = x["applications"].copy(), np.zeros(paths), np.zeros(paths)
        self.allowed, self.batch = np.zeros(paths), x["batch_units"] * h / x["batch_weeks"]
        self.convert, self.openings = fresh[0].copy(), np.zeros(paths, dtype=np.int64)
        self.grant = self._share(x["licence_weeks"] + line.licence_extra[0])
        self.home_cap = np.empty(paths)
        self.wanted = _wanted(x, line.price[0]) * h

        # Gates, with the share of what waits before each that passes in a step.
        self.passed, self.share = np.zeros((len(_GATES), paths)), np.zeros((len(_GATES) - 1, paths))
        self.moved = np.empty_like(self.share)
        self.gate = dict(zip(_GATES, self.passed, strict=True))
        for name, weeks in (
            ("ordered", "conversion_weeks"), ("delivered", "customs_weeks"), ("deployed", "install_weeks"),
            ("fabricated", "wafer_weeks"), ("packaged", "package_weeks"), ("home_deployed", "domestic_weeks"),
        ):  # fmt: skip
            self.share[_GATES.index(name) - 1] = self._share(x[weeks])
        self.inspection_weeks = x["inspection_weeks"].copy()
        self._inspect(0)
        self.us, self.cn, self.both, self.idle = (np.empty(paths) for _ in range(4))
        self.flow_into = {name: self.moved[_GATES.index(name) - 1] for name in _GATES[1:]}

        # The vendor: stock at the start less what was written down since, and the foundry.
        self.unspoilt, self.writedown = x["vendor_stock"].copy(), x["writedown_year"] * year
        self.foundry, self.capacity = np.zeros(paths), x["foundry_units_week"] * h

        # Four amounts a step that grow: demand left to foreign chips (units), demand kept for domestic ones (packages),
        # gross dies and memory (both in packages).
        self.grown, self.growth = np.empty((4, paths)), np.empty((4, paths))
        self.left, self.kept, self.logic, self.memory = self.grown
        self.mandate = np.maximum(x["mandate"], line.mandate[0])
        self._divide(slice(None), x["china_demand_year"] * year)
        self.logic[:] = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * h * x["ai_wafer_share"] * x["dies_per_wafer"]
        self.logic /= DIES_A_PACKAGE
        self.memory[:] = x["hbm_year"] * year / STACKS_A_PACKAGE
        self.growth[:2] = (1 + x["china_demand_growth"]) ** year
        self.growth[2], self.growth[3] = (1 + x["logic_growth"]) ** year, (1 + x["hbm_growth"]) ** year

        # Domestic output, counted from the packages in progress at the start; dies and memory on the same count.
        self.gate["home_made"][:] = x["domestic_wip"]
        self.dies = x["die_bank"] / DIES_A_PACKAGE + x["domestic_wip"]
        self.stacks = x["hbm_stock"] / STACKS_A_PACKAGE + x["domestic_wip"]
        self.ever_made, self.made = x["output_to_date"].copy(), np.zeros(paths)
        self.missing_yield, self.speed = x["die_yield_ceiling"] - x["die_yield"], x["yield_speed"] * year
        self.packaging = x["packaging_year"] * year
        self.substitution = x["substitution"] * (h100e / h100e_home)
        self.a, self.b = np.empty(paths), np.empty(paths)

    def events(self, t: int, reopened: npt.NDArray[np.int64]) -> None:
        """Take in what chance and dated events change at step `t`, and where the import key opened again."""
        line, x = self.line, self.x
        if t and line.price[t] != line.price[t - 1]:
            self.wanted = _wanted(x, line.price[t]) * self.h
        if t and line.licence_extra[t] != line.licence_extra[t - 1]:
            self.grant = self._share(x["licence_weeks"] + line.licence_extra[t])
        struck = self.strikes["chip_security"](t)
        if struck.size or (t and line.inspection_extra[t] != line.inspection_extra[t - 1]):
            self.inspection_weeks[struck] += VERIFICATION_WEEKS
            self._inspect(t)
        if (struck := self.strikes["mandate"](t)).size:
            raised = self.mandate.copy()
            np.add.at(raised, struck, x["mandate_step"][struck])
            self._mandate(np.minimum(raised, MOST_DOMESTIC))
        if t and line.mandate[t] > line.mandate[t - 1]:
            self._mandate(line.mandate[t])
        self.memory[self.strikes["hbm_relief"](t)] *= 2.0
        struck = self.strikes["foundry_shock"](t)
        self.capacity[struck] *= 0.5
        self.foundry[struck] *= 0.5
        struck = self.restart(t)
        self.foundry[struck] = self.capacity[struck]
        self.growth[2:, slice(None) if line.growth_stopped[t] else self.strikes["equipment"](t)] = 1.0
        if reopened.size:
            self.openings[reopened] += 1
            share = self.fresh[self.openings[reopened] % len(self.fresh), reopened]
            self.convert[reopened] = share
            converted = self.gate["converted"]
            converted[reopened] += share * (self.approved[reopened] - converted[reopened])

    def turn(self, us: Flags, cn: Flags) -> None:
        """Set both keys for this step."""
        np.copyto(self.us, us)
        np.copyto(self.cn, cn)
        np.multiply(self.us, self.cn, out=self.both)
        np.subtract(1.0, self.both, out=self.idle)

    def move(self) -> None:
        """Let a share of what waits before each timed gate pass it; all from what was there when the step began."""
        passed, moved = self.passed, self.moved
        np.subtract(passed[:-1], passed[1:], out=moved)
        moved *= self.share
        self.flow_into["ordered"] *= self.both
        self.flow_into["inspected"] *= self.us
        self.flow_into["delivered"] *= self.cn
        passed[1:] += moved

    def apply(self) -> None:
        """Buyers apply for what they want, within what the mandate leaves to foreign chips."""
        self.grown *= self.growth
        np.minimum(self.left, self.wanted, out=self.a)
        self.applied += self.a

    def licence(self, t: int) -> None:
        """License applications while the export key is open, within every cap on the export side."""
        line, a = self.line, self.a
        np.subtract(self.applied, self.licensed, out=a)
        a *= self.us
        if line.us_free[t]:
            self.licensed += a
            return
        a *= self.grant
        a += self.licensed
        if np.isfinite(line.ratio[t]):
            np.multiply(self.x["us_units_week"], self.h * t, out=self.b)
            self.b += self.x["us_units_to_date"]
            self.b *= line.ratio[t]
            np.minimum(a, self.b, out=a)
        if np.isfinite(line.licence_cap[t]):
            np.minimum(a, line.licence_cap[t], out=a)
        np.maximum(self.licensed, a, out=self.licensed)

    def approve(self, t: int) -> None:
        """Approve by dated batches and, while the import key is open, by batches of chance; a share converts."""
        line, a, b = self.line, self.a, self.b
        if line.cn_free[t]:
            np.subtract(self.licensed, self.approved, out=a)
        else:
            np.multiply(self.batch, self.cn, out=a)
            self.allowed += a
            self.allowed += line.batches[t]
            np.minimum(self.licensed, self.allowed, out=a)
            a -= self.approved
        a *= self.cn
        if np.isfinite(line.import_cap[t]):
            np.subtract(line.import_cap[t], self.approved, out=b)
            np.maximum(b, 0.0, out=b)
            np.minimum(a, b, out=a)
        self.approved += a
        if line.cn_free[t]:
            self.allowed += a  # what needs no batch uses none up
        if not (line.us_free[t] and line.cn_free[t]):
            a *= self.convert
        self.gate["converted"] += a

    def ship(self) -> None:
        """Orders meet finished chips; the foundry starts what is still missing; idle stock loses value."""
        a, b, shipped, started = self.a, self.b, self.gate["shipped"], self.gate["started"]
        np.add(self.gate["packaged"], self.unspoilt, out=b)
        np.minimum(self.gate["ordered"], b, out=shipped)
        b -= shipped
        b *= self.idle
        b *= self.writedown
        np.subtract(self.gate["ordered"], self.unspoilt, out=a)
        self.unspoilt -= b
        np.add(started, self.foundry, out=b)
        np.minimum(a, b, out=a)
        np.maximum(started, a, out=started)

    def make_at_home(self) -> None:
        """Make what is asked of domestic chips, as far as good dies, memory and packaging go."""
        a, b, home = self.a, self.b, self.gate["home_made"]
        np.divide(self.made, self.ever_made, out=a)
        a *= self.x["learning"]
        a += self.speed
        np.minimum(a, 1.0, out=a)
        a *= self.missing_yield
        self.missing_yield -= a
        np.subtract(self.x["die_yield_ceiling"], self.missing_yield, out=a)
        a *= self.logic
        self.dies += a
        self.stacks += self.memory
        np.subtract(self.left, self.flow_into["delivered"], out=b)
        np.maximum(b, 0.0, out=b)  # foreign demand that no delivery met
        b *= self.substitution
        b += self.kept
        np.minimum(b, self.packaging, out=b)
        b += home
        np.minimum(b, self.dies, out=b)
        np.minimum(b, self.stacks, out=b)
        np.subtract(b, home, out=self.made)
        home[:] = b
        self.ever_made += self.made

    def record(self, out: Floats) -> None:
        """Write every stock, count and level of `STATE` into `out`, shape (len(STATE), paths)."""
        x, gate = self.x, self.gate
        made = gate["home_made"] - x["domestic_wip"]
        found = {
            "applications": self.applied - self.licensed,
            "licensed": self.licensed - self.approved,
            "stalled": self.approved - gate["converted"],
            "convertible": gate["converted"] - gate["ordered"],
            "backlog": gate["ordered"] - gate["shipped"],
            "wafers": gate["started"] - gate["fabricated"],
            "packaging": gate["fabricated"] - gate["packaged"],
            "finished": self.unspoilt + gate["packaged"] - gate["shipped"],
            "inspection": gate["shipped"] - gate["inspected"],
            "transit": gate["inspected"] - gate["delivered"],
            "installing": gate["delivered"] - gate["deployed"],
            "deployed": gate["deployed"],
            "written_down": x["vendor_stock"] - self.unspoilt,
            "die_bank": DIES_A_PACKAGE * (self.dies - gate["home_made"]),
            "memory_stacks": STACKS_A_PACKAGE * (self.stacks - gate["home_made"]),
            "domestic_wip": gate["home_made"] - gate["home_deployed"],
            "domestic_deployed": gate["home_deployed"],
            "applied": self.applied,
            "licensed_ever": self.licensed,
            "approved_ever": self.approved,
            "ordered_ever": gate["ordered"],
            "started": gate["started"],
            "inspected_ever": gate["inspected"],
            "delivered": gate["delivered"],
            "dies_made": DIES_A_PACKAGE * (self.dies - x["domestic_wip"]) - x["die_bank"],
            "stacks_made": STACKS_A_PACKAGE * (self.stacks - x["domestic_wip"]) - x["hbm_stock"],
            "domestic_made": made,
            "die_yield": x["die_yield_ceiling"] - self.missing_yield,
            "mandate": self.mandate,
        }
        for row, name in zip(out, STATE, strict=True):
            row[:] = found[name]

    def _share(self, weeks: Floats) -> Floats:
        """Return the share that leaves a stage in a step."""
        return np.asarray(np.minimum(1.0, self.h / weeks))

    def _inspect(self, t: int) -> None:
        weeks = self.inspection_weeks + self.line.inspection_extra[t]
        self.share[_GATES.index("inspected") - 1] = self._share(weeks)

    def _mandate(self, least: Floats | float) -> None:
        """Raise the mandate to `least` where it is lower, and divide demand anew there."""
        raised = np.maximum(self.mandate, least)
        who = np.flatnonzero(raised > self.mandate)
        self.mandate[who] = raised[who]
        self._divide(who, self.left[who] * self.h100e + self.kept[who] * self.h100e_home)

    def _divide(self, who: npt.NDArray[np.int64] | slice, demand: Floats) -> None:
        """Divide demand (H100e a step) between foreign chips and domestic packages."""
        self.left[who] = (1 - self.mandate[who]) * demand / self.h100e
        self.kept[who] = self.mandate[who] * demand / self.h100e_home


def _wanted(x: Mapping[str, Floats], duty: float) -> Floats:
    """Units a week that buyers want at a duty: demand x (1 + pass-through x duty) ^ -elasticity."""
    weekly = x["foreign_demand_year"] / WEEKS_A_YEAR
    return weekly * (1 + x["pass_through"] * duty) ** -x["elasticity"] if duty else weekly
