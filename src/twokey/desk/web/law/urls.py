"""Addresses of this part."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.law import views, views_asking, views_chips

app_name = "law"
urlpatterns = [
    path("", views.index, name="index"),
    path("provisions/", views.provision_list, name="provisions"),
    path("provisions/<slug:regime>/<slug:name>/", views.provision, name="provision"),
    path("instruments/<slug:name>/", views.instrument, name="instrument"),
    path("classification/", views.classification, name="classification"),
    path("what-if/", views_asking.what_if, name="what_if"),
    path("difference/", views.differences, name="difference"),
    path("impact/", views_asking.impacts, name="impact"),
    path("chips/", views_chips.index, name="chips"),
    path("chips/compare/", views_chips.compare, name="compare"),
    path("chips/<path:name>/", views_chips.show, name="chip"),
]
