"""Signing in: password, lock-out, second factor, presence before a signature, an organisation's own provider."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client, RequestFactory

from .conftest import check_page, sign_in


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_person_signs_in_with_a_password(open_as: Any, desk: Any, lang: str) -> None:
    page = open_as(lang=lang)
    page.goto("/")
    check_page(page)
    page.fill("input[name=login]", "seller")
    page.fill("input[name=password]", desk.password)
    page.click("main form button")
    page.wait_for_url("**/")
    assert "seller" in page.inner_text(".who")
    check_page(page)


def test_everything_works_without_javascript(open_as: Any, desk: Any) -> None:
    page = open_as(script=False)
    page.goto("/accounts/login/?next=/orders/")
    page.fill("input[name=login]", "buyer.xingye")
    page.fill("input[name=password]", desk.password)
    page.click("main form button")
    page.goto("/cases/8/apply/")
    page.fill("[name=use_statement]", "Advanced research on large models, saved without any script at all.")
    page.click("button[name=on]")
    page.set_input_files(
        "[name=file]", {"name": "use.txt", "mimeType": "text/plain", "buffer": b"The intended use, in detail."}
    )
    page.click("form[enctype] button")
    assert "use.txt" in page.inner_text("main")
    page.click("button[name=language]")
    assert page.url.endswith("/cases/8/apply/documents/")
    assert page.get_attribute("html", "lang") == "zh-Hans"


def login(client: Client, name: str, password: str) -> Any:
    return client.post("/accounts/login/", {"login": name, "password": password})


def test_five_wrong_passwords_lock_a_login_for_a_while(desk: Any) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = login(client, "buyer.tencent", "wrong-password-1")
    assert answer.status_code == 429
    assert login(client, "buyer.tencent", desk.password).status_code == 429
    assert login(Client(), "buyer.alibaba", desk.password).status_code == 302


def test_no_page_opens_without_a_second_factor_where_it_is_required(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TWOKEY_SECOND_FACTOR", "required")
    client = Client()
    assert login(client, "adviser.bis", desk.password).status_code == 302
    answer = client.get("/cases/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")

    client.post("/accounts/reauthenticate/", {"password": desk.password})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert client.post("/accounts/2fa/totp/activate/", {"code": _code(secret)}).status_code == 302
    assert client.get("/cases/").status_code == 200

    again = Client()  # a new sign-in asks for the code
    answer = login(again, "adviser.bis", desk.password)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert again.get("/cases/").status_code == 302
    assert again.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert again.get("/cases/").status_code == 302


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


SIGNING = (
    ("officer.bis.1", "/cases/8/decide/"),
    ("officer.bis.1", "/cases/6/countersign/"),
    ("officer.bis.1", "/cases/6/hear/"),
    ("officer.bis.1", "/cases/6/reconfirm/"),
    ("officer.bis.1", "/parties/2/decide/"),
    ("seller", "/orders/5/release/2/"),
)


@pytest.mark.parametrize(("who", "address"), SIGNING)
def test_nothing_is_signed_without_a_fresh_proof_of_presence(desk: Any, who: str, address: str) -> None:
    answer = sign_in(who, present=False).post(address, {})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/reauthenticate/")
    old = sign_in(who)
    session = old.session
    session["account_authentication_methods"] = [
        {
            **session["account_authentication_methods"][0],
            "at": time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT - 1,
        }
    ]
    session.save()
    assert old.post(address, {})["Location"].startswith("/accounts/reauthenticate/")
    assert not sign_in(who).post(address, {}).get("Location", "").startswith("/accounts/reauthenticate/")


def test_nobody_signs_up_and_nobody_resets_by_mail(desk: Any) -> None:
    for address in ("signup/", "password/reset/", "email/", "password/set/", "3rdparty/signup/"):
        assert Client().get(f"/accounts/{address}").status_code in {302, 404}
    assert Client().post("/accounts/signup/", {"username": "x", "password1": "y" * 20}).status_code == 404


@pytest.mark.parametrize(
    ("claims", "found"),
    [({"preferred_username": "seller"}, True), ({"preferred_username": "nobody"}, False), ({"email": "seller"}, False)],
)
def test_a_provider_vouches_only_for_a_login_with_a_seat(
    desk: Any, monkeypatch: pytest.MonkeyPatch, claims: dict[str, str], found: bool
) -> None:
    from allauth.socialaccount.models import SocialAccount, SocialLogin

    from twokey.desk.web.account.adapters import Providers

    User.objects.get_or_create(username="nobody")  # has a login, and no seat
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.session = sign_in("seller").session
    account = SocialAccount(provider="organisation", uid="subject-1", extra_data={"userinfo": claims})
    social = SocialLogin(user=User(), account=account)
    monkeypatch.setattr(SocialLogin, "connect", lambda self, request, user: setattr(self, "user", user))
    Providers(request).pre_social_login(request, social)
    assert (social.user.username == "seller") is found
    assert not Providers(request).is_open_for_signup(request, social)


def test_the_operator_gives_a_person_a_password_that_is_strong_enough(desk: Any) -> None:
    from click.testing import CliRunner

    from twokey.cli.main import twokey

    weak = CliRunner().invoke(twokey, ["token", "password", "adviser.miit"], input="password1234\npassword1234\n")
    assert weak.exit_code != 0
    done = CliRunner().invoke(
        twokey, ["token", "password", "adviser.miit"], input="plum-orchard-77x\nplum-orchard-77x\n"
    )
    assert done.exit_code == 0, done.output
    assert login(Client(), "adviser.miit", "plum-orchard-77x").status_code == 302
