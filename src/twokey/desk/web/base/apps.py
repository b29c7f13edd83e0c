"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class Base(AppConfig):
    """What every page shares: frame, words, numbers, doors."""

    name = "twokey.desk.web.base"
    label = "web_base"
