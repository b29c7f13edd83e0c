"""An authorisation as a bank statement: every movement with what was left after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import BigIntegerField, Case, F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from twokey.desk.actors import Actor
from twokey.desk.ledger.models import Authorisation, Entry
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.reasons import missing

SIZE: Final = 50
# What one unit of an entry does to what is left. A draw turns what was reserved into what is drawn: nothing changes.
_EFFECT: Final = {"reserve": -1, "draw": 0, "void": 1, "expire": 1, "return": 1, "adjust": -1}


@dataclass(frozen=True, slots=True)
class Line:
    """One movement: its amounts as written, what they did to what is left, and what was left afterwards.

    `units_left`, `value_left` and `uses_left` are None where the authorisation has no such limit; the value's
    tolerance is not counted in.
    """

    entry_id: int
    movement_id: int
    at: datetime
    kind: str
    shipment_id: int | None
    shipment: str
    units: int
    value_minor: int
    uses: int
    effect: int
    units_left: int | None
    value_left: int | None
    uses_left: int | None
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of a statement, newest first; `older` is the entry to go on from, None at the end."""

    authorisation: Authorisation
    lines: tuple[Line, ...]
    older: int | None


def statement(actor: Actor, authorisation_id: int, before: int | None = None) -> Statement:
    """Return 50 movements of an authorisation, before an entry where one is given; two queries.

    What is left is read with the movements in one snapshot, so the last line is the balance even while it moves.
    Raises `Refused` (404) where the actor does not see the authorisation.
    """
    authorisation = authorisations(actor).filter(pk=authorisation_id).first()
    if authorisation is None:
        raise missing("authorisation", authorisation_id)
    rows = list(
        _entries(authorisation.balance_id, before)
        .select_related("movement__shipment", "balance")
        .order_by("-pk")[: SIZE + 1]
    )
    return Statement(authorisation, tuple(_lines(rows[:SIZE])), rows[SIZE - 1].pk if len(rows) > SIZE else None)


def _entries(balance_id: int, before: int | None) -> QuerySet[Any]:
    """Return the entries of a balance, each with what all that came at or after `before` did to what is left."""
    rows = Entry.objects.filter(balance_id=balance_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    effect = Case(
        *(When(movement__kind=kind, then=Value(effect)) for kind, effect in _EFFECT.items()),
        output_field=IntegerField(),
    )
    newer = Entry.objects.filter(balance_id=OuterRef("balance_id"), pk__gte=before or 0).order_by().values("balance_id")

    def since(field: str) -> Coalesce:
        if before is None:
            return Coalesce(Value(0), Value(0), output_field=BigIntegerField())
        total = newer.annotate(total=Sum(F(field) * effect)).values("total")
        return Coalesce(Subquery(total), Value(0), output_field=BigIntegerField())

    return rows.annotate(units_since=since("units"), value_since=since("value_minor"), uses_since=since("uses"))


def _lines(rows: list[Any]) -> list[Line]:
    found: list[Line] = []
    if not rows:
        return found
    balance = rows[0].balance
    left = [
        None if cap is None else cap - reserved - drawn - since
        for cap, reserved, drawn, since in (
            (balance.units_cap, balance.units_reserved, balance.units_drawn, rows[0].units_since),
            (balance.value_cap, balance.value_reserved, balance.value_drawn, rows[0].value_since),
            (balance.uses_cap, balance.uses_reserved, balance.uses_drawn, rows[0].uses_since),
        )
    ]
    for row in rows:
        movement, effect = row.movement, _EFFECT[row.movement.kind]
        units_left, value_left, uses_left = left
        found.append(
            Line(
                row.pk,
                movement.pk,
                movement.at,
                movement.kind,
                movement.shipment_id,
                movement.shipment.number if movement.shipment else "",
                row.units,
                row.value_minor,
                row.uses,
                effect,
                units_left,
                value_left,
                uses_left,
                movement.actor,
                movement.reason,
            )
        )
        amounts = (row.units, row.value_minor, row.uses)
        left = [None if each is None else each - effect * amount for each, amount in zip(left, amounts, strict=True)]
    return found
