"""Two pages that ask the law something: what it would say of an order, and what an amendment would do."""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from twokey.chips import UserError, find
from twokey.desk.actors import Actor
from twokey.desk.cases.openbook import PORTION, count, portion
from twokey.desk.web.base.doors import page
from twokey.desk.web.law import asking, classes, fields, impact, phrases
from twokey.desk.web.law.drafts import drafts, find_draft, law_under
from twokey.desk.web.law.views import day_of, today

_COUNTRIES: Final = ("US", "CN", "HK", "MO", "TW", "SG", "JP", "KR", "NL", "GB", "AE", "SA", "MY", "RU")


@page("law.read")
def what_if(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer what the law would say of an order. The facts are in the address; nothing is stored."""
    lang = phrases.lang()
    on, bad_day = day_of(request, "on", today())
    draft = find_draft(request.GET.get("under", ""))
    texts = {name: str(text) for name, text in request.GET.items() if fields.fillable(name)}
    if "asked" not in request.GET:
        texts = {**_given(request.GET.get("given", ""), texts.get("item.chip", "")), **texts} or dict(fields.FIRST)
    if fields.fillable(added := request.GET.get("add", "")):
        texts.setdefault(added, "")
    stated = fields.read(texts)
    answer, problem = None, ""
    if not stated.problems:
        try:
            answer = asking.ask(stated.facts, on, law_under(draft.name if draft else ""), lang)
        except UserError as error:
            problem = asking.problem(error)
    core = [name for names in fields.CORE.values() for name in names]
    wanted = [one.name for one in answer.missing if fields.fillable(one.name)] if answer else []
    further = [name for name in texts if name not in core and name not in wanted]

    def as_fields(names: list[str]) -> list[fields.Field]:
        return [fields.field(name, lang, texts.get(name, ""), stated.problems.get(name, "")) for name in names]

    words = {
        "answer": answer,
        "problem": problem,
        "bad_day": bad_day,
        "on": on,
        "draft": draft,
        "drafts": [(one.name, one.title(lang)) for one in drafts()],
        "groups": [(name, as_fields(list(names))) for name, names in fields.CORE.items()],
        "wanted": fields.by_group(as_fields([name for name in wanted if name not in core])),
        "further": as_fields(further),
        "others": fields.others([*core, *texts, *wanted], lang),
        "chips": fields.chips(),
        "countries": _COUNTRIES,
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "law/answer.html" if partial else "law/what_if.html", words)


@page("law.read")
def impacts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what an amendment would do: to the open cases that the actor may see, and to every order there is.

    The book is read in portions; the totals so far travel with the page, signed, and no portion is kept.
    """
    lang = phrases.lang()
    draft = find_draft(request.GET.get("draft", ""))
    if draft is None:
        listed = [(one, one.title(lang), one.note(lang)) for one in drafts()]
        return render(request, "law/impact_list.html", {"drafts": listed})
    on, problem = day_of(request, "on", max(draft.start, today()))
    so_far = impact.totals(request.GET.get("so_far", ""))
    cases = portion(actor, so_far.last)
    moves = impact.moves(cases, draft.name, on, lang)
    so_far.add(cases, moves)
    words = {
        "draft": draft,
        "title": draft.title(lang),
        "note": draft.note(lang),
        "on": on,
        "problem": problem or on < draft.start,
        "moves": moves,
        "totals": so_far,
        "table": _table(so_far),
        "stricter": so_far.sum(stricter=True),
        "looser": so_far.sum(stricter=False),
        "provisions": impact.provision_words(draft.name, so_far.provisions),
        "more": _next(draft.name, on, so_far) if len(cases) == PORTION else "",
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "law/impact_portion.html", words)
    words |= {"open": count(actor), "reached": impact.reached(draft.name, on, lang)}
    return render(request, "law/impact.html", words)


def _given(name: str, chip: str) -> dict[str, str]:
    """Return as texts what a question of the table of chips takes as given; nothing for any other name."""
    one = next((one for one in classes.QUESTIONS if one.name == name), None)
    if one is None:
        return {}
    try:
        facts = classes.given(one, find(chip))
    except UserError:
        return {}
    return {fact: str(value).lower() if isinstance(value, bool) else str(value) for fact, value in facts.items()}


def _table(so_far: impact.Totals) -> list[tuple[str, str, str, int, int]]:
    """Return the moves that were counted, most cases first."""
    rows = [(*key, tally[0], tally[1]) for key, tally in so_far.moved.items()]
    return sorted(rows, key=lambda row: (-row[3], row))


def _next(draft: str, on: date, so_far: impact.Totals) -> str:
    return f"?{urlencode({'draft': draft, 'on': on.isoformat(), 'so_far': so_far.signed()})}"
