"""Database triggers that make history append-only: a row that was written is never changed and never removed."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: it takes no %', TG_TABLE_NAME, TG_OP USING ERRCODE = 'TK403';
END $$;
"""


def function() -> migrations.RunSQL:
    """Create the function that the triggers call."""
    return migrations.RunSQL(FUNCTION, "DROP FUNCTION IF EXISTS audit_refuse()")


def append_only(tables: Iterable[str]) -> list[migrations.RunSQL]:
    """Refuse UPDATE, DELETE and TRUNCATE on the tables."""
    return [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
            f"DROP TRIGGER {table}_append_only ON {table}",
        )
        for table in tables
    ]


def keep(tables: Iterable[str]) -> list[migrations.RunSQL]:
    """Refuse DELETE and TRUNCATE on tables whose rows have a state that moves."""
    return [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
            f"DROP TRIGGER {table}_kept ON {table}",
        )
        for table in tables
    ]


def once(table: str, column: str, empty: str) -> migrations.RunSQL:
    """Refuse any UPDATE of a row once `column` has left its empty value: it was signed, answered or withdrawn."""
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_once BEFORE UPDATE ON {table} FOR EACH ROW "
        f"WHEN (OLD.{column} IS DISTINCT FROM {empty}) EXECUTE FUNCTION audit_refuse()",
        f"DROP TRIGGER {table}_once ON {table}",
    )
