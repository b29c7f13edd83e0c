"""The flow of chips: application, licence, approval, conversion, order, stock or foundry, inspection, customs, service.

Everything is an array over paths. The state is how much has ever passed each gate, and a stock is what passed the gate
before it less what passed the gate behind it: so no chip can appear or vanish. `reference.py` books stocks and counts
one by one, for one path in plain Python, and a test holds the two together. Stocks are units of the controlled chip,
except where the name says otherwise.

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

from twokey.outlook.keys import Flags, KeyPaths, Paths
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
# Timed gates in the order in which a chip, an order or a package passes them: of what passed a gate and not yet the
# next, a share passes the next at each step. The first gate of each chain is fed by the steps of `_Flow`.
_CHAINS: Final = (
    ("converted", "ordered"),
    ("shipped", "inspected", "delivered", "deployed"),
    ("started", "fabricated", "packaged"),
    ("home_made", "home_deployed"),
)


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
    """One block of paths on its way: what passed each gate, and what a step changes. Methods run in this order."""

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
        self.home_cap, self.home_growth = np.empty(paths), np.empty(paths)
        self.wanted = _wanted(x, line.price[0]) * h

        # Gates, with the share of what waits before each that passes in a step.
        self.chains = [
            (np.zeros((len(chain), paths)), np.empty((len(chain) - 1, paths)), np.empty((len(chain) - 1, paths)))
            for chain in _CHAINS
        ]
        self.gate: dict[str, Floats] = {}  # what ever passed
        self.share: dict[str, Floats] = {}  # of what waits before the gate, a step
        self.moved: dict[str, Floats] = {}  # in this step
        for names, (passed, share, moved) in zip(_CHAINS, self.chains, strict=True):
            self.gate |= zip(names, passed, strict=True)
            self.share |= zip(names[1:], share, strict=True)
            self.moved |= zip(names[1:], moved, strict=True)
        for name, weeks in (
            ("ordered", "conversion_weeks"), ("delivered", "customs_weeks"), ("deployed", "install_weeks"),
            ("fabricated", "wafer_weeks"), ("packaged", "package_weeks"), ("home_deployed", "domestic_weeks"),
        ):  # fmt: skip
            self.share[name][:] = self._share(x[weeks])
        self.inspection_weeks = x["inspection_weeks"].copy()
        self._inspect(0, np.arange(paths))
        self.us, self.cn, self.both, self.idle = (np.empty(paths) for _ in range(4))

        # The vendor: stock at the start less what was written down since, and the foundry.
        self.unspoilt, self.writedown = x["vendor_stock"].copy(), x["writedown_year"] * year
        self.foundry, self.capacity = np.zeros(paths), x["foundry_units_week"] * h

        # Amounts a step that grow: demand (H100e), gross dies and memory (both in packages).
        self.grown, self.growth = np.empty((3, paths)), np.empty((3, paths))
        self.demand, self.logic, self.memory = self.grown
        self.demand[:] = x["china_demand_year"] * year
        self.logic[:] = x["logic_kwpm"] * 1e3 / WEEKS_A_MONTH * h * x["ai_wafer_share"] * x["dies_per_wafer"]
        self.logic /= DIES_A_PACKAGE
        self.memory[:] = x["hbm_year"] * year / STACKS_A_PACKAGE
        for row, name in zip(self.growth, ("china_demand_growth", "logic_growth", "hbm_growth"), strict=True):
            row[:] = (1 + x[name]) ** year

        # What the mandate leaves to foreign chips and keeps for domestic ones, as units and packages for one H100e.
        self.mandate, self.left = np.zeros(paths), np.empty(paths)
        self.foreign, self.domestic = np.empty(paths), np.empty(paths)
        self._raise(np.arange(paths), np.maximum(x["mandate"], line.mandate[0]))

        # Domestic output, counted from the packages in progress at the start; dies and memory on the same count.
        self.gate["home_made"][:] = x["domestic_wip"]
        self.dies_before = x["die_bank"] / DIES_A_PACKAGE + x["domestic_wip"]
        self.stacks_before = x["hbm_stock"] / STACKS_A_PACKAGE + x["domestic_wip"]
        self.dies, self.stacks = self.dies_before.copy(), self.stacks_before.copy()
        self.ever_made, self.made = x["output_to_date"].copy(), np.zeros(paths)
        self.missing_yield, self.speed = x["die_yield_ceiling"] - x["die_yield"], x["yield_speed"] * year
        self.packaging = x["packaging_year"] * year
        self.substitution = x["substitution"] * (h100e / h100e_home)
        self.a, self.b = np.empty(paths), np.empty(paths)

    def events(self, t: int, reopened: Paths) -> None:
        """Take in what chance and dated events change at step `t`, and where the import key opened again."""
        line, x = self.line, self.x
        if t and line.price[t] != line.price[t - 1]:
            self.wanted = _wanted(x, line.price[t]) * self.h
        if t and line.licence_extra[t] != line.licence_extra[t - 1]:
            self.grant = self._share(x["licence_weeks"] + line.licence_extra[t])
        if np.isfinite(line.ratio[t]):
            if t and line.ratio[t] == line.ratio[t - 1]:
                self.home_cap += self.home_growth
            else:
                self.home_growth = line.ratio[t] * x["us_units_week"] * self.h
                self.home_cap = line.ratio[t] * x["us_units_to_date"] + self.home_growth * t
        if t and line.inspection_extra[t] != line.inspection_extra[t - 1]:
            self._inspect(t, np.arange(len(self.mandate)))
        if (struck := self.strikes["chip_security"](t)).size:
            self.inspection_weeks[struck] += VERIFICATION_WEEKS
            self._inspect(t, struck)
        if (struck := self.strikes["mandate"](t)).size:
            raised = self.mandate.copy()
            np.add.at(raised, struck, x["mandate_step"][struck])  # a path may be struck twice
            self._raise(struck, np.minimum(raised[struck], MOST_DOMESTIC))
        if t and line.mandate[t] > line.mandate[t - 1]:
            self._raise(np.arange(len(self.mandate)), line.mandate[t])
        if (struck := self.strikes["hbm_relief"](t)).size:
            self.memory[struck] *= 2.0
        if (struck := self.strikes["foundry_shock"](t)).size:
            self.capacity[struck] *= 0.5
            self.foundry[struck] *= 0.5
        if (struck := self.restart(t)).size:
            self.foundry[struck] = self.capacity[struck]
        if line.growth_stopped[t]:
            self.growth[1:] = 1.0
        elif (struck := self.strikes["equipment"](t)).size:
            self.growth[1:, struck] = 1.0
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
        for passed, share, moved in self.chains:
            np.subtract(passed[:-1], passed[1:], out=moved)
            np.multiply(moved, share, out=moved)
        self.moved["ordered"] *= self.both
        self.moved["inspected"] *= self.us
        self.moved["delivered"] *= self.cn
        for passed, _, moved in self.chains:
            passed[1:] += moved

    def apply(self) -> None:
        """Buyers apply for what they want, within what the mandate leaves to foreign chips."""
        self.grown *= self.growth
        np.multiply(self.demand, self.foreign, out=self.left)
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
            np.minimum(a, self.home_cap, out=a)
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
        np.subtract(self.left, self.moved["delivered"], out=b)
        np.maximum(b, 0.0, out=b)  # foreign demand that no delivery met
        b *= self.substitution
        np.multiply(self.demand, self.domestic, out=a)
        b += a
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
        at = dict(zip(STATE, out, strict=True))
        for name, before, after in (
            ("applications", self.applied, self.licensed),
            ("licensed", self.licensed, self.approved),
            ("stalled", self.approved, gate["converted"]),
            ("convertible", gate["converted"], gate["ordered"]),
            ("backlog", gate["ordered"], gate["shipped"]),
            ("wafers", gate["started"], gate["fabricated"]),
            ("packaging", gate["fabricated"], gate["packaged"]),
            ("inspection", gate["shipped"], gate["inspected"]),
            ("transit", gate["inspected"], gate["delivered"]),
            ("installing", gate["delivered"], gate["deployed"]),
            ("written_down", x["vendor_stock"], self.unspoilt),
            ("die_bank", self.dies, gate["home_made"]),
            ("memory_stacks", self.stacks, gate["home_made"]),
            ("domestic_wip", gate["home_made"], gate["home_deployed"]),
            ("dies_made", self.dies, self.dies_before),
            ("stacks_made", self.stacks, self.stacks_before),
            ("domestic_made", gate["home_made"], x["domestic_wip"]),
            ("die_yield", x["die_yield_ceiling"], self.missing_yield),
        ):
            np.subtract(before, after, out=at[name])
        for name in ("dies_made", "die_bank"):
            at[name] *= DIES_A_PACKAGE
        for name in ("stacks_made", "memory_stacks"):
            at[name] *= STACKS_A_PACKAGE
        np.add(self.unspoilt, gate["packaged"], out=at["finished"])
        at["finished"] -= gate["shipped"]
        for name, count in (
            ("deployed", gate["deployed"]), ("domestic_deployed", gate["home_deployed"]), ("applied", self.applied),
            ("licensed_ever", self.licensed), ("approved_ever", self.approved), ("ordered_ever", gate["ordered"]),
            ("started", gate["started"]), ("inspected_ever", gate["inspected"]), ("delivered", gate["delivered"]),
            ("mandate", self.mandate),
        ):  # fmt: skip
            at[name][:] = count

    def _share(self, weeks: Floats) -> Floats:
        """Return the share that leaves a stage in a step."""
        return np.asarray(np.minimum(1.0, self.h / weeks))

    def _inspect(self, t: int, who: Paths) -> None:
        """Set the share that leaves inspection on some paths."""
        weeks = self.inspection_weeks[who] + self.line.inspection_extra[t]
        self.share["inspected"][who] = self._share(weeks)

    def _raise(self, who: Paths, least: Floats | float) -> None:
        """Raise the mandate of some paths to `least` where it is lower, and divide their demand by it."""
        self.mandate[who] = share = np.maximum(self.mandate[who], least)
        self.foreign[who], self.domestic[who] = (1 - share) / self.h100e, share / self.h100e_home


def _wanted(x: Mapping[str, Floats], duty: float) -> Floats:
    """Units a week that buyers want at a duty: demand x (1 + pass-through x duty) ^ -elasticity."""
    weekly = x["foreign_demand_year"] / WEEKS_A_YEAR
    return weekly * (1 + x["pass_through"] * duty) ** -x["elasticity"] if duty else weekly
