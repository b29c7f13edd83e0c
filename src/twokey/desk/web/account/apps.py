"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class AccountPages(AppConfig):
    """Signing in, a second factor, and proof of presence."""

    name = "twokey.desk.web.account"
    label = "web_account"
