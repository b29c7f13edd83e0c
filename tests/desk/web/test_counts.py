"""The walk over the pages leaves none out, and no page asks the database more on a larger desk."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ..conftest import as_owner
from .conftest import sign_in

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))  # last: the walk and the filling, and nothing by chance

from desk_pages.filling import fill
from desk_pages.walk import ELSEWHERE, STOPS, Known, known

API: Final = "api/v1/"
# What lies under one case, order, party, authorisation or person: as many rows again of each.
UNDER: Final = {
    "cases_document": {},
    "cases_evidence": {},
    "cases_advice": {},
    "cases_note": {},
    "cases_informationrequest": {},
    "cases_necessity": {},
    "cases_storedassessment": {},
    "cases_milestone": {},
    "cases_orderline": {"position": "position + 100"},
    "ledger_condition": {},
    "ledger_statechange": {},
    "ledger_adjustment": {},
    "ledger_shipment": {"number": "number || '-again'"},
    "ledger_shipmentline": {},
    "ledger_arrival": {"number": "number || '-again'"},
    "parties_alias": {},
    "parties_address": {},
    "parties_ownership": {},
    "parties_screening": {},
    "audit_event": {},
    "web_cases_savedview": {"name": "name || ' again'"},
}


def thicken() -> None:
    """Write every row under a thing once more, past the triggers that keep history."""
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, changed in UNDER.items():
            cursor.execute(
                "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_name = %s "
                "AND table_schema = 'public' AND column_name <> 'id'",
                [table],
            )
            columns = [row[0] for row in cursor.fetchall()]
            values = [changed.get(each.strip('"'), each) for each in columns]
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}")
        cursor.execute("SET session_replication_role = origin")


def counts(things: Known) -> dict[str, int]:
    """Return how many queries each page of the walk takes, the same things asked for each time."""
    found, people = {}, {login: sign_in(login) if login else Client() for login in {stop.login for stop in STOPS}}
    for stop in STOPS:
        address = stop.address(stop.name, things, random.Random(7))
        headers = {"HX-Request": "true"} if stop.part else {}
        people[stop.login].get(address, headers=headers)
        with CaptureQueriesContext(connection) as captured:
            answer = people[stop.login].get(address, headers=headers)
        assert answer.status_code == 200, f"{stop}: {address} answered {answer.status_code}"
        found[str(stop)] = len(captured)
    assert len(found) == len(STOPS)
    return found


def test_queries_do_not_grow_with_rows(desk: Any) -> None:
    fill(1200)
    things = known()
    few = counts(things)
    thicken()
    fill(1200)
    many = counts(things)
    grown = [f"{page}: {few[page]}, then {many[page]}" for page in few if few[page] != many[page]]
    assert not grown, "\n".join(grown)


def _addresses(resolver: Any, space: str = "") -> list[tuple[str, Any]]:
    """Return the name and the pattern of every address that has a name, outside the API."""
    found: list[tuple[str, Any]] = []
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            found += (
                _addresses(each, f"{each.namespace}:" if each.namespace else space) if str(each.pattern) != API else []
            )
        elif isinstance(each, URLPattern) and each.name:
            found.append((space + each.name, each))
    return found


def test_the_walk_leaves_no_page_out(desk: Any) -> None:
    """An address that is not walked is in the list of those that are no page, or refuses to be read."""
    client, walked = sign_in("seller"), {stop.name for stop in STOPS}
    missing = []
    for name, pattern in _addresses(get_resolver()):
        if name in walked or name in ELSEWHERE:
            continue
        given = {key: 1 if type(each).__name__ == "IntConverter" else "x" for key, each in _arguments(pattern)}
        if client.get(reverse(name, kwargs=given)).status_code != 405:
            missing.append(name)
    assert missing == []
    assert walked | set(ELSEWHERE) <= {name for name, _pattern in _addresses(get_resolver())}


def _arguments(pattern: Any) -> list[tuple[str, Any]]:
    return list(pattern.pattern.converters.items())
