"""Approved against arrived: over time, and authorisation by authorisation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from twokey.desk.actors import Actor
from twokey.desk.ledger.progress import flows_of, over_time
from twokey.desk.ledger.shipments import authorisations
from twokey.desk.web.base.doors import page
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.ledger.charts import arrived


@page("ledger.read")
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how much of what was approved has arrived, day by day and authorisation by authorisation."""
    days = over_time(actor)
    rows = sheet(request, authorisations(actor).order_by("-pk"))
    return render(
        request,
        "ledger/flows.html",
        {
            "days": list(reversed(days))[:60],
            "last": days[-1] if days else None,
            "more_days": len(days) > 60,
            "chart": arrived(days) if days else None,
            "sheet": rows,
            "flows": list(zip(rows.rows, flows_of(rows.rows), strict=True)),
        },
    )
