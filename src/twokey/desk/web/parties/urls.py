"""Addresses of the parties."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.parties import views

app_name = "parties"
urlpatterns = [
    path("", views.index, name="index"),
    path("new/", views.new, name="new"),
    path("lists/", views.lists, name="lists"),
    path("lists/import/", views.import_list, name="import_list"),
    path("<int:party_id>/", views.show, name="show"),
    path("<int:party_id>/screen/", views.screen, name="screen"),
    path("<int:party_id>/decide/", views.decide, name="decide"),
]
