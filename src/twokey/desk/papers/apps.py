"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class Papers(AppConfig):
    """Documents of the desk as PDF."""

    name = "twokey.desk.papers"
    label = "papers"
