"""What a turn of either key does to *these* orders: the desk's open book against the paths of a scenario."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from twokey.chips.errors import UserError
from twokey.outlook.model import simulate
from twokey.outlook.scenario import Scenario
from twokey.outlook.sources import find_chip
from twokey.outlook.timeline import build

COLUMNS: Final = ("order", "party", "chip", "units", "value_minor", "currency", "export_key", "import_key", "due")
Flags = npt.NDArray[np.bool_]
KEY_STATES: Final = ("turned", "pending", "closed")


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the open book, as the desk exports it; `value_minor` is in minor units (cents) of `currency`."""

    order: str
    party: str
    chip: str
    units: int
    value_minor: int
    currency: str
    export_key: str  # turned, pending, closed
    import_key: str
    due: date
    place: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """One order's risk up to its due day: that each key turns against it, and that it moves in time."""

    order: Order
    p_export_closes: float  # at least once before the due day
    p_import_closes: float
    p_both_open_at_due: float
    p_moves: float  # both keys are open together for `travel` weeks before the due day
    units_at_risk: float
    value_at_risk_minor: int


def read_book(file: Path) -> list[Order]:
    """Read an open book: CSV with the columns of `COLUMNS`, or JSON, a list of objects (or {"orders": [...]}).

    Raises:
        UserError: a column, a number, a date, a chip or a state is not what it must be; file and line are given.

    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; `twokey order book --out FILE` writes the open book") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file}: cannot be read ({type(error).__name__}); export the open book as CSV or JSON"
        ) from None
    if file.suffix.casefold() == ".json":
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(f"{file}: line {error.lineno}: not valid JSON: {error.msg}") from None
        rows = raw.get("orders") if isinstance(raw, dict) else raw
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f'{file}: must be a list of orders, or {{"orders": [...]}}')
        return [_order(row, f"{file} order {n}") for n, row in enumerate(rows, 1)]
    reader = csv.DictReader(text.splitlines())
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
    if missing:
        raise UserError(f"{file}: line 1: no column {', '.join(missing)}; an open book has {', '.join(COLUMNS)}")
    return [_order(row, f"{file} line {reader.line_num}") for row in reader]


def _order(row: Mapping[str, Any], place: str) -> Order:
    def whole(name: str) -> int:
        text = str(row.get(name, "")).strip()
        if not text.isdigit():
            raise UserError(f"{place}: {name} {text!r} must be a whole number, without separators")
        return int(text)

    chip = str(row.get("chip", ""))
    try:
        named = find_chip(chip).name
    except UserError as error:
        raise UserError(f"{place}: {error}") from None
    states = [str(row.get(name, "")).strip() for name in ("export_key", "import_key")]
    for name, given in zip(("export_key", "import_key"), states, strict=True):
        if given not in KEY_STATES:
            raise UserError(f"{place}: {name} {given!r} must be one of {', '.join(KEY_STATES)}")
    try:
        due = date.fromisoformat(str(row.get("due", "")))
    except ValueError:
        raise UserError(f"{place}: due {row.get('due')!r} is not a date like 2026-06-30") from None
    return Order(
        str(row.get("order", "")),
        str(row.get("party", "")),
        named,
        whole("units"),
        whole("value_minor"),
        str(row.get("currency", "USD")),
        states[0],
        states[1],
        due,
        place,
    )


def exposure(
    scenario: Scenario, book: Sequence[Order], *, travel_weeks: float = 6.0, workers: int = 1
) -> list[Exposure]:
    """Put each order against the scenario's paths.

    A key that was turned for the order counts as open until the path closes it. One that was not must first have been
    open for as long as a licence (export) or a batch (import) takes on that path, except where no licence or approval
    is asked for. An order moves where both have been open together for `travel_weeks` before its due day.

    Raises:
        UserError: an order is due before the scenario starts or after its horizon.

    """
    ends, line = scenario.quarters * 13, build(scenario)
    keys: list[tuple[Flags, Flags, Flags, Flags]] = []
    for block in simulate(scenario, workers):
        licence, batch = (block.inputs[name] / scenario.step_weeks for name in ("licence_weeks", "batch_weeks"))
        pending = _asked(block.us, line.us_free, licence), _asked(block.cn, line.cn_free, batch)
        keys.append((block.us, block.cn, *pending))
    us, cn, us_asked, cn_asked = (np.concatenate(parts, axis=1) for parts in zip(*keys, strict=True))
    found = []
    for order in book:
        weeks = (order.due - scenario.as_of).days / 7
        if not 0 <= weeks <= ends:
            raise UserError(
                f"{order.place}: due {order.due} is outside the scenario ({scenario.as_of} and {scenario.quarters} "
                "quarters on); choose another scenario or --quarters"
            )
        steps = max(1, min(len(us), round(weeks / scenario.step_weeks)))
        seen, asked = (us[:steps], cn[:steps]), (us_asked[:steps], cn_asked[:steps])
        found.append(_one(order, seen, asked, travel_weeks / scenario.step_weeks))
    return found


def _asked(flags: Flags, free: Flags, wait: npt.NDArray[np.float64]) -> Flags:
    """Return where a key is open for who has yet to ask: after `wait` open steps, or where nobody has to ask."""
    return np.asarray(flags & (free[:, None] | (np.cumsum(flags, axis=0) > wait)))


def _one(order: Order, seen: tuple[Flags, Flags], asked: tuple[Flags, Flags], travel: float) -> Exposure:
    # A key already turned for this order holds from the start until the first step at which the path closes it.
    us, cn = seen
    us_open = asked[0] if order.export_key != "turned" else _held(us)
    cn_open = asked[1] if order.import_key != "turned" else _held(cn)
    together = (us_open & cn_open).sum(axis=0)
    moves = float(np.mean(together >= min(travel, len(us))))
    at_risk = 1 - moves
    return Exposure(
        order,
        float(np.mean((~us).any(axis=0))),
        float(np.mean((~cn).any(axis=0))),
        float(np.mean(us[-1] & cn[-1])),
        moves,
        order.units * at_risk,
        round(order.value_minor * at_risk),
    )


def _held(flags: Flags) -> Flags:
    return np.asarray(np.logical_or(flags, np.arange(len(flags))[:, None] == 0))
