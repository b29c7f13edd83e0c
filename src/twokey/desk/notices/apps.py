"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class Notices(AppConfig):
    """What a person is told of, in the desk and by e-mail."""

    name = "twokey.desk.notices"
    label = "notices"
