"""Evidence that expires soon is visible wherever it matters: order, queues, case, application, decision, shipment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from twokey.desk.cases import drafting
from twokey.desk.cases.models import Application, Evidence, Order
from twokey.desk.parties.models import Seat
from twokey.desk.parties.services import actor_of

from .conftest import check_page, sign_in

TODAY = timezone.now().date()
SOON = TODAY + timedelta(days=9)


def days(day: date) -> dict[str, str]:
    return {"en": f"{day.day}\xa0{day:%B}\xa0{day.year}", "zh": f"{day.year}年{day.month}月{day.day}日"}


@pytest.fixture(scope="module")
def soon(desk: Any) -> Evidence:
    """Let one piece of evidence of order 5, which waits at the gate, and of the draft's order expire in nine days."""
    row = Evidence.objects.filter(order_id=5, name="kyc").get()
    Evidence.objects.filter(pk=row.pk).update(expires_on=SOON)
    draft = Application.objects.get(pk=8)
    other = Evidence.objects.filter(order=draft.order, name="kyc").first()
    if other is not None:
        Evidence.objects.filter(pk=other.pk).update(expires_on=SOON)
    row.refresh_from_db()
    return row


# who reads it, where; and whether a link to where a later one is added stands beside it
PLACES = (
    ("seller", "/orders/5/", True),
    ("buyer.qingshan", "/orders/5/", True),
    ("officer.bis.1", "/orders/5/", False),
    ("seller", "/", True),
    ("seller", "/cases/", False),
    ("officer.bis.1", "/cases/?whose=all", False),
    ("auditor", "/cases/?whose=all", False),
    ("seller", "/cases/6/", True),
    ("officer.bis.1", "/cases/6/", False),
    ("officer.miit.1", "/cases/7/", False),
    ("seller", "/ledger/shipments/2/", True),
    ("officer.bis.1", "/ledger/shipments/2/", False),
)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("who", "address", "link"), PLACES, ids=[f"{each[0]}{each[1]}" for each in PLACES])
def test_it_is_named_where_it_matters(soon: Evidence, who: str, address: str, link: bool, lang: str) -> None:
    text = sign_in(who, lang).get(address).content.decode()
    assert days(SOON)[lang] in text
    assert ("/orders/5/evidence/?name=kyc" in text) is link


def test_a_queue_is_narrowed_to_what_expires(soon: Evidence) -> None:
    client = sign_in("auditor")
    every = client.get("/cases/?whose=all").context["sheet"].rows
    found = client.get("/cases/?whose=all&expiring=1").context["sheet"].rows
    assert {each.order_id for each in found} == {5}
    assert len(found) < len(every)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_that_name_it_are_accessible_and_fit(soon: Evidence, open_as: Any, lang: str) -> None:
    for who, address, _link in PLACES[:10:3]:
        for width in (1280, 360):
            page = open_as(who, lang, width=width)
            page.goto(address)
            assert days(SOON)[lang].replace("\xa0", " ") in page.inner_text("main").replace("\xa0", " ")
            check_page(page)
            page.context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_application_names_it_at_every_step(desk: Any, lang: str) -> None:
    seller = actor_of(Seat.objects.get(user__username="seller").user, "web")
    order = Order.objects.get(pk=5)
    case = drafting.draft_application(seller, order.pk, "BIS", "A use.")
    Evidence.objects.filter(order=order, name="kyc").update(expires_on=SOON)
    client = sign_in("seller", lang)
    for step in ("", "documents/", "evidence/", "check/"):
        text = client.get(f"/cases/{case.pk}/apply/{step}").content.decode()
        assert days(SOON)[lang] in text, step
        assert "/orders/5/evidence/?name=kyc" in text, step
    saved = client.post(f"/cases/{case.pk}/save/", {"use_statement": "More."}, headers={"hx-request": "true"})
    assert days(SOON)[lang] in saved.content.decode()


def test_more_evidence_that_expires_takes_no_more_queries(soon: Evidence) -> None:
    def counts() -> dict[str, int]:
        found = {}
        for who, address, _link in PLACES:
            client = sign_in(who)
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            found[f"{who} {address}"] = len(captured)
        return found

    few = counts()
    Evidence.objects.update(expires_on=SOON)
    assert counts() == few
