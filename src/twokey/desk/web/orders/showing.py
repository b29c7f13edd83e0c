"""What parties do on the page of an order: show evidence, apply, plan a shipment, reserve, release."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor
from twokey.desk.cases import drafting, papers, reviewing
from twokey.desk.cases.assessing import CERTIFICATIONS
from twokey.desk.cases.models import Order
from twokey.desk.ledger import releasing, shipments
from twokey.desk.ledger.models import Condition
from twokey.desk.ledger.shipments import Part
from twokey.desk.reasons import Refused, missing
from twokey.desk.web.base.doors import back, complain, task
from twokey.desk.web.base.doors import form as form_page
from twokey.desk.web.base.fields import Day, Money, Upload, Whole
from twokey.desk.web.base.saying import evidence_name
from twokey.desk.web.base.words import WORDS
from twokey.desk.web.orders.views import find


class EvidenceForm(forms.Form):
    """A document, and what it shows until when."""

    name = forms.ChoiceField(label=_("What it shows"))
    file = Upload(label=_("Document"), help_text=_("PDF, PNG, JPEG, plain text, DOCX or XLSX, at most 25 MB."))
    issuer = forms.CharField(max_length=300, label=_("Issued by"))
    issued_on = Day(label=_("Issued on"))
    expires_on = Day(label=_("Expires on"), required=False, help_text=_("Empty: it does not expire."))
    shipment = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, names: list[str], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["name"].choices = [(each, evidence_name(each)) for each in names]  # type: ignore[attr-defined]  # a choice field, by its name


@form_page("case.evidence")
def evidence(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """Add a document that shows that a certification or a condition holds."""
    order = find(actor, order_id)
    names = _names(actor, order)
    initial = {key: request.GET[key] for key in ("name", "shipment") if key in request.GET}
    form = EvidenceForm(names, request.POST or None, request.FILES or None, initial=initial)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            _add(actor, order, form.cleaned_data)
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _t("The evidence is on file."))
            return redirect("orders:show", order.pk)
    status = 422 if refusal or form.errors else 200
    return render(request, "orders/evidence.html", {"order": order, "form": form, "refusal": refusal}, status=status)


@task("case.evidence")
def withdraw(request: HttpRequest, actor: Actor, order_id: int, evidence_id: int) -> HttpResponse:
    """Take back evidence that no longer shows what it did."""
    papers.withdraw_evidence(actor, evidence_id, request.POST.get("why", ""))
    return back(request, "orders:show", order_id)


@task("case.draft")
def placed(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """Record that the buyer placed the order."""
    form = PlacedForm(request.POST)
    if not form.is_valid():
        complain(request, form)
        return redirect("orders:show", order_id)
    drafting.place_order(actor, order_id, form.cleaned_data["on"], form.cleaned_data["reference"])
    return back(request, "orders:show", order_id)


class PlacedForm(forms.Form):
    """When the order was placed, and under which reference."""

    on = Day(label=_("Placed on"))
    reference = forms.CharField(max_length=200, label=_("Reference"))


@task("case.draft")
def apply(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """Open a draft to an authority, or go on with the one that is open."""
    order = find(actor, order_id)
    code = request.POST.get("authority", "")
    open_one = (
        reviewing.cases(actor)
        .filter(order=order, authority__code=code, applicant_id=actor.organisation_id, state__in=("draft", "returned"))
        .order_by("-pk")
        .first()
    )
    application = open_one or drafting.draft_application(actor, order.pk, code)
    return redirect("cases:apply", application.pk)


class PlanForm(forms.Form):
    """A shipment of one item; where several are to go together, the API plans it."""

    number = forms.CharField(max_length=40, label=_("Number of the shipment"))
    line = Whole(label=_("Item"))
    units = Whole(label=_("Units"))
    value = Money(label=_("Value"))
    place = forms.ChoiceField(label=_("Place"), choices=[(code, word) for code, word in WORDS["place"].items()])


@task("ledger.ship")
def plan(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """Plan a shipment under the order."""
    order = find(actor, order_id)
    form = PlanForm(request.POST)
    if not form.is_valid():
        complain(request, form)
        return redirect("orders:show", order.pk)
    data = form.cleaned_data
    part = Part(data["line"], data["units"], data["value"], order.currency)
    shipment = shipments.plan(actor, order.pk, data["number"], data["place"], [part])
    messages.success(
        request, _t("Shipment %(number)s is planned; nothing is reserved yet.") % {"number": shipment.number}
    )
    return redirect("orders:show", order.pk)


@task("ledger.ship")
def reserve(request: HttpRequest, actor: Actor, order_id: int, shipment_id: int) -> HttpResponse:
    """Reserve a shipment on both keys."""
    shipments.reserve(actor, shipment_id, request.POST.get("key", "1"))
    messages.success(request, _t("Reserved on both keys for 30 days."))
    return redirect("orders:show", order_id)


@task("release.request", signs=True)
def release(request: HttpRequest, actor: Actor, order_id: int, shipment_id: int) -> HttpResponse:
    """Ask for the release: drawn and signed by both sides, or refused with every reason."""
    done = releasing.release(actor, shipment_id)
    messages.success(request, _t("Released: %(number)s, signed by both sides.") % {"number": done.number})
    return redirect("orders:show", order_id)


def _names(actor: Actor, order: Order) -> list[str]:
    """Return what the order still wants shown: the law's certifications, and the conditions before shipping."""
    wanted = [
        each.code
        for row in shipments.authorisations(actor).filter(line__order=order)
        for each in row.conditions.all()
        if each.kind == Condition.Kind.PRECEDENT and each.replaced_by_id is None and not each.lifted
    ]
    return list(dict.fromkeys([*wanted, "laboratory_certificate", *CERTIFICATIONS]))


def _add(actor: Actor, order: Order, data: dict[str, Any]) -> None:
    """Put the document into the actor's own application of the order, and record what it shows."""
    application = (
        reviewing.cases(actor)
        .filter(order=order, applicant_id=actor.organisation_id)
        .exclude(state__in=("refused", "withdrawn", "superseded"))
        .order_by("-pk")
        .first()
    )
    if application is None:
        raise missing("application", order.number)
    shipment_id = int(data["shipment"]) if data["shipment"].isdecimal() else None
    name = data["name"]
    if name == "laboratory_certificate" and shipment_id is None:
        waiting = order.shipments.filter(state__in=("planned", "reserved")).order_by("pk").first()
        shipment_id = waiting.pk if waiting else None
    kind = name if name in papers.KINDS else "certification"
    document = papers.add_document(actor, application.pk, kind, data["file"].name, data["file"].read())
    papers.add_evidence(
        actor,
        order.pk,
        name,
        document.pk,
        issuer=data["issuer"],
        issued_on=data["issued_on"],
        expires_on=data["expires_on"],
        shipment_id=shipment_id,
    )
