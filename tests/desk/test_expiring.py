"""Evidence that expires soon: which piece is named, and that it is told once before it stops a release."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from twokey.desk.audit.models import Event
from twokey.desk.cases.expiring import expiring, warn
from twokey.desk.cases.models import Application, Evidence, Order
from twokey.desk.cases.naming import day_words
from twokey.desk.notices import services
from twokey.desk.notices.digest import digest_of
from twokey.desk.notices.telling import tell
from twokey.desk.worker import TASKS, WORKER

from .world import World

TODAY = timezone.now().date()
SOON = TODAY + timedelta(days=9)


def evidence(world: World, order: Order, name: str, expires: date | None, shipment: int | None = None) -> Evidence:
    row = Evidence.objects.filter(order=order).order_by("pk").first()
    assert row is not None
    return Evidence.objects.create(
        order=order,
        name=name,
        document=row.document,
        issuer="x",
        issued_on=TODAY - timedelta(days=90),
        expires_on=expires,
        shipment_id=shipment,
        recorded_by="seller",
    )


@pytest.mark.parametrize(
    ("later", "named"),
    [([], True), ([SOON + timedelta(days=300)], False), ([None], False), ([SOON], True), ([SOON - timedelta(1)], True)],
)
def test_what_a_later_piece_replaces_is_not_named(world: World, later: list[date | None], named: bool) -> None:
    application = world.draft(world.order(), "export")
    evidence(world, application.order, "audit", SOON)
    for each in later:
        evidence(world, application.order, "audit", each)
    found = [each.expires_on for each in expiring(TODAY) if each.name == "audit"]
    assert found == ([SOON] if named else [])


def test_a_piece_of_one_shipment_replaces_none_of_the_order(world: World) -> None:
    application = world.draft(world.order(), "export")
    for_all = evidence(world, application.order, "audit", SOON)
    evidence(world, application.order, "audit", None, shipment=7)
    assert list(expiring(TODAY)) == [for_all]
    evidence(world, application.order, "audit", None)
    assert not expiring(TODAY).exists()


@pytest.mark.parametrize(("away", "named"), [(30, True), (31, False), (-30, True), (-31, False), (0, True)])
def test_soon_is_thirty_days(world: World, away: int, named: bool) -> None:
    application = world.draft(world.order(), "export")
    evidence(world, application.order, "audit", TODAY + timedelta(days=away))
    assert expiring(TODAY).exists() is named


def test_it_is_told_once_before_it_expires_and_once_when_it_has(world: World) -> None:
    application = world.under_review(world.order(), "export")
    row = evidence(world, application.order, "security_procedures_shown", SOON)
    assert (warn(WORKER), warn(WORKER)) == (1, 0)
    Evidence.objects.filter(pk=row.pk).update(expires_on=TODAY - timedelta(days=1))
    assert (warn(WORKER), warn(WORKER)) == (1, 0)
    tell()
    for login in ("seller", "buyer", "bis1"):
        told = [each for each in services.notices(world[login]) if each.verb.startswith("evidence.")]
        assert {each.verb for each in told} == {"evidence.expiring", "evidence.expired"}, login
    assert not [each for each in services.notices(world["rival"]) if each.verb.startswith("evidence.")]
    said = {each.verb: services.sentence(each, "zh") for each in services.notices(world["seller"])}
    assert f"证据“已证明具备充分的安全程序”将于{day_words(SOON, 'zh')}到期" in said["evidence.expiring"]
    assert "expired on" in services.sentence(services.notices(world["seller"]).get(verb="evidence.expired"), "en")


def test_of_a_closed_order_nothing_is_told(world: World) -> None:
    application = world.draft(world.order(), "export")
    evidence(world, application.order, "audit", SOON)
    Application.objects.filter(order=application.order).update(state="withdrawn")
    assert warn(WORKER) == 0
    assert not Event.objects.filter(verb="evidence.expiring").exists()


def test_the_worker_looks_for_it() -> None:
    assert "evidence" in {each.name for each in TASKS}


def test_the_digest_names_it_in_words(world: World) -> None:
    application = world.under_review(world.order(), "export")
    evidence(world, application.order, "security_procedures_shown", SOON)
    parts = {part.code: part.lines for part in digest_of(world["seller"], "zh")}
    assert [each.text for each in parts["evidence"]] == [
        f"订单 {application.order.number}：已证明具备充分的安全程序于{day_words(SOON, 'zh')}到期"
    ]
