"""The number of queries of a page does not grow with the rows that it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from twokey.desk.cases import drafting
from twokey.desk.cases.drafting import LineDraft, OrderDraft
from twokey.desk.cases.models import Application, Order
from twokey.desk.ledger import shipments
from twokey.desk.ledger.shipments import Part
from twokey.desk.parties.models import Seat
from twokey.desk.parties.services import actor_of

from .conftest import sign_in

PAGES = (
    ("seller", "/"),
    ("seller", "/orders/"),
    ("seller", "/orders/5/"),
    ("seller", "/cases/?q=MANY"),
    ("officer.bis.1", "/"),
    ("officer.bis.1", "/cases/?whose=all"),
    ("officer.bis.1", "/cases/6/"),
    ("officer.miit.1", "/orders/5/"),
    ("auditor", "/cases/?whose=all"),
    ("auditor", "/law/impact/?draft=scale"),
    ("operator", "/parties/"),
)


def counts() -> dict[tuple[str, str], int]:
    found = {}
    for who, address in PAGES:
        client = sign_in(who)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        found[who, address] = len(captured)
    return found


@pytest.fixture
def more(desk: Any) -> Callable[[int], None]:
    """Enter more orders, with a submitted case on both keys and a shipment each."""

    def enter(count: int) -> None:
        first = Order.objects.get(pk=5)
        seller = actor_of(Seat.objects.get(user__username="seller").user, "web")
        buyer = actor_of(Seat.objects.get(user__username="buyer.qingshan").user, "web")
        for n in range(Order.objects.count(), Order.objects.count() + count):
            order = drafting.create_order(
                seller,
                OrderDraft(
                    number=f"MANY-{n}",
                    exporter_id=first.exporter_id,
                    importer_id=first.importer_id,
                    currency="USD",
                    destination="CN",
                    place="mainland",
                    lines=[LineDraft("H200 SXM", 10, 27_000_000)],
                    parties=[(first.importer_id, "end_user")],
                ),
            )
            for actor, code in ((seller, "BIS"), (buyer, "MIIT")):
                case = drafting.draft_application(actor, order.pk, code, "A use.")
                Application.objects.filter(pk=case.pk).update(state="submitted", submitted_at=case.created_at)
            shipments.plan(seller, order.pk, f"MANY-SH-{n}", "mainland", [Part(1, 1, 2_700_000, "USD")])
            shipments.plan(seller, first.pk, f"FIRST-SH-{n}", "mainland", [Part(1, 1, 2_700_000, "USD")])

    return enter


def test_queries_do_not_grow_with_rows(more: Callable[[int], None]) -> None:
    more(2)
    few = counts()
    more(12)
    assert counts() == few
