"""The desk's own database role, logged in for real: it adds to history, and cannot change it or its guards."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from twokey.chips.errors import UserError
from twokey.desk import roles

DENIED = (psycopg.errors.InsufficientPrivilege,)
HISTORY = [
    *("audit_event", "audit_signeddocument", "audit_seal", "audit_leaf", "audit_witness"),
    *("cases_decision", "cases_countersignature", "cases_document", "cases_note", "parties_screening"),
    *("ledger_movement", "ledger_statechange", "ledger_release", "ledger_authorisation"),
]
NEW_BALANCE = (
    "INSERT INTO ledger_balance (kind, label, state, opens_at, currency, value_tolerance, units_reserved, units_drawn,"
    " value_reserved, value_drawn, uses_reserved, uses_drawn) VALUES ('authorisation', 'x', 'in_force',"
    " now() - interval '1 h', 'USD', 0, 0, 0, 0, 0, 0, 0) RETURNING id"
)
MOVE = "SELECT ledger_move('reserve', %s, 'd', NULL, ARRAY[%s]::bigint[], '{1}', '{1}', '{1}', NULL, 'x', '')"


@pytest.fixture
def desk() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection as the desk's web process has it; nothing that it does is kept."""
    with psycopg.connect(make_conninfo(os.environ["TWOKEY_OWNER_URL"], user=roles.ROLE)) as connection:
        yield connection
        connection.rollback()


def denied(desk: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
    with pytest.raises(DENIED), desk.transaction():
        desk.execute(statement)  # type: ignore[arg-type]


def test_every_table_that_a_trigger_keeps_is_denied_to_the_role(desk: psycopg.Connection[tuple[object, ...]]) -> None:
    tables = desk.execute(
        "SELECT relname FROM pg_class JOIN pg_trigger t ON tgrelid = pg_class.oid"
        " WHERE tgname = relname || '_append_only'"
    ).fetchall()
    names = {str(name) for (name,) in tables}
    assert names > set(HISTORY)
    for (table,) in tables:
        rights = desk.execute(
            "SELECT has_table_privilege(%s, 'UPDATE'), has_any_column_privilege(%s, 'UPDATE'),"
            " has_table_privilege(%s, 'DELETE'), has_table_privilege(%s, 'TRUNCATE'),"
            " has_table_privilege(%s, 'TRIGGER')",
            [table] * 5,
        ).fetchone()
        assert rights == (False,) * 5, table


def test_no_row_whose_state_moves_is_the_roles_to_remove(desk: psycopg.Connection[tuple[object, ...]]) -> None:
    tables = desk.execute(
        "SELECT relname FROM pg_class JOIN pg_trigger t ON tgrelid = pg_class.oid WHERE tgname = relname || '_kept'"
    ).fetchall()
    assert {"ledger_balance", "ledger_shipment", "cases_application"} <= {str(name) for (name,) in tables}
    for (table,) in tables:
        rights = desk.execute(
            "SELECT has_table_privilege(%s, 'DELETE'), has_table_privilege(%s, 'TRUNCATE')", [table] * 2
        ).fetchone()
        assert rights == (False, False), table


@pytest.mark.parametrize("table", HISTORY)
def test_the_role_cannot_change_history_or_take_its_guard_away(
    table: str, desk: psycopg.Connection[tuple[object, ...]]
) -> None:
    column = desk.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 LIMIT 1", (table,)
    ).fetchone()
    assert column is not None
    denied(desk, f"UPDATE {table} SET {column[0]} = {column[0]}")
    denied(desk, f"DELETE FROM {table}")
    denied(desk, f"TRUNCATE {table} CASCADE")
    denied(desk, f"DROP TRIGGER {table}_append_only ON {table}")
    denied(desk, f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    denied(desk, f"DROP TABLE {table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE postgres",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP FUNCTION ledger_guard() CASCADE",
        "ALTER FUNCTION ledger_guard() SECURITY DEFINER",
        "CREATE TABLE mine (id int)",
        "INSERT INTO ledger_movement (kind, key, digest, actor, reason, at, balances, units, value_minor, uses)"
        " VALUES ('draw', 'forged', '', '', '', now(), '{1}', '{1}', '{1}', '{1}')",
        "UPDATE ledger_balance SET units_drawn = 0",
        "UPDATE django_migrations SET name = name",
    ],
)
def test_the_role_has_no_way_around(statement: str, desk: psycopg.Connection[tuple[object, ...]]) -> None:
    desk.execute("SET twokey.moving = 'on'")  # what the trigger asks is not what keeps the counters
    denied(desk, statement)


def test_the_role_moves_balances_and_changes_states(desk: psycopg.Connection[tuple[object, ...]]) -> None:
    row = desk.execute(NEW_BALANCE).fetchone()
    assert row is not None
    assert desk.execute(MOVE, ("roles", row[0])).fetchone() is not None
    desk.execute("UPDATE ledger_balance SET state = 'suspended' WHERE id = %s", row)
    held = desk.execute("SELECT units_reserved FROM ledger_balance WHERE id = %s", row).fetchone()
    assert held == (1,)
    with pytest.raises(psycopg.errors.DatabaseError, match="refused"):
        desk.execute(MOVE, ("roles 2", row[0]))


def test_a_table_of_the_callers_cannot_stand_in_for_ours(desk: psycopg.Connection[tuple[object, ...]]) -> None:
    row = desk.execute(NEW_BALANCE).fetchone()
    assert row is not None
    desk.execute("CREATE TEMP TABLE ledger_balance (LIKE public.ledger_balance)")
    desk.execute(MOVE, ("roles", row[0]))
    held = desk.execute("SELECT units_reserved FROM public.ledger_balance WHERE id = %s", row).fetchone()
    assert held == (1,)


def test_the_desk_knows_whether_its_login_is_kept_from_history(desk: psycopg.Connection[tuple[object, ...]]) -> None:
    assert roles.limited(desk)
    with psycopg.connect(os.environ["TWOKEY_OWNER_URL"]) as owner:
        assert not roles.limited(owner)
        assert roles.granted(owner)
        owner.execute(sql.SQL("REVOKE ALL ON audit_event FROM {}").format(sql.Identifier(roles.ROLE)))
        assert not roles.granted(owner)
        owner.rollback()


def test_an_owner_that_cannot_make_the_function_is_told_what_to_grant() -> None:
    server = os.environ["TWOKEY_OWNER_URL"]
    with psycopg.connect(server, autocommit=True) as boss:
        boss.execute("CREATE ROLE plain_owner LOGIN")
        try:
            with psycopg.connect(make_conninfo(server, user="plain_owner"), autocommit=True) as owner:
                with pytest.raises(UserError, match=r'SET ON PARAMETER twokey\.moving TO "plain_owner"'):
                    roles.check_owner(owner)
                boss.execute("GRANT SET ON PARAMETER twokey.moving TO plain_owner")
                roles.check_owner(owner)
        finally:
            boss.execute("REVOKE SET ON PARAMETER twokey.moving FROM plain_owner")
            boss.execute("DROP ROLE plain_owner")
