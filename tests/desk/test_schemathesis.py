"""Schemathesis throws what the API's own description allows, and what it forbids: nothing ends in a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings

from twokey.desk.api.root import api
from twokey.desk.api.tokens import make_token

from .law import PlainLaw
from .world import World

schema = schemathesis.openapi.from_dict(api.get_openapi_schema())
PEOPLE = ("seller", "bis1", "miit2", "customs", "op")


@pytest.fixture(scope="module")
def tokens() -> Iterator[list[str]]:
    """Give the calls something to find, once: an order at every stage, and a person of every kind."""
    plain = PlainLaw()
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr("twokey.desk.cases.assessing.assess", plain.assess)
        patch.setattr("twokey.desk.cases.assessing.law_digest", plain.law_digest)
        world = World.make()
        world.released(5)
        world.ready(5)
        world.decided(world.order(), "export")
        world.under_review(world.order(), "import")
        world.draft(world.order(), "import")
        yield [make_token(login, "fuzz") for login in PEOPLE]
        transaction.set_rollback(True)


def call(case: Any, token: str) -> Any:
    """Send a case through Django's own client, which keeps the test's transaction."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    body = prepared.body if prepared.body is not None else b""
    return Client(raise_request_exception=False).generic(
        str(prepared.method),
        prepared.path_url,
        body.encode() if isinstance(body, str) else body,
        content_type=prepared.headers.get("Content-Type", "application/json"),
        headers={"Authorization": f"Bearer {token}"},
    )


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_no_request_ends_in_a_server_error(case: Any, tokens: list[str]) -> None:
    for token in tokens[:: 4 if case.method == "GET" else 2]:
        with transaction.atomic():
            answer = call(case, token)
            transaction.set_rollback(True)
        assert answer.status_code < 500, answer.content
