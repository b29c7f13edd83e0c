"""A key turned at another desk, as this desk knows it: the newest statement of its authority that still stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from twokey.desk.audit.models import Received
from twokey.desk.cases.models import OrderLine
from twokey.desk.ledger.models import ShipmentLine
from twokey.desk.reasons import Reason, reason

STATEMENT: Final = "twokey.authorisation/1"
STATE: Final = "twokey.state/1"


def newest(number: str) -> Received | None:
    """Return the newest word of another desk about one of its authorisations: a statement, or a change of state."""
    return Received.objects.filter(kind__in=[STATEMENT, STATE], number=number).order_by("-said_at", "-pk").first()


def state_of(word: Received) -> str:
    """Return the state of an authorisation that a statement or a change of state names."""
    return str(word.body["state"] if word.kind == STATEMENT else word.body["after"])


def statements_of(order: str) -> list[Received]:
    """Return what other desks state of an order (its number), the newest first, where the authorisation is in force.

    One query where nothing was said of the order, two otherwise.
    """
    said = list(Received.objects.filter(kind=STATEMENT, order=order).order_by("-said_at", "-pk"))
    if not said:
        return []
    last: dict[str, Received] = {}
    words = Received.objects.filter(kind__in=[STATEMENT, STATE], number__in={each.number for each in said})
    for word in words.order_by("-said_at", "-pk"):
        last.setdefault(word.number, word)
    return [each for each in said if state_of(last[each.number]) == "in_force"]


def that_permit(statements: Iterable[Received], line: OrderLine, side: str) -> list[Received]:
    """Return those of an order's statements that permit a line, each authorisation once, the newest first."""
    found: dict[str, Received] = {}
    for row in statements:
        if row.body["side"] == side and row.body["position"] == line.position and row.body["item"] == line.chip:
            found.setdefault(row.number, row)
    return list(found.values())


def statements_for(line: OrderLine, side: str) -> list[Received]:
    """Return the newest statement of each other desk's authorisation that permits a line and is in force."""
    return that_permit(statements_of(line.order.number), line, side)


def foreign_reasons(
    statements: Iterable[Received], line: OrderLine, side: str, place: str, units: int, on: date
) -> list[Reason]:
    """Return why no other desk's statement lets units of a line move to a place today; empty where one does.

    What is left of it only its own desk knows; that desk draws before it signs.
    """
    rows = that_permit(statements, line, side)
    if not rows:
        return [reason("no_authorisation", line=line.position, side=side)]
    said = rows[0].body
    found = []
    if place not in said["places"]:
        found.append(reason("wrong_place", label=rows[0].number, places=", ".join(said["places"]), place=place))
    if not said["valid_from"] <= on.isoformat() <= said["valid_until"]:
        found.append(
            reason("expired" if on.isoformat() > said["valid_until"] else "not_yet_open", label=rows[0].number)
        )
    if units > said["units"]:
        found.append(reason("units_exhausted", label=rows[0].number))
    return found


def foreign_of(statements: Sequence[Received], lines: Iterable[ShipmentLine], side: str) -> list[dict[str, Any]]:
    """Return what other desks say of the lines that have no authorisation of this desk on a side; each number once."""
    said: dict[str, dict[str, Any]] = {}
    for line in lines:
        if getattr(line, f"{side}_authorisation_id") is None:
            for row in that_permit(statements, line.line, side)[:1]:
                said[row.number] = row.body
    return list(said.values())
