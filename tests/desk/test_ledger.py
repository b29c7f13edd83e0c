"""Shipments, limits and corrections: what the ledger promises besides never being overdrawn."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from twokey.desk.audit.models import Event, OutboxMessage
from twokey.desk.cases.models import Milestone
from twokey.desk.ledger import adjusting, money, progress, ratio, releasing, shipments, states, usage
from twokey.desk.ledger.models import Balance, Conversion, Movement, Shipment, StateChange, UsageRow
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.posture import crossed
from twokey.desk.ledger.shipments import Part
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused
from twokey.desk.worker import WORKER, round_of

from .conftest import as_owner
from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def fresh(balance: Balance) -> Balance:
    balance.refresh_from_db()
    return balance


# --- one shipment, both keys


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


# --- states


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


# --- corrections


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


# --- posture


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


# --- the 50 % rule


def _cap(world: World, **changes: Any) -> Any:
    settings = {
        "destinations": ["CN", "MO"],
        "ratio_bp": 5_000,
        "window": "since",
        "since": date(2026, 1, 15),
        "why": "x",
    }
    return ratio.choose_cap(world["bis1"], "H200 SXM", **{**settings, **changes})


def test_a_ratio_cap_is_half_of_what_was_shipped_at_home_in_tpp(world: World) -> None:
    cap = _cap(world)
    ratio.state_home_shipments(world["operator"], cap.pk, date(2026, 6, 1), 40, 15_832, "company filing")
    order = world.order(units=100)
    world.both(order)
    first = world.shipment(order, 20)
    shipments.reserve(world["seller"], first.pk, "1")
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")
    assert "50 %" in refused.value.reasons[0].values["label"]
    ratio.state_home_shipments(world["operator"], cap.pk, date(2026, 7, 1), 2, 15_832, "company filing")
    shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")
    assert verify_ledger().differences == ()
    assert ratio.share_reached(cap.product) == (5_000, "since_rule")


def test_the_window_must_be_chosen_by_a_person(world: World) -> None:
    with pytest.raises(TypeError):
        ratio.choose_cap(world["bis1"], "H200 SXM", destinations=["CN"], ratio_bp=5_000, why="x")  # type: ignore[call-arg]
    with pytest.raises(Refused, match="window"):
        _cap(world, window="", since=None)
    with pytest.raises(Refused, match="since"):
        _cap(world, since=None)
    with pytest.raises(Refused):
        ratio.choose_cap(
            world["seller"], "H200 SXM", destinations=["CN"], ratio_bp=1, window="year", since=None, why="x"
        )


@pytest.mark.parametrize("window", ["year", "licence"])
def test_a_window_counts_only_what_falls_into_it(window: str, world: World) -> None:
    cap = _cap(world, window=window, since=None)
    year = timezone.now().year
    ratio.state_home_shipments(world["operator"], cap.pk, date(year - 1, 6, 1), 1000, 15_832, "before")
    order = world.order(units=100)
    world.both(order)
    with pytest.raises(Refused):
        shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")
    ratio.state_home_shipments(world["operator"], cap.pk, today(), 2, 15_832, "inside")
    shipments.reserve(world["seller"], world.shipment(order, 1).pk, "1")


# --- money


def test_every_conversion_keeps_rate_source_and_date(world: World) -> None:
    order = world.order(units=100, value_minor=100_000)
    world.approved(order, "export")
    world.approved(order, "import", currency="CNY", value_minor=720_000)
    shipment = world.shipment(order, 10, 10_000)
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], shipment.pk, "1")
    assert codes(refused) == {"no_rate"}
    money.add_rate(world["operator"], "USD", "CNY", 71_234, 10_000, "central parity", today() - timedelta(days=1))
    shipments.reserve(world["seller"], shipment.pk, "1")
    kept = Conversion.objects.get()
    assert (kept.from_minor, kept.to_minor) == (10_000, 71_234)
    assert (kept.rate.source, kept.rate.on) == ("central parity", today() - timedelta(days=1))
    with pytest.raises(Refused, match="a rate is never changed"):
        money.add_rate(world["operator"], "USD", "CNY", 7, 1, "x", today() - timedelta(days=1))


def test_a_conversion_rounds_up_so_that_no_cap_is_passed_by_rounding(world: World) -> None:
    money.add_rate(world["operator"], "USD", "JPY", 1, 3, "x", today())
    converted = money.convert(10, "USD", "JPY", today())
    assert converted is not None
    assert converted.to_minor == 4


# --- usage files and the outbox


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
    rows = usage.give_out(world["customs"])
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
