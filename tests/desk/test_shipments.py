"""One shipment: reserved on both keys or on none, shipped, returned, delivered."""

from __future__ import annotations

from datetime import date

import pytest

from twokey.desk.cases.models import Milestone, Order
from twokey.desk.ledger import progress, shipments
from twokey.desk.ledger.models import Balance, Movement
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused

from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def fresh(balance: Balance) -> Balance:
    balance.refresh_from_db()
    return balance


def test_a_reservation_holds_both_keys_or_neither(world: World) -> None:
    order = world.order(units=100)
    export = world.approved(order, "export", units=100)
    import_ = world.approved(order, "import", units=40)
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], world.shipment(order, 50).pk, "1")
    assert [each.values["label"] for each in refused.value.reasons] == [import_.number]
    assert fresh(export.balance).units_reserved == 0
    shipments.reserve(world["seller"], world.shipment(order, 40).pk, "1")
    assert (fresh(export.balance).units_reserved, fresh(import_.balance).units_reserved) == (40, 40)


def test_without_both_keys_nothing_is_reserved(world: World) -> None:
    order = world.order()
    world.approved(order, "import")
    shipment = world.shipment(order)
    with pytest.raises(Refused, match="no export authorisation is in force"):
        shipments.reserve(world["seller"], shipment.pk, "1")
    world.approved(order, "export")
    shipments.reserve(world["seller"], shipment.pk, "1")
    line = shipment.lines.get()
    assert line.export_authorisation is not None
    assert line.import_authorisation is not None


def test_the_place_must_be_covered(world: World) -> None:
    order = world.order()
    world.both(order, places=("hong_kong",))
    with pytest.raises(Refused, match="covers hong_kong, not mainland"):
        shipments.reserve(world["seller"], world.shipment(order).pk, "1")


def test_value_may_pass_by_the_tolerance_of_paragraph_750_11_and_no_further(world: World) -> None:
    """10 % on the export side while units remain; none on the import side; none on units; none once units are gone."""
    order = world.order(units=100, value_minor=1_000)
    export = world.approved(order, "export", value_minor=1_000)
    world.approved(order, "import", value_tolerance_bp=2_000)
    first = world.shipment(order, 60, 700)
    shipments.reserve(world["seller"], first.pk, "1")
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], world.shipment(order, 39, 401).pk, "1")
    assert codes(refused) == {"value_exhausted"}
    shipments.reserve(world["seller"], world.shipment(order, 40, 400).pk, "1")
    assert fresh(export.balance).value_reserved == 1_100
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], world.shipment(order, 1, 0).pk, "1")
    assert "units_exhausted" in codes(refused)


def test_each_shipment_is_one_use(world: World) -> None:
    order = world.order(units=100)
    world.both(order, uses=2)
    for _ in range(2):
        shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")
    assert codes(refused) == {"uses_exhausted"}


def test_several_lines_of_one_order_move_together(world: World) -> None:
    order = world.order(units=50, lines=3)
    world.both(order)
    shipment = world.shipment(order, 20)
    shipments.reserve(world["seller"], shipment.pk, "1")
    movement = Movement.objects.get()
    assert [each.units for each in movement.entries] == [20] * 6
    shipments.void(world["seller"], shipment.pk, "later")
    shipments.reserve(world["seller"], shipment.pk, "2")
    assert verify_ledger().differences == ()


def test_no_shipment_returns_what_another_drew(world: World) -> None:
    """Both draw on one authorisation, so that its counters alone would let the first return the units of the second."""
    order = world.order(units=100)
    world.both(order)
    drawn = [move("draw", f"d{n}", of=_held(world, order, n), actor="x").movement_id for n in (1, 2)]
    amounts = [Amount(pk, 6, 0, 0) for pk in Movement.objects.get(pk=drawn[0]).balances]
    with pytest.raises(Refused) as refused:
        move("return", "r1", of=drawn[0], amounts=amounts, actor="x")
    assert codes(refused) == {"more_than_drawn"}
    assert verify_ledger().differences == ()


def _held(world: World, order: Order, number: int) -> int:
    shipment = world.shipment(order, 5)
    return shipments.reserve(world["seller"], shipment.pk, str(number)).movement_id


def test_goods_come_back_once_and_free_their_units_but_not_their_use(world: World) -> None:
    shipment = world.released(10).shipment
    balance = shipment.lines.get().export_authorisation.balance  # type: ignore[union-attr]
    shipments.take_back(world["seller"], shipment.pk, "r1", {1: 4}, "damaged")
    again = shipments.take_back(world["seller"], shipment.pk, "r1", {1: 4}, "damaged")
    assert again.repeated
    assert (fresh(balance).units_drawn, balance.uses_drawn) == (6, 1)
    with pytest.raises(Refused) as refused:
        shipments.take_back(world["seller"], shipment.pk, "r2", {1: 7}, "more")
    assert codes(refused) == {"more_than_drawn"}
    shipments.take_back(world["seller"], shipment.pk, "r3", {1: 6}, "the rest")
    assert verify_ledger().differences == ()


def test_a_serial_number_ships_once(world: World) -> None:
    first, second = world.released(2).shipment, world.released(2).shipment
    shipments.ship(world["seller"], first.pk, {1: ["A", "B"]})
    with pytest.raises(Refused, match="shipped before"):
        shipments.ship(world["seller"], second.pk, {1: ["B", "C"]})
    with pytest.raises(Refused, match="1 different numbers for 2 units"):
        shipments.ship(world["seller"], second.pk, {1: ["C", "C"]})


def test_what_was_approved_is_shown_against_what_arrived(world: World) -> None:
    shipment = world.released(10).shipment
    shipments.arrive(world["buyer"], shipment.pk, 1, "delivery", "D1", today(), "mainland", 7)
    shipments.arrive(world["customs"], shipment.pk, 1, "customs_entry", "E1", today(), "mainland", 6)
    with pytest.raises(Refused) as refused:
        shipments.arrive(world["customs"], shipment.pk, 1, "customs_entry", "E2", today(), "mainland", 5)
    assert codes(refused) == {"more_than_released"}
    export = next(each for each in progress.flows(world["auditor"]) if each.authority == "BIS")
    assert (export.approved, export.drawn, export.delivered, export.entered) == (100, 10, 7, 6)


def test_five_states_each_stall_on_their_own(world: World) -> None:
    from twokey.desk.cases import drafting

    order = world.order()
    nothing: dict[str, date | None] = dict.fromkeys(
        ["approval", "conditions_met", "order", "licence", "customs_release"]
    )
    assert progress.five_states(order) == nothing
    world.approved(order, "import")
    assert progress.five_states(order)["approval"] == today()
    assert progress.five_states(order)["licence"] is None
    drafting.place_order(world["buyer"], order.pk, today(), "PO")
    world.approved(order, "export")
    states_now = progress.five_states(order)
    assert states_now["licence"] == states_now["order"] == states_now["conditions_met"] == today()
    assert states_now["customs_release"] is None
    assert Milestone.objects.count() == 1
