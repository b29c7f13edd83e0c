"""The ledger's pages: statement, batches, shipments, what arrived. Who sees what, who may do what, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from twokey.desk.ledger.models import Authorisation, Shipment

from .conftest import check_page

PEOPLE = ("seller", "buyer.lanhai", "officer.bis.1", "officer.miit.1", "adviser.bis", "customs.gacc", "auditor")


def addresses() -> list[str]:
    row = Authorisation.objects.order_by("-pk").first()
    batched = Authorisation.objects.exclude(batch_balance=None).first()
    assert row is not None
    assert batched is not None
    return [
        "/ledger/batches/",
        "/ledger/batches/1/",
        "/ledger/authorisations/",
        f"/ledger/authorisations/{row.pk}/",
        f"/ledger/authorisations/{batched.pk}/",
        "/ledger/shipments/",
        *(f"/ledger/shipments/{each.pk}/" for each in Shipment.objects.order_by("pk")),
        "/ledger/arrived/",
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_opens_for_whoever_may_see_all(client_of: Any, lang: str) -> None:
    for login in ("officer.bis.1", "officer.miit.2", "auditor", "customs.gacc"):
        client = client_of(login, lang)
        for address in addresses():
            assert client.get(address).status_code == 200, (login, address)
