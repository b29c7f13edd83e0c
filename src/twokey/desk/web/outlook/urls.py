"""Addresses of this part."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.outlook import views

app_name = "outlook"
urlpatterns = [path("", views.index, name="index")]
