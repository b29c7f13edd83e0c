"""Conditions on where work may run, as small records: what legal and licence conditions become here.

A share means nothing until it is said of what: every `DomesticShare` names the work it counts, the measure it counts
in, and whether the sites are counted together or each alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from twokey.chips import UserError, nearest
from twokey.deploy.said import Said

Phase = Literal["inference", "training"]
Measure = Literal["nominal-compute", "cards", "delivered-tokens", "tasks"]
PHASES: Final[tuple[Phase, ...]] = ("inference", "training")
MEASURES: Final[dict[Measure, Said]] = {
    "nominal-compute": Said("cards x dense 16-bit TFLOPS of the chip", "卡数 × 芯片 16 位稠密算力（TFLOPS）"),
    "cards": Said("number of cards", "卡数"),
    "delivered-tokens": Said("tokens served or trained", "推理或训练的 token 数"),
    "tasks": Said("number of workloads (a divisible one counts by its shares)", "任务数（可拆分任务按份额计）"),
}
PHASES_ZH: Final = {"inference": "推理", "training": "训练"}


@dataclass(frozen=True, slots=True)
class DomesticShare:
    """At least `at_least` (0 to 1) of a phase runs on domestic chips, counted in `measure`."""

    id: str
    of: Phase
    at_least: float
    measure: Measure = "nominal-compute"
    sites: tuple[str, ...] = ()  # empty: all sites
    each_site: bool = False
    strict: bool = False  # more than the share, not just as much: "most" is more than half
    authority: str = ""
    instrument: str = ""

    def kept_by(self, share: float) -> bool:
        """Return whether a share (0 to 1) keeps the condition.

        >>> DomesticShare("most", "inference", 0.5, strict=True).kept_by(0.5)
        False
        """
        return share > self.at_least if self.strict else share >= self.at_least - 1e-9

    def words(self) -> Said:
        """Return the condition as a sentence."""
        least, least_zh = ("more than", "超过") if self.strict else ("at least", "不低于")
        where = f" at {', '.join(self.sites)}" if self.sites else ""
        where_zh = f"{'、'.join(self.sites)}的" if self.sites else ""
        each, each_zh = (", each site alone", "，各站点分别计算") if self.each_site else ("", "")
        share, counted = f"{100 * self.at_least:g} %", MEASURES[self.measure]
        return Said(
            f"{self.of} {least} {share} domestic{where}{each} (counted as {counted})",
            f"{where_zh}{PHASES_ZH[self.of]}国产份额{least_zh} {share}{each_zh}（口径：{counted.zh}）",
        )


@dataclass(frozen=True, slots=True)
class EndUse:
    """The chips may only run workloads whose end use is listed."""

    id: str
    chips: tuple[str, ...]
    allowed: tuple[str, ...]
    phases: tuple[Phase, ...] = ()  # also limit to these phases; empty: both
    authority: str = ""
    instrument: str = ""

    def words(self) -> Said:
        """Return the condition as a sentence."""
        phases = f", only {' and '.join(self.phases)}" if self.phases else ""
        phases_zh = f"，且仅限{'和'.join(PHASES_ZH[p] for p in self.phases)}" if self.phases else ""
        allowed, allowed_zh = ", ".join(self.allowed) or "no end use", "、".join(self.allowed) or "任何用途均不可"
        return Said(
            f"{', '.join(self.chips)} only for {allowed}{phases}",
            f"{'、'.join(self.chips)} 仅限用途：{allowed_zh}{phases_zh}",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The chips may only run at sites whose place is listed."""

    id: str
    chips: tuple[str, ...]
    allowed: tuple[str, ...]
    authority: str = ""
    instrument: str = ""

    def words(self) -> Said:
        """Return the condition as a sentence."""
        chips, allowed = ", ".join(self.chips), ", ".join(self.allowed) or "no place"
        return Said(f"{chips} only in {allowed}", f"{chips} 仅限地点：{'、'.join(self.allowed) or '无'}")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `cards` cards of the chips are used at the same time, all sites together."""

    id: str
    chips: tuple[str, ...]
    cards: float
    authority: str = ""
    instrument: str = ""

    def words(self) -> Said:
        """Return the condition as a sentence."""
        chips = ", ".join(self.chips)
        return Said(f"at most {self.cards:,.0f} of {chips}", f"{chips} 最多 {self.cards:,.0f} 张")


Condition = DomesticShare | EndUse | Place | Ceiling
_KINDS: Final = ("domestic-share", "end-use", "place", "ceiling")


def read(data: Sequence[Mapping[str, Any]], source: str) -> tuple[Condition, ...]:
    """Return the conditions of a TOML file's `[[condition]]` tables; UserError names file, condition and field."""
    found: dict[str, Condition] = {}
    for number, table in enumerate(data, 1):
        condition = _one(table, f"{source}: condition {table.get('id', number)}")
        if condition.id in found:
            raise UserError(f"{source}: condition {condition.id}: there are two of this id; give each its own")
        found[condition.id] = condition
    return tuple(found.values())


def _one(table: Mapping[str, Any], where: str) -> Condition:
    kind = str(table.get("kind", ""))
    if kind not in _KINDS:
        raise UserError(f"{where}: kind: {kind!r} is not one of {', '.join(_KINDS)}{nearest(kind, _KINDS)}")
    if not table.get("id"):
        raise UserError(f"{where}: id: is missing; give the condition a name to speak of it by")
    common = {
        "id": str(table["id"]),
        "authority": str(table.get("authority", "")),
        "instrument": str(table.get("instrument", "")),
    }
    fields = {
        "domestic-share": {"of", "at_least", "measure", "sites", "each_site", "strict"},
        "end-use": {"chips", "allowed", "phases"},
        "place": {"chips", "allowed"},
        "ceiling": {"chips", "cards"},
    }[kind]
    for name in table:
        if name not in fields | {"id", "kind", "authority", "instrument"}:
            raise UserError(f"{where}: {name}: no such field{nearest(name, fields)}")
    if kind == "domestic-share":
        return _share(table, where, common)
    chips = _strings(table, "chips", where)
    if not chips:
        raise UserError(f"{where}: chips: name at least one chip")
    if kind == "ceiling":
        cards = table.get("cards")
        if not isinstance(cards, int | float) or isinstance(cards, bool) or cards < 0:
            raise UserError(f"{where}: cards: must be a number of cards, not negative (got {cards!r})")
        return Ceiling(chips=chips, cards=float(cards), **common)
    allowed = _strings(table, "allowed", where)
    if kind == "place":
        return Place(chips=chips, allowed=allowed, **common)
    named = _strings(table, "phases", where)
    for phase in named:
        if phase not in PHASES:
            raise UserError(f"{where}: phases: {phase!r} is not one of {', '.join(PHASES)}{nearest(phase, PHASES)}")
    phases = tuple(phase for phase in PHASES if phase in named)
    return EndUse(chips=chips, allowed=allowed, phases=phases, **common)


def _share(table: Mapping[str, Any], where: str, common: dict[str, str]) -> DomesticShare:
    of, named = table.get("of"), table.get("measure")
    measure = next((one for one in MEASURES if one == named), None)
    if of not in PHASES:
        raise UserError(f"{where}: of: {of!r} is not one of {', '.join(PHASES)}")
    if named is None:
        raise UserError(f"{where}: measure: is missing; a share must say what it counts: {', '.join(MEASURES)}")
    if measure is None:
        raise UserError(
            f"{where}: measure: {named!r} is not one of {', '.join(MEASURES)}{nearest(str(named), MEASURES)}"
        )
    share = table.get("at_least")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= 1:
        raise UserError(f"{where}: at_least: must be a share between 0 and 1 (got {share!r}); 60 % is 0.6")
    strict = bool(table.get("strict", False))
    if strict and share == 1:
        raise UserError(f"{where}: at_least: more than all of it cannot be kept; leave strict out, or ask for less")
    sites = _strings(table, "sites", where)
    return DomesticShare(
        of=of,
        at_least=float(share),
        measure=measure,
        sites=sites,
        each_site=bool(table.get("each_site", False)),
        strict=strict,
        **common,
    )


def _strings(table: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UserError(f"{where}: {name}: must be a list of names (got {value!r})")
    return tuple(value)
