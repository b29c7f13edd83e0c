"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class PartyPages(AppConfig):
    """Parties, their owners, and what screening found."""

    name = "twokey.desk.web.parties"
    label = "web_parties"
