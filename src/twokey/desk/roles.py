"""The role that the desk runs as: it can add to history, and can neither change it nor take its guards away.

Migrations run as the owner of the tables. Web, worker and command line run as `twokey_desk`, which owns nothing: no
trigger can be dropped or disabled by it, history takes no UPDATE or DELETE from it, a movement is written only through
`ledger_move`, and so are the counters of a balance. What is history is read from the triggers that say so.
"""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql

from twokey.chips.errors import UserError

ROLE: Final = "twokey_desk"
_COUNTERS: Final = (
    "units_reserved",
    "units_drawn",
    "value_reserved",
    "value_drawn",
    "uses_reserved",
    "uses_drawn",
)
_HISTORY: Final = """
    SELECT c.relname, bool_or(t.tgname = c.relname || '_append_only'), bool_or(t.tgname = c.relname || '_kept')
      FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
     GROUP BY c.relname ORDER BY c.relname
"""


def make_role(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make the role on an embedded server, where local connections are trusted."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
        try:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # another process was quicker
            connection.rollback()


def check_owner(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Refuse an owner that cannot make `ledger_move`, before a migration stops half-way.

    The function sets a parameter of its own, by which the guard of the counters knows it; PostgreSQL lets a superuser
    make such a function, and whomever a superuser granted the parameter to. Errors: UserError with what to grant.
    """
    row = connection.execute("SELECT has_parameter_privilege('twokey.moving', 'SET'), current_user").fetchone()
    if row is None or not row[0]:
        owner = row[1] if row else "OWNER"
        raise UserError(
            f"the owner of the tables, {owner}, may not make the ledger's function; run once on this server, as a "
            f'superuser: GRANT SET ON PARAMETER twokey.moving TO "{owner}"'
        )


def granted(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Say whether there is nothing to grant: the role has its rights, or the server has no such role."""
    row = connection.execute(
        "SELECT coalesce((SELECT has_table_privilege(oid, 'audit_event', 'INSERT') FROM pg_roles WHERE rolname = %s), "
        "true)",
        (ROLE,),
    ).fetchone()
    return bool(row and row[0])


def grant(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Give the role, where the server has it, its rights on every table: what the table's triggers leave possible."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
        return
    role = sql.Identifier(ROLE)
    connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(role))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    connection.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
    for table, append_only, kept in connection.execute(_HISTORY).fetchall():
        rights = (
            "SELECT, INSERT"
            if append_only
            else "SELECT, INSERT, UPDATE"
            if kept
            else ("SELECT, INSERT, UPDATE, DELETE")
        )
        if table in {"django_migrations", "ledger_movement"}:
            rights = "SELECT"
        if table == "ledger_balance":
            rights = f"SELECT, INSERT, UPDATE ({', '.join(_columns(connection, str(table)))})"
        connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(str(table)), role))


def limited(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Say whether the caller's own role is kept from changing history by the database itself."""
    row = connection.execute(
        "SELECT has_table_privilege('ledger_movement', 'UPDATE, DELETE, INSERT') "
        "OR pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'ledger_movement'::regclass), 'MEMBER')"
    ).fetchone()
    return not (row and row[0])


def _columns(connection: psycopg.Connection[tuple[object, ...]], table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (table,)
    )
    return [str(name) for (name,) in rows.fetchall() if name not in _COUNTERS]
