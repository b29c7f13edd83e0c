"""The pages of the ledger: statement, batches, shipments, what arrived. Who sees what, and who may do what."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from twokey.desk.home import home
from twokey.desk.ledger.models import Adjustment, Authorisation, Balance, Shipment
from twokey.desk.papers.checking import check_pdf
from twokey.desk.signing import FileSigner

from .conftest import check_page, sideways, sign_in

PAGES = (
    ("officer.miit.1", "/ledger/batches/"),
    ("officer.miit.1", "/ledger/batches/open/"),
    ("officer.miit.1", "/ledger/batches/1/"),
    ("auditor", "/ledger/authorisations/"),
    ("auditor", "/ledger/authorisations/?q=nothing+at+all"),
    ("officer.bis.2", "/ledger/authorisations/{export}/"),
    ("officer.miit.2", "/ledger/authorisations/{batched}/"),
    ("seller", "/ledger/authorisations/{export}/"),
    ("officer.bis.1", "/ledger/caps/"),
    ("seller", "/ledger/caps/"),
    ("officer.bis.1", "/ledger/caps/choose/"),
    ("customs.gacc", "/ledger/usage/"),
    ("auditor", "/ledger/usage/?show=refused"),
    ("customs.gacc", "/ledger/usage/new/"),
    ("seller", "/ledger/shipments/"),
    ("seller", "/ledger/shipments/{released}/"),
    ("seller", "/ledger/shipments/{blocked}/"),
    ("seller", "/ledger/shipments/plan/{order}/"),
    ("buyer.lanhai", "/ledger/shipments/{released}/"),
    ("customs.gacc", "/ledger/shipments/{released}/"),
    ("auditor", "/ledger/arrived/"),
    ("auditor", "/notices/"),
    ("officer.bis.2", "/notices/week/"),
    ("seller", "/notices/settings/"),
)


def authorisation(side: str, key: str) -> Authorisation:
    return Authorisation.objects.get(authority__side=side, line__order__number=f"H200-{key}")


def shipment(key: str) -> Shipment:
    return Shipment.objects.get(number=f"SH-{key}-1")


def places() -> dict[str, int]:
    return {
        "export": authorisation("export", "lanhai").pk,
        "batched": authorisation("import", "tencent").pk,
        "released": shipment("lanhai").pk,
        "blocked": shipment("qingshan").pk,
        "order": shipment("lanhai").order_id,
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_is_accessible_and_fits(open_as: Any, lang: str) -> None:
    from twokey.desk.notices.telling import tell

    tell()
    wrong, pages = [], {}
    for login, address in PAGES:
        page = pages.setdefault(login, None) or open_as(login, lang)
        pages[login] = page
        page.set_viewport_size({"width": 1280, "height": 900})
        answer = page.goto(address.format(**places()))
        if answer.status != 200:
            wrong.append(f"{login} {address}: {answer.status}")
            continue
        try:
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            check_page(page)
            page.set_viewport_size({"width": 360, "height": 800})
            assert sideways(page) <= 0, f"{sideways(page)} px too wide at 360 px"
        except AssertionError as error:
            wrong.append(f"{login} {address}: {str(error)[:700]}")
    assert not wrong, "\n".join(wrong)


_OWN = {  # names and codes that stay as they are in Chinese
    *("Twokey", "English", "NVIDIA", "SXM", "Corporation", "PDF", "SHA", "UTC", "TPP", "bit", "TOPS", "MIIT", "BIS"),
    *("REL", "lanhai", "qingshan", "xingye", "bytedance", "alibaba", "tencent", "officer", "miit", "bis", "seller"),
    *("auditor", "buyer", "customs", "gacc"),
}


@pytest.mark.parametrize(("login", "address"), PAGES)
def test_a_chinese_page_holds_no_english_words_but_names(client_of: Any, login: str, address: str) -> None:
    body = client_of(login, "zh").get(address.format(**places())).content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    text = re.sub(r"<(script|textarea).*?</\1>|<[^>]+>|name@[\w.]+|[0-9a-f]{16,}", " ", main, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{3,}", text)) - _OWN == set()


@pytest.mark.parametrize("login", ["buyer.xingye", "buyer.qingshan"])
def test_another_party_sees_nothing_of_an_order_that_is_not_theirs(client_of: Any, login: str) -> None:
    client, at = client_of(login), places()
    paths = (
        f"/ledger/authorisations/{at['export']}/",
        f"/ledger/shipments/{at['released']}/",
        f"/ledger/shipments/plan/{at['order']}/",
        f"/papers/authorisations/{at['export']}-en.pdf",
        "/papers/releases/REL-2026-000001-en.pdf".replace("2026", _year()),
        "/papers/releases/REL-2026-000001.json".replace("2026", _year()),
    )
    for path in paths:
        assert client.get(path).status_code == 404, path
    for path in ("/ledger/authorisations/", "/ledger/shipments/", "/ledger/arrived/", "/ledger/batches/1/"):
        assert "lanhai" not in client.get(path).content.decode().casefold(), path


def test_who_is_not_signed_in_is_asked_to(desk: Any) -> None:
    for _login, address in PAGES:
        answer = Client().get(address.format(**places()))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


WRONG_HANDS = (
    ("officer.bis.1", "/ledger/shipments/{blocked}/reserve/", {"key": "1"}),
    ("buyer.qingshan", "/ledger/shipments/{blocked}/reserve/", {"key": "1"}),
    ("buyer.qingshan", "/ledger/shipments/{blocked}/void/", {"why": "x"}),
    ("customs.gacc", "/ledger/shipments/{blocked}/release/", {}),
    ("buyer.qingshan", "/ledger/shipments/{blocked}/release/", {}),
    ("seller", "/ledger/authorisations/{export}/state/", {"change": "suspend", "why": "x"}),
    ("seller", "/ledger/authorisations/{batched}/state/", {"change": "surrender", "why": "x"}),
    ("officer.miit.1", "/ledger/authorisations/{export}/state/", {"change": "revoke", "why": "x"}),
    ("adviser.bis", "/ledger/authorisations/{export}/state/", {"change": "revoke", "why": "x"}),
    (
        "officer.miit.1",
        "/ledger/authorisations/{export}/adjust/",
        {"units": "1", "value": "0", "uses": "0", "why": "x"},
    ),
    ("auditor", "/ledger/batches/1/topup/", {"topup-units": "1", "topup-value": "0", "topup-why": "x"}),
    ("officer.bis.1", "/ledger/batches/1/topup/", {"topup-units": "1", "topup-value": "0", "topup-why": "x"}),
    ("operator", "/ledger/batches/open/", {"code": "X", "units": "1", "value": "1", "currency": "USD"}),
)


@pytest.mark.parametrize(("login", "address", "body"), WRONG_HANDS)
def test_a_task_in_the_wrong_hands_changes_nothing(client_of: Any, login: str, address: str, body: Any) -> None:
    before = _everything()
    answer = client_of(login).post(address.format(**places()), body)
    assert answer.status_code in {302, 403, 404}
    assert _everything() == before


SIGNED = (
    ("seller", "/ledger/shipments/{blocked}/release/", {}),
    ("officer.bis.1", "/ledger/authorisations/{export}/state/", {"change": "suspend", "why": "x"}),
    ("officer.bis.1", "/ledger/authorisations/{export}/adjust/", {"units": "1", "value": "0", "uses": "0", "why": "x"}),
    ("officer.miit.1", "/ledger/batches/1/topup/", {"topup-units": "1", "topup-value": "0", "topup-why": "x"}),
    ("officer.miit.1", "/ledger/batches/open/", {"code": "X", "units": "1", "value": "1", "currency": "USD"}),
)


@pytest.mark.parametrize(("login", "address", "body"), SIGNED)
def test_what_is_signed_asks_for_presence_first(desk: Any, login: str, address: str, body: Any) -> None:
    before = _everything()
    answer = sign_in(login, present=False).post(address.format(**places()), body)
    assert answer.status_code == 302
    assert "/reauthenticate/" in answer["Location"]
    assert _everything() == before


def test_a_form_from_elsewhere_is_refused(desk: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("seller").cookies
    before = _everything()
    for address in ("/ledger/shipments/{blocked}/void/", "/notices/read/", "/notices/follow/{order}/"):
        assert client.post(address.format(**places()), {"why": "x"}).status_code == 403
    assert _everything() == before


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_paper_is_sent_as_a_file_and_proves_itself(client_of: Any, lang: str) -> None:
    row = shipment("lanhai")
    answer = client_of("customs.gacc").get(f"/papers/releases/{row.release.number}-{lang}.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{row.release.number}-{lang}.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert check_pdf(answer.content, FileSigner(home().keys).ring()).holds
    assert row.release.number in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    case = row.order.applications.get(authority__side="import").pk
    for path in (f"/papers/authorisations/{places()['export']}-{lang}.pdf", f"/papers/cases/{case}-{lang}.pdf"):
        assert check_pdf(client_of("auditor").get(path).content, FileSigner(home().keys).ring()).holds
    assert client_of("auditor").get(f"/papers/cases/{case}-fr.pdf").status_code == 404


@pytest.mark.parametrize(
    ("login", "narrow", "wide"),
    [
        ("auditor", "/ledger/authorisations/?q=lanhai", "/ledger/authorisations/"),
        ("auditor", "/ledger/shipments/?q=SH-lanhai-1", "/ledger/shipments/"),
        ("seller", "/ledger/shipments/?q=SH-lanhai-1", "/ledger/shipments/"),
        ("auditor", "/notices/?show=unread&page=9", "/notices/"),
    ],
)
def test_a_longer_list_takes_no_more_queries(client_of: Any, login: str, narrow: str, wide: str) -> None:
    client = client_of(login)
    client.get(wide)  # what is asked once a process
    counts = []
    for address in (narrow, wide):
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        counts.append(len(found))
    assert counts[0] >= counts[1] - 1, counts  # an empty list has no related rows to look up
    assert counts[1] <= 16


def test_pages_of_one_thing_take_a_bounded_number_of_queries(client_of: Any) -> None:
    at = places()
    for login, address, most in (
        ("auditor", f"/ledger/authorisations/{at['export']}/", 14),
        ("auditor", "/ledger/batches/1/", 18),
        ("auditor", f"/ledger/shipments/{at['released']}/", 18),
        ("auditor", "/ledger/arrived/", 18),
    ):
        client = client_of(login)
        client.get(address)
        with CaptureQueriesContext(connection) as found:
            client.get(address)
        assert len(found) <= most, (address, len(found))


def test_the_walk_of_a_shipment_with_forms_alone(client_of: Any) -> None:
    seller, order = client_of("seller"), shipment("qingshan").order
    held = authorisation("export", "qingshan")

    def post(client: Client, path: str, body: dict[str, str]) -> str:
        answer = client.post(path, body, follow=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    blocked = shipment("qingshan")
    said = post(seller, f"/ledger/shipments/{blocked.pk}/release/", {"next": f"/ledger/shipments/{blocked.pk}/"})
    assert "adequate security procedures" in said  # refused with its reason, on the page of the shipment
    post(seller, f"/ledger/shipments/{blocked.pk}/void/", {"why": "in two parts"})
    assert _state(blocked) == "planned"
    text = post(
        seller,
        f"/ledger/shipments/plan/{order.pk}/",
        {"number": "SH-part", "place": "mainland", "line1-units": "500", "line1-value": "13500000.00"},
    )
    assert "nothing is reserved yet" in text
    part = Shipment.objects.get(number="SH-part")
    assert part.lines.get().value_minor == 1_350_000_000
    for _again in range(2):  # the same key reserves once
        post(seller, f"/ledger/shipments/{part.pk}/reserve/", {"key": "k1"})
    assert _state(part) == "reserved"
    page = seller.get(f"/ledger/authorisations/{held.pk}/").content.decode()
    assert "−500" in page
    assert "+2,000" in page
    answer = seller.post(f"/ledger/shipments/plan/{order.pk}/", {"number": "SH-none", "place": "mainland"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_delivery_and_customs_entry_are_recorded_by_those_who_saw_them(client_of: Any) -> None:
    row = shipment("lanhai")
    client_of("seller").post(f"/ledger/shipments/{row.pk}/ship/", {"line1-serials": ""})
    assert _state(row) == "shipped"
    body = {"position": "1", "number": "D-1", "on": "2026-11-24", "place": "mainland", "units": "300"}
    client_of("buyer.lanhai").post(f"/ledger/shipments/{row.pk}/arrive/", body)
    client_of("customs.gacc").post(f"/ledger/shipments/{row.pk}/arrive/", {**body, "number": "E-1", "units": "500"})
    page = client_of("auditor", "zh").get(f"/ledger/shipments/{row.pk}/").content.decode()
    assert "D-1" in page
    assert "海关进口记录" in page
    totals = client_of("auditor").get("/ledger/arrived/").context["last"]
    assert (totals.released, totals.delivered, totals.entered) == (500, 300, 500)
    body["units"] = "999"
    said = client_of("buyer.lanhai").post(f"/ledger/shipments/{row.pk}/arrive/", {**body, "number": "D-2"}, follow=True)
    assert "500 were released" in said.content.decode()
    client_of("seller").post(
        f"/ledger/shipments/{row.pk}/return/", {"key": "r1", "back1-units": "5", "back-why": "broken"}
    )
    assert "+5" in client_of("seller").get(f"/ledger/authorisations/{places()['export']}/").content.decode()


def test_a_suspension_a_correction_and_a_condition_take_two_officers_where_they_must(client_of: Any) -> None:
    at = authorisation("export", "lanhai")
    first, second = client_of("officer.bis.1"), client_of("officer.bis.2")
    path = f"/ledger/authorisations/{at.pk}"
    first.post(f"{path}/state/", {"change": "suspend", "why": "a question is open"})
    assert _balance(at) == "suspended"
    first.post(f"{path}/state/", {"change": "reinstate", "why": "answered"})
    assert _balance(at) == "suspended"  # not by the officer who suspended it
    second.post(f"{path}/state/", {"change": "reinstate", "why": "answered"})
    assert _balance(at) == "in_force"
    first.post(f"{path}/adjust/", {"units": "-2", "value": "-54000.00", "uses": "0", "why": "two were never sent"})
    row = Adjustment.objects.get()
    assert row.value_minor == -5_400_000
    first.post(f"{path}/adjustments/{row.pk}/", {})
    row.refresh_from_db()
    assert row.signed_by == ""
    second.post(f"{path}/adjustments/{row.pk}/", {})
    row.refresh_from_db()
    assert row.signed_by == "officer.bis.2"
    condition = at.conditions.get(replaced_by=None)
    second.post(
        f"{path}/conditions/{condition.pk}/", {"text_en": "New words.", "text_zh": "新的措辞。", "why": "clearer"}
    )
    assert "新的措辞。" in client_of("buyer.lanhai", "zh").get(f"{path}/").content.decode()


def test_a_ceiling_is_raised_by_two_officers(client_of: Any) -> None:
    first, second = client_of("officer.miit.1"), client_of("officer.miit.2")
    first.post("/ledger/batches/open/", {"code": "CN-2", "units": "10", "value": "5.50", "currency": "usd"})
    second.post("/ledger/batches/2/countersign/", {})
    first.post("/ledger/batches/2/topup/", {"topup-units": "5", "topup-value": "0", "topup-why": "more asked"})
    first.post("/ledger/batches/2/topups/1/", {})
    assert Balance.objects.get(label="CN-2").units_cap == 10
    second.post("/ledger/batches/2/topups/1/", {})
    balance = Balance.objects.get(label="CN-2")
    assert (balance.units_cap, balance.value_cap, balance.currency) == (15, 550, "USD")


def _state(row: Shipment) -> str:
    row.refresh_from_db()
    return row.state


def _balance(row: Authorisation) -> str:
    row.balance.refresh_from_db()
    return row.balance.state


def _everything() -> list[object]:
    return [
        list(Balance.objects.order_by("pk").values_list()),
        list(Shipment.objects.order_by("pk").values_list()),
        Adjustment.objects.count(),
        list(Authorisation.objects.values_list("pk")),
    ]


def _year() -> str:
    return shipment("lanhai").release.number.split("-")[1]
