"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class OutlookPages(AppConfig):
    """What may happen next."""

    name = "twokey.desk.web.outlook"
    label = "web_outlook"
