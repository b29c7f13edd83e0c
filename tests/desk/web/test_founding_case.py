"""The founding case by clicking, once in each language, and the paths that are refused. Every click is a person's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from django.utils import timezone

from twokey.cli.main import twokey
from twokey.desk.cases.models import Application, Order
from twokey.desk.home import home
from twokey.desk.ledger.models import Authorisation, Release
from twokey.desk.parties.screening import rescreen
from twokey.desk.proof import check
from twokey.desk.signing import FileSigner
from twokey.desk.worker import WORKER

from .conftest import check_page

PDF = {
    "name": "paper.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
}
USE = {
    "en": "Pre-training of research models; the domestic chips on offer do not hold the model in memory.",
    "zh": "用于科研大模型的预训练；现有国产芯片的显存不足以容纳该模型，且互联带宽无法满足训练所需，故申请本批芯片。",
}
DENIALS = (
    "end_use.supercomputer",
    "site.state_funded",
    "laboratory.financial_interest",
    "laboratory.d5_or_macau_control",
    "laboratory.standing_withdrawn",
)
TODAY = timezone.now().date()


class Walk:
    """People at the desk, each in a browser of their own, and the clicks that they make."""

    def __init__(self, open_as: Any, lang: str, password: str) -> None:
        self.open_as, self.lang, self.password = open_as, lang, password
        self.pages: dict[str, Any] = {}

    def at(self, login: str, address: str = "") -> Any:
        """Return a person's page, at an address where one is given."""
        if login not in self.pages:
            self.pages[login] = self.open_as(login, self.lang, present=False)
        page = self.pages[login]
        if address:
            page.goto(address)
        return page

    def sign(self, page: Any, button: str) -> None:
        """Press a button that signs, and prove presence where the desk asks for it."""
        page.click(button)
        if "/reauthenticate/" in page.url:
            page.fill("input[name=password]", self.password)
            page.click("main form button")

    def order(self, number: str, units: int = 100) -> int:
        """Enter an order as the exporter."""
        page = self.at("seller", "/orders/new/")
        page.fill("[name=number]", number)
        name = "虚构星野智能有限公司" if self.lang == "zh" else "Invented Xingye Intelligence Ltd."
        page.fill("[name=partner]", name)
        page.fill("[name=laboratory]", "Invented Testhaus Laboratory Inc.")
        page.fill("[name=chip]", "NVIDIA H200 SXM")
        page.fill("[name=units]", f"{units:,}")
        page.fill("[name=value]", f"{units * 27_000:,}.00")
        page.click("main form > button:last-of-type")
        page.wait_for_url(re.compile(r"/orders/\d+/$"))
        order_id = int(re.findall(r"/orders/(\d+)/", page.url)[0])
        page.goto(f"/orders/{order_id}/facts/")
        for field in page.query_selector_all("main select"):
            field.select_option("false" if field.get_attribute("name") in DENIALS else "true")
        page.click("main form > button")
        page.wait_for_url(f"**/orders/{order_id}/")
        return order_id

    def apply(self, login: str, order_id: int, side: str) -> int:
        """Walk the application form to its last step, and not submit."""
        page = self.at(login, f"/orders/{order_id}/")
        page.click(f"#{side} form button")
        page.wait_for_url("**/apply/")
        page.fill("[name=use_statement]", USE[self.lang])
        page.wait_for_selector("#gaps time")  # saved as it was typed
        page.click("button[name=on]")
        page.wait_for_url("**/apply/documents/")
        kinds = ("contract", "end_user_statement") if side == "export" else ("use_statement", "substitution_statement")
        for kind in kinds:
            page.select_option("[name=kind]", kind)
            page.set_input_files("[name=file]", {**PDF, "name": f"{kind}.pdf"})
            page.click("form[enctype] button")
            page.wait_for_selector(f"text={kind}.pdf")
        case_id = int(re.findall(r"/cases/(\d+)/", page.url)[0])
        if side == "export":
            self.certify(page, order_id, case_id)
        return case_id

    def certify(self, page: Any, order_id: int, case_id: int) -> None:
        """Add every certification that the form says is missing, by the link that it gives."""
        for _ in range(20):
            page.goto(f"/cases/{case_id}/apply/evidence/")
            links = page.query_selector_all("main .split > .card:first-child .checklist a")
            if not links:
                return
            links[0].click()
            self.show(page)
        raise AssertionError("the certifications have no end")

    def show(self, page: Any, expires: Any = TODAY + timedelta(days=300)) -> None:
        """Fill the evidence form that is open."""
        page.wait_for_selector("[name=issuer]")
        page.set_input_files("[name=file]", PDF)
        page.fill("[name=issuer]", "NVIDIA Corporation")
        page.fill("[name=issued_on]", str(TODAY - timedelta(days=40)))
        if expires:
            page.fill("[name=expires_on]", str(expires))
        page.click("main form button")
        page.wait_for_url(re.compile(r"/orders/\d+/$"))

    def submit(self, login: str, case_id: int) -> Any:
        page = self.at(login, f"/cases/{case_id}/apply/check/")
        page.click("main form button")
        return page

    def review(self, side: str, case_id: int) -> None:
        """Take the case, ask a colleague, get advice, judge, ask the applicant and get an answer."""
        code, adviser = ("bis", "adviser.bis") if side == "export" else ("miit", "adviser.miit")
        officer = self.at(f"officer.{code}.1", f"/cases/{case_id}/")
        officer.click("form[action$='/take/'] button")
        officer.click("summary:has(+ form[action$='/reviewers/'])")
        officer.check(f"input[value='{adviser}']")
        officer.click("form[action$='/reviewers/'] button")
        waiting = self.at(adviser, "/")
        waiting.click("tbody th a")
        waiting.select_option("[name=recommendation]", "approve_with_conditions")
        waiting.fill("#advice-text", "符合规定。" if self.lang == "zh" else "It meets the rule.")
        waiting.click("form[action$='/advise/'] button")
        if side == "import":
            officer.goto(f"/cases/{case_id}/")
            for name in ("advanced_research", "domestic_chips_insufficient", "quantity_proportionate"):
                officer.fill(f"#{name}", "材料属实。" if self.lang == "zh" else "Found on the papers.")
            officer.click("form[action$='/judge/'] button")

    def decide(self, side: str, case_id: int, condition: str = "") -> None:
        code = "bis" if side == "export" else "miit"
        page = self.at(f"officer.{code}.1", f"/cases/{case_id}/")
        check_page(page)
        page.click("a[href$='/decide/']")
        check_page(page)
        page.select_option("[name=outcome]", "approve")
        page.fill("[name=reasons]", "符合审批规定。" if self.lang == "zh" else "It meets the rule.")
        if condition:
            page.fill("#code-1", condition)
            page.fill("#en-1", "The consignee shows adequate security procedures before the chips ship.")
            page.fill("#zh-1", "收货人须在芯片发运前证明其具备充分的安全程序。")
        self.sign(page, "main form > button")
        page.wait_for_url(f"**/cases/{case_id}/")

    def countersign(self, login: str, case_id: int) -> Any:
        page = self.at(login, f"/cases/{case_id}/")
        self.sign(page, "form[action$='/countersign/'] button")
        page.wait_for_url(f"**/cases/{case_id}/")
        return page

    def plan(self, order_id: int, number: str, units: int = 100) -> Any:
        page = self.at("seller", f"/orders/{order_id}/")
        page.click("summary:has(+ form[action$='/plan/'])")
        page.fill("#plan-number", number)
        page.fill("#plan-units", str(units))
        page.fill("#plan-value", str(units * 27_000))
        page.click("form[action$='/plan/'] button")
        page.wait_for_selector("form[action*='/reserve/'] button")
        page.click("form[action*='/reserve/'] button")
        page.wait_for_selector("form[action*='/release/'] button")
        return page

    def turned(self, number: str, condition: str = "") -> int:
        """Walk an order until both keys are turned."""
        order_id = self.order(number)
        export = self.apply("seller", order_id, "export")
        self.submit("seller", export)
        self.review("export", export)
        self.decide("export", export, condition)
        self.countersign("officer.bis.2", export)
        import_ = self.apply("buyer.xingye", order_id, "import")
        self.submit("buyer.xingye", import_)
        self.review("import", import_)
        self.decide("import", import_)
        self.countersign("officer.miit.2", import_)
        return order_id


@pytest.fixture
def walk(open_as: Any, desk: Any, request: pytest.FixtureRequest) -> Walk:
    return Walk(open_as, getattr(request, "param", "en"), desk.password)


def reasons(page: Any) -> str:
    """Return the reasons on a page that block or refuse."""
    found = page.query_selector_all(".messages .error, #blocked li, .refusal li")
    return "\n".join(each.inner_text() for each in found)


@pytest.mark.parametrize("walk", ["en", "zh"], indirect=True)
def test_the_founding_case_from_draft_to_a_release_that_proves_itself(walk: Walk) -> None:
    number = f"WALK-{walk.lang}"
    order_id = walk.turned(number, "security_procedures_shown")
    page = walk.plan(order_id, f"SH-{number}")

    # The gate names what is missing, and each reason leads to where it is cleared.
    assert len(page.query_selector_all("#blocked li")) == 2
    check_page(page)
    for _ in range(2):
        page.click("#blocked li a")
        walk.show(page)
    assert not page.query_selector_all("#blocked li")

    walk.sign(page, "form[action*='/release/'] button")
    page.wait_for_url(f"**/orders/{order_id}/")
    release = Release.objects.get(shipment__order_id=order_id)
    assert release.number in page.inner_text("#shipments")
    check_page(page)

    proof = check(json.loads(json.dumps(release.document.jws)), FileSigner(home().keys).ring())
    assert proof.holds
    assert {name.split()[0] for name in proof.signed_by} == {"BIS", "MIIT"}


@pytest.mark.parametrize("walk", ["en", "zh"], indirect=True)
def test_an_incomplete_application_is_refused_with_all_that_it_lacks(walk: Walk) -> None:
    order_id = walk.order(f"INCOMPLETE-{walk.lang}")
    page = walk.at("buyer.xingye", f"/orders/{order_id}/")
    page.click("#import form button")
    page.wait_for_url("**/apply/")
    case_id = int(re.findall(r"/cases/(\d+)/", page.url)[0])
    page = walk.submit("buyer.xingye", case_id)
    for text in {
        "en": ("missing: the documents on the intended use", "missing: a use statement"),
        "zh": ("缺少：用途证明文件", "缺少：不少于 40 个字符的用途说明"),
    }[walk.lang]:
        assert text in reasons(page)
    assert Application.objects.get(pk=case_id).state == "draft"
    check_page(page)


@pytest.mark.parametrize("walk", ["en", "zh"], indirect=True)
def test_the_same_officer_cannot_countersign(walk: Walk) -> None:
    order_id = walk.order(f"FOUR-EYES-{walk.lang}")
    case_id = walk.apply("seller", order_id, "export")
    walk.submit("seller", case_id)
    walk.review("export", case_id)
    walk.decide("export", case_id)
    page = walk.countersign("officer.bis.1", case_id)
    said = {
        "en": "officer.bis.1 decided this; the second signature must be another officer's",
        "zh": "officer.bis.1 已作出该决定；第二签字必须由另一名人员完成",
    }
    assert said[walk.lang] in reasons(page)
    assert Application.objects.get(pk=case_id).state == "decided"
    check_page(page)


@pytest.mark.parametrize("walk", ["en", "zh"], indirect=True)
def test_a_suspended_licence_an_expired_paper_and_a_screened_party_shut_the_gate(walk: Walk, listed: Any) -> None:
    order_id = walk.turned(f"SHUT-{walk.lang}", "security_procedures_shown")
    page = walk.plan(order_id, f"SH-SHUT-{walk.lang}")
    chinese = walk.lang == "zh"

    # Expired evidence: the exporter adds a paper whose last day was yesterday.
    page.click("#blocked li a[href*='security_procedures_shown']")
    walk.show(page, expires=TODAY - timedelta(days=1))
    assert ("证据已于" if chinese else "expired on") in reasons(page)

    # Suspended licence: an officer suspends it on its page; the other side's officer has no such form.
    licence = Authorisation.objects.get(line__order_id=order_id, authority__code="BIS")
    assert not walk.at("officer.miit.1", f"/ledger/authorisations/{licence.pk}/").query_selector("[name=change]")
    officer = walk.at("officer.bis.1", f"/ledger/authorisations/{licence.pk}/")
    officer.click("summary:has(+ form[action$='/state/'])")
    officer.select_option("[name=change]", "suspend")
    officer.fill(
        "form[action$='/state/'] [name=why]", "转移风险待查。" if chinese else "An open question of diversion."
    )
    walk.sign(officer, "form[action$='/state/'] button.danger")
    officer.wait_for_url(f"**/ledger/authorisations/{licence.pk}/")
    assert officer.query_selector(".state.suspended")
    page.reload()
    assert (f"{licence.number}：未生效" if chinese else f"{licence.number} is not in force") in reasons(page)

    # Screened party: a new list names the buyer, and its import screens everybody; an officer judges it the same.
    buyer = Order.objects.get(pk=order_id).importer
    listed(buyer.name_latin)
    page.reload()
    assert ("须由人员判定" if chinese else "an officer must decide") in reasons(page)
    page.click(f"#blocked li a:has-text('{buyer.name_latin}')")  # leads to the party
    page.click(f"main a[href='/parties/{buyer.pk}/']")
    officer.goto(f"/parties/{buyer.pk}/")
    page.goto(f"/orders/{order_id}/")
    officer.fill("[name=why]", "名称与地址一致。" if chinese else "Same name, same address.")
    walk.sign(officer, "button[name=same][value=yes]")
    if not officer.query_selector(".state.listed"):  # the button said what; after the proof it is pressed again
        officer.fill("[name=why]", "名称与地址一致。" if chinese else "Same name, same address.")
        officer.click("button[name=same][value=yes]")
    check_page(officer)
    page.reload()
    said = "在名单 us-csl 上" if chinese else "is on us-csl"
    assert said in reasons(page)
    check_page(page)

    # Asked for all the same, the release is refused with every reason, and nothing is drawn.
    walk.sign(page, "form[action*='/release/'] button")
    page.wait_for_url(f"**/orders/{order_id}/")
    messages = [each.inner_text() for each in page.query_selector_all(".messages .error")]
    assert len(messages) >= 3
    assert any(said in each for each in messages)
    assert not Release.objects.filter(shipment__order_id=order_id).exists()


@pytest.fixture
def listed(desk: Any, tmp_path: Any) -> Iterator[Any]:
    """Import a screening list that names somebody, as the operator does; afterwards, one that names nobody."""

    def import_list(*names: str) -> None:
        # A fresh id each time: an officer's judgement of an entry holds for as long as the entry does.
        entries = [{"id": uuid4().hex, "name": name, "alt_names": [], "addresses": []} for name in names]
        path = tmp_path / "list.json"
        path.write_text(json.dumps({"results": entries}))
        done = CliRunner().invoke(twokey, ["screen", "import", str(path), "--as", "operator"])
        assert done.exit_code == 0, done.output

    yield import_list
    import_list("Nobody At All Trading")
    rescreen(WORKER)
