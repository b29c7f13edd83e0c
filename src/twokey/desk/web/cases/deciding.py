"""The decision: outcome, reasons, what is granted of each item, conditions; signed, and countersigned by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor
from twokey.desk.cases import batches, deciding, reviewing
from twokey.desk.cases.deciding import ConditionTerm, LineTerm, Terms
from twokey.desk.cases.expiring import expiring
from twokey.desk.cases.models import Application, OrderLine
from twokey.desk.cases.states import allow
from twokey.desk.reasons import Refused
from twokey.desk.web.base.doors import form as form_page
from twokey.desk.web.base.fields import Day, Money, Whole
from twokey.desk.web.base.words import WORDS
from twokey.desk.web.cases.reading import papers_of, reading_of


class DecisionForm(forms.Form):
    """Outcome, reasons, batch, and words for deciding despite a law that is not clear."""

    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=[("", "–"), ("approve", _("approve")), ("refuse", _("refuse"))]
    )
    reasons = forms.CharField(label=_("Reasons"), widget=forms.Textarea, max_length=20_000)
    batch = forms.ChoiceField(label=_("Batch"), required=False)
    despite = forms.CharField(
        label=_("Despite the law of the day"),
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only where the law is not clear. These words are signed with the decision."),
    )


class LineForm(forms.Form):
    """What is granted of one item."""

    units = Whole(label=_("Units"))
    value = Money(label=_("Value"))
    valid_from = Day(label=_("Valid from"))
    valid_until = Day(label=_("Valid until"))
    uses = Whole(label=_("Uses"), required=False, help_text=_("Empty: any number."))
    places = forms.MultipleChoiceField(
        label=_("Places"),
        choices=[(code, word) for code, word in WORDS["place"].items()],
        widget=forms.CheckboxSelectMultiple,
    )


@dataclass(frozen=True, slots=True)
class LineRow:
    """One item of the order with its form."""

    line: OrderLine
    form: LineForm


@form_page("case.decide", signs=True)
def decide(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Decide a case; it permits nothing until another officer countersigns."""
    application = reviewing.case(actor, case_id)
    allow(actor, application, "decide")
    given = request.POST or None
    form = DecisionForm(given)
    cast(forms.ChoiceField, form.fields["batch"]).choices = _batches(actor, application)
    rows = [_row(line, application, given) for line in application.order.lines.order_by("position")]
    conditions = _conditions(request)
    refusal: Refused | None = None
    if request.method == "POST":
        approve = request.POST.get("outcome") == "approve"
        if form.is_valid() and (not approve or all(each.form.is_valid() for each in rows)):
            data = form.cleaned_data
            terms = Terms(tuple(_term(each, application) for each in rows), conditions) if approve else None
            try:
                deciding.decide(
                    actor,
                    case_id,
                    data["outcome"],
                    data["reasons"],
                    terms,
                    batch_id=int(data["batch"]) if data["batch"] and approve else None,
                    despite=data["despite"],
                )
            except Refused as error:
                refusal = error
            else:
                messages.success(request, _t("Decided and signed. Another officer countersigns."))
                return redirect("cases:show", case_id)
    reading = reading_of(actor, application)
    answer: dict[str, Any] = {
        "case": application,
        "form": form,
        "rows": rows,
        "conditions": [*conditions, None],
        "kinds": ("precedent", "lasting"),
        "refusal": refusal,
        "expiring": list(expiring(timezone.now().date()).filter(order=application.order_id)),
        "file": papers_of(actor, application, reading),
    }
    failed = refusal or form.errors or any(each.form.errors for each in rows)
    return render(request, "cases/decide.html", answer, status=422 if failed else 200)


def _row(line: OrderLine, application: Application, given: Any) -> LineRow:
    today = timezone.now().date()
    initial = {
        "units": f"{line.units:,}",
        "value": f"{line.value_minor // 100:,}.{line.value_minor % 100:02d}",
        "valid_from": today,
        "valid_until": today + timedelta(days=364),
        "places": [application.order.place],
    }
    return LineRow(line, LineForm(given, initial=initial, prefix=f"line{line.position}"))


def _term(row: LineRow, application: Application) -> LineTerm:
    data = row.form.cleaned_data
    start: date = data["valid_from"]
    return LineTerm(
        position=row.line.position,
        units=data["units"],
        value_minor=data["value"],
        currency=application.order.currency,
        valid_from=start,
        valid_until=data["valid_until"],
        places=tuple(data["places"]),
        uses=data["uses"],
    )


def _conditions(request: HttpRequest) -> tuple[ConditionTerm, ...]:
    columns = [request.POST.getlist(name) for name in ("code", "kind", "text_en", "text_zh")]
    return tuple(
        ConditionTerm(code.strip(), kind, english.strip(), chinese.strip())
        for code, kind, english, chinese in zip(*columns, strict=False)
        if code.strip() and kind in {"precedent", "lasting"}
    )


def _batches(actor: Actor, application: Application) -> Sequence[tuple[str, str]]:
    rows = batches.batches_for(actor, application.applicant_id, application.order.currency)
    return [("", "–"), *((str(pk), code) for pk, code in rows.values_list("pk", "code"))]
