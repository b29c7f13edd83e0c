"""Two headers that Django and django-csp do not set: what a browser may do, and that pages are nobody's cache's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase

_NOTHING: Final = ", ".join(
    f"{name}=()" for name in ("camera", "microphone", "geolocation", "payment", "usb", "browsing-topics")
)


class HeadersMiddleware:
    """Adds the headers to every answer that is not a static file."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", _NOTHING)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response
