"""Usage files, the outbox, and the worker that sends it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from twokey.desk.audit.models import OutboxMessage
from twokey.desk.ledger import releasing, shipments, usage
from twokey.desk.ledger.models import Balance, UsageRow
from twokey.desk.ledger.shipments import Part
from twokey.desk.reasons import Refused
from twokey.desk.worker import round_of

from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def fresh(balance: Balance) -> Balance:
    balance.refresh_from_db()
    return balance


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"unit": "kg"}, "wrong_unit"),
        ({"licence": "BIS-1999-1"}, "unknown_licence"),
        ({"quantity": 0}, "zero_quantity"),
        ({"quantity": -1}, "zero_quantity"),
        ({"shipment": "SH-none"}, "unknown_shipment"),
        ({"quantity": 11}, "more_than_released"),
        ({"currency": "CNY"}, "wrong_currency"),
        ({}, None),
    ],
)
def test_a_usage_row_is_taken_in_or_refused_at_once(change: dict[str, Any], code: str | None, world: World) -> None:
    shipment = world.released(10).shipment
    number = shipment.lines.get().import_authorisation.number  # type: ignore[union-attr]
    good = {
        "licence": number,
        "shipment": shipment.number,
        "quantity": 10,
        "unit": "pcs",
        "entry": "E1",
        "on": today(),
        "place": "mainland",
    }
    taken = usage.take_in(world["customs"], [usage.Usage(**{**good, **change})])
    assert [each.why.code if each.why else None for each in taken] == [code]
    assert UsageRow.objects.get().code == (code or "")
    repeated = usage.take_in(world["customs"], [usage.Usage(**good)])[0].why
    assert (repeated is None) == (code is not None)


def test_a_usage_file_is_read_exactly() -> None:
    head = "licence,shipment,quantity,unit,entry,on,place"
    rows = usage.read_rows(f"{head}\nB,S,3,pcs,E,2026-01-28,mainland\n")
    assert rows == [usage.Usage("B", "S", 3, "pcs", "E", date(2026, 1, 28), "mainland")]
    for bad in (
        f"{head}\nB,S,3.0,pcs,E,2026-01-28,m\n",
        f"{head}\nB,S,3,pcs,E,28.1.2026,m\n",
        "a,b\n1,2\n",
        '[{"x": 1}]',
    ):
        with pytest.raises(Refused):
            usage.read_rows(bad)
    with pytest.raises(Refused, match="not a whole number"):
        usage.read_rows('[{"licence": "B", "quantity": 3.5}]')


def test_usage_goes_out_and_formulas_are_defused(world: World) -> None:
    world.released(10)
    rows = list(usage.give_out(world["customs"]))
    assert [row["units_drawn"] for row in rows] == [10, 10]
    assert "'=cmd" in usage.as_csv([{"name": "=cmd()"}])


def test_the_outbox_shows_its_state_retries_and_resends(world: World) -> None:
    from twokey.desk.audit import outbox

    class Down:
        def send(self, message: OutboxMessage) -> None:
            raise OSError("the line is down")

    world.released(10)
    OutboxMessage.objects.exclude(topic="release").update(state="sent")
    assert outbox.deliver(by=Down()) == (0, 1)
    message = OutboxMessage.objects.get(topic="release")
    assert (message.state, message.attempts) == ("failed", 1)
    assert "the line is down" in message.last_error
    assert message.next_attempt_at > timezone.now()
    assert outbox.deliver() == (0, 0)
    outbox.resend(world["operator"], message.pk)
    assert outbox.deliver() == (1, 0)
    message.refresh_from_db()
    assert message.state == "sent"
    from twokey.desk.home import home

    assert (home().outbox / f"{message.pk:08d}-release.json").exists()


def test_a_message_exists_exactly_when_its_cause_does(world: World) -> None:
    shipment = world.shipment(world.order())
    before = OutboxMessage.objects.count()
    with pytest.raises(Refused):
        releasing.release(world["seller"], shipment.pk)
    assert OutboxMessage.objects.count() == before


def test_the_worker_does_its_round_and_a_failing_duty_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twokey.desk import worker

    world.released(10)
    done: list[str] = []
    tasks = (
        worker.Task("broken", lambda: 1 / 0),
        worker.Task("fine", lambda: done.append("fine")),
        worker.Task("seldom", lambda: done.append("seldom"), every=5),
    )
    monkeypatch.setattr(worker, "TASKS", tasks)
    assert round_of(1) == ["broken"]
    assert done == ["fine"]


def test_a_shipment_names_its_authorisation_where_several_are_in_force(world: World) -> None:
    order = world.order(units=100)
    world.approved(order, "import")
    first, second = world.approved(order, "export", units=50), world.approved(order, "export", units=50)
    part = Part(1, 10, 10, "USD")
    with pytest.raises(Refused) as refused:
        shipments.plan(world["seller"], order.pk, "S1", "mainland", [part])
    assert codes(refused) == {"several_authorisations"}
    named = Part(1, 10, 10, "USD", export_number=second.number)
    shipment = shipments.plan(world["seller"], order.pk, "S1", "mainland", [named])
    shipments.reserve(world["seller"], shipment.pk, "1")
    assert (fresh(first.balance).units_reserved, fresh(second.balance).units_reserved) == (0, 10)
