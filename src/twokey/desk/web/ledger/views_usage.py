"""Usage reports: a file from the border, each row answered at once; and the balances that the other side asks for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render

from twokey.desk.actors import Actor, may
from twokey.desk.ledger import usage
from twokey.desk.reasons import Refused, invalid
from twokey.desk.web.base.doors import form, page
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.forms import UsageForm


@page("usage.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the rows that were reported, newest first; `?show=refused` leaves those that were taken in out."""
    refused = request.GET.get("show") == "refused"
    rows = usage.taken_in(actor)
    context = {
        "sheet": sheet(request, rows.filter(accepted=False) if refused else rows),
        "refused": refused,
        "may_import": may(actor, "usage.import"),
    }
    return render(request, "ledger/usage.html", context)


@form("usage.import")
def take_in(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Take a file in, and answer each of its rows on the page."""
    asked = UsageForm(request.POST or None, request.FILES or None)
    refusal, answers = None, None
    if request.method == "POST" and asked.is_valid():
        try:
            rows = usage.read_rows(_text(asked.cleaned_data["file"].read()))
            answers = list(zip(rows, usage.take_in(actor, rows), strict=True))
        except Refused as error:
            refusal = error
    failed = refusal is not None or bool(asked.errors)
    context = {
        "form": UsageForm() if answers is not None else asked,
        "refusal": refusal,
        "answers": answers,
        "refused": sum(1 for _row, answer in answers or () if answer.why),
    }
    return render(request, "ledger/usage_new.html", context, status=422 if failed else 200)


@page("usage.read")
def balances(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Hand out the balance of every authorisation as a CSV file, as it is read."""
    lines = usage.csv_lines(usage.give_out(actor), usage.GIVEN)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="balances.csv"'
    return response


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("file", "not_utf8", detail=error) from None
