"""The gate between the keys: every reason that blocks a shipment, each with the place where it can be cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from twokey.desk.actors import Actor
from twokey.desk.cases.models import Order
from twokey.desk.ledger import releasing
from twokey.desk.ledger.models import Shipment
from twokey.desk.ledger.shipments import shipments
from twokey.desk.reasons import Reason
from twokey.desk.web.orders.keys import Key

_OPEN: Final = ("planned", "reserved")


@dataclass(frozen=True, slots=True)
class Blocked:
    """One reason, and where to go to clear it; `address` is empty where nobody on this desk can."""

    reason: Reason
    address: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One shipment that is not released yet, and what stands in its way."""

    shipment: Shipment
    reasons: tuple[Blocked, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of an order: the shipment that is asked about, the others that wait, and those that went through."""

    asked: Waiting | None
    others: tuple[Shipment, ...]
    passed: tuple[Shipment, ...]


def gate_of(actor: Actor, order: Order, keys: Sequence[Key], wanted: str) -> Gate:
    """Ask the gate about one shipment of an order (as `load_order` loads it): `wanted` by its id, or the first."""
    rows: QuerySet[Shipment] = shipments(actor).filter(order=order).select_related("release").order_by("pk")
    found = list(rows)
    waiting = [each for each in found if each.state in _OPEN]
    asked = next((each for each in waiting if str(each.pk) == wanted), waiting[0] if waiting else None)
    return Gate(
        asked=_ask(actor, order, keys, asked) if asked else None,
        others=tuple(each for each in waiting if each is not asked),
        passed=tuple(each for each in found if each.state not in _OPEN),
    )


def address_of(reason: Reason, order: Order, keys: Sequence[Key], shipment: Shipment | None = None) -> str:
    """Return where the cause of a reason can be cleared; an empty text where it cannot be from a page."""
    values = {name: str(value) for name, value in reason.values.items()}
    match reason.code:
        case "condition_unmet" | "evidence_expired":
            return _evidence(order, values["code"])
        case "no_laboratory":
            return _evidence(order, "laboratory_certificate", shipment)
        case "not_reserved":
            return "#shipments"
        case "screening_missing" | "screening_open" | "screening_listed":
            return f"{reverse('parties:index')}?{urlencode({'q': values['party']})}"
        case "screening_no_list" | "screening_list_stale":
            return reverse("parties:lists")
        case "no_authorisation" | "law_blocks":
            return _application(keys, values["side"])
        case "law_changed":
            return _of_label(keys, values["label"], application=True)
        case "facts_changed":
            return reverse("orders:facts", args=[order.pk])
        case _ if "label" in values:
            return _of_label(keys, values["label"], application=False)
        case _:
            return ""


def _ask(actor: Actor, order: Order, keys: Sequence[Key], shipment: Shipment) -> Waiting:
    reasons = releasing.check(actor, shipment.pk, order)
    return Waiting(shipment, tuple(Blocked(each, address_of(each, order, keys, shipment)) for each in reasons))


def _evidence(order: Order, name: str, shipment: Shipment | None = None) -> str:
    asked: dict[str, str] = {"name": name, **({"shipment": str(shipment.pk)} if shipment else {})}
    return f"{reverse('orders:evidence', args=[order.pk])}?{urlencode(asked)}"


def _application(keys: Sequence[Key], side: str) -> str:
    key = next(each for each in keys if each.side == side)
    return reverse("cases:show", args=[key.application.pk]) if key.application else f"#{side}"


def _of_label(keys: Sequence[Key], label: str, *, application: bool) -> str:
    for key in keys:
        for grant in key.grants:
            if grant.row.number == label:
                if application:
                    return _application([key], key.side)
                try:
                    return reverse("ledger:authorisation", args=[grant.row.pk])
                except NoReverseMatch:
                    return f"#{key.side}"
    return ""
