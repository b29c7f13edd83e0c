"""The API's promises: nobody without a token, nothing beyond its scope, one effect a key, one form of error."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from twokey.desk.actors import PERMISSIONS, Role
from twokey.desk.api.models import KeptAnswer, Token
from twokey.desk.api.root import api
from twokey.desk.api.tokens import make_token, scopes_of
from twokey.desk.cases.models import Application
from twokey.desk.ledger.models import Movement

from .world import PDF, World, today

BASE = "/api/v1"


class Caller:
    """Speaks HTTP for one person."""

    def __init__(self, login: str, scopes: tuple[str, ...] = ()) -> None:
        self.token = make_token(login, "test", scopes)
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            BASE + path,
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )


def operations() -> list[tuple[str, str, Any]]:
    """Return (method, path, view) of every route that the API has."""
    return [
        (method, "".join(("/", prefix.strip("/"), path)).replace("//", "/"), operation)
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    ]


def fill(path: str) -> str:
    """Put an id (or a code) where a route wants one."""
    import re

    return re.sub(r"\{(\w+)\}", lambda match: "x" if match[1] == "code" else "1", path)


@cache
def schema() -> Any:
    """Return the API's description, made once."""
    return api.get_openapi_schema()


ROUTES = operations()


def test_the_walk_sees_every_route() -> None:
    described = schema()["paths"]
    assert len(ROUTES) == sum(len(each) for each in described.values()) >= 70
    assert schema()["openapi"].startswith("3.1")


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_every_route_demands_a_token_a_role_and_a_scope(method: str, path: str, operation: Any, world: World) -> None:
    action = operation.view_func.action
    assert action in PERMISSIONS
    url = fill(path)
    stranger = Client(raise_request_exception=False).generic(method, BASE + url, content_type="application/json")
    assert stranger.status_code == 401
    assert stranger["Content-Type"] == "application/problem+json"
    bad = Client().generic(method, BASE + url, headers={"Authorization": "Bearer tk_wrong"})
    assert bad.status_code == 401
    outsiders = [login for login, actor in world.people.items() if actor.role not in PERMISSIONS[action]]
    for login in outsiders[:1]:
        denied = call_anyhow(Caller({"operator": "op"}.get(login, login)), method, url, operation)
        assert denied.status_code == 403, denied.content
        assert denied.json()["reasons"][0]["code"] == "not_permitted"
    insider = next(login for login, actor in world.people.items() if actor.role in PERMISSIONS[action])
    other = next(each for each in sorted(scopes_of(world[insider].role)) if each != action)
    narrow = Caller({"operator": "op"}.get(insider, insider), (other,))
    unscoped = call_anyhow(narrow, method, url, operation)
    assert unscoped.status_code == 403, unscoped.content
    assert unscoped.json()["reasons"][0]["code"] == "scope_missing"


def call_anyhow(caller: Caller, method: str, url: str, operation: Any) -> Any:
    """Call a route with a body that its shape accepts, so that it is the permission that answers."""
    if any("multipart" in str(each) for each in _bodies(operation)):
        from django.core.files.uploadedfile import SimpleUploadedFile

        return caller.client.post(
            BASE + url,
            {"kind": "contract", "file": SimpleUploadedFile("a.pdf", PDF)},
            headers={"Authorization": f"Bearer {caller.token}"},
        )
    return caller(method, url, example(url))


def example(url: str) -> Any:
    """Return a body that the route's shape accepts: by its whole path, else by its last word."""
    return EXAMPLES.get(url, EXAMPLES.get(url.rsplit("/", 1)[-1]))


def _bodies(operation: Any) -> list[str]:
    found = [each for path in schema()["paths"].values() for each in path.values()]
    mine = next(each for each in found if each["operationId"] == operation.operation_id)
    return list(mine.get("requestBody", {}).get("content", {}))


DAY = "2026-01-28"
TEXT = {"text": "words"}
LINE = {
    "position": 1,
    "units": 1,
    "value_minor": 1,
    "currency": "USD",
    "valid_from": DAY,
    "valid_until": DAY,
    "places": ["mainland"],
}
ARRIVAL = {"position": 1, "number": "E1", "on": DAY, "place": "mainland", "units": 1}
EXAMPLES: dict[str, Any] = {
    "/parties": {"name": "甲", "name_latin": "A", "kind": "private", "country": "CN", "hq_country": "CN"},
    "shares": {"owner_id": 1, "share_bp": 1, "as_of": DAY, "source": "x"},
    "matches": {"entry_uid": "x", "same": True, "reason": "x"},
    "/orders": {
        "number": "N1",
        "exporter_id": 1,
        "importer_id": 1,
        "currency": "USD",
        "destination": "CN",
        "place": "mainland",
        "lines": [{"chip": "H200 SXM", "units": 1, "value_minor": 1}],
    },
    "facts": {"facts": {"end_use.supercomputer": False}},
    "placed": {"on": DAY, "reference": "x"},
    "evidence": {"name": "kyc", "document_id": 1, "issuer": "x", "issued_on": DAY},
    "/cases": {"order_id": 1, "authority": "BIS"},
    "/cases/1": {"use_statement": "x"},
    "answer": TEXT,
    "return": TEXT,
    "ask": TEXT,
    "appeal": TEXT,
    "notes": TEXT,
    "reject": TEXT,
    "reconfirm": TEXT,
    "withdraw": TEXT,
    "surrender": TEXT,
    "void": TEXT,
    "advice": {"recommendation": "approve", "text": "x"},
    "reviewers": {"reviewers": ["bisadv"]},
    "necessity": {"necessary": True, "criteria": {}},
    "decide": {"outcome": "refuse", "reasons": "Not within the rule."},
    "hear": {"allowed": True, "reason": "x"},
    "finding": TEXT,
    "breaches": {
        "breaches": [
            {
                **dict.fromkeys(("fleet", "condition", "words_en", "words_zh", "authority", "instrument", "site"), "x"),
                **dict.fromkeys(("from", "to", "phase", "measure"), "x"),
                **dict.fromkeys(("at_least_bp", "measured_bp", "low_bp", "high_bp"), 1),
                "record": "twokey.breach",
                "version": 2,
                "id": "0" * 16,
                "evidence": [{"file": "x", "sha256": "0" * 64}],
            }
        ]
    },
    "/batches": {"code": "B1", "units": 1, "value_minor": 1, "currency": "USD"},
    "topups": {"units": 1, "reason": "x"},
    "state": {"change": "suspend", "reason": "x"},
    "adjustments": {"units": 1, "reason": "x"},
    "/conditions/1": {"text_en": "x", "text_zh": "x", "reason": "x"},
    "/ratio-caps": {"product": "H200 SXM", "destinations": ["CN"], "ratio_bp": 1, "window": "year", "reason": "x"},
    "home-shipments": {"on": DAY, "units": 1, "tpp_each": 1, "source": "x"},
    "/rates": {"base": "USD", "quote": "CNY", "numerator": 7, "denominator": 1, "source": "x", "on": DAY},
    "/shipments": {
        "order_id": 1,
        "number": "S1",
        "place": "mainland",
        "lines": [{"position": 1, "units": 1, "value_minor": 1, "currency": "USD"}],
    },
    "ship": {"serials": {}},
    "deliveries": ARRIVAL,
    "customs-entries": ARRIVAL,
    "/exchange/received": {"document": {"payload": "x", "signatures": []}},
    "/usage": {
        "rows": [
            {"licence": "x", "shipment": "x", "quantity": 1, "unit": "pcs", "entry": "E1", "on": DAY, "place": "m"}
        ]
    },
}
EXAMPLES["/shipments/1/return"] = {"units": {"1": 1}, "key": "k", "reason": "x"}


# --- two authorities, one file


def test_an_officer_cannot_read_the_other_authoritys_notes_or_advice(world: World) -> None:
    application = world.under_review(world.order(), "export")
    bis, miit, seller = Caller("bis1"), Caller("miit1"), Caller("seller")
    url = f"/cases/{application.pk}"
    assert bis("POST", f"{url}/notes", {"text": "the end user worries us"}).status_code == 201
    assert bis("POST", f"{url}/advice", {"recommendation": "refuse", "text": "worry"}).status_code == 201
    assert miit("POST", f"{url}/notes", {"text": "ours"}).status_code == 201
    assert [each["text"] for each in bis("GET", f"{url}/notes").json()] == ["the end user worries us"]
    assert [each["text"] for each in miit("GET", f"{url}/notes").json()] == ["ours"]
    assert seller("GET", f"{url}/notes").status_code == 403
    for caller in (miit, seller):
        assert "worry" not in caller("GET", url).content.decode()
    assert "worry" in bis("GET", url).content.decode()


def test_a_party_sees_its_own_orders_and_no_others(world: World) -> None:
    order = world.order()
    application = world.draft(order, "export")
    rival, buyer = Caller("rival"), Caller("buyer")
    assert rival("GET", f"/orders/{order.pk}").status_code == 404
    assert rival("GET", f"/cases/{application.pk}").status_code == 404
    assert buyer("GET", f"/orders/{order.pk}").status_code == 200
    assert buyer("GET", f"/cases/{application.pk}").status_code == 404  # the exporter's draft is the exporter's alone
    assert rival("GET", "/orders").json() == []


def test_the_countersigner_is_the_caller_and_no_field_names_another(world: World) -> None:
    application = world.decided(world.order(), "export")
    url = f"/cases/{application.pk}/countersign"
    assert Caller("bis1")("POST", url).status_code == 403
    decide = f"/cases/{application.pk}/decide"
    forged = Caller("bis2")("POST", decide, {**EXAMPLES["decide"], "officer": "bis1"})
    assert forged.status_code == 422
    assert "officer" in forged.json()["detail"]
    assert Caller("miit1")("POST", url).status_code == 403
    assert Caller("bis2")("POST", url).status_code == 200


# --- exact


@pytest.mark.parametrize("units", [1.0, 1.5, "1", True, None, 10**16, -1, 0])
def test_only_whole_numbers_are_taken(units: object, world: World) -> None:
    body = {**EXAMPLES["/orders"], "exporter_id": world.exporter.pk, "importer_id": world.importer.pk}
    body["lines"] = [{"chip": "H200 SXM", "units": units, "value_minor": 1}]
    answer = Caller("seller")("POST", "/orders", body)
    assert answer.status_code in {400, 422}, answer.content
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["0.25", "1e3", "1.0", "NaN", "Infinity"])
def test_the_parser_itself_reads_no_float(number: str, world: World) -> None:
    """In a field that no shape knows, so that no shape refuses it first."""
    answers = [
        Client(raise_request_exception=False).post(
            f"{BASE}/orders",
            f'{{"elsewhere": [{{"deep": {value}}}]}}',
            content_type="application/json",
            headers={"Authorization": f"Bearer {Caller('seller').token}"},
        )
        for value in (number, "7")
    ]
    assert [each.status_code for each in answers] == [400, 422], answers[0].content


def test_unknown_fields_and_parameters_are_refused(world: World) -> None:
    seller = Caller("seller")
    assert seller("POST", "/cases", {"order_id": 1, "authority": "BIS", "stat": "approved"}).status_code == 422
    answer = seller("GET", "/cases?limt=5")
    assert answer.status_code == 422
    assert "limt" in answer.json()["detail"]
    assert seller("GET", "/cases?limit=201").status_code == 422
    assert seller("GET", "/cases?limit=200").status_code == 200


def test_no_model_and_no_shape_holds_a_float() -> None:
    from django.apps import apps
    from django.db import models

    for model in apps.get_models():
        for field in model._meta.get_fields():
            assert not isinstance(field, models.FloatField | models.DecimalField), field
    text = json.dumps(schema(), default=str)
    assert '"type": "number"' not in text


def test_a_token_is_hashed_revocable_and_over_in_time(world: World) -> None:
    caller = Caller("seller")
    assert not Token.objects.filter(sha256=caller.token).exists()
    assert caller("GET", "/orders").status_code == 200
    Token.objects.update(expires_at=timezone.now())
    assert caller("GET", "/orders").status_code == 401
    assert set(scopes_of(Role.APPLICANT)) == set(Token.objects.get().scopes)


# --- one effect


@pytest.mark.stress
@pytest.mark.usefixtures("committed")
def test_fifty_parallel_repeats_have_one_effect_and_one_answer(law: object) -> None:
    world = World.make()
    order = world.order()
    world.both(order)
    shipment = world.shipment(order)
    caller = Caller("seller")

    def once(_: int) -> tuple[int, bytes]:
        try:
            client = Client(raise_request_exception=False)
            answer = client.post(
                f"{BASE}/shipments/{shipment.pk}/reserve",
                headers={"Authorization": f"Bearer {caller.token}", "Idempotency-Key": "reserve-1"},
            )
            return answer.status_code, answer.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(once, range(50)))
    assert len(set(answers)) == 1
    assert answers[0][0] == 200
    assert Movement.objects.count() == 1
    assert KeptAnswer.objects.count() == 1


def test_the_same_key_with_another_body_is_409(world: World) -> None:
    caller = Caller("op")
    first = {**EXAMPLES["/parties"], "name": "甲"}
    one = caller("POST", "/parties", first, **{"Idempotency-Key": "k"})
    same = caller("POST", "/parties", first, **{"Idempotency-Key": "k"})
    other = caller("POST", "/parties", {**first, "name": "乙"}, **{"Idempotency-Key": "k"})
    assert (one.status_code, same.status_code, other.status_code) == (201, 201, 409)
    assert one.content == same.content
    assert other.json()["reasons"][0]["code"] == "key_reused"
    assert caller("POST", "/parties", first, **{"Idempotency-Key": "k2"}).json()["id"] != one.json()["id"]


def test_a_refusal_is_repeated_too(world: World) -> None:
    application = world.draft(world.order(), "export")
    caller = Caller("seller")
    application.documents.all()
    Application.objects.filter(pk=application.pk).update(state="approved")
    url = f"/cases/{application.pk}/submit"
    first = caller("POST", url, **{"Idempotency-Key": "k"})
    Application.objects.filter(pk=application.pk).update(state="draft")
    assert caller("POST", url, **{"Idempotency-Key": "k"}).content == first.content
    assert caller("POST", url, **{"Idempotency-Key": "k2"}).status_code == 200


def test_the_whole_path_over_http(world: World) -> None:
    """A new user's walk: order, both applications, decisions, countersignatures, shipment, release, keys."""
    seller, buyer = Caller("seller"), Caller("buyer")
    application = world.under_review(world.order(), "export")
    order = application.order
    terms = {**LINE, "units": 100, "value_minor": 270_000_000, "valid_from": str(today()), "valid_until": "2099-01-01"}
    decision = {"outcome": "approve", "reasons": "within the rule", "lines": [terms]}
    assert Caller("bis1")("POST", f"/cases/{application.pk}/decide", decision).status_code == 201
    assert Caller("bis2")("POST", f"/cases/{application.pk}/countersign").status_code == 200
    importing = world.under_review(order, "import")
    criteria = {"advanced_research": "y", "domestic_chips_insufficient": "y", "quantity_proportionate": "y"}
    miit = Caller("miit1")
    assert miit("POST", f"/cases/{importing.pk}/decide", decision).json()["reasons"][0]["code"] == "not_judged"
    judged = miit("POST", f"/cases/{importing.pk}/necessity", {"necessary": True, "criteria": criteria})
    assert judged.status_code == 201
    assert miit("POST", f"/cases/{importing.pk}/decide", decision).status_code == 201
    assert Caller("miit2")("POST", f"/cases/{importing.pk}/countersign").status_code == 200
    planned = seller(
        "POST",
        "/shipments",
        {
            "order_id": order.pk,
            "number": "SH-HTTP",
            "place": "mainland",
            "lines": [{"position": 1, "units": 10, "value_minor": 27_000_000, "currency": "USD"}],
        },
    )
    shipment = planned.json()["id"]
    assert seller("POST", f"/shipments/{shipment}/reserve").status_code == 200
    blocked = seller("POST", f"/shipments/{shipment}/release")
    assert blocked.status_code == 409
    assert [each["code"] for each in blocked.json()["reasons"]] == ["no_laboratory"]
    from twokey.desk.ledger.models import Shipment

    world.certify(Shipment.objects.get(pk=shipment))
    assert seller("GET", f"/shipments/{shipment}/gate").json() == {"open": True, "reasons": []}
    released = seller("POST", f"/shipments/{shipment}/release")
    assert released.status_code == 200
    from twokey.desk.proof import check
    from twokey.desk.signing import KeyRing, PublicKey

    keys = Caller("customs")("GET", "/keys").json()["keys"]
    ring = KeyRing({each["kid"]: PublicKey(**each) for each in keys})
    assert check(released.json()["document"], ring).holds
    assert (
        seller("POST", f"/shipments/{shipment}/ship", {"serials": {"1": [f"S{n}" for n in range(10)]}}).status_code
        == 200
    )
    entry = {"position": 1, "number": "E-1", "on": str(today()), "place": "mainland", "units": 6}
    assert Caller("customs")("POST", f"/shipments/{shipment}/customs-entries", entry).status_code == 201
    assert buyer("POST", f"/shipments/{shipment}/deliveries", {**entry, "number": "D-1"}).status_code == 201
    flow = Caller("auditor")("GET", "/flows").json()
    assert [(each["approved"], each["drawn"], each["delivered"], each["entered"]) for each in flow] == [
        (100, 10, 6, 6)
    ] * 2
