"""Batches: many decisions under one ceiling, of units and value, per company and in all."""

from __future__ import annotations

import pytest

from twokey.desk.cases import batches, deciding
from twokey.desk.ledger import shipments
from twokey.desk.ledger.models import Authorisation
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused

from .world import World


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def test_a_batch_takes_no_decision_before_its_second_signature(world: World) -> None:
    batch = batches.open_batch(world["miit1"], "B-1", units=150, value_minor=10**9, currency="USD")
    with pytest.raises(Refused) as refused:
        world.decided(world.order(), "import", batch_id=batch.pk)
    assert codes(refused) == {"batch_not_signed"}
    with pytest.raises(Refused) as refused:
        batches.countersign_batch(world["miit1"], batch.pk)
    assert codes(refused) == {"four_eyes"}
    batches.countersign_batch(world["miit2"], batch.pk)


def test_a_company_is_offered_the_batches_that_it_may_take_from(world: World) -> None:
    for code, currency, companies in (
        ("all", "USD", None),
        ("own", "USD", {world.importer.pk: (10, 10**6)}),
        ("others", "USD", {world.exporter.pk: (10, 10**6)}),
        ("yuan", "CNY", None),
        ("unsigned", "USD", None),
    ):
        batch = batches.open_batch(
            world["miit1"], code, units=150, value_minor=10**9, currency=currency, companies=companies
        )
        if code != "unsigned":
            batches.countersign_batch(world["miit2"], batch.pk)
    offered = batches.batches_for(world["miit1"], world.importer.pk, "USD")
    assert [each.code for each in offered] == ["all", "own"]
    assert not batches.batches_for(world["bis1"], world.importer.pk, "USD").exists()


def test_a_batch_decides_many_under_one_ceiling_all_or_none(world: World) -> None:
    batch = batches.open_batch(world["miit1"], "B-1", units=250, value_minor=10**9, currency="USD")
    batches.countersign_batch(world["miit2"], batch.pk)
    orders = [world.order(units=100) for _ in range(3)]
    three = [world.decided(order, "import", batch_id=batch.pk).pk for order in orders]
    with pytest.raises(Refused) as refused:
        deciding.countersign_many(world["miit2"], three)
    assert codes(refused) == {"batch_units"}
    assert not Authorisation.objects.exists()  # partly filled is what one asks for, not what a failure leaves
    deciding.countersign_many(world["miit2"], three[:2])
    topup = batches.propose_topup(world["miit1"], batch.pk, 50, 0, "the buyers showed need")
    with pytest.raises(Refused) as refused:
        batches.countersign_topup(world["miit1"], topup.pk)
    assert codes(refused) == {"four_eyes"}
    batches.countersign_topup(world["miit2"], topup.pk)
    deciding.countersign_many(world["miit2"], three[2:])
    batch.refresh_from_db()
    assert batch.units_granted == 300
    assert verify_ledger().differences == ()


def test_a_company_has_its_own_ceiling_inside_the_batch(world: World) -> None:
    batch = batches.open_batch(
        world["miit1"],
        "B-1",
        units=1000,
        value_minor=10**10,
        currency="USD",
        companies={world.importer.pk: (120, 10**9)},
    )
    batches.countersign_batch(world["miit2"], batch.pk)
    world.approved(world.order(units=100), "import", batch_id=batch.pk)
    for order in (world.order(units=100), world.order(units=100, importer=world.rival)):
        with pytest.raises(Refused) as refused:
            world.approved(order, "import", batch_id=batch.pk)
        assert codes(refused) == {"batch_units"}


def test_an_oversubscribed_batch_never_ships_more_than_its_ceiling(world: World) -> None:
    batch = batches.open_batch(
        world["miit1"], "B-1", units=100, value_minor=10**9, currency="USD", oversubscription=True
    )
    batches.countersign_batch(world["miit2"], batch.pk)
    orders = [world.order(units=80), world.order(units=80)]
    for order in orders:
        world.approved(order, "export")
        world.approved(order, "import", batch_id=batch.pk)
    first, second = (world.shipment(order, 80) for order in orders)
    shipments.reserve(world["seller"], first.pk, "1")
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], second.pk, "1")
    assert [each.values["label"] for each in refused.value.reasons] == ["B-1"]
    shipments.void(world["seller"], first.pk, "later")
    shipments.reserve(world["seller"], second.pk, "1")
