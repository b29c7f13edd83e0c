"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class LawPages(AppConfig):
    """What the law says, and what it would say."""

    name = "twokey.desk.web.law"
    label = "web_law"
