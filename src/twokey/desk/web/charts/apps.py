"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class Charts(AppConfig):
    """Charts, each with its table."""

    name = "twokey.desk.web.charts"
    label = "web_charts"
