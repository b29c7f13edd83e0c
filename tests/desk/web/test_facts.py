"""The facts of an order on its form: stated, changed, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokey.desk.cases.models import Order


def test_a_fact_is_taken_back_where_its_field_is_emptied(client_of: Callable[..., Any]) -> None:
    order = Order.objects.get(pk=5)
    client = client_of("seller")
    for text, said in (("true", {"end_use.supercomputer": True}), ("", {})):
        answer = client.post("/orders/5/facts/", {"end_use.supercomputer": text, **_unchanged(order)})
        assert answer.status_code == 302
        others = {name: value for name, value in order.facts.items() if name != "end_use.supercomputer"}
        order.refresh_from_db()
        assert order.facts == {**others, **said}


def _unchanged(order: Order) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in order.facts.items()
        if name != "end_use.supercomputer"
    }
