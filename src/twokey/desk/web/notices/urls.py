"""Addresses of the notices."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.index, name="index"),
    path("read/", views.read, name="read"),
    path("week/", views.week, name="week"),
    path("settings/", views.settings, name="settings"),
    path("follow/<int:order_id>/", views.follow, name="follow"),
]
