"""What a browser is told, what a form must carry, what may be uploaded, and who may see what."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
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
    assert "25 MB" in answer.content.decode()


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


# address -> who gets 200; everybody else gets 403 or 404
VISIBLE = {
    "/orders/5/": {
        "seller",
        "buyer.qingshan",
        "officer.bis.1",
        "officer.miit.1",
        "adviser.bis",
        "auditor",
        "customs.gacc",
        "operator",
    },
    "/orders/5/facts/": {"seller", "buyer.qingshan"},
    "/orders/5/evidence/": {"seller", "buyer.qingshan"},
    "/orders/new/": {"seller", "buyer.qingshan", "buyer.xingye"},
    "/cases/8/": {"buyer.xingye"},
    "/cases/8/apply/": {"buyer.xingye"},
    "/cases/8/apply/check/": {"buyer.xingye"},
    "/cases/6/": {
        "seller",
        "buyer.qingshan",
        "officer.bis.1",
        "officer.miit.1",
        "adviser.bis",
        "auditor",
        "customs.gacc",
        "operator",
    },
    "/parties/new/": {"seller", "buyer.qingshan", "buyer.xingye", "operator"},
}
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


@pytest.mark.parametrize("address", VISIBLE)
def test_a_person_sees_only_what_their_seat_may_see(desk: Any, address: str) -> None:
    opened = {who for who in PEOPLE if sign_in(who).get(address).status_code == 200}
    assert opened == VISIBLE[address]
    assert Client().get(address)["Location"].startswith("/accounts/login/")


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
