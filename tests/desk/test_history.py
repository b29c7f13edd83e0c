"""History takes no change, by whatever path and whoever asks."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from twokey.desk.audit.models import Event, SignedDocument
from twokey.desk.cases import papers
from twokey.desk.cases.models import Application, Decision, Document
from twokey.desk.ledger.models import Balance

from .conftest import as_owner
from .world import World

HISTORY: list[tuple[type[Any], str]] = [
    (Event, "verb"),
    (SignedDocument, "kind"),
    (Decision, "reasons"),
    (Document, "kind"),
]


@pytest.mark.parametrize(("model", "field"), HISTORY, ids=lambda each: getattr(each, "__name__", each))
@pytest.mark.parametrize("who", ["the desk", "the owner"])
def test_history_takes_no_change_from_any_path(who: str, model: type[Any], field: str, world: World) -> None:
    """The desk's role is denied the right, and the owner of the tables meets the trigger."""
    from django.db import connection

    world.released()
    row = model.objects.first()
    table = model._meta.db_table
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at a commit
    paths = {
        "save": row.save,
        "update": lambda: model.objects.filter(pk=row.pk).update(**{field: 7}),
        "delete": lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
        "raw": lambda: connection.cursor().execute(f"UPDATE {table} SET {field} = '7'"),
        "truncate": lambda: connection.cursor().execute(f"TRUNCATE {table} CASCADE"),
    }
    door, refusal = (as_owner, "history") if who == "the owner" else (nullcontext, "permission denied|history")
    for name, path in paths.items():
        with door(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            path()
        assert model.objects.filter(pk=row.pk).exists(), name


def test_the_counters_of_a_balance_move_only_in_the_ledgers_own_function(world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    for door, refusal in ((as_owner, "only through ledger_move"), (nullcontext, "permission denied")):
        with door(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            Balance.objects.filter(pk=authorisation.balance_id).update(units_drawn=5)
    with as_owner(), pytest.raises(DatabaseError, match="only through ledger_move"), transaction.atomic():
        Balance.objects.create(kind="authorisation", label="begun", opens_at=timezone.now(), units_drawn=5)


def test_no_balance_is_left_outside_its_limits_even_by_a_new_cap(world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    row = Balance.objects.filter(pk=authorisation.balance_id)
    for cap in ("units_cap", "value_cap", "uses_cap"):
        with pytest.raises(DatabaseError, match="leave its limits"), transaction.atomic():
            row.update(**{cap: -1, "value_tolerance": 0})


def test_the_desk_is_the_only_writer_of_application_states() -> None:
    """No module but the table of transitions assigns a state: a second way in would be a second set of guards."""
    import re

    root = Path(papers.__file__).parents[1]
    writers = [
        path.name
        for path in root.rglob("*.py")
        if re.search(r"application\.state\s*=[^=]|state=.*\bApplication\b.*update", path.read_text())
    ]
    assert writers == ["states.py"]
    assert Application._meta.get_field("state").default == "draft"
