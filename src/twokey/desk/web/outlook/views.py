"""The page with sliders: what may happen when either key turns."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from twokey.desk.actors import Actor
from twokey.desk.web.base.doors import page
from twokey.desk.web.outlook import answers, setting


def _shown(request: HttpRequest) -> str:
    """Return the scenario of the page that asks."""
    query = QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    return setting.read({"scenario": query.get("scenario", setting.FIRST)}).scenario


@page("outlook.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show where a setting of the sliders leads; the setting is in the address, and nothing is stored."""
    chosen = setting.read({name: str(text) for name, text in request.GET.items()})
    scenario = setting.scenario_of(chosen.scenario)
    words = {
        "chosen": chosen,
        "controls": setting.controls(chosen),
        "outcome": answers.outcome(chosen),
        "title": setting.title(scenario),
        "about": setting.about(scenario),
        "scenario": scenario,
        "happenings": answers.happenings(scenario),
        "behind": answers.behind(scenario),
    }
    if request.headers.get("HX-Request") == "true":
        words["elsewhere"] = _shown(request) != chosen.scenario  # the sliders' left ends then mean something else
        return render(request, "outlook/outcome.html", words)
    words["scenarios"] = setting.scenarios()
    return render(request, "outlook/index.html", words)
