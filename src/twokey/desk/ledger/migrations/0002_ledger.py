"""The function that moves balances, its guard, and append-only history."""

from importlib.resources import files

from django.db import migrations

from twokey.desk.audit.append_only import append_only, keep, once

_SQL = files("twokey.desk.ledger") / "sql"


class Migration(migrations.Migration):
    """Functions and triggers of the ledger."""

    dependencies = [("ledger", "0001_initial"), ("audit", "0002_append_only"), ("cases", "0002_append_only")]
    operations = [
        migrations.RunSQL((_SQL / "move.sql").read_text(encoding="utf-8"), "DROP FUNCTION ledger_move, ledger_refuse"),
        migrations.RunSQL((_SQL / "guard.sql").read_text(encoding="utf-8"), "DROP FUNCTION ledger_guard CASCADE"),
        # Room on the page for the next version of a row that moves often.
        migrations.RunSQL("ALTER TABLE ledger_balance SET (fillfactor = 50)", migrations.RunSQL.noop),
        *append_only(
            [
                "ledger_movement",
                "ledger_conversion",
                "ledger_statechange",
                "ledger_release",
                "ledger_serialnumber",
                "ledger_arrival",
                "ledger_usagerow",
                "ledger_homeshipments",
                "ledger_exchangerate",
                "ledger_ratiocap",
                "ledger_authorisation",
            ]
        ),
        *keep(["ledger_balance", "ledger_condition", "ledger_adjustment", "ledger_shipment", "ledger_shipmentline"]),
        once("ledger_condition", "replaced_by_id", "NULL"),
        once("ledger_adjustment", "signed_by", "''"),
    ]
