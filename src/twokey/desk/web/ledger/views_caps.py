"""Ratio caps: the window that a person chose, what was shipped at home, and what that allows."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from twokey.desk.actors import Actor, Role, may
from twokey.desk.ledger import ratio
from twokey.desk.ledger.models import RatioCap
from twokey.desk.ledger.posture import limits
from twokey.desk.reasons import Refused
from twokey.desk.web.base.doors import complain, form, page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.forms import CapForm, HomeForm


@page("ledger.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the caps with their windows; who may state home shipments finds the form beside what was stated."""
    rows = sheet(request, ratio.caps(actor))
    found = [
        {
            "cap": each,
            "windows": [(window, limits(window.balance)) for window in each.balances.all()],
            "statements": list(each.statements.all())[:20] if _may_read(actor, each) else None,
            "form": HomeForm(auto_id=f"cap{each.pk}-%s", initial={"on": timezone.now().date()}),
        }
        for each in rows.rows
    ]
    context = {
        "sheet": rows,
        "caps": found,
        "may_choose": may(actor, "ledger.cap") and actor.authority_id is not None,
        "may_state": may(actor, "ledger.statement"),
    }
    return render(request, "ledger/caps.html", context)


@form("ledger.cap")
def choose(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Choose the window of a cap for a product."""
    asked = CapForm(request.POST or None)
    refusal = None
    if request.method == "POST" and asked.is_valid():
        given = asked.cleaned_data
        try:
            ratio.choose_cap(
                actor,
                given["product"],
                destinations=given["destinations"],
                ratio_bp=int(given["share"].scaleb(2)),
                window=given["window"],
                since=given["since"],
                why=given["why"],
            )
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _("The window is chosen; releases of the product count under it from now on."))
            return redirect("ledger:caps")
    status = 422 if request.method == "POST" else 200
    return render(request, "ledger/cap_choose.html", {"form": asked, "refusal": refusal}, status=status)


@task("ledger.statement")
def state(request: HttpRequest, actor: Actor, cap_id: int) -> HttpResponseBase:
    """State what was shipped at home; the cap rises with it at once."""
    asked = HomeForm(request.POST)
    if asked.is_valid():
        given = asked.cleaned_data
        ratio.state_home_shipments(actor, cap_id, given["on"], given["units"], given["tpp_each"], given["source"])
        messages.success(request, _("It is stated; the cap has risen by its share."))
    else:
        complain(request, asked)
    return redirect("ledger:caps")


def _may_read(actor: Actor, cap: RatioCap) -> bool:
    """Say whether the actor may read who stated what: the cap's authority, who states, and auditors."""
    return actor.authority_id == cap.authority_id or actor.role is Role.AUDITOR or may(actor, "ledger.statement")
