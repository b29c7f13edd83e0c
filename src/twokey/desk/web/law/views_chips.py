"""The catalogue of chips: the list, one chip with the sources of its figures, and several side by side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from twokey.chips import UserError, catalogue, find
from twokey.desk.actors import Actor
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import page
from twokey.desk.web.law import chips, classes, phrases
from twokey.desk.web.law.views import today
from twokey.law.engine.words import confidence


@page("law.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the catalogue; what nobody published is unknown, never zero."""
    least = request.GET.get("least", "").replace(",", "")
    number = float(least) if least.isascii() and least.isdecimal() and len(least) < 10 else None
    chosen = {
        "words": request.GET.get("q", ""),
        "country": request.GET.get("country", ""),
        "order": request.GET.get("order", ""),
    }
    words = {
        "rows": chips.rows(phrases.lang(), **chosen, least=number),
        "headings": chips.headings(phrases.lang(), chosen["order"]),
        "countries": chips.countries(),
        "chosen": chosen,
        "least": least if number is not None else "",
        "problem": bool(least) and number is None,
    }
    return render(request, "law/chips.html", words)


@page("law.read")
def show(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Show one chip: every figure with its source, and what the law of today says of it."""
    try:
        chip = find(name)
    except UserError:
        raise missing("chip", name) from None
    lang = phrases.lang()
    days = (today(),)
    said = [
        (asked.words, line.cells[0])
        for asked in classes.QUESTIONS
        for line in classes.table(asked.name, days, lang)
        if line.chip == chip.name
    ]
    words = {
        "chip": chip,
        "known": confidence(chip.confidence, lang),
        "properties": chips.properties(chip, lang),
        "said": said,
        "on": days[0],
    }
    return render(request, "law/chip.html", words)


@page("law.read")
def compare(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show up to four chips side by side, each figure with its ratio to the first."""
    found, unknown = [], []
    for name in request.GET.getlist("chip"):
        if not name.strip():
            continue
        try:
            chip = find(name)
        except UserError:
            unknown.append(name)
            continue
        if chip not in found:
            found.append(chip)
    found = found[: chips.MOST_COMPARED]
    lang = phrases.lang()
    figure = None
    if len(found) > 1:
        note = _("Each figure as a share of the most among these chips.")
        figure = chips.chart(found, lang, _("Side by side"), note, _("Figure"))
    words = {
        "chips": found,
        "rows": chips.compared(found, lang) if len(found) > 1 else [],
        "chart": figure,
        "unknown": unknown,
        "names": catalogue().names(),
        "fields": [*(chip.name for chip in found), *[""] * (chips.MOST_COMPARED - len(found))],
    }
    return render(request, "law/compare.html", words)
