"""Breaches of conditions, as use reports find them."""

from __future__ import annotations

from ninja import Query, Router

from twokey.desk.actors import Actor
from twokey.desk.api import shapes
from twokey.desk.api.routing import route
from twokey.desk.cases import breaches

router = Router(tags=["breaches"])


@route(router, "POST", "/cases/{case_id}/breaches", "breach.report", list[shapes.BreachOut], 201)
def report(actor: Actor, case_id: shapes.PathId, body: shapes.BreachesIn) -> list[shapes.BreachOut]:
    """Take the breaches of a use report into an approved case, which comes back to its authority's queue."""
    records = [each.model_dump(by_alias=True) for each in body.breaches]
    return [shapes.BreachOut.of(row) for row in breaches.take_in(actor, case_id, records).breaches]


@route(router, "GET", "/breaches", "breach.read", list[shapes.BreachOut])
def index(actor: Actor, page: Query[shapes.Page]) -> list[shapes.BreachOut]:
    """List the breaches that the caller may see, oldest first."""
    rows = breaches.breaches(actor).filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [shapes.BreachOut.of(row) for row in rows]


@route(router, "POST", "/breaches/{breach_id}/finding", "breach.find", shapes.BreachOut)
def find(actor: Actor, breach_id: shapes.PathId, body: shapes.TextIn) -> shapes.BreachOut:
    """Close a breach with what the authority found."""
    return shapes.BreachOut.of(breaches.find(actor, breach_id, body.text))
