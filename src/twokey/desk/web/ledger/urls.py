"""Addresses of batches, caps, authorisations, shipments, usage, and what arrived."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.ledger import views_authorisations as authorisations
from twokey.desk.web.ledger import views_batches as batches
from twokey.desk.web.ledger import views_caps as caps
from twokey.desk.web.ledger import views_flows as flows
from twokey.desk.web.ledger import views_shipments as shipments
from twokey.desk.web.ledger import views_usage as usage

app_name = "ledger"
urlpatterns = [
    path("batches/", batches.index, name="batches"),
    path("batches/open/", batches.opening, name="batch_open"),
    path("batches/<int:batch_id>/", batches.show, name="batch"),
    path("batches/<int:batch_id>/countersign/", batches.countersign, name="batch_countersign"),
    path("batches/<int:batch_id>/topup/", batches.topup, name="batch_topup"),
    path("batches/<int:batch_id>/topups/<int:topup_id>/", batches.countersign_topup, name="batch_topup_sign"),
    path("authorisations/", authorisations.index, name="authorisations"),
    path("authorisations/<int:authorisation_id>/", authorisations.show, name="authorisation"),
    path("authorisations/<int:authorisation_id>/state/", authorisations.change, name="authorisation_state"),
    path("authorisations/<int:authorisation_id>/adjust/", authorisations.adjust, name="authorisation_adjust"),
    path(
        "authorisations/<int:authorisation_id>/adjustments/<int:adjustment_id>/",
        authorisations.sign_adjustment,
        name="adjustment_sign",
    ),
    path(
        "authorisations/<int:authorisation_id>/conditions/<int:condition_id>/",
        authorisations.change_condition,
        name="condition",
    ),
    path("caps/", caps.index, name="caps"),
    path("caps/choose/", caps.choose, name="cap_choose"),
    path("caps/<int:cap_id>/state/", caps.state, name="cap_state"),
    path("usage/", usage.index, name="usage"),
    path("usage/new/", usage.take_in, name="usage_new"),
    path("usage/balances.csv", usage.balances, name="usage_balances"),
    path("shipments/", shipments.index, name="shipments"),
    path("shipments/plan/<int:order_id>/", shipments.plan, name="shipment_plan"),
    path("shipments/<int:shipment_id>/", shipments.show, name="shipment"),
    path("shipments/<int:shipment_id>/reserve/", shipments.reserve, name="shipment_reserve"),
    path("shipments/<int:shipment_id>/void/", shipments.void, name="shipment_void"),
    path("shipments/<int:shipment_id>/release/", shipments.release, name="shipment_release"),
    path("shipments/<int:shipment_id>/ship/", shipments.ship, name="shipment_ship"),
    path("shipments/<int:shipment_id>/arrive/", shipments.arrive, name="shipment_arrive"),
    path("shipments/<int:shipment_id>/return/", shipments.take_back, name="shipment_return"),
    path("arrived/", flows.index, name="flows"),
]
