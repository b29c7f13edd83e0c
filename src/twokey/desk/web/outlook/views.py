"""The page with sliders: what may happen when either key turns."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from twokey.desk.actors import Actor
from twokey.desk.web.base.doors import page
from twokey.desk.web.outlook import answers, setting
from twokey.outlook.scenario import load


@page("outlook.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show where a setting of the sliders leads; the setting is in the address, and nothing is stored."""
    chosen = setting.read({name: str(text) for name, text in request.GET.items()})
    scenario = load(chosen.scenario)
    words = {
        "chosen": chosen,
        "controls": setting.controls(chosen),
        "outcome": answers.outcome(chosen),
        "title": setting.title(scenario),
        "about": setting.about(scenario),
        "scenario": scenario,
        "happenings": answers.happenings(scenario),
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "outlook/outcome.html", words)
    words |= {"scenarios": setting.scenarios(), "behind": answers.behind(scenario)}
    return render(request, "outlook/index.html", words)
