"""What of every open order is still to move, and how each key stands: the book whose exposure the outlook reads.

Read only, one query for a book of any size. An order is open while an application of it is open, or an authorisation of
it in force; the lines that moved in full are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from twokey.desk.actors import Actor
from twokey.desk.cases.models import Application, OrderLine
from twokey.desk.cases.reviewing import orders
from twokey.desk.cases.states import OPEN
from twokey.desk.ledger.models import Authorisation, Balance, Shipment, ShipmentLine

KeyState = Literal["turned", "pending", "closed"]
SIDES: Final = ("export", "import")
_MOVED: Final = (Shipment.State.RELEASED, Shipment.State.SHIPPED, Shipment.State.DELIVERED)
_PORTION: Final = 2_000


@dataclass(frozen=True, slots=True)
class OpenLine:
    """One line of an open order; fields and their order are those of the book that `twokey outlook exposure` reads."""

    order: str
    party: str
    chip: str
    units: int  # still to move
    value_minor: int
    currency: str
    export_key: KeyState
    import_key: KeyState
    due: date  # the first day on which an authorisation of the line ends, else the day that was given


def open_lines(actor: Actor, on: date, due: date) -> Iterator[OpenLine]:
    """Yield what is still to move of every open order that the actor may see, the newest order first.

    `on` is the day on which an authorisation must be in force; `due` stands for lines that have none.
    """
    mine = orders(actor).order_by().values("pk")
    rows = OrderLine.objects.filter(order__in=mine).annotate(
        **_keys(on),
        ends=Subquery(_in_force(on).order_by().values("line").annotate(first=Min("valid_until")).values("first")),
        units_moved=Coalesce(_moved("units"), 0),
        value_moved=Coalesce(_moved("value_minor"), 0),
    )
    asked = Q(*((f"{side}_{state}", True) for side in SIDES for state in ("turned", "pending")), _connector=Q.OR)
    for row in (
        rows.filter(asked, units__gt=F("units_moved"))
        .order_by("-order_id", "position")
        .values(
            "order__number", "order__importer__name", "order__importer__name_latin", "order__currency", "chip",
            "units", "value_minor", "units_moved", "value_moved", "ends",
            *(f"{side}_{state}" for side in SIDES for state in ("turned", "pending")),
        )
        .iterator(chunk_size=_PORTION)
    ):  # fmt: skip
        yield OpenLine(
            row["order__number"],
            row["order__importer__name_latin"] or row["order__importer__name"],
            row["chip"],
            row["units"] - row["units_moved"],
            max(0, row["value_minor"] - row["value_moved"]),
            row["order__currency"],
            _state(row, "export"),
            _state(row, "import"),
            row["ends"] or due,
        )


def _state(row: dict[str, Any], side: str) -> KeyState:
    return "turned" if row[f"{side}_turned"] else "pending" if row[f"{side}_pending"] else "closed"


def _in_force(on: date) -> QuerySet[Authorisation]:
    return Authorisation.objects.filter(line=OuterRef("pk"), balance__state=Balance.State.IN_FORCE, valid_until__gte=on)


def _keys(on: date) -> dict[str, Exists]:
    """Return, for each side, whether its key is turned for a line and whether an application waits for it."""
    waiting = Application.objects.filter(order=OuterRef("order"), state__in=OPEN)
    turned = {f"{side}_turned": Exists(_in_force(on).filter(authority__side=side)) for side in SIDES}
    return turned | {f"{side}_pending": Exists(waiting.filter(authority__side=side)) for side in SIDES}


def _moved(field: str) -> Subquery:
    """Return the units, or the value, of a line that were released."""
    lines = ShipmentLine.objects.filter(line=OuterRef("pk"), shipment__state__in=_MOVED).order_by()
    return Subquery(lines.values("line").annotate(all=Sum(field)).values("all"))
