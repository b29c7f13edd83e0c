"""Batches: the ceiling, what is used of it, and by which company."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from twokey.desk.actors import Actor, may
from twokey.desk.cases import batches as services
from twokey.desk.ledger.holdings import batch_view, caps_in_view
from twokey.desk.ledger.posture import limits
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.reasons import Refused
from twokey.desk.web.base.doors import complain, form, page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.forms import BatchForm, TopUpForm


@page("batch.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the batches, newest first, each with what is left under its ceiling; and the ratio caps."""
    rows = sheet(request, services.batches(actor).order_by("-pk"))
    found = [
        (each, limits(next(row.balance for row in each.balances.all() if row.share_id is None))) for each in rows.rows
    ]
    return render(
        request,
        "ledger/batches.html",
        {
            "sheet": rows,
            "batches": found,
            "caps": [(each, limits(each.balance)) for each in caps_in_view(actor)],
            "may_open": may(actor, "batch.open") and actor.authority_id is not None,
        },
    )


@form("batch.open", signs=True)
def opening(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Open a batch; another officer of the authority countersigns it."""
    asked = BatchForm(request.POST or None)
    refusal = None
    if request.method == "POST" and asked.is_valid():
        given = asked.cleaned_data
        try:
            made = services.open_batch(
                actor,
                given["code"],
                units=given["units"],
                value_minor=given["value"],
                currency=given["currency"].upper(),
                oversubscription=given["oversubscription"],
            )
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("The batch is open; it takes decisions once another officer countersigned it."))
            return redirect("ledger:batch", made.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "ledger/batch_open.html", {"form": asked, "refusal": refusal}, status=status)


@page("batch.read")
def show(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponse:
    """Show a batch: ceilings, what is used of them, by company, its top-ups and its authorisations."""
    view = batch_view(actor, batch_id)
    own = actor.authority_id == view.batch.authority_id
    under = authorisations(actor).filter(batch_balance=view.ceiling).order_by("-pk")
    companies = sheet(request, view.holdings, name="companies")
    return render(
        request,
        "ledger/batch.html",
        {
            "view": view,
            "batch": view.batch,
            "limits": limits(view.ceiling),
            "companies": companies,
            "holdings": [(each, limits(each.share) if each.share else []) for each in companies.rows],
            "rows": sheet(request, under),
            "may_sign": own
            and may(actor, "batch.open")
            and not view.batch.countersigned_by
            and view.batch.opened_by != actor.login,
            "may_top_up": own and may(actor, "batch.topup"),
            "topup": TopUpForm(prefix="topup"),
        },
    )


@task("batch.open", signs=True)
def countersign(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponseBase:
    """Give a batch its second signature."""
    services.countersign_batch(actor, batch_id)
    messages.success(request, _("The batch is countersigned; decisions may be taken under it."))
    return redirect("ledger:batch", batch_id)


@task("batch.topup", signs=True)
def topup(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponseBase:
    """Propose a higher ceiling."""
    asked = TopUpForm(request.POST, prefix="topup")
    if not asked.is_valid():
        complain(request, asked)
        return redirect("ledger:batch", batch_id)
    given = asked.cleaned_data
    services.propose_topup(actor, batch_id, given["units"], given["value"], given["why"])
    messages.success(request, _("The higher ceiling is proposed; another officer countersigns it."))
    return redirect("ledger:batch", batch_id)


@task("batch.topup", signs=True)
def countersign_topup(request: HttpRequest, actor: Actor, batch_id: int, topup_id: int) -> HttpResponseBase:
    """Countersign a higher ceiling; it holds at once."""
    services.countersign_topup(actor, topup_id)
    messages.success(request, _("The ceiling is raised."))
    return redirect("ledger:batch", batch_id)
