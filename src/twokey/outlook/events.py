"""Dated policy events of a scenario: what each act means, which fields it takes, and when two contradict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from twokey.chips.errors import UserError, nearest

CLOSING: Final = frozenset({"ban"})
OPENING: Final = frozenset({"licence", "unrestricted", "case_by_case", "open"})


@dataclass(frozen=True, slots=True)
class Act:
    """A kind of event: the keys that can do it, its required and optional numbers with their ranges, in words."""

    keys: tuple[str, ...]
    required: Mapping[str, tuple[float, float]]
    optional: Mapping[str, tuple[float, float]]
    says: str
    says_zh: str


_UNITS: Final = (0.0, 1e9)
_SHARE: Final = (0.0, 1.0)
ACTS: Final[dict[str, Act]] = {
    "ban": Act(("export", "import"), {}, {}, "the key is closed", "钥匙关闭"),
    "licence": Act(("export",), {}, {"units": _UNITS, "fee": _SHARE}, "open by licence, up to `units`", "凭许可出口"),
    "unrestricted": Act(("export",), {}, {}, "open without licence or cap", "无许可、无上限"),
    "case_by_case": Act(("import",), {}, {}, "open; approvals come in batches", "逐案审批，分批批准"),
    "open": Act(("import",), {}, {}, "open without approval", "无需批准"),
    "batch": Act(("import",), {"units": _UNITS}, {}, "a batch of `units` is approved", "批准一批"),
    "total_cap": Act(("export", "import"), {"units": _UNITS}, {}, "no more than `units` in all", "总量上限"),
    "per_buyer_cap": Act(
        ("export",),
        {"units": _UNITS, "buyers": (1, 1e6)},
        {},
        "no more than `units` for each of `buyers`",
        "每买家上限",
    ),
    "ratio_cap": Act(("export",), {"ratio": (0.0, 10.0)}, {}, "no more than `ratio` of home sales", "本国销量比例上限"),
    "tariff": Act(("export", "import"), {"rate": (0.0, 5.0)}, {}, "a duty of `rate` of value", "关税"),
    "fee": Act(("export",), {"rate": _SHARE}, {}, "a share of revenue is paid", "收入分成"),
    "domestic_share": Act(("import",), {"share": _SHARE}, {}, "at least `share` must be domestic", "国产比例要求"),
    "location": Act(
        ("import",), {"share": _SHARE}, {}, "`share` of units must stay outside the mainland", "须留在境外的比例"
    ),
    "slow_licence": Act(("export",), {"weeks": (0.0, 520.0)}, {}, "each licence takes `weeks` longer", "许可延长"),
    "location_verification": Act(
        ("export",),
        {"weeks": (0.0, 520.0)},
        {},
        "chips carry location checks; inspection takes `weeks` longer",
        "位置验证",
    ),
    "equipment_controls": Act(
        ("export",), {}, {}, "domestic logic and memory stop growing", "设备管制，国产产能停止增长"
    ),
}
_COMMON: Final = frozenset({"date", "until", "hold", "key", "act", "chip", "source", "note", "note_zh", "confidence"})


@dataclass(frozen=True, slots=True)
class Event:
    """One dated act. It fixes what it says from `date`; `until` (or `hold`, to the horizon) keeps chance out."""

    date: dt.date
    key: str
    act: str
    numbers: Mapping[str, float]
    until: dt.date | None
    hold: bool
    chip: str
    sources: tuple[str, ...]
    note: str
    line: int
    place: str = ""

    @property
    def closes(self) -> bool:
        """Whether the act closes its key."""
        return self.act in CLOSING

    @property
    def opens(self) -> bool:
        """Whether the act opens its key."""
        return self.act in OPENING or self.act == "batch"


def read_event(raw: Mapping[str, Any], place: str, line: int, field_line: Mapping[str, int]) -> Event:
    """Read one `[[event]]` table; every mistake is a `UserError` that names file and line."""

    def fail(field: str, text: str) -> UserError:
        return UserError(f"{place} line {field_line.get(field, line)}: event {field}: {text}")

    for field in ("date", "key", "act"):
        if field not in raw:
            raise UserError(f"{place} line {line}: event has no {field}; it needs date, key and act")
    when, key, name = raw["date"], raw["key"], raw["act"]
    if type(when) is not date:
        raise fail("date", f"{when!r} is not a date; write it as 2026-01-28, without quotes")
    if key not in ("export", "import"):
        raise fail("key", f"{key!r} is no key; it is export or import")
    if not isinstance(name, str) or name not in ACTS:
        raise fail("act", f"unknown act {name!r}{nearest(str(name), ACTS)}; known acts: {', '.join(ACTS)}")
    act = ACTS[name]
    if key not in act.keys:
        raise fail("key", f"{key!r} cannot do {name!r}; it is an act of the {' or '.join(act.keys)} key")
    allowed = {**act.required, **act.optional}
    for field in raw:
        if field not in allowed and field not in _COMMON:
            raise fail(field, f"{name!r} has no such field{nearest(field, [*allowed, *_COMMON])}")
    numbers: dict[str, float] = {}
    for field, (low, high) in allowed.items():
        if field not in raw:
            if field in act.required:
                raise UserError(f"{place} line {line}: act {name!r} needs {field} ({act.says})")
            continue
        value = raw[field]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise fail(field, f"{value!r} must be a number from {low:g} to {high:g}")
        numbers[field] = float(value)
    until = raw.get("until")
    if until is not None and type(until) is not date:
        raise fail("until", f"{until!r} is not a date; write it as 2026-06-30, without quotes")
    if until is not None and until <= when:
        raise fail("until", f"{until} is not after date {when}")
    hold = raw.get("hold", False)
    if not isinstance(hold, bool) or (hold and until is not None):
        raise fail("hold", "must be true or false, and not beside until")
    source = raw.get("source", ())
    return Event(
        when, key, name, numbers, until, hold, str(raw.get("chip", "")),
        (source,) if isinstance(source, str) else tuple(source), str(raw.get("note", "")), line, place,
    )  # fmt: skip


def in_order(events: Sequence[Event]) -> None:
    """Raise `UserError` where the dates of a file run backwards."""
    for earlier, later in pairwise(events):
        if later.date < earlier.date:
            raise UserError(
                f"{later.place} line {later.line}: dates out of order: {later.date} stands after {earlier.date} "
                f"(line {earlier.line}); list events from old to new"
            )


def contradictions(events: Sequence[Event]) -> None:
    """Raise `UserError` where two events say opposite things of one key on one day."""
    for i, first in enumerate(events):
        for second in events[i + 1 :]:
            if first.key == second.key and (clash := _clash(first, second)):
                raise UserError(
                    f"{second.place} line {second.line}: contradicts {first.place} line {first.line}: {clash}; "
                    "remove one, "
                    "or end the first with `until`"
                )


def _clash(first: Event, second: Event) -> str:
    first_end = date.max if first.hold else first.until or first.date
    if second.date > first_end:
        return ""
    if (first.closes and second.opens) or (first.opens and second.closes):
        word = "open" if first.opens else "closed"
        span = f"from {first.date} " + ("to the horizon" if first.hold else f"until {first.until}")
        held = span if first.hold or first.until else f"on {first.date}"
        return f"the {first.key} key is {word} {held} by {first.act!r}, and {second.act!r} on {second.date} turns it"
    same_day = first.act == second.act != "batch" and first.date == second.date
    if same_day and first.numbers != second.numbers:
        return f"two {first.act!r} on {first.date} with different numbers"
    return ""
