"""The statement of an authorisation adds up at every line; a batch's holdings and the days of the trade do too."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from twokey.desk.cases import batches
from twokey.desk.ledger import adjusting, progress, releasing, shipments, states
from twokey.desk.ledger import statement as module
from twokey.desk.ledger.holdings import batch_view
from twokey.desk.ledger.models import Authorisation
from twokey.desk.ledger.posture import limits
from twokey.desk.ledger.progress import flows, flows_of, over_time
from twokey.desk.ledger.statement import statement
from twokey.desk.reasons import Refused

from .world import World, today


def left_of(authorisation: Authorisation) -> list[int | None]:
    authorisation.balance.refresh_from_db()
    found = {each.sort: each.left - each.tolerance for each in limits(authorisation.balance)}
    return [found.get("units"), found.get("value"), found.get("uses")]


@pytest.mark.parametrize("seed", range(4))
def test_every_line_says_what_was_left_then(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIZE", 5)
    chance = random.Random(seed)
    order = world.order(units=200, value_minor=540_000_000)
    export, _ = world.both(order, uses=50)
    seen = [left_of(export)]
    for number in range(14):
        shipment = world.shipment(order, chance.randint(1, 8))
        shipments.reserve(world["seller"], shipment.pk, "1")
        seen.append(left_of(export))
        match chance.randint(0, 3):
            case 0:
                shipments.void(world["seller"], shipment.pk, "not now")
            case 1:
                world.certify(shipment)
                releasing.release(world["seller"], shipment.pk)
                seen.append(left_of(export))
                shipments.take_back(world["seller"], shipment.pk, f"back{number}", {1: 1}, "broken")
            case 2:
                row = adjusting.propose(world["bis1"], export.pk, 1, 2_700_000, 0, "counted again")
                adjusting.sign(world["bis2"], row.pk)
            case _:
                continue
        seen.append(left_of(export))
    lines = []
    before = None
    while True:
        page = statement(world["seller"], export.pk, before)
        lines += page.lines
        before = page.older
        if before is None:
            break
    assert [line.movement_id for line in lines] == sorted((line.movement_id for line in lines), reverse=True)
    told = [[line.units_left, line.value_left, line.uses_left] for line in reversed(lines)]
    assert told[-1] == left_of(export)
    changing = [seen[0], *told]
    for earlier, later, line in zip(changing, told, reversed(lines), strict=False):
        assert later[0] == (earlier[0] or 0) + line.effect * line.units
    assert [each for each in seen[1:] if each not in told] == []


def test_a_correction_is_a_line_and_the_next_page_starts_where_this_one_ends(world: World) -> None:
    release = world.released(10)
    line = release.shipment.lines.get()
    authorisation = line.export_authorisation
    assert authorisation is not None
    row = adjusting.propose(world["bis1"], authorisation.pk, -3, -8_100_000, 0, "three were never sent")
    adjusting.sign(world["bis2"], row.pk)
    lines = statement(world["seller"], authorisation.pk).lines
    assert [each.kind for each in lines] == ["adjust", "draw", "reserve"]
    assert [each.units_left for each in lines] == [93, 90, 90]
    assert lines[0].reason == "three were never sent"


def test_a_statement_takes_two_queries_beside_what_belongs_to_its_authorisation(world: World) -> None:
    release = world.released(10)
    pk = release.shipment.lines.get().export_authorisation_id or 0
    with CaptureQueriesContext(connection) as found:
        statement(world["seller"], pk)
    assert len(found) == 5  # conditions, importer, exporter


def test_another_party_sees_no_statement(world: World) -> None:
    export, _ = world.both(world.order())
    with pytest.raises(Refused) as error:
        statement(world["rival"], export.pk)
    assert error.value.status == 404


def test_a_batch_says_which_company_holds_what(world: World) -> None:
    batch = batches.open_batch(
        world["miit1"],
        "CN-1",
        units=500,
        value_minor=2_000_000_000,
        currency="USD",
        companies={world.importer.pk: (300, 1_000_000_000), world.rival.pk: (200, 1_000_000_000)},
    )
    batches.countersign_batch(world["miit2"], batch.pk)
    first = world.order()
    world.approved(first, "export")
    held = world.approved(first, "import", batch_id=batch.pk)
    world.approved(world.order(units=50, value_minor=135_000_000, importer=world.rival), "import", batch_id=batch.pk)
    shipment = world.shipment(first, 10)
    shipments.reserve(world["seller"], shipment.pk, "1")
    view = batch_view(world["auditor"], batch.pk)
    rows = {each.company.pk: each for each in view.holdings}
    assert [each.granted for each in view.holdings] == [100, 50]
    mine = rows[world.importer.pk]
    assert (mine.granted, mine.reserved, mine.drawn, mine.used, mine.authorisations) == (100, 10, 0, 10, 1)
    assert mine.share is not None
    assert mine.share.units_cap == 300
    states.change_state(world["miit1"], held.pk, "revoke", "withdrawn")
    shipments.void(world["seller"], shipment.pk, "revoked")
    assert {each.company.pk: each.granted for each in batch_view(world["auditor"], batch.pk).holdings} == {
        world.importer.pk: 0,
        world.rival.pk: 50,
    }


def test_the_days_of_the_trade_add_up_and_stay_within_what_one_may_see(world: World) -> None:
    release = world.released(10)
    shipments.ship(world["seller"], release.shipment_id, {})
    shipments.arrive(world["buyer"], release.shipment_id, 1, "delivery", "D-1", today(), "mainland", 4)
    shipments.arrive(world["customs"], release.shipment_id, 1, "customs_entry", "E-1", today(), "mainland", 6)
    world.approved(world.order(units=50, value_minor=135_000_000, importer=world.rival), "import")
    last = over_time(world["auditor"])[-1]
    assert (last.approved_import, last.approved_export, last.released, last.delivered, last.entered) == (
        150,
        100,
        10,
        4,
        6,
    )
    assert over_time(world["buyer"])[-1].approved_import == 100
    assert over_time(world["rival"])[-1].released == 0
    assert flows(world["buyer"]) == flows_of(list(shipments.authorisations(world["buyer"])))


def test_what_a_process_keeps_of_the_days_is_what_it_would_add_up_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_kept", {})
    monkeypatch.setattr(progress, "_STEP", timedelta(0))  # all that was written is kept at once
    people = [world[login] for login in ("auditor", "seller", "buyer", "rival")]
    for _round in range(3):
        world.released(10)
        kept = [over_time(each) for each in people]
        with monkeypatch.context() as patch:
            patch.setattr(progress, "_kept", {})
            assert kept == [over_time(each) for each in people]
    assert [days[-1].released if days else 0 for days in kept] == [30, 30, 30, 0]
    monkeypatch.setattr(progress, "_between", lambda *_range: Counter())  # nothing is read anew any more
    assert [over_time(each) for each in people] == kept


def test_a_row_that_may_not_be_committed_yet_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_kept", {})
    over_time(world["auditor"])
    world.released(10)  # within the hour of what was kept
    assert over_time(world["auditor"])[-1].released == 10
