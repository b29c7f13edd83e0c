"""What a browser is told, what a form must carry, what may be uploaded, and who may see what."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from twokey.desk.actors import PERMISSIONS, Role
from twokey.desk.cases.models import Application, Document

from .conftest import sign_in


@pytest.mark.parametrize("address", ["/accounts/login/", "/", "/no-such-page/", "/orders/999999/"])
def test_every_answer_carries_the_security_headers(desk: Any, address: str) -> None:
    answer = sign_in("seller").get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_no_page_holds_inline_script_or_style_and_none_loads_from_elsewhere(desk: Any) -> None:
    client = sign_in("seller")
    for address in ("/", "/orders/", "/orders/5/", "/orders/new/", "/cases/", "/parties/2/"):
        text = client.get(address).content.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count('<script src="/static/')
        assert 'src="http' not in text
        assert 'href="http' not in text


def test_a_form_without_its_token_changes_nothing(desk: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("buyer.xingye").cookies
    answer = client.post("/cases/8/save/", {"use_statement": "from another site"})
    assert answer.status_code == 403
    assert Application.objects.get(pk=8).use_statement != "from another site"


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(desk: Any) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "seller", "password": desk.password})
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
    assert not client.cookies[settings.SESSION_COOKIE_NAME]["max-age"]  # gone with the browser


def test_a_session_gets_a_new_key_when_a_person_signs_in_and_dies_when_they_sign_out(desk: Any) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "seller", "password": desk.password})
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get("/orders/").status_code == 200
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/orders/").status_code == 302


def test_a_way_back_never_leads_to_another_site(desk: Any) -> None:
    answer = sign_in("officer.bis.1").post("/cases/6/countersign/", {"next": "https://elsewhere.example/"})
    assert "elsewhere" not in answer.get("Location", "")


BAD = (
    ("page.html", b"<html><script>alert(1)</script></html>" + b"\x00"),
    ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>\x00"),
    ("program.pdf", b"MZ\x90\x00" + b"\x00" * 200),
)


@pytest.mark.parametrize(("name", "content"), BAD)
def test_an_upload_is_what_its_content_says(desk: Any, name: str, content: bytes) -> None:
    before = Document.objects.count()
    file = SimpleUploadedFile(name, content, content_type="application/pdf")
    answer = sign_in("buyer.xingye").post("/cases/8/apply/documents/", {"kind": "other", "file": file})
    assert answer.status_code == 422
    assert Document.objects.count() == before


def test_an_upload_over_25_mb_is_refused_before_it_is_read(desk: Any) -> None:
    file = SimpleUploadedFile("big.txt", b"x" * (25 * 1024 * 1024 + 1))
    answer = sign_in("buyer.xingye").post("/cases/8/apply/documents/", {"kind": "other", "file": file})
    assert answer.status_code == 422
    assert (
        "The file is larger than 25 MB." in answer.content.decode()
    )  # the form says it, not the service after reading


def test_a_document_leaves_as_a_file_and_never_as_a_page(desk: Any) -> None:
    document = Document.objects.filter(application_id=6).first()
    assert document is not None
    answer = sign_in("officer.bis.1").get(f"/cases/6/documents/{document.pk}/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]
    # Not the buyer of the order, not customs, and not through another case's address.
    assert sign_in("buyer.qingshan").get(f"/cases/6/documents/{document.pk}/").status_code == 404
    assert sign_in("customs.gacc").get(f"/cases/6/documents/{document.pk}/").status_code == 404
    assert sign_in("officer.bis.1").get(f"/cases/4/documents/{document.pk}/").status_code == 404


PEOPLE = (
    "seller",
    "buyer.qingshan",
    "buyer.xingye",
    "officer.bis.1",
    "officer.miit.1",
    "adviser.bis",
    "auditor",
    "customs.gacc",
    "operator",
)
EVERYBODY = frozenset(PEOPLE)
APPLICANTS = frozenset({"seller", "buyer.qingshan", "buyer.xingye"})
PARTIES = frozenset({"seller", "buyer.qingshan"})  # of order 5
SEES_ORDER_5 = EVERYBODY - {"buyer.xingye"}
OFFICERS = frozenset({"officer.bis.1", "officer.miit.1"})
SEES_LANHAI = EVERYBODY - {"buyer.xingye", "buyer.qingshan"}  # the order that was released
USAGE = OFFICERS | {"auditor", "customs.gacc", "operator"}
# address -> who gets 200; everybody else gets 403 or 404. `{name}` is the id of the founding case's row, below.
VISIBLE = {
    "/": EVERYBODY,
    "/orders/": EVERYBODY,
    "/orders/new/": APPLICANTS,
    "/orders/5/": SEES_ORDER_5,
    "/orders/5/facts/": PARTIES,
    "/orders/5/evidence/": PARTIES,
    "/cases/": EVERYBODY,
    "/cases/6/": SEES_ORDER_5,
    "/cases/8/": {"buyer.xingye"},
    "/cases/8/apply/": {"buyer.xingye"},
    "/cases/8/apply/documents/": {"buyer.xingye"},
    "/cases/8/apply/evidence/": {"buyer.xingye"},
    "/cases/8/apply/check/": {"buyer.xingye"},
    "/cases/{review}/decide/": {"officer.bis.1"},
    "/cases/6/documents/{document}/": {"seller", "officer.bis.1", "officer.miit.1", "adviser.bis", "auditor"},
    "/parties/": EVERYBODY,
    "/parties/new/": APPLICANTS | {"operator"},
    "/parties/lists/": EVERYBODY,
    "/parties/lists/import/": {"operator"},
    "/parties/2/": EVERYBODY,
    "/ledger/batches/": EVERYBODY,
    "/ledger/batches/open/": OFFICERS,
    "/ledger/batches/1/": EVERYBODY,  # the ceilings; of the companies, a party sees its own: below
    "/ledger/caps/": EVERYBODY,
    "/ledger/caps/choose/": OFFICERS,
    "/ledger/usage/": USAGE,
    "/ledger/usage/new/": {"customs.gacc"},
    "/ledger/usage/balances.csv": USAGE,
    "/ledger/authorisations/": EVERYBODY,
    "/ledger/authorisations/{authorisation}/": SEES_ORDER_5,
    "/ledger/shipments/": EVERYBODY,
    "/ledger/shipments/2/": SEES_ORDER_5,
    "/ledger/shipments/plan/5/": PARTIES,
    "/ledger/arrived/": EVERYBODY,
    "/papers/releases/{release}-en.pdf": SEES_LANHAI,
    "/papers/releases/{release}.json": SEES_LANHAI,
    "/papers/authorisations/{authorisation}-zh.pdf": SEES_ORDER_5,
    "/papers/cases/6-en.pdf": SEES_ORDER_5,
    "/notices/": EVERYBODY,
    "/notices/week/": EVERYBODY,
    "/notices/settings/": EVERYBODY,
    "/law/": EVERYBODY,
    "/outlook/": EVERYBODY,
}


@pytest.fixture(scope="module")
def ids(desk: Any) -> dict[str, Any]:
    """Return the ids that the addresses of the table name; a case is brought under review for the decision's page."""
    from twokey.desk.cases import drafting, reviewing
    from twokey.desk.cases.models import Order
    from twokey.desk.ledger.models import Authorisation, Release
    from twokey.desk.parties.models import Seat
    from twokey.desk.parties.services import actor_of

    seller, officer = (
        actor_of(Seat.objects.get(user__username=name).user, "web") for name in ("seller", "officer.bis.1")
    )
    draft = drafting.draft_application(seller, Order.objects.get(pk=5).pk, "BIS", "A use.")
    Application.objects.filter(pk=draft.pk).update(state="submitted", submitted_at=draft.created_at)
    reviewing.take(officer, draft.pk)
    document = Document.objects.filter(application_id=6).first()
    authorisation = Authorisation.objects.filter(line__order_id=5).first()
    release = Release.objects.first()
    assert document is not None
    assert authorisation is not None
    assert release is not None
    return {
        "review": draft.pk,
        "document": document.pk,
        "authorisation": authorisation.pk,
        "release": release.number,
    }


@pytest.mark.parametrize("address", VISIBLE)
def test_a_person_sees_only_what_their_seat_may_see(desk: Any, ids: dict[str, Any], address: str) -> None:
    place = address.format(**ids)
    opened = {who for who in PEOPLE if sign_in(who).get(place).status_code == 200}
    assert opened == VISIBLE[address]
    assert Client().get(place)["Location"].startswith("/accounts/login/")


def test_every_page_that_is_read_stands_in_the_table(ids: dict[str, Any]) -> None:
    """Pages about law and outlook are everybody's, whatever their arguments: one of each stands for them."""
    from django.test import RequestFactory
    from django.urls import resolve

    listed = {resolve(address.format(**ids)).func for address in VISIBLE}
    elsewhere = ("healthz", "readyz", "api/v1/", "language/", "accounts/", "law/", "outlook/", "charts/")
    lacking = []
    for address, view in _doors(get_resolver()):
        if address.startswith(elsewhere) or view in listed:
            continue
        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        if view(request).status_code != 405:  # a page that is read, where a task answers 405 (POST only)
            lacking.append(address)
    assert lacking == []


def test_a_party_reads_of_a_batch_what_its_own_company_holds_and_no_other(desk: Any) -> None:
    names = {"buyer.tencent": "Tencent", "buyer.alibaba": "Alibaba", "buyer.bytedance": "ByteDance"}
    for who, own in names.items():
        text = sign_in(who).get("/ledger/batches/1/").content.decode()
        assert [name for name in names.values() if name in text] == [own], who
    for who in ("officer.miit.1", "officer.bis.1", "auditor"):
        text = sign_in(who).get("/ledger/batches/1/").content.decode()
        assert all(name in text for name in names.values()), who
    assert not any(
        name in sign_in("buyer.xingye").get("/ledger/batches/1/").content.decode() for name in names.values()
    )


def test_what_an_authority_thinks_stays_inside_it(desk: Any) -> None:
    sign_in("officer.miit.1").post("/cases/7/note/", {"text": "UNDER-SEAL-7"})
    for who in PEOPLE:
        shown = "UNDER-SEAL-7" in sign_in(who).get("/cases/7/").content.decode()
        assert shown is (who == "officer.miit.1"), who
    assert "Notes of your authority" not in sign_in("auditor").get("/cases/7/").content.decode()


def test_the_other_side_of_an_order_reads_neither_papers_nor_questions(desk: Any) -> None:
    use = "the domestic chips on offer do not hold the model in memory"
    assert use in sign_in("seller").get("/cases/6/").content.decode()
    text = sign_in("buyer.qingshan").get("/cases/6/").content.decode()
    assert use not in text
    assert "contract.txt" not in text


def _doors(resolver: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            found += _doors(each, prefix + str(each.pattern))
        elif isinstance(each, URLPattern):
            found.append((prefix + str(each.pattern), each.callback))
    return found


def test_every_page_of_the_desk_names_its_permission() -> None:
    open_to_all = ("healthz", "readyz", "api/v1/", "language/", "accounts/")
    for address, view in _doors(get_resolver()):
        if not address.startswith(open_to_all):
            assert getattr(view, "action", "") in PERMISSIONS, address


def test_a_post_needs_the_permission_of_its_task(desk: Any) -> None:
    """Every task of a case, by everybody whose role may not: 403, and nothing happens."""
    from twokey.desk.web.cases.acting import TASKS

    people = {
        "seller": Role.APPLICANT,
        "auditor": Role.AUDITOR,
        "customs.gacc": Role.CUSTOMS,
        "adviser.bis": Role.ADVISER,
    }
    for name, view in TASKS.items():
        for who, role in people.items():
            if role not in PERMISSIONS[view.action]:  # type: ignore[attr-defined]
                answer = sign_in(who).post(f"/cases/6/{name.replace('_', '-')}/", {"text": "x"})
                assert answer.status_code == 403, (name, who)


def test_behind_tls_cookies_are_secure_and_plain_http_is_sent_on() -> None:
    """The settings are read from the environment when the process starts, so another process reads them here."""
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    code = f"from twokey.desk import settings as s; print([getattr(s, n) for n in {names}], s.SECURE_HSTS_SECONDS > 0)"
    for https, expected in (("1", "[True, True, True, True] True"), ("", "[False, False, False, False] False")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            env={**os.environ, "TWOKEY_HTTPS": https},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == expected, done.stderr


def test_a_session_ends_after_a_working_day(desk: Any) -> None:
    session = sign_in("seller").session
    assert 0 < session.get_expiry_age() <= 10 * 3600
    assert session.get_expire_at_browser_close()  # also where a provider vouched, and no form asked


def test_evidence_over_25_mb_is_refused_before_it_is_read(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TWOKEY_DOCUMENT_MAX_BYTES", 1_000)
    given = {"name": "kyc", "issuer": "x", "issued_on": "2026-01-01", "file": SimpleUploadedFile("a.txt", b"x" * 1_001)}
    before = Document.objects.count()
    answer = sign_in("seller").post("/orders/5/evidence/", given)
    assert answer.status_code == 422
    assert "larger than 25 MB" in answer.content.decode()
    assert Document.objects.count() == before


def test_a_document_that_the_scanner_did_not_pass_is_never_handed_out(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TWOKEY_SCAN_COMMAND", "false {path}")
    file = SimpleUploadedFile("virus.txt", b"X5O!P%@AP is what a scanner stops")
    answer = sign_in("buyer.xingye").post("/cases/8/apply/documents/", {"kind": "other", "file": file})
    assert answer.status_code == 422
    kept = Document.objects.get(filename="virus.txt")
    assert kept.scan != "clean"
    assert sign_in("buyer.xingye").get(f"/cases/8/documents/{kept.pk}/").status_code != 200


def test_a_name_of_a_file_reaches_no_folder_and_no_header(desk: Any) -> None:
    file = SimpleUploadedFile("x.txt", b"Plain text of an invented paper.")
    file.name = "../../etc/pass\r\nSet-Cookie: a=b.txt"
    sign_in("buyer.xingye").post("/cases/8/apply/documents/", {"kind": "other", "file": file})
    kept = Document.objects.order_by("-pk").first()
    assert kept is not None
    assert "/" not in kept.filename
    answer = sign_in("buyer.xingye").get(f"/cases/8/documents/{kept.pk}/")
    assert "Set-Cookie" not in answer
    assert "\n" not in answer["Content-Disposition"]
