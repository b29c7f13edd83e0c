"""Parties: who they are, who owns them, and what screening found; officers decide possible matches."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor, Role, may
from twokey.desk.parties import screening, services
from twokey.desk.parties.lists import parse_list
from twokey.desk.parties.models import Organisation
from twokey.desk.reasons import Refused, invalid, missing
from twokey.desk.web.base.doors import form as form_page
from twokey.desk.web.base.doors import page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.base.words import WORDS

_WRITERS: Final = frozenset({Role.APPLICANT, Role.OPERATOR})


class PartyForm(forms.Form):
    """A party's name in both scripts, what it is, and where."""

    name = forms.CharField(max_length=300, label=_("Name in its own script"))
    name_latin = forms.CharField(max_length=300, label=_("Name in Latin letters"))
    kind = forms.ChoiceField(label=_("Kind"), choices=[(code, word) for code, word in WORDS["kind"].items()])
    country = forms.CharField(min_length=2, max_length=2, label=_("Country"), help_text=_("Two letters, such as CN."))
    hq_country = forms.CharField(min_length=2, max_length=2, label=_("Country of the headquarters"))
    aliases = forms.CharField(
        required=False, label=_("Other names"), widget=forms.Textarea(attrs={"rows": 2}), help_text=_("One a line.")
    )
    provenance = forms.CharField(max_length=300, required=False, label=_("Source"))


class ListForm(forms.Form):
    """A copy of a screening list, and how the list counts."""

    file = forms.FileField(label=_("File"), help_text=_("The US Consolidated Screening List as JSON or CSV, or a CSV."))
    code = forms.CharField(max_length=40, initial="us-csl", label=_("List"), help_text=_("A name of your own for it."))
    required = forms.BooleanField(
        required=False, initial=True, label=_("A missing or old copy of this list blocks releases")
    )
    max_age_days = forms.IntegerField(
        min_value=1, max_value=screening.MAX_AGE_DAYS, initial=7, label=_("At most days old")
    )


@page("party.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List parties; `?q=` finds by any name or register number."""
    wanted = request.GET.get("q", "").strip()
    rows = services.parties(actor).prefetch_related(None)
    if wanted:
        named = Q(name__icontains=wanted) | Q(name_latin__icontains=wanted)
        rows = rows.filter(named | Q(aliases__name__icontains=wanted) | Q(identifiers__value=wanted)).distinct()
    answer = {"sheet": sheet(request, rows), "q": wanted, "may_enter": actor.role in _WRITERS}
    return render(request, "parties/index.html", answer)


@page("party.read")
def show(request: HttpRequest, actor: Actor, party_id: int) -> HttpResponse:
    """Show one party; what screening found is for those who may read it."""
    party = _find(actor, party_id)
    answer: dict[str, Any] = {"party": party, "may_screen": may(actor, "screening.run")}
    if may(actor, "screening.read"):
        answer |= {
            "screening": party.screenings.order_by("-pk").first(),
            "decisions": list(party.screening_decisions.order_by("-pk")[:20]),
            "may_decide": may(actor, "screening.decide"),
        }
    return render(request, "parties/show.html", answer)


@form_page("party.write")
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter a party."""
    form = PartyForm(request.POST or None)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        aliases = [each.strip() for each in data.pop("aliases").splitlines() if each.strip()]
        try:
            party = services.add_party(actor, **data, aliases=aliases)
        except Refused as error:
            refusal = error
        else:
            messages.success(request, _t("The party is entered. It is screened when the lists are next compared."))
            return redirect("parties:show", party.pk)
    status = 422 if refusal or form.errors else 200
    return render(request, "parties/new.html", {"form": form, "refusal": refusal}, status=status)


@task("screening.run")
def screen(request: HttpRequest, actor: Actor, party_id: int) -> HttpResponse:
    """Screen a party against the current lists."""
    screening.screen(actor, _find(actor, party_id))
    messages.success(request, _t("Screened against the current lists."))
    return redirect("parties:show", party_id)


@task("screening.decide", signs=True)
def decide(request: HttpRequest, actor: Actor, party_id: int) -> HttpResponse:
    """Decide whether a party is the one on the list; the judgement is kept with its reason."""
    why = request.POST.get("why", "").strip()
    if not why:
        raise invalid("reason", "empty")
    same = request.POST.get("same") == "yes"
    screening.decide_match(actor, _find(actor, party_id), request.POST.get("entry", ""), same, why[:4_000])
    messages.success(request, _t("The judgement is on file."))
    return redirect("parties:show", party_id)


@page("party.read")
def lists(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the screening lists, how old each is, and whether one blocks releases."""
    answer = {
        "lists": screening.lists(actor),
        "reasons": screening.list_reasons(),
        "may_import": may(actor, "screening.import"),
    }
    return render(request, "parties/lists.html", answer)


@form_page("screening.import")
def import_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take in a fresh copy of a list; `?list=` starts with how that list counts now. Every party is screened again."""
    known = {each.code: each for each in screening.lists(actor)}.get(request.GET.get("list", ""))
    initial = model_to_dict(known, ["code", "required", "max_age_days"]) if known else None
    form = ListForm(request.POST or None, request.FILES or None, initial=initial)
    refusal: Refused | None = None
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        file = data.pop("file")
        try:
            version = screening.import_list(actor, parse_list(file.name, file.read()), **data)
        except Refused as error:
            refusal = error
        else:
            words = _t("%(list)s is taken in, %(entries)s entries; every party was screened again.")
            messages.success(request, words % {"list": version.list.code, "entries": f"{version.entries:,}"})
            return redirect("parties:lists")
    status = 422 if refusal or form.errors else 200
    return render(request, "parties/list_new.html", {"form": form, "refusal": refusal}, status=status)


def _find(actor: Actor, party_id: int) -> Organisation:
    found = services.parties(actor).filter(pk=party_id).first()
    if found is None:
        raise missing("party", party_id)
    return found
