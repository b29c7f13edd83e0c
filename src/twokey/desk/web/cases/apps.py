"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class CasePages(AppConfig):
    """What waits for whom, one case, and the form that opens it."""

    name = "twokey.desk.web.cases"
    label = "web_cases"
