"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class NoticePages(AppConfig):
    """A person's notices and subscriptions."""

    name = "twokey.desk.web.notices"
    label = "web_notices"
