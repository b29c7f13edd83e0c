"""Authorisations: each a statement with its limits, its conditions, and what its authority or holder may change."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twokey.desk.actors import Actor, may
from twokey.desk.ledger import adjusting, states
from twokey.desk.ledger.models import Authorisation, Balance
from twokey.desk.ledger.posture import limits
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.ledger.statement import statement
from twokey.desk.web.base.doors import complain, page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.finding import find_authorisations
from twokey.desk.web.ledger.forms import AdjustForm, ConditionForm, StateForm

CHANGES: dict[str, str | Promise] = {
    "suspend": gettext_lazy("Suspend: nothing moves under it"),
    "reinstate": gettext_lazy("Reinstate"),
    "revoke": gettext_lazy("Revoke, for good"),
    "surrender": gettext_lazy("Surrender, for good"),
}


@page("ledger.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the authorisations that the actor may see; by number or company, by key, by state."""
    asked, side, state = (request.GET.get(name, "").strip() for name in ("q", "key", "state"))
    rows = authorisations(actor).order_by("-pk")
    if asked:
        rows = find_authorisations(actor, rows, asked)
    if side in {"export", "import"}:
        rows = rows.filter(authority__side=side)
    if state in Balance.State.values:
        rows = rows.filter(balance__state=state)
    shown = sheet(request, rows)
    context = {
        "sheet": shown,
        "rows": [(each, limits(each.balance)) for each in shown.rows],
        "asked": asked,
        "key": side,
        "state": state,
        "states": Balance.State.values,
        "filtered": bool(asked or side or state),
    }
    return render(request, "ledger/authorisations.html", context)


@page("ledger.read")
def show(request: HttpRequest, actor: Actor, authorisation_id: int) -> HttpResponse:
    """Show an authorisation as a statement: limits, movements with what was left, conditions, changes."""
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
    found = statement(actor, authorisation_id, before)
    row = found.authorisation
    conditions = sorted(row.conditions.all(), key=lambda each: each.pk)
    own = actor.authority_id == row.authority_id
    return render(
        request,
        "ledger/authorisation.html",
        {
            "row": row,
            "limits": limits(row.balance),
            "above": [(each, limits(each)) for each in (row.batch_balance, row.share_balance) if each is not None],
            "statement": found,
            "before": before,
            "conditions": [
                (
                    each,
                    ConditionForm(initial={"text_en": each.text_en, "text_zh": each.text_zh}, auto_id=f"c{each.pk}-%s"),
                )
                for each in conditions
                if each.replaced_by_id is None and not each.lifted
            ],
            "changed_conditions": [each for each in conditions if each.replaced_by_id is not None or each.lifted],
            "changes": row.balance.changes.order_by("-pk"),
            "adjustments": row.adjustments.order_by("-pk"),
            "state_form": _state_form(actor, row),
            "adjust_form": AdjustForm(auto_id="adjust-%s") if own and may(actor, "ledger.adjust") else None,
            "may_condition": own and may(actor, "condition.change"),
            "may_sign": own and may(actor, "ledger.adjust"),
        },
    )


@task("ledger.read", signs=True)
def change(request: HttpRequest, actor: Actor, authorisation_id: int) -> HttpResponseBase:
    """Suspend, reinstate, revoke or surrender; the service knows who may."""
    asked = StateForm(list(CHANGES.items()), request.POST)
    if asked.is_valid():
        states.change_state(actor, authorisation_id, asked.cleaned_data["change"], asked.cleaned_data["why"])
        messages.success(request, _("The state is changed, signed, and in force at once."))
    else:
        complain(request, asked)
    return redirect("ledger:authorisation", authorisation_id)


@task("ledger.adjust", signs=True)
def adjust(request: HttpRequest, actor: Actor, authorisation_id: int) -> HttpResponseBase:
    """Propose a correction of what was drawn."""
    asked = AdjustForm(request.POST)
    if asked.is_valid():
        given = asked.cleaned_data
        adjusting.propose(actor, authorisation_id, given["units"], given["value"], given["uses"], given["why"])
        messages.success(request, _("The correction is proposed; another officer signs it."))
    else:
        complain(request, asked)
    return redirect("ledger:authorisation", authorisation_id)


@task("ledger.adjust", signs=True)
def sign_adjustment(request: HttpRequest, actor: Actor, authorisation_id: int, adjustment_id: int) -> HttpResponseBase:
    """Sign a correction as the second officer."""
    adjusting.sign(actor, adjustment_id)
    messages.success(request, _("The correction is signed and on the ledger."))
    return redirect("ledger:authorisation", authorisation_id)


@task("condition.change", signs=True)
def change_condition(request: HttpRequest, actor: Actor, authorisation_id: int, condition_id: int) -> HttpResponseBase:
    """Replace a condition's words, or lift it."""
    asked = ConditionForm(request.POST)
    if asked.is_valid():
        given = asked.cleaned_data
        adjusting.change_condition(
            actor,
            condition_id,
            text_en=given["text_en"],
            text_zh=given["text_zh"],
            why=given["why"],
            lift=given["lift"],
        )
        messages.success(request, _("The condition is changed; the one before stays on the record."))
    else:
        complain(request, asked)
    return redirect("ledger:authorisation", authorisation_id)


def _state_form(actor: Actor, row: Authorisation) -> StateForm | None:
    """Return the form of what this actor may change of the state now, or None."""
    order = row.line.order
    holder = order.exporter_id if row.authority.side == "export" else order.importer_id
    names = []
    if actor.authority_id == row.authority_id and may(actor, "ledger.state"):
        names = ["suspend", "reinstate", "revoke"]
    elif actor.organisation_id == holder and may(actor, "ledger.surrender"):
        names = ["surrender"]
    possible = [name for name in names if row.balance.state in states.CHANGES[name].starts]
    return StateForm([(name, CHANGES[name]) for name in possible], auto_id="state-%s") if possible else None
