"""The first page after signing in: what waits for this person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from twokey.desk.actors import Actor
from twokey.desk.web.base.doors import page


@page("case.read")
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the person who is signed in."""
    return render(request, "cases/home.html", {})
