"""Movements at less cost: the limits stand in the guard of the counters, and a draw no longer sets up the tests of a reservation."""

from importlib.resources import files

from django.db import migrations

_SQL = files("twokey.desk.ledger") / "sql"


class Migration(migrations.Migration):
    """The guard with the limits in it comes before the CHECK goes."""

    dependencies = [("ledger", "0002_ledger")]
    operations = [
        migrations.RunSQL((_SQL / "move.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.RunSQL((_SQL / "guard.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.RemoveConstraint("balance", "balance_within_limits"),
    ]
