"""Pages of the law itself: its time line, provisions, instruments, classes of chips, differences between days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from twokey.desk.actors import Actor
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import page
from twokey.desk.web.law import classes, difference, phrases, provisions, timeline
from twokey.desk.web.law.fields import day as read_day
from twokey.law.engine.law import KINDS
from twokey.law.history import instruments
from twokey.law.source import law

MOST_DAYS: Final = 6


def day_of(request: HttpRequest, name: str, default: date) -> tuple[date, bool]:
    """Return the day that a page was asked for, and whether what was written is no day."""
    text = request.GET.get(name, "")
    found = read_day(text) if text else default
    return (found, False) if found else (default, True)


def today() -> date:
    """Return the day that the desk is on."""
    return timezone.now().date()


@page("law.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the instruments of both sides by the day on which they take effect."""
    (since, bad_since), (until, bad_until) = (day_of(request, name, date.min) for name in ("since", "until"))
    choice = timeline.Choice(
        request.GET.get("side", ""),
        request.GET.get("kind", ""),
        request.GET.get("q", ""),
        since if since > date.min else None,
        until if until > date.min else None,
    )
    found = timeline.entries(law(), choice)
    words = {
        "entries": found,
        "chart": timeline.chart(found) if found else None,
        "sides": timeline.side_words().items(),
        "kinds": [(kind, phrases.kind(kind)) for kind in KINDS if any(e.kind == kind for e in timeline.entries(law()))],
        "choice": choice,
        "problem": bad_since or bad_until,
        "today": today(),
    }
    return render(request, "law/index.html", words)


@page("law.read")
def provision_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the provisions of every pack, as they stand on a day."""
    on, problem = day_of(request, "on", today())
    chosen = {"regime": request.GET.get("regime", ""), "words": request.GET.get("q", "")}
    found = provisions.rows(law(), on, **chosen, only_in_force=request.GET.get("all") != "1")
    by_regime = [
        (code, phrases.regime(code, law()), [row for row in found if row.regime == code]) for code in law().packs
    ]
    words = {
        "groups": [group for group in by_regime if group[2]],
        "regimes": [(code, phrases.regime(code, law())) for code in law().packs],
        "chosen": chosen,
        "every": request.GET.get("all") == "1",
        "count": len(found),
        "on": on,
        "problem": problem,
    }
    return render(request, "law/provisions.html", words)


@page("law.read")
def provision(request: HttpRequest, actor: Actor, regime: str, name: str) -> HttpResponse:
    """Show one provision: its words, how it reads on a day, its values by date, its history, what rests on it."""
    found = law().provisions.get(f"{regime}:{name}")
    if found is None:
        raise missing("provision", f"{regime}:{name}")
    on, problem = day_of(request, "on", today())
    words = {"it": provisions.page(law(), found, on), "on": on, "problem": problem}
    return render(request, "law/provision.html", words)


@page("law.read")
def instrument(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Show one instrument: what it is, how well it is known, the provisions and values that rest on it."""
    found = next((one for _regime, one in instruments(law()) if one.id == name), None)
    if found is None:
        raise missing("instrument", name)
    return render(request, "law/instrument.html", {"it": provisions.act(law(), found, today())})


@page("law.read")
def classification(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what the law says of each chip of the catalogue on several days."""
    asked = classes.asked(request.GET.get("question", ""))
    texts = [text for text in request.GET.getlist("on") if text.strip()]
    given = [found for text in texts if (found := read_day(text))]
    days = tuple(sorted(set(given)))[:MOST_DAYS] or (*asked.days, today())
    table = classes.table(asked.name, days, phrases.lang())
    chosen = {"words": request.GET.get("q", ""), "country": request.GET.get("country", "")}
    words = {
        "asked": asked,
        "questions": classes.QUESTIONS,
        "days": days,
        "spare": range(max(0, MOST_DAYS - len(days))),
        "lines": classes.shown(table, **chosen),
        "countries": sorted({line.country for line in table}),
        "chosen": chosen,
        "problem": len(given) < len(texts),
    }
    return render(request, "law/classification.html", words)


@page("law.read")
def differences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what is different between two days."""
    latest = [day for day in law().days if day <= today()]
    first, bad_first = day_of(request, "first", latest[-2] if len(latest) > 1 else today())
    second, bad_second = day_of(request, "second", today())
    regime = request.GET.get("regime", "")
    found = difference.lines(law(), first, second, regime)
    words = {
        "first": first,
        "second": second,
        "regime": regime,
        "regimes": [(code, phrases.regime(code, law())) for code in law().packs],
        "groups": list(difference.by_regime(found)),
        "count": len(found),
        "steps": list(_steps(latest)),
        "problem": bad_first or bad_second,
    }
    return render(request, "law/difference.html", words)


def _steps(days: list[date]) -> Iterator[dict[str, Any]]:
    """Yield the latest days on which the law changed, each with the day before it."""
    for day in reversed(days[-8:]):
        yield {"day": day, "before": date.fromordinal(day.toordinal() - 1)}
