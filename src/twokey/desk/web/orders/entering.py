"""Entering an order, and stating the facts of it that the law still asks for."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from twokey.chips import catalogue
from twokey.chips.errors import UserError
from twokey.desk.actors import Actor
from twokey.desk.cases import assessing, drafting
from twokey.desk.cases.completeness import FOUND_BY_AUTHORITY
from twokey.desk.cases.drafting import LineDraft, OrderDraft
from twokey.desk.parties import services
from twokey.desk.reasons import Refused
from twokey.desk.web.base.doors import form as form_page
from twokey.desk.web.base.fields import Party, minor, whole
from twokey.desk.web.base.words import WORDS, language
from twokey.desk.web.law.fields import read
from twokey.desk.web.orders.views import find

_YES_NO = [("", _("not stated")), ("true", _("yes")), ("false", _("no"))]
_OTHERS = ("laboratory", "intermediate_consignee", "carrier")


class OrderForm(forms.Form):
    """An order, but for its items, which are rows."""

    number = forms.CharField(max_length=40, label=_("Number of the order"))
    we_are = forms.ChoiceField(
        label=_("We are"), choices=[("exporter", _("the exporter")), ("importer", _("the importer"))]
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=[(each, each) for each in ("USD", "CNY", "EUR", "HKD")])
    destination = forms.CharField(max_length=2, min_length=2, initial="CN", label=_("Country of destination"))
    place = forms.ChoiceField(label=_("Place"), choices=[(code, word) for code, word in WORDS["place"].items()])

    def __init__(self, actor: Actor, data: Any = None) -> None:
        super().__init__(data)
        self.fields["partner"] = Party(actor, label=_("The other side"), help_text=_("Its name in either script."))
        self.fields["consignee"] = Party(
            actor,
            required=False,
            label=_("Ultimate consignee and end user"),
            help_text=_("Empty: the importer itself."),
        )
        for role in _OTHERS:
            self.fields[role] = Party(actor, required=False, label=str(WORDS["party"][role]).capitalize())


@form_page("order.create")
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter an order with its items and every party in every role."""
    form = OrderForm(actor, request.POST or None)
    rows = _rows(request)
    refusal: Refused | None = None
    if request.method == "POST":
        lines, wrong = _lines(rows)
        if form.is_valid() and not wrong:
            try:
                order = drafting.create_order(actor, _draft(actor, form.cleaned_data, lines))
            except Refused as error:
                refusal = error
            else:
                messages.success(request, _t("The order is entered. Next: state its facts, then apply."))
                return redirect("orders:show", order.pk)
        elif wrong:
            form.add_error(None, wrong)
    answer = {
        "form": form,
        "rows": rows or [{"chip": "", "units": "", "value": ""}],
        "refusal": refusal,
        "chips": _chips(),
        "parties": services.parties(actor).prefetch_related(None)[:200],
    }
    return render(request, "orders/new.html", answer, status=422 if refusal or form.errors else 200)


@form_page("case.draft")
def facts(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponse:
    """State the facts that the law asks for and the order does not say yet, and change those that it does."""
    order = find(actor, order_id)
    on = timezone.now().date()
    asked = sorted(
        {
            name
            for said in assessing.assess_keys(order, ("export", "import"), on).values()
            for name in said.key.missing
            if name not in FOUND_BY_AUTHORITY and not name.startswith("certifications.")
        }
        | set(order.facts)
    )
    form = FactsForm(asked, order.facts, request.POST or None)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            stated = {name: value for name, value in form.stated().items() if value != order.facts.get(name, "")}
            drafting.set_facts(actor, order.pk, stated)
        except Refused as error:
            refusal = error
        except UserError:  # each fact is one that the law knows; together they contradict each other
            form.add_error(None, _t("These facts cannot stand together; check them."))
        else:
            messages.success(request, _t("The facts are saved, and the cases were assessed again."))
            return redirect("orders:show", order.pk)
    status = 422 if refusal or form.errors else 200
    return render(request, "orders/facts.html", {"order": order, "form": form, "refusal": refusal}, status=status)


class FactsForm(forms.Form):
    """One field a fact, of the fact's own type, in the law's own words."""

    def __init__(self, names: list[str], known: dict[str, Any], data: Any = None) -> None:
        super().__init__(data)
        from twokey.law.engine.facts import dictionary

        lang = language()
        self.types = {name: dictionary()[name] for name in names if name in dictionary()}
        for name, fact in self.types.items():
            options: dict[str, Any] = {"required": False, "label": fact.label(lang)}
            value = known.get(name)
            if fact.type == "boolean":
                options |= {"choices": _YES_NO, "initial": "" if value is None else str(value).lower()}
                self.fields[name] = forms.ChoiceField(**options)
            elif fact.type == "choice":
                choices = [("", _("not stated")), *((each, fact.word(each, lang)) for each in fact.choices)]
                self.fields[name] = forms.ChoiceField(**options, choices=choices, initial=value or "")
            else:
                self.fields[name] = forms.CharField(
                    **options, max_length=200, initial="" if value is None else value, help_text=fact.unit_in(lang)
                )

    def clean(self) -> dict[str, Any]:
        """Say beside a field what is wrong with its fact, in the language of the page."""
        given = {name: str(text) for name, text in self.cleaned_data.items() if text not in ("", None)}
        for name, problem in read(given).problems.items():
            self.add_error(name, problem)
        return self.cleaned_data

    def stated(self) -> dict[str, Any]:
        """Return what was stated, each value of its fact's type; decimals stay text, and "" is not stated."""
        return {name: self._typed(name, text) for name, text in self.cleaned_data.items()}

    def _typed(self, name: str, text: str) -> Any:
        kind = self.types[name].type
        if kind == "boolean" and text:
            return text == "true"
        if kind in {"integer", "number"} and whole(text) is not None:
            return whole(text)
        return text


@cache
def _chips() -> tuple[str, ...]:
    return tuple(chip.name for chip in catalogue())


def _rows(request: HttpRequest) -> list[dict[str, str]]:
    columns = [request.POST.getlist(name) for name in ("chip", "units", "value")]
    return [
        {"chip": chip, "units": units, "value": value}
        for chip, units, value in zip(*columns, strict=False)
        if chip or units or value
    ]


def _lines(rows: list[dict[str, str]]) -> tuple[list[LineDraft], str]:
    """Return the items, or what is wrong with the first row that is none."""
    found, known = [], _chips()
    for place, row in enumerate(rows, 1):
        units, value = whole(row["units"]), max(minor(row["value"]) or 0, 0)
        if row["chip"] not in known:
            return [], _t("Item %(place)s: choose a chip of the catalogue.") % {"place": place}
        if not units or not value:
            return [], _t("Item %(place)s: give whole units and the value of all of them.") % {"place": place}
        found.append(LineDraft(row["chip"], units, value))
    return (found, "") if found else ([], _t("An order has at least one item."))


def _draft(actor: Actor, data: dict[str, Any], lines: list[LineDraft]) -> OrderDraft:
    mine, partner = actor.organisation_id or 0, data["partner"].pk
    exporter, importer = (mine, partner) if data["we_are"] == "exporter" else (partner, mine)
    consignee = data["consignee"].pk if data["consignee"] else importer
    others = [(data[role].pk, role) for role in _OTHERS if data[role]]
    return OrderDraft(
        number=data["number"],
        exporter_id=exporter,
        importer_id=importer,
        currency=data["currency"],
        destination=data["destination"].upper(),
        place=data["place"],
        lines=lines,
        parties=[(importer, "purchaser"), (consignee, "ultimate_consignee"), (consignee, "end_user"), *others],
    )
