"""Shipments from the plan to the port: reserve, release, ship, deliver, enter, return."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from twokey.desk.actors import Actor, Role, may
from twokey.desk.cases.expiring import expiring
from twokey.desk.cases.models import Evidence, OrderLine
from twokey.desk.cases.reviewing import orders
from twokey.desk.ledger import releasing
from twokey.desk.ledger import shipments as services
from twokey.desk.ledger.models import Arrival, Movement, Release, Shipment
from twokey.desk.ledger.shipments import Part, open_reservation
from twokey.desk.reasons import Refused, missing
from twokey.desk.signing.envelope import read_unchecked
from twokey.desk.web.base.doors import complain, form, page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.finding import find_shipments
from twokey.desk.web.ledger.forms import (
    ArriveForm,
    PlanForm,
    PlanLineForm,
    ReturnLineForm,
    ShipForm,
    WhyForm,
)

_UNDER_WAY = ("released", "shipped", "delivered")


@page("ledger.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the shipments that the actor may see; by number, order or company, by state."""
    asked, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    rows = services.shipments(actor).select_related("order__importer", "release")
    if asked:
        rows = find_shipments(actor, rows, asked)
    if state in Shipment.State.values:
        rows = rows.filter(state=state)
    context = {
        "sheet": sheet(request, rows.order_by("-pk")),
        "asked": asked,
        "state": state,
        "states": Shipment.State.values,
        "filtered": bool(asked or state),
    }
    return render(request, "ledger/shipments.html", context)


@page("ledger.read")
def show(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponse:
    """Show a shipment: how far it has come, what blocks it, and the next step that the actor may take."""
    row = _find(actor, shipment_id)
    lines = sorted(row.lines.all(), key=lambda each: each.line.position)
    release = Release.objects.select_related("document").filter(shipment=row).first()
    exporter = actor.role is Role.APPLICANT and actor.organisation_id == row.order.exporter_id
    importer = actor.role is Role.APPLICANT and actor.organisation_id == row.order.importer_id
    under_way = row.state in _UNDER_WAY
    kind = ""
    if under_way and importer and may(actor, "ledger.ship"):
        kind = Arrival.Kind.DELIVERY.value
    elif under_way and may(actor, "customs.record"):
        kind = Arrival.Kind.CUSTOMS_ENTRY.value
    first = {"on": timezone.now().date(), "place": row.place, "units": lines[0].units if lines else None}
    return render(
        request,
        "ledger/shipment.html",
        {
            "row": row,
            "lines": lines,
            "release": release,
            "release_body": read_unchecked(release.document.jws) if release else None,
            "reasons": releasing.check(actor, row.pk) if row.state in {"planned", "reserved"} else [],
            "movements": Movement.objects.filter(shipment=row).order_by("pk"),
            "arrivals": Arrival.objects.filter(shipment_line__shipment=row)
            .select_related("shipment_line__line")
            .order_by("pk"),
            "exporter": exporter and may(actor, "ledger.ship"),
            "expiring": _expiring(row),
            "may_show": exporter or importer,
            "key": secrets.token_urlsafe(9),
            "reserved": open_reservation(row) if row.state == "reserved" else None,
            "void_form": WhyForm(auto_id="void-%s"),
            "ship_forms": [(each, ShipForm(prefix=f"line{each.line.position}")) for each in lines],
            "return_forms": [(each, ReturnLineForm(prefix=f"back{each.line.position}")) for each in lines],
            "return_why": WhyForm(prefix="back"),
            "arrive_kind": kind,
            "arrive_title": ArriveForm.kinds.get(kind, ""),
            "arrive_form": ArriveForm(row, initial=first, auto_id="arrive-%s") if kind else None,
        },
    )


@form("ledger.ship")
def plan(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponseBase:
    """Plan a shipment under an order."""
    order = orders(actor).filter(pk=order_id).first()
    if order is None:
        raise missing("order", order_id)
    posted = request.POST if request.method == "POST" else None
    asked = PlanForm(posted, initial={"place": order.place})
    rows: list[OrderLine] = sorted(order.lines.all(), key=lambda each: each.position)
    lines = [(each, PlanLineForm(posted, prefix=f"line{each.position}")) for each in rows]
    refusal = None
    if posted is not None and all([asked.is_valid(), *(each.is_valid() for _row, each in lines)]):
        parts = [
            Part(row.position, each.cleaned_data["units"], each.cleaned_data["value"] or 0, order.currency)
            for row, each in lines
            if each.cleaned_data["units"]
        ]
        try:
            made = services.plan(actor, order.pk, asked.cleaned_data["number"], asked.cleaned_data["place"], parts)
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("The shipment is planned; nothing is reserved yet."))
            return redirect("ledger:shipment", made.pk)
    return render(
        request,
        "ledger/shipment_plan.html",
        {"order": order, "form": asked, "lines": lines, "refusal": refusal},
        status=422 if posted is not None else 200,
    )


@task("ledger.ship")
def reserve(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Reserve on both keys; the form's own key makes a second click harmless."""
    _find(actor, shipment_id)
    services.reserve(actor, shipment_id, request.POST.get("key", "")[:60] or "1")
    messages.success(request, _("Reserved on both keys, for 30 days."))
    return redirect("ledger:shipment", shipment_id)


@task("ledger.ship")
def void(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Give the reservation back."""
    asked = WhyForm(request.POST)
    if asked.is_valid():
        services.void(actor, shipment_id, asked.cleaned_data["why"])
        messages.success(request, _("The reservation is given back; every unit of it is free again."))
    else:
        complain(request, asked)
    return redirect("ledger:shipment", shipment_id)


@task("release.request", signs=True)
def release(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Ask for the release: signed by both sides, or refused with every reason."""
    row = releasing.release(actor, shipment_id)
    messages.success(request, _("Released: %(number)s is signed by both sides.") % {"number": row.number})
    return redirect("ledger:shipment", shipment_id)


@task("ledger.ship")
def ship(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Record that the shipment left, with its serial numbers."""
    row = _find(actor, shipment_id)
    asked = {line.line.position: ShipForm(request.POST, prefix=f"line{line.line.position}") for line in row.lines.all()}
    if all(each.is_valid() for each in asked.values()):
        given = {position: each.cleaned_data["serials"].split() for position, each in asked.items()}
        services.ship(actor, shipment_id, given)
        messages.success(request, _("The shipment has left."))
    else:
        complain(request, *asked.values())
    return redirect("ledger:shipment", shipment_id)


@task("ledger.read")
def arrive(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Record a delivery (the importer) or a customs entry (customs); the service knows who may."""
    row = _find(actor, shipment_id)
    asked = ArriveForm(row, request.POST)
    if asked.is_valid():
        given = asked.cleaned_data
        kind = Arrival.Kind.CUSTOMS_ENTRY if actor.role is Role.CUSTOMS else Arrival.Kind.DELIVERY
        services.arrive(
            actor,
            shipment_id,
            given["position"],
            kind.value,
            given["number"],
            given["on"],
            given["place"],
            given["units"],
        )
        messages.success(request, _("It is recorded."))
    else:
        complain(request, asked)
    return redirect("ledger:shipment", shipment_id)


@task("ledger.ship")
def take_back(request: HttpRequest, actor: Actor, shipment_id: int) -> HttpResponseBase:
    """Take goods back; their units and value are free again, the use stays used."""
    row = _find(actor, shipment_id)
    why = WhyForm(request.POST, prefix="back")
    asked = {
        line.line.position: ReturnLineForm(request.POST, prefix=f"back{line.line.position}") for line in row.lines.all()
    }
    if all([why.is_valid(), *(each.is_valid() for each in asked.values())]):
        units = {position: each.cleaned_data["units"] or 0 for position, each in asked.items()}
        services.take_back(actor, shipment_id, request.POST.get("key", "")[:60], units, why.cleaned_data["why"])
        messages.success(request, _("The units are back on both keys."))
    else:
        complain(request, why, *asked.values())
    return redirect("ledger:shipment", shipment_id)


def _expiring(row: Shipment) -> list[Evidence]:
    """Return what expires soon of a shipment that is not released yet; afterwards it stops nothing."""
    if row.state not in {"planned", "reserved"}:
        return []
    rows = expiring(timezone.now().date()).filter(order=row.order_id)
    return [each for each in rows if each.shipment_id in {None, row.pk}]


def _find(actor: Actor, shipment_id: int) -> Shipment:
    rows: Any = services.shipments(actor).select_related("order__importer", "order__exporter")
    row: Shipment | None = rows.filter(pk=shipment_id).first()
    if row is None:
        raise missing("shipment", shipment_id)
    return row
