"""Movements at less cost: fewer expressions a movement to set up, the refusal in a function of its own."""

from importlib.resources import files

from django.db import migrations

_SQL = files("twokey.desk.ledger") / "sql"


class Migration(migrations.Migration):
    """The function and its guard anew; both are written so that they replace what is there."""

    dependencies = [("ledger", "0004_page_indexes")]
    operations = [
        migrations.RunSQL((_SQL / name).read_text(encoding="utf-8"), migrations.RunSQL.noop)
        for name in ("move.sql", "guard.sql")
    ]
