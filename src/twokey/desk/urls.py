"""Addresses: the pages, the API, and two health checks for whoever watches the process."""

from __future__ import annotations

from django.urls import include, path

from twokey.desk.api.root import api
from twokey.desk.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/", api.urls),
    path("", include("twokey.desk.web.urls")),
]
handler404 = "twokey.desk.web.base.faults.not_found"
handler500 = "twokey.desk.web.base.faults.failed"
