"""What people do to a case by its forms, and what it becomes: every task of the table is done, and told as done."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from twokey.desk.cases import breaches
from twokey.desk.cases.models import Appeal, Application, InformationRequest, Necessity
from twokey.desk.parties.models import ScreeningList
from twokey.desk.web.cases.acting import TASKS
from twokey.desk.web.cases.models import SavedView

from ..test_breaches import record as breach_record
from ..world import World
from .conftest import sign_in


def do(login: str, case: Application, name: str, **given: Any) -> None:
    """Send a task's form as a person, follow it to the page, which tells of no error, and read the case anew."""
    person = User.objects.get(username=login)
    if not person.has_usable_password():  # nobody signs without something to prove their presence with
        person.set_password("plum-orchard-77x")
        person.save()
    client = sign_in(login)
    address = f"/cases/{case.pk}/{name.replace('_', '-')}/"
    answer = client.post(address, given, follow=True)
    assert answer.status_code == 200, answer.status_code
    case.refresh_from_db()
    wrong = [str(each) for each in answer.context["messages"] if each.level_tag == "error"]
    assert not wrong, wrong


def reviewed(world: World, side: str = "export") -> Application:
    return world.under_review(world.order(), side)


def test_a_question_stops_the_clock_until_it_is_answered(world: World) -> None:
    case = reviewed(world)
    do("bis1", case, "ask", text="Which cluster?")
    assert case.state == "information_requested"
    assert "Which cluster?" in sign_in("seller").get(f"/cases/{case.pk}/").content.decode()
    do("seller", case, "answer", text="The northern one.")
    assert case.state == "under_review"
    row = InformationRequest.objects.get(application=case)
    assert (row.answer, row.answered_at is not None) == ("The northern one.", True)


def test_a_case_goes_from_draft_to_a_second_decision(world: World) -> None:
    order = world.order()
    case = world.draft(order, "export")
    do("seller", case, "submit")
    assert case.state == "submitted"
    do("bis1", case, "take")
    assert (case.state, case.officer) == ("under_review", "bis1")
    do("bis1", case, "reviewers", reviewer=["bisadv"])
    do("bisadv", case, "advise", recommendation="approve", text="It meets the rule.")
    do("bis1", case, "note", text="Between us.")
    do("bis1", case, "assess")
    assert case.assessments.filter(why="asked").exists()
    from twokey.desk.cases import deciding

    deciding.decide(world["bis1"], case.pk, "refuse", "It does not meet the rule.", None)
    do("bis2", case, "reject", text="The reasons are thin.")
    assert case.state == "under_review"
    deciding.decide(world["bis1"], case.pk, "refuse", "It does not meet the rule: see the file.", None)
    do("bis2", case, "countersign")
    assert case.state == "refused"
    do("seller", case, "appeal", text="The rule was read wrongly.")
    assert case.state == "appealed"
    assert Appeal.objects.get(decision__application=case).grounds == "The rule was read wrongly."
    do("bis3", case, "hear", allowed="yes", text="It was.")
    assert case.state == "under_review"


@pytest.mark.parametrize(("allowed", "state"), [("yes", "under_review"), ("no", "refused")])
def test_an_appeal_is_allowed_or_dismissed_as_the_button_says(world: World, allowed: str, state: str) -> None:
    from twokey.desk.cases import deciding

    case = reviewed(world)
    deciding.decide(world["bis1"], case.pk, "refuse", "It does not meet the rule.", None)
    do("bis2", case, "countersign")
    do("seller", case, "appeal", text="Wrong.")
    do("bis3", case, "hear", allowed=allowed, text="Heard.")
    assert case.state == state


def test_an_application_is_withdrawn_and_another_returned_and_filed_again(world: World) -> None:
    case = reviewed(world)
    do("seller", case, "withdraw")
    assert case.state == "withdrawn"
    case = reviewed(world)
    do("bis1", case, "give_back", text="The contract is of another order.")
    assert case.state == "returned"
    do("seller", case, "submit")
    assert case.state == "submitted"


@pytest.mark.parametrize("necessary", ["yes", "no"])
def test_necessity_is_judged_criterion_by_criterion(world: World, necessary: str) -> None:
    case = reviewed(world, "import")
    given = dict.fromkeys(("advanced_research", "domestic_chips_insufficient", "quantity_proportionate"), "Found.")
    do("miit1", case, "judge", necessary=necessary, **given)
    row = Necessity.objects.get(application=case)
    assert (row.necessary, row.criteria) == (necessary == "yes", given)


def test_a_document_of_a_draft_is_taken_back_by_its_button(world: World) -> None:
    case = world.draft(world.order(), "import")
    first = case.documents.order_by("pk").first()
    assert first is not None
    page, address = f"/cases/{case.pk}/apply/documents/", f"/cases/{case.pk}/apply/documents/{first.pk}/withdraw/"
    assert address in sign_in("buyer").get(page).content.decode()
    assert sign_in("seller").post(address).status_code == 403
    assert case.documents.filter(withdrawal=None, pk=first.pk).exists()
    assert sign_in("buyer").post(address)["Location"] == page
    assert not case.documents.filter(withdrawal=None, pk=first.pk).exists()
    assert address not in sign_in("buyer").get(page).content.decode()


def test_an_approved_case_is_amended_by_a_draft_of_its_own(world: World) -> None:
    order = world.order()
    world.approved(order, "export")
    case = Application.objects.get(order=order, authority__side="export")
    answer = sign_in("seller").post(f"/cases/{case.pk}/amend/")
    draft = Application.objects.get(amends=case)
    assert answer["Location"] == f"/cases/{draft.pk}/apply/"
    assert (draft.state, draft.use_statement) == ("draft", case.use_statement)


def test_a_case_that_came_back_is_reconfirmed(world: World, law: Any) -> None:
    from twokey.desk.cases.watching import reassess
    from twokey.desk.worker import WORKER

    order = world.order()
    world.approved(order, "export")
    case = Application.objects.get(order=order, authority__side="export")
    law.edition += 1
    reassess(WORKER)
    case.refresh_from_db()
    assert case.attention == "law_changed"
    page = sign_in("bis1").get(f"/cases/{case.pk}/").content.decode()
    assert f'action="/cases/{case.pk}/reconfirm/"' in page
    do("bis1", case, "reconfirm", text="It stands under the new text.")
    assert case.attention == ""


def test_a_breach_is_shown_and_found_on(world: World) -> None:
    case = world.approved(world.order(), "import").decision.application
    (row,) = breaches.take_in(world["buyer"], case.pk, [breach_record()]).breaches
    page = sign_in("miit1").get(f"/cases/{case.pk}/").content.decode()
    assert "inference at least 60 % domestic" in page
    asked = "At least 60 % is asked; measured between 38.74 % and 41.65 %."
    assert asked in page.replace("\N{NO-BREAK SPACE}", " ")
    assert f'action="/cases/{case.pk}/find/"' in page
    assert "Nothing for you to do" not in page
    assert f'action="/cases/{case.pk}/reconfirm/"' not in page
    assert f'action="/cases/{case.pk}/find/"' not in sign_in("buyer").get(f"/cases/{case.pk}/").content.decode()
    do("miit1", case, "find", breach=str(row.pk), text="The authorisation is suspended.")
    page = sign_in("buyer").get(f"/cases/{case.pk}/").content.decode()
    assert "The authorisation is suspended." in page
    assert case.attention == ""


def test_every_task_of_the_table_is_done_here() -> None:
    done = set(re.findall(r'do\("\w+", case, "(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert set(TASKS) == {*done, "amend"}


def test_a_view_is_kept_opened_changed_and_forgotten_and_is_nobody_elses(world: World) -> None:
    client, other = sign_in("bis1"), sign_in("bis2")
    client.post("/cases/views/save/", {"name": "Mine", "query": "state=under_review&whose=mine&next=https://x.example"})
    row = SavedView.objects.get()
    assert row.query == "state=under_review&whose=mine"  # only filters are kept
    page = client.get("/cases/").content.decode()
    assert "?state=under_review&amp;whose=mine" in page
    case = reviewed(world)
    shown = client.get(f"/cases/?{row.query}").context["sheet"].rows
    assert [each.pk for each in shown] == [case.pk]
    client.post("/cases/views/save/", {"name": "Mine", "query": "state=submitted"})
    assert SavedView.objects.get().query == "state=submitted"
    assert "Mine" not in other.get("/cases/").content.decode()
    other.post(f"/cases/views/{row.pk}/drop/")
    assert SavedView.objects.exists()
    client.post(f"/cases/views/{row.pk}/drop/")
    assert not SavedView.objects.exists()
    answer = client.post("/cases/views/save/", {"name": " ", "query": ""}, follow=True)
    assert "Give the view a name." in answer.content.decode()


def test_a_list_is_found_by_filter_and_word(world: World) -> None:
    one, two = reviewed(world), world.under_review(world.order(number="FIND-ME"), "import")
    auditor = sign_in("auditor")

    def found(query: str) -> set[int]:
        return {each.pk for each in auditor.get(f"/cases/?whose=all&{query}").context["sheet"].rows}

    assert found("side=import") == {two.pk}
    assert found("q=FIND") == {two.pk}
    assert found(f"q={one.pk}") >= {one.pk}
    assert found("q=Yunling") == {two.pk}
    assert found("state=submitted") == set()


# --- a usage report, and the cap that is a share

HEAD = "licence,shipment,quantity,unit,currency,entry,on,place\n"


def upload(client: Client, text: str | bytes, name: str = "report.csv") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = text.encode() if isinstance(text, str) else text
    return client.post("/ledger/usage/new/", {"file": SimpleUploadedFile(name, content)})


def test_a_usage_report_is_answered_line_by_line(world: World) -> None:
    release = world.released(units=10)
    shipment = release.shipment
    line = shipment.lines.get()
    good = f"{line.import_authorisation.number},{shipment.number},10,pcs,USD,E-1,{timezone.now():%Y-%m-%d},mainland\n"
    bad = good.replace(",pcs,", ",kg,").replace("E-1", "E-2")
    answer = upload(sign_in("customs"), HEAD + good + bad)
    assert answer.status_code == 200
    assert [each.why is None for _row, each in answer.context["answers"]] == [True, False]
    page = sign_in("auditor").get("/ledger/usage/?show=refused").content.decode()
    assert "wrong unit" in page
    assert "E-2" in page
    assert "E-1" not in page
    assert "计量单位有误" in sign_in("auditor", "zh").get("/ledger/usage/").content.decode()
    again = upload(sign_in("customs"), HEAD + good)
    assert again.context["refused"] == 1
    csv = sign_in("bis1").get("/ledger/usage/balances.csv")
    assert csv["Content-Disposition"].startswith("attachment")
    assert line.import_authorisation.number in b"".join(csv.streaming_content).decode()


@pytest.mark.parametrize(("content", "said"), [
    (b"\xff\xfe\x00", "not UTF-8 text"),
    (b"licence\nX\n", "no column"),
    (b"[1.5]", "broken JSON"),
    (b"[{}]", "Line 1: it has no licence"),
    ((HEAD + "A,B,1.5,pcs,USD,E,2026-01-01,mainland\n").encode(), "“1.5” is not a whole number"),
    ((HEAD + "A,B,1,pcs,USD,E,yesterday,mainland\n").encode(), "“yesterday” is not a date"),
])  # fmt: skip
def test_a_usage_file_that_cannot_be_read_is_refused_with_its_line(world: World, content: bytes, said: str) -> None:
    answer = upload(sign_in("customs"), content)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_only_customs_takes_reports_in_and_parties_read_none(world: World) -> None:
    for login in ("seller", "bis1", "auditor"):
        assert upload(sign_in(login), HEAD).status_code == 403, login
    assert sign_in("seller").get("/ledger/usage/").status_code == 403
    assert sign_in("seller").get("/ledger/usage/balances.csv").status_code == 403
    assert sign_in("customs").get("/ledger/usage/").status_code == 200


def test_a_ratio_cap_is_chosen_once_and_rises_with_what_is_stated(world: World) -> None:
    from twokey.desk.ledger.models import HomeShipments, RatioCap

    given = {
        "product": "NVIDIA H200 SXM",
        "destinations": ["CN", "MO"],
        "share": "50",
        "window": "year",
        "why": "As BIS reads it.",
    }
    client = sign_in("bis1")
    wrong = client.post("/ledger/caps/choose/", {**given, "since": str(timezone.now().date())})
    assert wrong.status_code == 422
    assert "first day belongs to the window" in wrong.content.decode()
    assert client.post("/ledger/caps/choose/", {**given, "why": ""}).status_code == 422
    assert client.post("/ledger/caps/choose/", given)["Location"] == "/ledger/caps/"
    cap = RatioCap.objects.get()
    assert (cap.ratio_bp, cap.window, cap.destinations) == (5000, "year", ["CN", "MO"])
    assert "is chosen already" in client.post("/ledger/caps/choose/", given).content.decode()
    assert sign_in("seller").post("/ledger/caps/choose/", given, headers={"referer": ""}).status_code == 403

    said = {"on": str(timezone.now().date() - timedelta(days=1)), "units": "400", "tpp_each": "15832", "source": "10-Q"}
    assert sign_in("customs").post(f"/ledger/caps/{cap.pk}/state/", said).status_code == 403
    sign_in("seller").post(f"/ledger/caps/{cap.pk}/state/", said)
    assert HomeShipments.objects.get().units == 400
    page = sign_in("seller").get("/ledger/caps/").content.decode()
    assert "15,832" in page
    assert "10-Q" not in sign_in("miit1").get("/ledger/caps/").content.decode()
    answer = sign_in("seller", "zh").post(f"/ledger/caps/{cap.pk}/state/", {**said, "units": "0"}, follow=True)
    assert "数量" in answer.content.decode()
    assert HomeShipments.objects.count() == 1


def test_longer_lists_of_caps_and_reports_take_no_more_queries(world: World) -> None:
    from twokey.chips import catalogue
    from twokey.desk.ledger import ratio
    from twokey.desk.ledger.models import UsageRow

    names = iter([chip.name for chip in catalogue()])
    body = {"licence": "X", "shipment": "S", "quantity": 1, "entry": "E", "on": "2026-11-24"}

    def more(count: int) -> None:
        for number in range(count):
            cap = ratio.choose_cap(
                world["bis1"], next(names), destinations=["CN"], ratio_bp=5000, window="year", since=None, why="So."
            )
            ratio.state_home_shipments(world["seller"], cap.pk, timezone.now().date(), 10, 10, "A report")
            UsageRow.objects.create(file_sha256="0", row=number, accepted=False, code="wrong_unit", body=body, by="x")

    def counts() -> list[int]:
        found = []
        for who, address in (("bis1", "/ledger/caps/"), ("customs", "/ledger/usage/")):
            client = sign_in(who)
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            found.append(len(captured))
        return found

    more(2)
    few = counts()
    more(8)
    assert counts() == few


def test_the_operator_imports_a_list_on_its_page(world: World) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    page, fields = "/parties/lists/import/", {"code": "own", "max_age_days": "30"}
    assert page in sign_in("op").get("/parties/lists/").content.decode()
    assert page not in sign_in("bis1").get("/parties/lists/").content.decode()
    assert sign_in("bis1").get(page).status_code == 403
    broken = SimpleUploadedFile("mine.csv", b"id,label\n1,x\n")
    refused = sign_in("op").post(page, {**fields, "file": broken})
    assert refused.status_code == 422
    assert "mine.csv" in refused.content.decode()
    assert not ScreeningList.objects.filter(code="own").exists()
    good = SimpleUploadedFile("mine.csv", b"id,name\n1,Somebody Else Entirely\n")
    assert sign_in("op").post(page, {**fields, "file": good})["Location"] == "/parties/lists/"
    own = ScreeningList.objects.get(code="own")
    assert own.current is not None
    assert (own.required, own.max_age_days, own.current.entries) == (False, 30, 1)
    again = sign_in("op").get(page, {"list": "own"}).content.decode()
    assert 'value="30"' in again
    assert "checked" not in again
