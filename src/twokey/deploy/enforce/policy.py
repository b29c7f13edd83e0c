"""The one source of truth that every manifest is written from."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from twokey.deploy.conditions import Ceiling, Condition, DomesticShare, EndUse, Phase, Place
from twokey.deploy.devices import Hardware, hardware
from twokey.deploy.place import Placement
from twokey.deploy.plan import Plan

CHIP_LABEL: Final = "chip.twokey.dev/name"
PLACE_LABEL: Final = "chip.twokey.dev/place"
TAINT: Final = "chip.twokey.dev/licensed"
END_USE_LABEL: Final = "twokey.dev/end-use"
PHASE_LABEL: Final = "twokey.dev/phase"
APPROVED_PREFIX: Final = "approved.twokey.dev"
ADMINS: Final = "twokey:licence-admins"


@dataclass(frozen=True, slots=True)
class Licensed:
    """A chip under conditions: `uses` are (end use, phase) pairs that may run on it; `places` None is anywhere."""

    slug: str
    chip: str
    uses: tuple[tuple[str, Phase], ...]
    places: tuple[str, ...] | None
    ceiling: float | None
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChipEntry:
    """A chip of the fleet with its names in the tools; `cards` over all sites."""

    slug: str
    chip: str
    domestic: bool
    cards: float
    resource: str
    other_resources: tuple[str, ...]
    gres: str
    dra_driver: str
    dra_attribute: str
    product: str  # what its driver calls it
    unchecked: bool  # a name of these was not checked at its source
    per_card: float  # devices per card, where a plug-in counts dies
    sites: tuple[tuple[str, str, float], ...]  # site, place, cards


@dataclass(frozen=True, slots=True)
class Policy:
    """Chips, what is licensed, quotas per (phase, chip slug) in cards, and the end uses that exist."""

    name: str
    chips: tuple[ChipEntry, ...]
    licensed: tuple[Licensed, ...]
    quotas: Mapping[tuple[str, str], float]
    end_uses: tuple[str, ...]
    conditions: tuple[str, ...]
    counted: bool = False  # a domestic share is asked: work must say its phase, or it cannot be counted

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data."""
        data = asdict(self)
        data["quotas"] = [{"phase": p, "chip": c, "cards": n} for (p, c), n in sorted(self.quotas.items())]
        return data

    def may_run(self, slug: str, end_use: str, phase: str, place: str | None = None) -> bool:
        """Return whether the conditions let a pod of this end use and phase run on a chip (at a place)."""
        for entry in self.licensed:
            if entry.slug == slug:
                if (end_use, phase) not in entry.uses:
                    return False
                return entry.places is None or place is None or place in entry.places
        return True


def slug(name: str) -> str:
    """Return a name fit for a label: lower case letters, digits and hyphens.

    >>> slug("NVIDIA H200 SXM")
    'nvidia-h200-sxm'
    """
    return "-".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())[:63]


@cache
def _resources() -> dict[str, dict[str, str]]:
    text = files("twokey.deploy").joinpath("data/resources.csv").read_text("utf-8")
    return {row["family"]: row for row in csv.DictReader(text.splitlines())}


@cache
def _products() -> dict[str, dict[str, str]]:
    text = files("twokey.deploy").joinpath("data/products.csv").read_text("utf-8")
    return {row["chip"]: row for row in csv.DictReader(text.splitlines())}


def _entry(device: Hardware, plan: Plan) -> ChipEntry:
    row, named = _resources().get(device.family, {}), _products().get(device.name, {})
    place_of = {site.name: site.place for site in plan.sites}
    fleets = [f for f in plan.fleets if f.device.name == device.name]
    own = slug(device.name)
    return ChipEntry(
        slug=own,
        chip=device.name,
        domestic=device.domestic,
        cards=sum(f.cards for f in fleets),
        resource=row.get("vendor_resource") or f"twokey.dev/{own}",
        other_resources=tuple(r for r in row.get("other_resources", "").split(";") if r),
        gres=f"{row.get('slurm_type') or 'gpu'}:{own.replace('-', '_')}",
        dra_driver=row.get("dra_driver") or "twokey.dev",
        dra_attribute=row.get("dra_attribute") or "model",
        product=named.get("product") or device.name,
        unchecked="[UNCHECKED]" in row.get("dra_confidence", "[UNCHECKED]")
        or "high" not in named.get("confidence", ""),
        per_card=device.per_card,
        sites=tuple((f.site, place_of[f.site], f.cards) for f in fleets),
    )


def build(plan: Plan, placement: Placement | None = None) -> Policy:
    """Return the policy of a plan; quotas come from its placement (each phase's peak over the periods), else 0 or all.

    Without a placement, a phase may have all the cards of a chip that its conditions let it use at all: shares cannot
    be kept by quotas alone, and `enforce` says so.
    """
    devices = list({f.device.name: f.device for f in plan.fleets}.values())
    chips = tuple(_entry(device, plan) for device in devices)
    end_uses = tuple(
        sorted(
            {w.end_use for w in plan.workloads}
            | {u for c in plan.conditions if isinstance(c, EndUse) for u in c.allowed}
        )
    )
    licensed = tuple(entry for device in devices if (entry := _licensed(device, plan.conditions, end_uses)) is not None)
    counted = any(isinstance(c, DomesticShare) for c in plan.conditions)
    words = tuple(str(c.words()) for c in plan.conditions)
    policy = Policy(plan.name, chips, licensed, {}, end_uses, words, counted)
    quotas = {}
    for chip in chips:
        for phase in ("inference", "training"):
            if placement is not None:
                quotas[phase, chip.slug] = _peak(placement, phase, chip.chip)
            else:
                any_use = any(policy.may_run(chip.slug, use, phase) for use in end_uses)
                quotas[phase, chip.slug] = chip.cards if any_use else 0.0
    for condition in plan.conditions:
        if isinstance(condition, Ceiling):
            _cap(quotas, {slug(hardware(chip).name) for chip in condition.chips}, condition.cards)
    return replace(policy, quotas=quotas)


def _cap(quotas: dict[tuple[str, str], float], chips: set[str], most: float) -> None:
    """Lower the quotas of some chips until together they keep a ceiling; whole cards, in proportion."""
    held = {key: cards for key, cards in quotas.items() if key[1] in chips}
    total = sum(held.values())
    if total > most:
        quotas.update({key: float(math.floor(cards * most / total)) for key, cards in held.items()})


def shares_when_full(policy: Policy, plan: Plan) -> list[tuple[DomesticShare, float]]:
    """Return the domestic share of each phase's condition if its quotas were used up; only what quotas can count.

    Quotas are peaks over the periods. Used up at all times they may hold less of domestic chips than the plan does.
    """
    rate = {slug(f.device.name): f.device.tflops16 * f.device.per_card for f in plan.fleets}
    found = []
    for condition in plan.conditions:
        if not isinstance(condition, DomesticShare) or condition.measure not in {"cards", "nominal-compute"}:
            continue
        weight = rate if condition.measure == "nominal-compute" else dict.fromkeys(rate, 1.0)
        amounts = [(chip.domestic, policy.quotas[condition.of, chip.slug] * weight[chip.slug]) for chip in policy.chips]
        total = sum(amount for _, amount in amounts)
        if total > 0:
            found.append((condition, sum(amount for domestic, amount in amounts if domestic) / total))
    return found


def _peak(placement: Placement, phase: str, chip: str) -> float:
    mine = [a for a in placement.assignments if a.phase == phase and a.chip == chip]
    periods = {a.period for a in mine if a.period is not None} or {0}
    always = sum(a.cards for a in mine if a.period is None)
    return float(round(always + max(sum(a.cards for a in mine if a.period == t) for t in periods) + 0.4999))


def _licensed(device: Hardware, conditions: Sequence[Condition], end_uses: tuple[str, ...]) -> Licensed | None:
    own = [
        c
        for c in conditions
        if isinstance(c, EndUse | Place | Ceiling) and device.name in {hardware(chip).name for chip in c.chips}
    ]
    if not own:
        return None
    phases: tuple[Phase, ...] = ("inference", "training")
    uses = {(use, phase) for use in end_uses for phase in phases}
    places: set[str] | None = None
    ceiling: float | None = None
    for condition in own:
        if isinstance(condition, EndUse):
            uses &= {(use, phase) for use in condition.allowed for phase in condition.phases or phases}
        elif isinstance(condition, Place):
            places = set(condition.allowed) if places is None else places & set(condition.allowed)
        else:
            ceiling = condition.cards if ceiling is None else min(ceiling, condition.cards)
    return Licensed(
        slug(device.name),
        device.name,
        tuple(sorted(uses)),
        None if places is None else tuple(sorted(places)),
        ceiling,
        tuple(c.id for c in own),
    )
