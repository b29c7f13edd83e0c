"""Addresses of the orders."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.orders import entering, showing, views

app_name = "orders"
urlpatterns = [
    path("", views.index, name="index"),
    path("new/", entering.new, name="new"),
    path("<int:order_id>/", views.show, name="show"),
    path("<int:order_id>/facts/", entering.facts, name="facts"),
    path("<int:order_id>/evidence/", showing.evidence, name="evidence"),
    path("<int:order_id>/evidence/<int:evidence_id>/withdraw/", showing.withdraw, name="withdraw"),
    path("<int:order_id>/placed/", showing.placed, name="placed"),
    path("<int:order_id>/apply/", showing.apply, name="apply"),
    path("<int:order_id>/plan/", showing.plan, name="plan"),
    path("<int:order_id>/reserve/<int:shipment_id>/", showing.reserve, name="reserve"),
    path("<int:order_id>/release/<int:shipment_id>/", showing.release, name="release"),
]
