"""Cases: queues with clocks, filters and saved views; one case with all that its reader may see and do."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from twokey.desk.actors import Actor, Role
from twokey.desk.cases import papers, reviewing
from twokey.desk.cases.calendars import calendar_of, days_used
from twokey.desk.cases.clocks import Calendar
from twokey.desk.cases.expiring import expiring, expiring_of
from twokey.desk.cases.models import Advice, Application, Document, Evidence
from twokey.desk.parties.services import parties
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.base.words import WORDS
from twokey.desk.web.cases.models import SavedView
from twokey.desk.web.cases.reading import papers_of, reading_of, undecided

STATES: Final = (
    "draft",
    "submitted",
    "under_review",
    "information_requested",
    "decided",
    "approved",
    "refused",
    "appealed",
    "returned",
    "withdrawn",
    "superseded",
)
_MOST: Final = 500  # orders or companies that one search looks at
_FILTERS: Final = ("q", "state", "side", "whose", "attention", "expiring")


@page("case.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List cases with their clocks, oldest first; filters are in the address, and can be kept under a name."""
    given = {name: request.GET.get(name, "").strip() for name in _FILTERS}
    rows = _filtered(actor, given).prefetch_related("questions")
    shown = sheet(request, rows)
    return render(
        request,
        "cases/index.html",
        {
            "sheet": shown,
            "clocks": clocks(shown.rows),
            "expire": expire_of(shown.rows),
            "given": given,
            "states": [each for each in STATES if each != "draft" or actor.role is Role.APPLICANT],
            "saved": list(SavedView.objects.filter(user_id=actor.user_id).order_by("name")),
            "query": urlencode({name: value for name, value in given.items() if value}),
            "authority": actor.authority_id is not None,
        },
    )


@task("case.read")
def save_view(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keep the filters of a list under a name."""
    name = request.POST.get("name", "").strip()[:60]
    kept = {key: value for key, value in parse_qsl(request.POST.get("query", "")) if key in _FILTERS}
    query = urlencode(kept)[:400]
    if name:
        SavedView.objects.update_or_create(user_id=actor.user_id, name=name, defaults={"query": query})
        messages.success(request, _("The view is kept."))
    else:
        messages.error(request, _("Give the view a name."))
    return redirect(f"{_index()}?{query}" if query else _index())


@task("case.read")
def drop_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponse:
    """Forget a view of one's own."""
    SavedView.objects.filter(pk=view_id, user_id=actor.user_id).delete()
    return redirect(_index())


@page("case.read")
def show(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Show one case."""
    application = reviewing.case(actor, case_id)
    reading = reading_of(actor, application)
    file = papers_of(actor, application, reading)
    return render(
        request,
        "cases/show.html",
        {
            "case": application,
            "reading": reading,
            "file": file,
            "undecided": undecided(file["decisions"]),
            "days": days_used(application),
            "expiring": list(expiring(timezone.now().date()).filter(order=application.order_id)),
            "recommendations": [code for code, _word in Advice.Recommendation.choices],
            "criteria": reviewing.NECESSITY_CRITERIA,
        },
    )


@page("case.read")
def document(request: HttpRequest, actor: Actor, case_id: int, document_id: int) -> HttpResponse:
    """Hand out a document, always as a file to save: nothing uploaded is ever shown inside a page."""
    application = reviewing.case(actor, case_id)
    found = Document.objects.filter(pk=document_id, application=application).first()
    if found is None or not reading_of(actor, application).papers:
        raise missing("document", document_id)
    response = HttpResponse(papers.read_document(found), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, found.filename) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def clocks(rows: list[Application]) -> dict[int, int]:
    """Return the working days used of each case; every authority's calendar is read once."""
    calendars: dict[int, Calendar] = {}
    for each in rows:
        if each.authority_id not in calendars:
            calendars[each.authority_id] = calendar_of(each.authority)
    return {each.pk: days_used(each, calendars[each.authority_id]) for each in rows}


def expire_of(rows: list[Application]) -> dict[int, Evidence]:
    """Return, by order, the evidence behind some cases that expires first, where it does so soon or has."""
    found = expiring_of([each.order_id for each in rows], timezone.now().date())
    return {order: evidence[0] for order, evidence in found.items()}


def _filtered(actor: Actor, given: dict[str, str]) -> QuerySet[Application]:
    own = given["whose"] != "all"
    rows = reviewing.queue(actor) if own else reviewing.cases(actor).order_by("submitted_at", "pk")
    if given["state"] in WORDS["state"]:
        rows = rows.filter(state=given["state"])
    elif own and actor.authority_id is not None and not given["q"]:
        rows = rows.filter(state__in=("submitted", "under_review", "information_requested", "decided", "appealed"))
    if given["side"] in {"export", "import"}:
        rows = rows.filter(authority__side=given["side"])
    if given["whose"] == "mine":
        rows = rows.filter(officer=actor.login)
    if given["attention"]:
        rows = rows.exclude(attention="")
    if given["expiring"]:
        rows = rows.filter(order__in=expiring(timezone.now().date()).order_by().values("order"))
    if given["q"]:
        rows = rows.filter(_search(actor, given["q"]))
    return rows


def _search(actor: Actor, text: str) -> Q:
    """Find by the number of a case or the beginning of an order's number, or else by a company's name.

    What is looked up first keeps the list quick: it then walks an index over a few orders or companies.
    """
    orders = list(
        reviewing.orders(actor).filter(number__startswith=text).order_by().values_list("pk", flat=True)[:_MOST]
    )
    number = Q(pk=int(text)) if text.isascii() and text.isdecimal() and len(text) < 12 else Q()
    if orders or number:
        return Q(order_id__in=orders) | number
    named = parties(actor).filter(Q(name__icontains=text) | Q(name_latin__icontains=text)).order_by()
    return Q(applicant_id__in=list(named.values_list("pk", flat=True)[:_MOST]))


def _index() -> str:
    return reverse("cases:index")
