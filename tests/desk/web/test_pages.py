"""Every page of orders, cases and parties: it opens for those who may see it, in both languages, at every width."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import check_page, sideways

PAGES = (
    ("seller", "/"),
    ("seller", "/orders/"),
    ("seller", "/orders/?q=nothing"),
    ("seller", "/orders/5/"),
    ("seller", "/orders/4/"),
    ("seller", "/orders/new/"),
    ("seller", "/orders/5/facts/"),
    ("seller", "/orders/5/evidence/"),
    ("seller", "/cases/"),
    ("seller", "/parties/"),
    ("seller", "/parties/new/"),
    ("seller", "/parties/lists/"),
    ("seller", "/accounts/2fa/"),
    ("seller", "/accounts/2fa/totp/activate/"),
    ("seller", "/accounts/password/change/"),
    ("seller", "/accounts/reauthenticate/"),
    ("seller", "/no-such-page/"),
    ("seller", "/cases/8/"),
    ("buyer.xingye", "/"),
    ("buyer.xingye", "/cases/8/"),
    ("buyer.xingye", "/cases/8/apply/"),
    ("buyer.xingye", "/cases/8/apply/documents/"),
    ("buyer.xingye", "/cases/8/apply/evidence/"),
    ("buyer.xingye", "/cases/8/apply/check/"),
    ("officer.miit.1", "/"),
    ("officer.miit.1", "/cases/"),
    ("officer.miit.1", "/cases/1/"),
    ("officer.miit.1", "/cases/5/"),
    ("officer.bis.1", "/cases/4/"),
    ("officer.bis.1", "/orders/5/"),
    ("officer.bis.1", "/parties/2/"),
    ("adviser.miit", "/"),
    ("customs.gacc", "/"),
    ("auditor", "/"),
    ("auditor", "/cases/4/"),
    ("operator", "/"),
    ("operator", "/parties/lists/"),
    ("operator", "/parties/lists/import/"),
)
ABSENT = {("seller", "/no-such-page/"), ("seller", "/cases/8/")}  # the last is the draft of the other side


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_is_accessible_and_fits(open_as: Any, lang: str) -> None:
    wrong = []
    pages: dict[str, Any] = {}
    for login, address in PAGES:
        if login not in pages:
            pages[login] = open_as(login, lang)
        page = pages[login]
        page.set_viewport_size({"width": 1280, "height": 900})
        answer = page.goto(address)
        if answer.status != (404 if (login, address) in ABSENT else 200):
            wrong.append(f"{login} {address}: {answer.status}")
            continue
        if (login, address) in ABSENT:
            page.problems.clear()  # the browser itself notes a 404
        try:
            check_page(page)
            page.set_viewport_size({"width": 360, "height": 800})
            assert sideways(page) <= 0, f"{sideways(page)} px too wide at 360 px"
        except AssertionError as error:
            wrong.append(f"{login} {address}: {str(error)[:700]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_on_paper_the_keys_stand_side_by_side_and_nothing_is_there_to_press(open_as: Any, lang: str) -> None:
    page = open_as("seller", lang, width=720)  # about what a sheet of A4 is wide
    page.goto("/orders/5/")
    page.emulate_media(media="print")
    export, gate, other = (page.locator(part).bounding_box() for part in ("#export", "#shipments", "#import"))
    assert export["x"] + export["width"] <= gate["x"]
    assert gate["x"] + gate["width"] <= other["x"]
    assert export["y"] == other["y"]
    for part in ("button", ".top nav", "form"):
        assert not any(each.is_visible() for each in page.query_selector_all(part)), part
    assert sideways(page) <= 0
    assert page.pdf(format="A4").startswith(b"%PDF")
