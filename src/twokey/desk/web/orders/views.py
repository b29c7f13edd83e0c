"""Orders: the list, and the page that shows both keys with the gate between them."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from twokey.desk.actors import Actor, Role
from twokey.desk.cases import reviewing
from twokey.desk.cases.assessing import load_order
from twokey.desk.cases.expiring import expiring
from twokey.desk.cases.models import Order
from twokey.desk.cases.story import events
from twokey.desk.ledger.progress import five_states
from twokey.desk.parties.services import parties
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import page
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.orders.gate import gate_of
from twokey.desk.web.orders.keys import keys_of


@page("order.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the orders that the person may see, newest first; `?q=` is a number's beginning or a company."""
    wanted = request.GET.get("q", "").strip()
    rows = reviewing.orders(actor)
    if wanted:
        named = parties(actor).filter(Q(name__icontains=wanted) | Q(name_latin__icontains=wanted)).order_by()
        companies = named.values("pk")
        rows = rows.filter(Q(number__startswith=wanted) | Q(importer__in=companies) | Q(exporter__in=companies))
    return render(
        request,
        "orders/index.html",
        {"sheet": sheet(request, rows), "q": wanted, "may_enter": actor.role is Role.APPLICANT},
    )


@page("order.read")
def show(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """Show one order: two keys, the gate, the five states, what happened."""
    order = find(actor, order_id)
    on = timezone.now().date()
    keys = keys_of(actor, order, on)
    return render(
        request,
        "orders/show.html",
        {
            "order": order,
            "export": keys[0],
            "import": keys[1],
            "gate": gate_of(actor, order, keys, request.GET.get("shipment", "")),
            "five": five_states(order),
            "events": events(actor, order),
            "expiring": list(expiring(on).filter(order=order)),
            "on": on,
            "is_exporter": actor.organisation_id == order.exporter_id and actor.role is Role.APPLICANT,
            "is_party": actor.role is Role.APPLICANT,
        },
    )


def find(actor: Actor, order_id: int) -> Order:
    """Return an order that the actor may see, with all that its pages read; raises `Refused` (404) otherwise."""
    if not reviewing.orders(actor).filter(pk=order_id).exists():
        raise missing("order", order_id)
    return load_order(order_id)
