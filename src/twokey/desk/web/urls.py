"""Addresses of the pages, each part under its own name."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from twokey.desk.web.cases.desk import home

urlpatterns = [
    path("", home, name="home"),
    path("language/", set_language, name="set_language"),
    path("accounts/", include("twokey.desk.web.account.urls")),
    path("orders/", include("twokey.desk.web.orders.urls")),
    path("cases/", include("twokey.desk.web.cases.urls")),
    path("parties/", include("twokey.desk.web.parties.urls")),
    path("charts/", include("twokey.desk.web.charts.urls")),
    path("law/", include("twokey.desk.web.law.urls")),
    path("outlook/", include("twokey.desk.web.outlook.urls")),
    path("ledger/", include("twokey.desk.web.ledger.urls")),
    path("papers/", include("twokey.desk.papers.urls")),
    path("notices/", include("twokey.desk.web.notices.urls")),
]
