"""Addresses of the papers: one PDF each, in the language that the address names."""

from __future__ import annotations

from django.urls import path

from twokey.desk.papers import views

app_name = "papers"
urlpatterns = [
    path("releases/<slug:number>.json", views.document, name="document"),
    path("releases/<slug:number>-<slug:lang>.pdf", views.release, name="release"),
    path("authorisations/<int:authorisation_id>-<slug:lang>.pdf", views.licence, name="licence"),
    path("cases/<int:application_id>-<slug:lang>.pdf", views.decision, name="decision"),
]
