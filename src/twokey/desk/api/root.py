"""The API: every route of the desk under one authentication."""

from __future__ import annotations

from twokey.desk.api import breaches_routes, cases_routes, exchange_routes, ledger_routes, parties_routes
from twokey.desk.api.routing import make_api

api = make_api()
for _routes in (parties_routes, cases_routes, breaches_routes, ledger_routes, exchange_routes):
    api.add_router("", _routes.router)
