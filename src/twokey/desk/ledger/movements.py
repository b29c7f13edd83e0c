"""The one function that every door calls to move balances: it hands the whole question to the database, once."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from django.db import DatabaseError, connection, transaction

from twokey.desk.reasons import Reason, Refused, reason, sentences

_CALL: Final = "SELECT ledger_move(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"

_RESOLVES: Final = frozenset({"draw", "void", "expire"})
_REFUSED: Final = "TK409"
_NOT_UNIQUE: Final = "23505"
_BELOW_ZERO: Final = "23514"


@dataclass(frozen=True, slots=True)
class Amount:
    """What one movement asks of one balance: units, value in the balance's minor currency, uses."""

    balance_id: int
    units: int
    value_minor: int
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement that happened. `repeated`: it had happened before under the same key, and nothing moved now."""

    movement_id: int
    repeated: bool
    crossings: tuple[tuple[int, int], ...]  # (balance id, per cent passed): 80, 90, 95, 100


def move(
    kind: str,
    key: str,
    *,
    amounts: Sequence[Amount] = (),
    of: int | None = None,
    shipment_id: int | None = None,
    actor: str,
    why: str = "",
) -> Moved:
    """Reserve, draw, void, expire, return or adjust, on all balances or on none.

    `amounts` names each balance once (reserve, return, adjust); draw, void and expire take the amounts of the
    reservation `of`. `key` makes the movement happen once however often it is asked for. Raises `Refused` with the
    reasons of every balance that did not allow it. One statement, one round trip; the database locks the balances in
    the order of their ids and tests state, dates, units, value, uses and ceilings in one UPDATE.
    """
    lines = sorted((each.balance_id, each.units, each.value_minor, each.uses) for each in amounts)
    # As PostgreSQL's own text of an array: a list would be adapted element by element, which costs more than the call.
    columns = tuple(f"{{{','.join(map(str, column))}}}" for column in zip(*lines, strict=True)) or (None,) * 4
    digest = hashlib.sha256(f"{kind}|{of}|{shipment_id}|{lines}".encode()).hexdigest()
    arguments = (kind, key, digest, of, *columns, shipment_id, actor, why[:300])
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                answer = _call(arguments)
        else:
            answer = _call(arguments)
    except DatabaseError as error:
        before = _before(key, digest, error)
        if before is None:
            raise _refusal(kind, error) from error
        return before
    return Moved(answer[0], False, tuple(_crossings(answer[1:])))


class _Cursors(threading.local):
    """The cursor of each thread: it keeps what it learnt about its arguments, which a new one learns for every call."""

    last: psycopg.Cursor[tuple[list[int]]] | None = None

    def on(self, server: psycopg.Connection[tuple[list[int]]]) -> psycopg.Cursor[tuple[list[int]]]:
        """Return the cursor of the thread's connection, made anew where that is another than before."""
        if self.last is None or self.last.connection is not server:
            self.last = psycopg.Cursor(server)
        return self.last


_CURSORS: Final = _Cursors()


def _call(arguments: tuple[Any, ...]) -> list[int]:
    """Run the one statement, prepared on the server: parsing and planning it anew would cost a fifth of a movement."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        ((answer,),) = _CURSORS.on(connection.connection).execute(_CALL, arguments, prepare=True).fetchall()
    return answer


def _before(key: str, digest: str, error: DatabaseError) -> Moved | None:
    """Return what the same key did before, where that is why it was refused now."""
    if getattr(error.__cause__, "sqlstate", None) not in {_REFUSED, _NOT_UNIQUE, _BELOW_ZERO}:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, digest FROM ledger_movement WHERE key = %s", [key])
        row = cursor.fetchone()
    if row is None:
        return None
    if row[1] != digest:
        raise Refused(reason("key_reused")) from error
    return Moved(int(row[0]), True, ())


def _refusal(kind: str, error: DatabaseError) -> Exception:
    """Turn the database's refusal into reasons; anything else stays the error that it is."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return error
    state = cause.sqlstate
    if state == _REFUSED:
        detail = json.loads(cause.diag.message_detail or "null") or [{"code": "busy"}]
        return Refused(*(_reason(each) for each in detail))
    if state == _NOT_UNIQUE:  # the same key arrived twice at the same moment, on other balances
        constraint = str(cause.diag.constraint_name)
        return Refused(reason("already_resolved" if "resolved_once" in constraint else "key_reused"))
    if state == _BELOW_ZERO:  # a reservation whose amounts are no longer held was resolved meanwhile
        return Refused(reason("already_resolved" if kind in _RESOLVES else "more_than_drawn"))
    return error


def _reason(each: dict[str, Any]) -> Reason:
    code = each["code"] if each["code"] in sentences() else "busy"
    return reason(code, **{name: value for name, value in each.items() if name != "code"})


def _crossings(after: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the steps newly reached, from seven numbers a balance (see `move.sql`)."""
    from twokey.desk.ledger.posture import crossed

    found = set()
    for start in range(0, len(after), 7):
        balance_id, units_cap, units, units_moved, value_cap, value, value_moved = after[start : start + 7]
        for cap, used, moved in ((units_cap, units, units_moved), (value_cap, value, value_moved)):
            if cap is None:
                continue
            step = crossed(cap, (used or 0) - (moved or 0), used or 0)
            if step is not None:
                found.add((balance_id or 0, step))
    return sorted(found)
