"""Authorisations end, change by two signatures, and speak when a limit comes near."""

from __future__ import annotations

import pytest
from django.utils import timezone

from twokey.desk.audit.models import Event, OutboxMessage
from twokey.desk.ledger import adjusting, shipments, states
from twokey.desk.ledger.models import Balance, Movement, Shipment, StateChange
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.posture import crossed
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused
from twokey.desk.worker import WORKER

from .conftest import as_owner
from .world import World


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def fresh(balance: Balance) -> Balance:
    balance.refresh_from_db()
    return balance


@pytest.mark.parametrize(
    ("change", "who", "end"),
    [("suspend", "bis1", "suspended"), ("revoke", "bis1", "revoked"), ("surrender", "seller", "surrendered")],
)
def test_a_change_of_state_is_signed_kept_and_sent(change: str, who: str, end: str, world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    states.change_state(world[who], authorisation.pk, change, "why")
    row = StateChange.objects.get()
    assert (row.before, row.after, row.by) == ("in_force", end, who)
    assert (row.document is not None) == (who == "bis1")
    assert OutboxMessage.objects.filter(topic="state", body__state=end).count() == 1
    for login in ("miit1", "bisadv", "buyer", "op"):
        actor = world["operator"] if login == "op" else world[login]
        with pytest.raises(Refused) as refused:
            states.change_state(actor, authorisation.pk, change, "why")
        assert refused.value.status == 403


def test_what_is_revoked_stays_revoked(world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    states.change_state(world["bis1"], authorisation.pk, "revoke", "why")
    for change in ("suspend", "reinstate", "revoke"):
        with pytest.raises(Refused) as refused:
            states.change_state(world["bis2"], authorisation.pk, change, "why")
        assert codes(refused) == {"wrong_state"}


def test_expiry_really_happens_and_frees_the_batch(world: World) -> None:
    from twokey.desk.cases import batches

    batch = batches.open_batch(world["miit1"], "B", units=100, value_minor=10**9, currency="USD")
    batches.countersign_batch(world["miit2"], batch.pk)
    authorisation = world.approved(world.order(units=100), "import", batch_id=batch.pk)
    Balance.objects.filter(pk=authorisation.balance_id).update(closes_at=timezone.now())
    assert states.expire_due(WORKER) == (1, 0)
    assert fresh(authorisation.balance).state == "expired"
    batch.refresh_from_db()
    assert (batch.units_granted, batch.value_granted) == (0, 0)
    assert states.expire_due(WORKER) == (0, 0)


def test_a_reservation_lapses_and_gives_everything_back(world: World) -> None:
    shipment = world.ready()
    Shipment.objects.filter(pk=shipment.pk).update(reserved_until=timezone.now())
    assert states.expire_due(WORKER) == (0, 1)
    shipment.refresh_from_db()
    assert shipment.state == "planned"
    assert Balance.objects.filter(units_reserved__gt=0).count() == 0
    assert Movement.objects.order_by("-pk").first().kind == "expire"  # type: ignore[union-attr]


def test_an_adjustment_needs_two_officers_of_the_authority(world: World) -> None:
    release = world.released(10)
    authorisation = release.shipment.lines.get().export_authorisation
    assert authorisation is not None
    row = adjusting.propose(world["bis1"], authorisation.pk, -3, 0, 0, "three were counted twice")
    for login, code in (("bis1", "four_eyes"), ("miit1", "other_authority")):
        with pytest.raises(Refused) as refused:
            adjusting.sign(world[login], row.pk)
        assert codes(refused) == {code}
    assert fresh(authorisation.balance).units_drawn == 10
    adjusting.sign(world["bis2"], row.pk)
    assert fresh(authorisation.balance).units_drawn == 7
    with pytest.raises(Refused, match="is signed"):
        adjusting.sign(world["bis2"], row.pk)
    too_much = adjusting.propose(world["bis1"], authorisation.pk, -8, 0, 0, "x")
    with pytest.raises(Refused) as refused:
        adjusting.sign(world["bis2"], too_much.pk)
    assert "more_than_drawn" in codes(refused)
    assert verify_ledger().differences == ()


def test_verify_sees_a_number_that_was_changed_behind_the_ledger(world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    with as_owner() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_balance SET units_drawn = 3, units_cap = 999 WHERE id = %s", [authorisation.balance_id]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    found = {(each.counter, each.stored, each.recomputed) for each in verify_ledger().differences}
    assert found == {("units_drawn", 3, 0), ("units_cap", 999, 100)}


def test_the_same_key_moves_once_and_another_use_of_it_is_refused(world: World) -> None:
    balance = world.approved(world.order(), "export").balance
    first = move("reserve", "k", amounts=[Amount(balance.pk, 1, 1, 1)], actor="x")
    again = move("reserve", "k", amounts=[Amount(balance.pk, 1, 1, 1)], actor="x")
    assert (again.movement_id, again.repeated) == (first.movement_id, True)
    with pytest.raises(Refused) as refused:
        move("reserve", "k", amounts=[Amount(balance.pk, 2, 1, 1)], actor="x")
    assert codes(refused) == {"key_reused"}
    assert fresh(balance).units_reserved == 1


@pytest.mark.parametrize(
    ("before", "after", "step"), [(0, 79, None), (79, 80, 80), (80, 89, None), (70, 96, 95), (99, 100, 100)]
)
def test_posture_speaks_once_at_each_step(before: int, after: int, step: int | None) -> None:
    assert crossed(100, before, after) == step


def test_both_sides_are_told_when_a_step_is_passed(world: World) -> None:
    order = world.order(units=100)
    world.both(order)
    shipments.reserve(world["seller"], world.shipment(order, 85).pk, "1")
    steps = Event.objects.filter(verb="ledger.posture").values_list("payload__step", flat=True)
    assert list(steps) == [80, 80]
    assert OutboxMessage.objects.filter(topic="posture").count() == 2
