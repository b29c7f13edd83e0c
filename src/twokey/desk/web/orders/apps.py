"""The app of this part of the desk."""

from __future__ import annotations

from django.apps import AppConfig


class OrderPages(AppConfig):
    """Where an order stands with both governments."""

    name = "twokey.desk.web.orders"
    label = "web_orders"
