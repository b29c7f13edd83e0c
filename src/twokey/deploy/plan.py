"""A plan's question: sites, fleets, workloads and conditions, read from TOML and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from twokey.chips import UserError, nearest
from twokey.chips.form import ANY, TEXT, Rows, Table, read_form
from twokey.deploy import conditions as rules
from twokey.deploy import units
from twokey.deploy.conditions import Condition, Phase
from twokey.deploy.devices import Hardware, hardware
from twokey.deploy.search import precision
from twokey.deploy.shapes import Shape, model

Objective = Literal["served", "cost", "imported"]
_ROWS: Final = Rows(Table(each=ANY))
_FORM: Final = Table(
    may={
        "name": TEXT,
        "objective": TEXT,
        "service": ANY,
        **dict.fromkeys(("site", "fleet", "workload", "condition"), _ROWS),
    }
)
OBJECTIVES: Final = ("served", "cost", "imported")


@dataclass(frozen=True, slots=True)
class Site:
    """A place with power. `place` is a jurisdiction's code that place conditions name ("CN", "HK")."""

    name: str
    place: str
    power_kw: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """Cards of one chip at one site. `kw` per card at the meter; `usd_hour` per card."""

    site: str
    device: Hardware
    cards: float
    kw: float
    usd_hour: float


@dataclass(frozen=True, slots=True)
class Workload:
    """Inference with `demand` (output tokens a second) per period, or a training job of `tokens` within `days`."""

    name: str
    phase: Phase
    shape: Shape
    end_use: str
    value: float  # worth of serving it whole, relative to the others (per token a second for inference)
    input: float
    output: float
    demand: tuple[float, ...] = ()
    tpot_ms: float | None = None
    tokens: float = 0.0
    days: float = 0.0
    sites: tuple[str, ...] = ()
    precision: str = "auto"
    engine: str = "own"
    batch_tokens: float = 4e6  # global batch of training


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a placement needs. `service` is the share of demand that must be served (cost, imported)."""

    name: str
    objective: Objective
    sites: tuple[Site, ...]
    fleets: tuple[Fleet, ...]
    workloads: tuple[Workload, ...]
    conditions: tuple[Condition, ...] = ()
    service: float = 1.0

    @property
    def periods(self) -> int:
        """Number of periods over which demand is given (1 where it does not change)."""
        return max([len(w.demand) for w in self.workloads if w.phase == "inference"], default=1)


def read(path: Path, overlays: Sequence[Path] = (), objective: str | None = None, service: float | None = None) -> Plan:
    """Return the plan of a TOML file, with the conditions of overlays added (or replaced, by id).

    `objective` and `service` stand instead of the plan's own.
    """
    data, _ = read_form(path, _FORM)
    if service is not None:
        data["service"] = service
    if objective is not None:
        data["objective"] = objective
    given = {c.id: c for c in rules.read(data.get("condition", []), path.name)}
    for overlay in overlays:
        given.update({c.id: c for c in rules.read(read_form(overlay, _FORM)[0].get("condition", []), overlay.name)})
    return build(data, path.name, tuple(given.values()))


def build(data: Mapping[str, Any], source: str, given: tuple[Condition, ...]) -> Plan:
    """Return the plan of parsed data; UserError names the table and the field, what is wrong and the remedy."""
    objective = data.get("objective", "served")
    if objective not in OBJECTIVES:
        raise UserError(f"{source}: objective: {objective!r} is not one of {', '.join(OBJECTIVES)}")
    service = _number(data, "service", source, 1.0)
    if not 0 < service <= 1:
        raise UserError(f"{source}: service: must be above 0 and at most 1 (got {service:g})")
    sites = tuple(_site(table, source) for table in data.get("site", []))
    names = [site.name for site in sites]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{source}: site {name}: there are two of this name")
    if not sites:
        raise UserError(f"{source}: no [[site]]; a plan needs at least one place with power")
    fleets = tuple(_fleet(table, names, source) for table in data.get("fleet", []))
    if not fleets:
        raise UserError(f"{source}: no [[fleet]]; say which chips stand where")
    workloads = tuple(_workload(table, names, source) for table in data.get("workload", []))
    if not workloads:
        raise UserError(f"{source}: no [[workload]]; say what is to run")
    plan = Plan(str(data.get("name", source)), objective, sites, fleets, workloads, given, service)
    lengths = {len(w.demand) for w in workloads if w.phase == "inference"} - {1}
    if len(lengths) > 1:
        raise UserError(
            f"{source}: demand: lists of {' and '.join(map(str, sorted(lengths)))} periods; give one length"
        )
    _check_conditions(plan, source)
    return plan


def _check_conditions(plan: Plan, source: str) -> None:
    fleet_chips = {fleet.device.name for fleet in plan.fleets}
    site_names = {site.name for site in plan.sites}
    for condition in plan.conditions:
        if isinstance(condition, rules.DomesticShare):
            for site in condition.sites:
                if site not in site_names:
                    raise UserError(f"{source}: condition {condition.id}: no site {site!r}{nearest(site, site_names)}")
        else:
            for chip in condition.chips:
                if hardware(chip).name not in fleet_chips:
                    raise UserError(
                        f"{source}: condition {condition.id}: no fleet of {chip}; the plan has "
                        f"{', '.join(sorted(fleet_chips))}"
                    )


def _known(table: Mapping[str, Any], fields: set[str], where: str) -> None:
    for name in table:
        if name not in fields:
            raise UserError(f"{where}: {name}: no such field{nearest(name, fields)}")


def _text(table: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if not isinstance(value, str) or not value:
        raise UserError(f"{where}: {name}: is missing or is not text")
    return value


def _number(table: Mapping[str, Any], name: str, where: str, default: float | None = None) -> float:
    value = table.get(name, default)
    if isinstance(value, str):
        return units.count(value, f"{where}: {name}")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UserError(f"{where}: {name}: is missing or is not a number (got {value!r})")
    if not value >= 0 or value == float("inf"):
        raise UserError(f"{where}: {name}: must not be negative (got {value})")
    return float(value)


def _site(table: Mapping[str, Any], source: str) -> Site:
    where = f"{source}: site {table.get('name', '?')}"
    _known(table, {"name", "place", "power"}, where)
    power = table.get("power")
    if power is None:
        raise UserError(f'{where}: power: is missing; give it with its unit, as in power = "20MW"')
    kw = units.kilowatts(str(power), f"{where}: power")
    if kw <= 0:
        raise UserError(
            f"{where}: power: a site with no power runs nothing; give it with its unit or leave the site out"
        )
    return Site(_text(table, "name", where), _text(table, "place", where, "CN"), kw)


def _fleet(table: Mapping[str, Any], sites: Sequence[str], source: str) -> Fleet:
    where = f"{source}: fleet of {table.get('chip', '?')} at {table.get('site', '?')}"
    _known(table, {"site", "chip", "cards", "kw_per_card", "usd_hour"}, where)
    site = _text(table, "site", where)
    if site not in sites:
        raise UserError(f"{where}: site: no site {site!r}{nearest(site, sites)}")
    try:
        device = hardware(_text(table, "chip", where)).need()
    except UserError as error:
        raise UserError(f"{where}: chip: {error}") from error
    if "kw_per_card" in table:
        kw = _number(table, "kw_per_card", where)
    elif device.tdp_w is not None:
        kw = device.tdp_w * 1.6 / 1e3
    else:
        raise UserError(
            f"{where}: kw_per_card: no TDP is published for {device.name}; give the kW of a card at the meter"
        )
    return Fleet(site, device, _number(table, "cards", where), kw, _number(table, "usd_hour", where, 0.0))


def _workload(table: Mapping[str, Any], sites: Sequence[str], source: str) -> Workload:
    where = f"{source}: workload {table.get('name', '?')}"
    allowed = {
        "name",
        "phase",
        "model",
        "end_use",
        "value",
        "input",
        "output",
        "demand",
        "tpot",
        "tokens",
        "days",
        "sites",
        "precision",
        "engine",
        "batch_tokens",
    }
    _known(table, allowed, where)
    named = _text(table, "phase", where)
    phase = next((known for known in rules.PHASES if known == named), None)
    if phase is None:
        raise UserError(
            f"{where}: phase: {named!r} is not one of {', '.join(rules.PHASES)}{nearest(named, rules.PHASES)}"
        )
    try:
        shape = model(_text(table, "model", where))
    except UserError as error:
        raise UserError(f"{where}: model: {error}") from error
    chosen = tuple(table.get("sites", ()))
    for site in chosen:
        if site not in sites:
            raise UserError(f"{where}: sites: no site {site!r}{nearest(str(site), sites)}")
    demand: tuple[float, ...] = ()
    tokens = days = 0.0
    input_, output = _number(table, "input", where, 4096.0), _number(table, "output", where, 1024.0)
    if phase == "inference":
        raw = table.get("demand")
        each = raw if isinstance(raw, list) else [raw]
        if not each:
            raise UserError(
                f"{where}: demand: is an empty list; give output tokens a second, one number or one per period"
            )
        demand = tuple(_number({"demand": item}, "demand", where) for item in each)
    else:
        tokens, days = _number(table, "tokens", where), _number(table, "days", where)
        if not (tokens > 0 and days > 0):
            raise UserError(f"{where}: tokens and days must be greater than zero; a job needs an amount and a time")
    batch_tokens = _number(table, "batch_tokens", where, 4e6)
    for name, value in (("input", input_), ("output", output), ("batch_tokens", batch_tokens)):
        if not value > 0:
            raise UserError(f"{where}: {name}: must be greater than zero (got {value:g})")
    tpot = table.get("tpot")
    return Workload(
        name=_text(table, "name", where),
        phase=phase,
        shape=shape,
        end_use=str(table.get("end_use", "unstated")),
        value=_number(table, "value", where, 1.0),
        input=input_,
        output=output,
        demand=demand,
        tpot_ms=units.milliseconds(str(tpot), f"{where}: tpot") if tpot is not None else None,
        tokens=tokens,
        days=days,
        sites=chosen,
        precision=precision(str(table.get("precision", "auto")), f"{where}: precision"),
        engine=str(table.get("engine", "own")).casefold(),
        batch_tokens=batch_tokens,
    )
