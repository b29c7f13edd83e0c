"""The 50 % rule, and money in two currencies."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from twokey.desk.ledger import money, ratio, shipments
from twokey.desk.ledger.models import Conversion
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused

from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


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
    assert ratio.share_reached([cap.product]) == (5_000, "since_rule")


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
