"""The first page after signing in: what waits for this person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor, Role
from twokey.desk.cases import reviewing
from twokey.desk.cases.expiring import expiring
from twokey.desk.cases.models import Advice, AdviceRequest, Application, Decision, Evidence
from twokey.desk.ledger.models import Shipment
from twokey.desk.ledger.releasing import releases
from twokey.desk.ledger.shipments import shipments
from twokey.desk.parties.screening import waiting_matches
from twokey.desk.web.base.doors import page
from twokey.desk.web.cases.views import clocks, expire_of

SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Pile:
    """Cases that wait for one thing; `more` is the query of the list that holds them all."""

    title: str | Promise
    rows: list[Application]
    more: str


@page("case.read")
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what waits for the person who is signed in."""
    piles = [each for each in _piles(actor) if each.rows]
    shown = [case for pile in piles for case in pile.rows]
    answer: dict[str, Any] = {"piles": piles, "clocks": clocks(shown), "expire": expire_of(shown)}
    if actor.role is Role.APPLICANT:
        answer |= {"waiting": _waiting(actor), "expiring": _expiring(actor)}
    if actor.role in {Role.OFFICER, Role.OPERATOR}:
        answer["matches"] = waiting_matches(actor, SHOWN)
    if actor.role in {Role.CUSTOMS, Role.AUDITOR, Role.OPERATOR}:
        answer["releases"] = list(releases(actor)[:SHOWN])
    return render(request, "cases/home.html", answer)


def _piles(actor: Actor) -> Iterable[Pile]:
    rows = reviewing.queue(actor).prefetch_related("questions")
    if actor.role is Role.APPLICANT:
        own = rows.filter(applicant_id=actor.organisation_id)
        yield _pile(_("Drafts to finish"), own.filter(state__in=("draft", "returned")).order_by("-pk"), "state=draft")
        yield _pile(_("Questions to answer"), own.filter(state="information_requested"), "state=information_requested")
        yield _pile(_("Refused: an appeal is possible for a time"), own.filter(state="refused"), "state=refused")
    if actor.role is Role.OFFICER:
        undone = Decision.objects.filter(application=OuterRef("pk"), countersignature__isnull=True)
        yield _pile(_("Came back: something changed under them"), rows.exclude(attention=""), "attention=1")
        yield _pile(
            _("To countersign"),
            rows.filter(Exists(undone.exclude(officer=actor.login)), state="decided"),
            "state=decided",
        )
        yield _pile(_("On your desk"), rows.filter(state="under_review", officer=actor.login), "whose=mine")
        yield _pile(_("Appeals to hear"), rows.filter(state="appealed"), "state=appealed")
        yield _pile(_("New"), rows.filter(state="submitted"), "state=submitted")
    if actor.role in {Role.OFFICER, Role.ADVISER}:
        asked = AdviceRequest.objects.filter(application=OuterRef("pk"), reviewer=actor.login)
        given = Advice.objects.filter(application=OuterRef("pk"), reviewer=actor.login)
        open_ones = rows.filter(Exists(asked), ~Exists(given), state__in=("under_review", "information_requested"))
        yield _pile(_("Your advice is asked"), open_ones, "state=under_review")


def _pile(title: str | Promise, rows: QuerySet[Application], more: str) -> Pile:
    return Pile(title, list(rows[:SHOWN]), more)


def _waiting(actor: Actor) -> list[Shipment]:
    return list(shipments(actor).filter(state__in=("planned", "reserved"))[:SHOWN])


def _expiring(actor: Actor) -> list[Evidence]:
    """Return the evidence of the person's orders that expires within 30 days, or did within the last 30."""
    mine = reviewing.orders(actor).order_by().values("pk")
    return list(expiring(timezone.now().date()).filter(order__in=mine)[:SHOWN])
