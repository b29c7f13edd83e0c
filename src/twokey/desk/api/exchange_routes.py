"""What two desks that share no database send each other."""

from __future__ import annotations

from ninja import Query, Router

from twokey.desk.actors import Actor
from twokey.desk.api import shapes, show
from twokey.desk.api.routing import route
from twokey.desk.ledger import exchange

router = Router(tags=["exchange"])


@route(router, "POST", "/exchange/authorisations/{authorisation_id}", "exchange.state", shapes.SignedOut, 201)
def state(actor: Actor, authorisation_id: shapes.PathId) -> shapes.SignedOut:
    """State an authorisation as it stands now, signed, for another desk."""
    return show.signed(exchange.state(actor, authorisation_id))


@route(router, "GET", "/exchange/authorisations/{authorisation_id}/change", "exchange.read", shapes.SignedOut)
def change(actor: Actor, authorisation_id: shapes.PathId) -> shapes.SignedOut:
    """Give out the newest signed change of state of an authorisation."""
    return show.signed(exchange.latest_change(actor, authorisation_id))


@route(router, "GET", "/exchange/received", "exchange.read", list[shapes.ReceivedOut])
def received(actor: Actor, page: Query[shapes.Page]) -> list[shapes.ReceivedOut]:
    """List what was taken in from other desks."""
    rows = exchange.received(actor).filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [show.received(row) for row in rows]


@route(router, "POST", "/exchange/received", "exchange.receive", shapes.ReceivedOut, 201)
def receive(actor: Actor, body: shapes.DocumentIn) -> shapes.ReceivedOut:
    """Take in a signed document of another desk, or refuse it with the reason."""
    return show.received(exchange.receive(actor, body.document))


@route(router, "POST", "/exchange/received/{received_id}/complete", "exchange.complete", shapes.SignedOut)
def complete(actor: Actor, received_id: shapes.PathId) -> shapes.SignedOut:
    """Complete a half-signed release with this side's draw and signature."""
    return show.signed(exchange.complete(actor, received_id))
