"""Fill a desk that holds the founding case with invented rows in every table that a page reads.

The rows are written by the database itself, past the services and the triggers, for the time. Nothing here is true;
sizes and shares are: each order has a case on both keys, and what a case of its state has behind it. For N cases:

| table | rows | | table | rows |
|---|---|---|---|---|
| orders, items | N/2, N | | batches, with shares | N/500, 3 each |
| parties of orders | 2 N | | shipments, releases, arrivals | N/4, N/8, N/4 |
| organisations, with alias, owner, screenings | N/50 | | movements | N/2, and N/20 on one authorisation |
| documents, evidence | 2 N, 5 N | | events, sealed rows | 4 N, 4 N |
| assessments (whole ones on the first 4,000) | N | | notices, of which unread | N, a tenth |
| decisions, countersignatures, signed documents | 0.7 N | | messages, usage rows, statements of other desks | N/2 |
| authorisations, balances, conditions | N/2, N/2, N | | subscriptions, saved views | N/100, 20 |
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_SCRIPT: Final = "filling.sql"


def fill(cases: int) -> None:
    """Add so many cases, with all that is behind them, to a desk that holds the founding case."""
    from django.db import connections, transaction

    from twokey.desk.actors import Role
    from twokey.desk.parties.models import Seat
    from twokey.desk.parties.screening import rescreen
    from twokey.desk.parties.services import actor_of

    script = files(__package__).joinpath(_SCRIPT).read_text(encoding="utf-8")
    connection = connections["owner"]
    with transaction.atomic("owner"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('filling.orders', %s, false)", [str(cases // 2)])
        cursor.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys: for the time
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")
    rescreen(actor_of(Seat.objects.get(role=Role.OPERATOR.value).user, "worker"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO parties_screening (organisation_id, at, lists_digest, names_digest, outcome, matches, engine) "
            "SELECT organisation_id, at, lists_digest, names_digest, outcome, matches, engine FROM parties_screening, "
            "generate_series(1, 5)"
        )
        cursor.execute("ANALYZE")
    connection.close()
