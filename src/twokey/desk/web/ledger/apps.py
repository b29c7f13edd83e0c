"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerPages(AppConfig):
    """Batches, authorisations, shipments and what arrived."""

    name = "twokey.desk.web.ledger"
    label = "web_ledger"
