"""Pages for what did not work: refused, not found, the form too old. Never a traceback."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from twokey.desk.reasons import Refused


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """Show every reason of a service's refusal, under the status that HTTP has for it."""
    title = _("Not here for you to see") if error.status == 404 else _("This was refused")
    if error.status == 403:
        title = _("Your seat may not do this")
    return render(request, "base/refused.html", {"title": title, "reasons": error.reasons}, status=error.status)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form was too old or came from elsewhere, and what to do."""
    return render(
        request,
        "base/fault.html",
        {
            "title": _("The form was not accepted"),
            "text": _("It was open for too long, or it came from another site. Go back, reload the page, try again."),
        },
        status=403,
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page."""
    text = _("There is no page at this address.")
    return render(request, "base/fault.html", {"title": _("No such page"), "text": text}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that the desk failed; the log has what happened."""
    text = _("Nothing was saved. The log of the desk says what happened.")
    return render(request, "base/fault.html", {"title": _("The desk failed"), "text": text}, status=500)
