"""An authorisation as a bank statement: every movement with what was left after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import BigIntegerField, Case, F, Func, IntegerField, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from twokey.desk.actors import Actor
from twokey.desk.ledger.models import Authorisation, Balance, Movement
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.reasons import missing

SIZE: Final = 50
# What one unit of a movement does to what is left. A draw turns what was reserved into what is drawn: nothing changes.
_EFFECT: Final = {"reserve": -1, "draw": 0, "void": 1, "expire": 1, "return": 1, "adjust": -1}


@dataclass(frozen=True, slots=True)
class Line:
    """One movement: its amounts as written, what they did to what is left, and what was left afterwards.

    `units_left`, `value_left` and `uses_left` are None where the authorisation has no such limit; the value's
    tolerance is not counted in.
    """

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
    """A page of a statement, newest first; `older` is the movement to go on from, None at the end."""

    authorisation: Authorisation
    lines: tuple[Line, ...]
    older: int | None


def statement(actor: Actor, authorisation_id: int, before: int | None = None) -> Statement:
    """Return 50 movements of an authorisation, before a movement where one is given.

    Two queries, and three to five small ones for what belongs to the authorisation, however many movements there are.
    What is left is read with the movements in one snapshot, so the last line is the balance even while it moves.
    Raises `Refused` (404) where the actor does not see the authorisation.
    """
    authorisation = authorisations(actor).filter(pk=authorisation_id).first()
    if authorisation is None:
        raise missing("authorisation", authorisation_id)
    rows = list(_movements(authorisation.balance_id, before).select_related("shipment").order_by("-pk")[: SIZE + 1])
    return Statement(authorisation, tuple(_lines(rows[:SIZE])), rows[SIZE - 1].pk if len(rows) > SIZE else None)


def _amount(field: str, balance_id: int) -> Func:
    """Return the amount of a movement on one balance: what stands in `field` where `balances` names it."""
    place = Func(F("balances"), Value(balance_id), function="array_position", output_field=IntegerField())
    return Func(
        F(field), place, template="((%(expressions)s])", arg_joiner=")[", output_field=BigIntegerField()
    )  # (field)[place]


def _movements(balance_id: int, before: int | None) -> QuerySet[Any]:
    """Return the movements of a balance with its limits, and what all since `before` did to what is left."""
    rows = Movement.objects.filter(balances__contains=[balance_id])
    newer = rows.filter(pk__gte=before) if before is not None else rows.none()
    effect = Case(
        *(When(kind=kind, then=Value(effect)) for kind, effect in _EFFECT.items()), output_field=IntegerField()
    )
    every = newer.order_by().annotate(one=Value(1)).values("one")

    def since(field: str) -> Coalesce:
        if before is None:
            return Coalesce(Value(0), Value(0), output_field=BigIntegerField())
        total = every.annotate(total=Sum(_amount(field, balance_id) * effect)).values("total")
        return Coalesce(Subquery(total), Value(0), output_field=BigIntegerField())

    balance = Balance.objects.filter(pk=balance_id)
    return (rows.filter(pk__lt=before) if before is not None else rows).annotate(
        **{f"{field}_here": _amount(field, balance_id) for field in ("units", "value_minor", "uses")},
        **{f"{field}_since": since(field) for field in ("units", "value_minor", "uses")},
        **{
            field: Subquery(balance.values(field)[:1])
            for sort in ("units", "value", "uses")
            for field in (f"{sort}_cap", f"{sort}_reserved", f"{sort}_drawn")
        },
    )


def _lines(rows: list[Any]) -> list[Line]:
    found: list[Line] = []
    if not rows:
        return found
    last = rows[0]
    left = [
        None if cap is None else cap - reserved - drawn - since
        for cap, reserved, drawn, since in (
            (last.units_cap, last.units_reserved, last.units_drawn, last.units_since),
            (last.value_cap, last.value_reserved, last.value_drawn, last.value_minor_since),
            (last.uses_cap, last.uses_reserved, last.uses_drawn, last.uses_since),
        )
    ]
    for row in rows:
        effect = _EFFECT[row.kind]
        units, value, uses = amounts = (row.units_here, row.value_minor_here, row.uses_here)
        units_left, value_left, uses_left = left
        found.append(
            Line(
                row.pk,
                row.at,
                row.kind,
                row.shipment_id,
                row.shipment.number if row.shipment else "",
                units,
                value,
                uses,
                effect,
                units_left,
                value_left,
                uses_left,
                row.actor,
                row.reason,
            )
        )
        left = [None if each is None else each - effect * amount for each, amount in zip(left, amounts, strict=True)]
    return found
