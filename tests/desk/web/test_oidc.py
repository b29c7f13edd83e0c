"""Signing in at an organisation's own provider, by HTTP and in Chromium; and the tokens that must not open the desk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from .conftest import check_page
from .provider import CLIENT, SECRET, Provider, running

PEOPLE = {
    "subject-1": {"preferred_username": "seller", "email": "seller@example.org"},
    "subject-2": {"preferred_username": "mallory", "email": "mallory@example.org"},
    "subject-3": {"preferred_username": "officer.bis.1", "email": "bis1@example.org"},
}


@pytest.fixture
def provider(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with running(PEOPLE) as running_one:
        providers = deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
        providers["openid_connect"]["APPS"] = [
            {
                "provider_id": "organisation",
                "name": "OpenID Connect",
                "client_id": CLIENT,
                "secret": SECRET,
                "settings": {"server_url": running_one.address},
            }
        ]
        policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
        policy["DIRECTIVES"]["form-action"].append(running_one.address)  # as settings.py does from the address
        monkeypatch.setattr(settings, "SOCIALACCOUNT_PROVIDERS", providers)
        monkeypatch.setattr(settings, "CONTENT_SECURITY_POLICY", policy)
        yield running_one
        SocialAccount.objects.all().delete()


def begin(client: Client) -> str:
    """Press the button on the desk; returns where it sends the person."""
    answer = client.post("/accounts/oidc/organisation/login/?process=login")
    assert answer.status_code == 302
    return str(answer["Location"])


def sign_in_at(client: Client, person: str) -> Any:
    """Walk the redirects as a browser does; returns the desk's answer to the way back."""
    there = begin(client)
    back = httpx.post(there, data={"sub": person})
    assert back.status_code == 302
    return client.get(back.headers["location"])


def who(client: Client) -> str | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def test_a_person_of_the_provider_gets_their_own_seat_and_keeps_it_by_subject(provider: Provider) -> None:
    client = Client()
    answer = sign_in_at(client, "subject-1")
    assert (answer.status_code, who(client)) == (302, "seller")
    assert client.get("/orders/").status_code == 200
    asked = parse_qs(urlsplit(begin(Client())).query)
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    # The tie is to the subject: the same subject under another name stays who it was.
    provider.people = {**PEOPLE, "subject-1": {"preferred_username": "officer.bis.1"}}
    again = Client()
    sign_in_at(again, "subject-1")
    assert who(again) == "seller"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_works_in_the_browser(provider: Provider, open_as: Any, lang: str) -> None:
    page = open_as(lang=lang)
    page.goto("/")
    page.click("form[action*='/oidc/'] button")
    page.wait_for_url(f"{provider.address}/**")
    page.fill("input[name=sub]", "subject-1")
    page.click("button")
    page.wait_for_url("**/")
    page.problems.clear()  # the provider has no picture of itself
    assert "seller" in page.inner_text(".who")
    check_page(page)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_whom_the_operator_did_not_enter_gets_a_page_that_says_so(provider: Provider, open_as: Any, lang: str) -> None:
    page = open_as(lang=lang)
    page.goto("/")
    page.click("form[action*='/oidc/'] button")
    page.fill("input[name=sub]", "subject-2")
    page.click("button")
    page.wait_for_url("**/accounts/**")
    page.problems.clear()
    assert page.query_selector("main h1") is not None
    assert page.query_selector(".who") is None or "mallory" not in page.inner_text(".who")
    check_page(page)
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize(("claim", "person", "found"), [
    ("email", "subject-1", "seller@example.org"),
    ("email", "subject-2", None),
    ("preferred_username", "subject-2", None),
])  # fmt: skip
def test_the_claim_that_names_the_login_is_a_setting(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, claim: str, person: str, found: str | None
) -> None:
    monkeypatch.setattr(settings, "TWOKEY_OIDC_CLAIM", claim)
    seat = User.objects.get(username="seller")
    if claim == "email":
        User.objects.filter(pk=seat.pk).update(username="seller@example.org")
    try:
        client = Client()
        sign_in_at(client, person)
        assert who(client) == found
    finally:
        User.objects.filter(pk=seat.pk).update(username="seller")


LIES = {
    "wrong nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another audience": {"claims": {"aud": "another-client"}},
    "several audiences, another party": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "several audiences, no party": {"claims": {"aud": [CLIENT, "other"]}},
    "another issuer": {"claims": {"iss": "https://elsewhere.example"}},
    "expired": {"claims": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}},
    "no expiry": {"claims": {"exp": None}},
    "no subject": {"claims": {"sub": None}},
    "another key": {"signature": "other key"},
    "signed with the client's secret": {"signature": "secret"},
    "no signature": {"signature": "none"},
    "altered": {"signature": "altered"},
    "user info of another subject": {"userinfo": {"sub": "subject-3", "preferred_username": "officer.bis.1"}},
    "a provider that is another issuer": {"issuer": "https://elsewhere.example"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_right_opens_nothing(provider: Provider, lie: str) -> None:
    provider.lies = LIES[lie]
    client = Client()
    answer = sign_in_at(client, "subject-1")
    assert who(client) is None
    assert answer.status_code == 401
    assert b"<h1>" in answer.content
    assert not SocialAccount.objects.exists()
    provider.lies = {}
    sign_in_at(client, "subject-1")  # and the same provider, when it tells the truth, opens the desk
    assert who(client) == "seller"


def test_a_way_back_without_its_own_beginning_opens_nothing(provider: Provider) -> None:
    client, other = Client(), Client()
    back = httpx.post(begin(client), data={"sub": "subject-1"}).headers["location"]
    other.get(back)  # another browser: it has not this state
    assert who(other) is None
    client.get(back)
    assert who(client) == "seller"
    third = Client()
    begin(third)
    third.get(back)  # the code was used
    assert who(third) is None


def test_who_refuses_at_the_provider_is_told_and_not_signed_in(provider: Provider) -> None:
    client = Client()
    answer = sign_in_at(client, "nobody")
    assert answer.status_code in {200, 302}
    assert who(client) is None


def test_a_person_without_a_seat_or_who_left_is_not_let_in(provider: Provider) -> None:
    User.objects.filter(username="seller").update(is_active=False)
    try:
        client = Client()
        sign_in_at(client, "subject-1")
        assert who(client) is None
    finally:
        User.objects.filter(username="seller").update(is_active=True)
