"""Find authorisations and shipments by what a person types: the beginning of a number, or else a company's name.

What is looked up first keeps a list quick: the database then walks an index over a few ids.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q, QuerySet

from twokey.desk.actors import Actor
from twokey.desk.cases.reviewing import orders
from twokey.desk.ledger.models import Authorisation, Shipment
from twokey.desk.parties.services import parties

_MOST: Final = 200
_ORDERS: Final = 2_000  # of a company; a longer list is found by its number


def find_authorisations(actor: Actor, rows: QuerySet[Authorisation], text: str) -> QuerySet[Authorisation]:
    """Return those that the text names: by their own number, their order's, or a company."""
    own = _ids(rows.filter(number__startswith=text.upper()))
    if own:
        return rows.filter(pk__in=own)
    return rows.filter(line__order_id__in=_orders(actor, text) or _of_company(actor, text))


def find_shipments(actor: Actor, rows: QuerySet[Shipment], text: str) -> QuerySet[Shipment]:
    """Return those that the text names: by their own number, their release's, their order's, or a company."""
    own = _ids(rows.filter(number__startswith=text)) + _ids(rows.filter(release__number__startswith=text.upper()))
    if own:
        return rows.filter(pk__in=own)
    return rows.filter(order_id__in=_orders(actor, text) or _of_company(actor, text))


def _ids(rows: QuerySet[Authorisation] | QuerySet[Shipment]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True)[:_MOST])


def _orders(actor: Actor, text: str) -> list[int]:
    found = orders(actor).filter(number__startswith=text).order_by()
    return list(found.values_list("pk", flat=True)[:_MOST])


def _of_company(actor: Actor, text: str) -> list[int]:
    """Return the newest orders of the importers that the text names."""
    named = parties(actor).filter(Q(name__icontains=text) | Q(name_latin__icontains=text)).order_by()
    companies = list(named.values_list("pk", flat=True)[:_MOST])
    found = orders(actor).filter(importer__in=companies).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:_ORDERS])
