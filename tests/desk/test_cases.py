"""Cases: complete before submitted, heard before decided, decided by two, and brought back when the ground moves."""

from __future__ import annotations

import io
import zipfile
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from hypothesis import given

from twokey.desk import bulk
from twokey.desk.audit.models import Event, SignedDocument
from twokey.desk.cases import assessing, batches, deciding, drafting, papers, reviewing
from twokey.desk.cases.clocks import Calendar, add_working_days, running_days, working_days
from twokey.desk.cases.completeness import gaps
from twokey.desk.cases.models import Application, Decision, Document, StoredAssessment
from twokey.desk.cases.watching import reassess
from twokey.desk.ledger import shipments
from twokey.desk.ledger.models import Authorisation, Balance
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.proof import check
from twokey.desk.reasons import Refused
from twokey.desk.worker import WORKER

from .conftest import as_owner
from .law import PlainLaw
from .world import PDF, World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


# --- completeness and papers


def test_a_draft_says_what_it_lacks_and_is_not_submitted_before(world: World) -> None:
    order = world.order()
    draft = drafting.draft_application(world["buyer"], order.pk, "MIIT")
    said = {each.values.get("what") for each in gaps(draft)}
    assert any("use statement of at least" in str(each) for each in said)
    assert "the documents on the intended use" in said
    assert "the statement why domestic chips do not suffice" in said
    with pytest.raises(Refused) as refused:
        drafting.submit(world["buyer"], draft.pk)
    assert len(refused.value.reasons) == len(said)
    draft.refresh_from_db()
    assert draft.state == "draft"
    complete = world.draft(order, "import")
    assert gaps(complete) == []


def test_every_certification_needs_evidence_in_force(world: World) -> None:
    application = world.draft(world.order(), "export")
    assert gaps(application) == []
    for evidence in application.order.evidence.all():
        papers.withdraw_evidence(world["seller"], evidence.pk, "mistaken")
    assert {each.values["what"].rsplit(" ", 1)[-1] for each in gaps(application)} == set(assessing.CERTIFICATIONS)


def test_evidence_expires(world: World) -> None:
    application = world.draft(world.order(), "export")
    later = today() + timedelta(days=301)
    assert len(gaps(application, later)) == len(assessing.CERTIFICATIONS)


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "application/pdf"),
        ("用途说明".encode(), "text/plain"),
        (_zip("[Content_Types].xml", "word/document.xml"), papers._OFFICE["word/"]),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), papers._OFFICE["xl/"]),
    ],
)
def test_a_document_is_what_its_content_shows(content: bytes, kind: str) -> None:
    assert papers.detect("anything.exe", content) == kind


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00\x03" + bytes(200), "no known type|application/x-msdownload"),
        (_zip("a.txt"), "application/zip"),
        (_zip("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        (b"PK\x03\x04 broken", "broken archive"),
        (b"%PDF-1.7" + bytes(26 * 1024 * 1024), "at most"),
    ],
)
def test_a_document_that_is_not_accepted_is_refused_by_content(content: bytes, problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        papers.detect("statement.pdf", content)


@pytest.mark.parametrize(
    ("command", "scan"),
    [
        ("", "failed"),
        ("no-such-scanner {path}", "failed"),
        ("sh -c 'exit 2'", "failed"),
        ("false", "infected"),
        ("true", "clean"),
    ],
)
def test_the_virus_scan_fails_closed(command: str, scan: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = world.draft(world.order(), "import")
    monkeypatch.setattr(settings, "TWOKEY_SCAN_COMMAND", command)
    document = world.paper(application, "other", world["buyer"])
    assert document.scan == scan
    if scan == "clean":
        assert papers.read_document(document) == PDF + b"other"
        drafting.submit(world["buyer"], application.pk)
        return
    with pytest.raises(Refused, match="virus scanner"):
        papers.read_document(document)
    with pytest.raises(Refused, match="virus scanner"):
        drafting.submit(world["buyer"], application.pk)
    with pytest.raises(Refused, match="virus scanner"):
        papers.add_evidence(
            world["buyer"],
            application.order_id,
            "kyc",
            document.pk,
            issuer="x",
            issued_on=today(),
            expires_on=None,
        )


def test_a_stored_file_that_was_altered_is_not_given_out(world: World) -> None:
    from twokey.desk.home import home

    document = world.paper(world.draft(world.order(), "import"), "other", world["buyer"])
    path = home().documents / document.stored_as
    assert path.name != document.filename
    path.write_bytes(PDF + b"forged")
    with pytest.raises(Refused, match="altered"):
        papers.read_document(document)


# --- review and decision


def test_a_second_application_waits_for_the_first(world: World) -> None:
    order = world.order()
    world.under_review(order, "import")
    second = world.draft(order, "import")
    with pytest.raises(Refused) as refused:
        drafting.submit(world["buyer"], second.pk)
    assert codes(refused) == {"pending_twin"}


def test_a_question_stops_the_clock_and_only_an_answer_closes_it(world: World) -> None:
    application = world.under_review(world.order(), "export")
    reviewing.ask(world["bis1"], application.pk, "Who owns the consignee?")
    with pytest.raises(Refused, match=r"application .* is information_requested"):
        deciding.decide(world["bis1"], application.pk, "refuse", "no")
    with pytest.raises(Refused, match="empty"):
        drafting.answer_question(world["seller"], application.pk, "  ")
    drafting.answer_question(world["seller"], application.pk, "Its founder.")
    application.refresh_from_db()
    assert application.state == "under_review"


def test_a_decision_waits_for_every_reviewer_who_was_asked(world: World) -> None:
    application = world.under_review(world.order(), "export")
    reviewing.ask_advice(world["bis1"], application.pk, ["bisadv", "bis3"])
    reviewing.advise(world["bisadv"], application.pk, "approve_with_conditions", "with a laboratory")
    terms = world.terms(application.order)
    with pytest.raises(Refused, match="outstanding from bis3"):
        deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    reviewing.advise(world["bis3"], application.pk, "no_objection", "")
    deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    with pytest.raises(Refused, match="does not sit"):
        reviewing.ask_advice(world["bis1"], application.pk, ["miit1"])


def test_the_import_key_needs_a_judgement_of_necessity_criterion_by_criterion(world: World) -> None:
    application = world.under_review(world.order(), "import")
    terms = world.terms(application.order)
    with pytest.raises(Refused) as refused:
        deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)
    assert codes(refused) == {"not_judged"}
    with pytest.raises(Refused, match="domestic_chips_insufficient"):
        reviewing.judge_necessity(world["miit1"], application.pk, True, {"advanced_research": "yes"})
    criteria = dict.fromkeys(reviewing.NECESSITY_CRITERIA, "found")
    reviewing.judge_necessity(world["miit1"], application.pk, False, criteria)
    with pytest.raises(Refused, match="not necessary"):
        deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)
    reviewing.judge_necessity(world["miit1"], application.pk, True, criteria)
    deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)


@pytest.mark.parametrize("status", ["blocked", "needs_information"])
def test_the_law_of_the_day_stops_an_approval_unless_an_officer_signs_why(
    status: str, world: World, law: PlainLaw
) -> None:
    application = world.under_review(world.order(), "export")
    law.status["export"] = status
    terms = world.terms(application.order)
    with pytest.raises(Refused, match="the law of"):
        deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    decision = deciding.decide(
        world["bis1"], application.pk, "approve", "fine", terms, despite="The letter of 3 May covers it."
    )
    from twokey.desk.signing.envelope import read_unchecked

    assert read_unchecked(decision.document.jws)["despite"] == "The letter of 3 May covers it."


def test_no_approval_for_a_party_that_may_be_listed(world: World) -> None:
    application = world.under_review(world.order(), "export")
    world.import_list([{"id": "9", "name": "Yunling Zhisuan Ltd", "alt_names": [], "addresses": []}])
    with pytest.raises(Refused) as refused:
        deciding.decide(world["bis1"], application.pk, "approve", "fine", world.terms(application.order))
    assert "screening_open" in codes(refused)


def test_a_decision_permits_nothing_until_another_officer_signs(world: World) -> None:
    application = world.decided(world.order(), "export")
    assert not Authorisation.objects.exists()
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["bis1"], application.pk)
    assert codes(refused) == {"four_eyes"}
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["miit1"], application.pk)
    assert codes(refused) == {"other_authority"}
    deciding.countersign(world["bis2"], application.pk)
    assert Authorisation.objects.count() == 1
    for document in SignedDocument.objects.all():
        from twokey.desk.audit.events import signer

        assert check(document.jws, signer().ring()).holds, document.kind


def test_the_four_eyes_guard_is_what_holds_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = world.decided(world.order(), "export")
    monkeypatch.setattr(deciding, "_four_eyes", lambda actor, decision: None)
    deciding.countersign(world["bis1"], application.pk)


def test_a_rejected_decision_goes_back_and_is_decided_afresh(world: World) -> None:
    application = world.decided(world.order(), "export")
    deciding.reject(world["bis2"], application.pk, "The units are too many.")
    application.refresh_from_db()
    assert application.state == "under_review"
    deciding.decide(world["bis1"], application.pk, "refuse", "Too many units.")
    deciding.countersign(world["bis2"], application.pk)
    application.refresh_from_db()
    assert application.state == "refused"
    assert Decision.objects.count() == 2


def test_an_appeal_is_heard_by_a_third_officer_and_the_case_decided_by_others(world: World) -> None:
    application = world.under_review(world.order(), "export")
    deciding.decide(world["bis1"], application.pk, "refuse", "Not within the rule.")
    deciding.countersign(world["bis2"], application.pk)
    drafting.appeal(world["seller"], application.pk, "The chip is below the limit.")
    for officer in ("bis1", "bis2"):
        with pytest.raises(Refused) as refused:
            deciding.hear_appeal(world[officer], application.pk, True, "They are right.")
        assert codes(refused) == {"four_eyes"}
    deciding.hear_appeal(world["bis3"], application.pk, True, "They are right.")
    with pytest.raises(Refused) as refused:
        deciding.decide(world["bis1"], application.pk, "approve", "x", world.terms(application.order))
    assert codes(refused) == {"four_eyes"}
    deciding.decide(world["bis3"], application.pk, "approve", "x", world.terms(application.order))


def test_a_late_appeal_is_refused_with_the_last_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = world.under_review(world.order(), "export")
    deciding.decide(world["bis1"], application.pk, "refuse", "no")
    deciding.countersign(world["bis2"], application.pk)
    real = drafting.local_day
    later = today() + timedelta(days=60)
    monkeypatch.setattr(drafting, "local_day", lambda authority, at=None: real(authority, at) if at else later)
    with pytest.raises(Refused, match="an appeal was possible until"):
        drafting.appeal(world["seller"], application.pk, "late")


def test_an_amendment_supersedes_what_it_replaces(world: World) -> None:
    order = world.order(units=100)
    before = world.approved(order, "export")
    draft = drafting.amend(world["seller"], before.decision.application_id)
    drafting.save_draft(world["seller"], draft.pk, "A smaller cluster than first planned, for the same research work.")
    for kind in ("contract", "end_user_statement"):
        world.paper(draft, kind, world["seller"])
    drafting.submit(world["seller"], draft.pk)
    reviewing.take(world["bis1"], draft.pk)
    deciding.decide(world["bis1"], draft.pk, "approve", "fine", world.terms(order, units=60, value_minor=162_000_000))
    deciding.countersign(world["bis2"], draft.pk)
    before.balance.refresh_from_db()
    assert before.balance.state == "superseded"
    after = Authorisation.objects.get(decision__application=draft)
    assert (after.balance.units_cap, after.supersedes_id) == (60, before.pk)


def test_more_than_was_ordered_is_never_granted(world: World) -> None:
    application = world.under_review(world.order(units=100), "export")
    with pytest.raises(Refused, match="units 101 is more than the order's 100"):
        deciding.decide(world["bis1"], application.pk, "approve", "x", world.terms(application.order, units=101))


# --- batches


def test_a_batch_takes_no_decision_before_its_second_signature(world: World) -> None:
    batch = batches.open_batch(world["miit1"], "B-1", units=150, value_minor=10**9, currency="USD")
    with pytest.raises(Refused) as refused:
        world.decided(world.order(), "import", batch_id=batch.pk)
    assert codes(refused) == {"batch_not_signed"}
    with pytest.raises(Refused) as refused:
        batches.countersign_batch(world["miit1"], batch.pk)
    assert codes(refused) == {"four_eyes"}
    batches.countersign_batch(world["miit2"], batch.pk)


def test_a_batch_decides_many_under_one_ceiling_all_or_none(world: World) -> None:
    batch = batches.open_batch(world["miit1"], "B-1", units=250, value_minor=10**9, currency="USD")
    batches.countersign_batch(world["miit2"], batch.pk)
    orders = [world.order(units=100) for _ in range(3)]
    three = [world.decided(order, "import", batch_id=batch.pk).pk for order in orders]
    with pytest.raises(Refused) as refused:
        deciding.countersign_many(world["miit2"], three)
    assert codes(refused) == {"batch_units"}
    assert not Authorisation.objects.exists()  # partly filled is what one asks for, not what a failure leaves
    deciding.countersign_many(world["miit2"], three[:2])
    topup = batches.propose_topup(world["miit1"], batch.pk, 50, 0, "the buyers showed need")
    with pytest.raises(Refused) as refused:
        batches.countersign_topup(world["miit1"], topup.pk)
    assert codes(refused) == {"four_eyes"}
    batches.countersign_topup(world["miit2"], topup.pk)
    deciding.countersign_many(world["miit2"], three[2:])
    batch.refresh_from_db()
    assert batch.units_granted == 300
    assert verify_ledger().differences == ()


def test_a_company_has_its_own_ceiling_inside_the_batch(world: World) -> None:
    batch = batches.open_batch(
        world["miit1"],
        "B-1",
        units=1000,
        value_minor=10**10,
        currency="USD",
        companies={world.importer.pk: (120, 10**9)},
    )
    batches.countersign_batch(world["miit2"], batch.pk)
    world.approved(world.order(units=100), "import", batch_id=batch.pk)
    for order in (world.order(units=100), world.order(units=100, importer=world.rival)):
        with pytest.raises(Refused) as refused:
            world.approved(order, "import", batch_id=batch.pk)
        assert codes(refused) == {"batch_units"}


def test_an_oversubscribed_batch_never_ships_more_than_its_ceiling(world: World) -> None:
    batch = batches.open_batch(
        world["miit1"], "B-1", units=100, value_minor=10**9, currency="USD", oversubscription=True
    )
    batches.countersign_batch(world["miit2"], batch.pk)
    orders = [world.order(units=80), world.order(units=80)]
    for order in orders:
        world.approved(order, "export")
        world.approved(order, "import", batch_id=batch.pk)
    first, second = (world.shipment(order, 80) for order in orders)
    shipments.reserve(world["seller"], first.pk, "1")
    with pytest.raises(Refused) as refused:
        shipments.reserve(world["seller"], second.pk, "1")
    assert [each.values["label"] for each in refused.value.reasons] == ["B-1"]
    shipments.void(world["seller"], first.pk, "later")
    shipments.reserve(world["seller"], second.pk, "1")


# --- what moves under a case


@pytest.mark.parametrize("ground", ["law", "facts", "lists"])
def test_a_case_whose_answer_changed_comes_back_to_the_queue(ground: str, world: World, law: PlainLaw) -> None:
    application = world.under_review(world.order(), "export")
    assert reassess(WORKER) == []
    law.status["export"] = "blocked"
    if ground == "law":
        law.edition += 1
    elif ground == "facts":
        application.order.facts["site.state_funded"] = True
        application.order.save()
    else:
        world.import_list([{"id": "2", "name": "Somebody Else Entirely", "alt_names": [], "addresses": []}])
    assert reassess(WORKER) == [application.pk]
    application.refresh_from_db()
    assert application.attention == f"{ground}_changed"
    assert reassess(WORKER) == []
    last = StoredAssessment.objects.filter(application=application).order_by("-pk").first()
    assert last is not None
    assert last.why == f"{ground}_changed"


def test_a_party_cannot_state_what_the_file_must_show(world: World) -> None:
    order = world.order()
    for name in ("certifications.kyc", "end_use.necessary", "application.use_documents"):
        with pytest.raises(Refused, match="shown by the file"):
            drafting.set_facts(world["seller"], order.pk, {name: True})


# --- history


HISTORY: list[tuple[type[Any], str]] = [
    (Event, "verb"),
    (SignedDocument, "kind"),
    (Decision, "reasons"),
    (Document, "kind"),
]


@pytest.mark.parametrize(("model", "field"), HISTORY, ids=lambda each: getattr(each, "__name__", each))
@pytest.mark.parametrize("who", ["the desk", "the owner"])
def test_history_takes_no_change_from_any_path(who: str, model: type[Any], field: str, world: World) -> None:
    """The desk's role is denied the right, and the owner of the tables meets the trigger."""
    from django.db import connection

    world.released()
    row = model.objects.first()
    table = model._meta.db_table
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at a commit
    paths = {
        "save": row.save,
        "update": lambda: model.objects.filter(pk=row.pk).update(**{field: 7}),
        "delete": lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
        "raw": lambda: connection.cursor().execute(f"UPDATE {table} SET {field} = '7'"),
        "truncate": lambda: connection.cursor().execute(f"TRUNCATE {table} CASCADE"),
    }
    door, refusal = (as_owner, "history") if who == "the owner" else (nullcontext, "permission denied|history")
    for name, path in paths.items():
        with door(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            path()
        assert model.objects.filter(pk=row.pk).exists(), name


def test_the_counters_of_a_balance_move_only_in_the_ledgers_own_function(world: World) -> None:
    authorisation = world.approved(world.order(), "export")
    for door, refusal in ((as_owner, "only through ledger_move"), (nullcontext, "permission denied")):
        with door(), pytest.raises(DatabaseError, match=refusal), transaction.atomic():
            Balance.objects.filter(pk=authorisation.balance_id).update(units_drawn=5)


# --- clocks


@given(st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(0, 60))
def test_adding_working_days_and_counting_them_agree(start: date, count: int) -> None:
    calendar = Calendar(off=frozenset({date(2026, 2, 17), date(2026, 10, 1)}), on=frozenset({date(2026, 2, 14)}))
    assert working_days(start, add_working_days(start, count, calendar), calendar) == count


def test_the_clock_does_not_run_while_the_applicant_is_asked() -> None:
    start, end = date(2026, 6, 1), date(2026, 6, 30)
    whole = running_days(start, end, [], Calendar())
    pause = (date(2026, 6, 8), date(2026, 6, 15))
    assert running_days(start, end, [pause], Calendar()) == whole - 5
    assert running_days(start, end, [pause, pause], Calendar()) == whole - 5
    assert running_days(start, end, [(date(2026, 6, 8), None)], Calendar()) == 5


# --- bulk: the same services at another door


def _orders_csv(world: World, *rows: str) -> bytes:
    head = ",".join(bulk.ORDER_COLUMNS)
    return "\n".join([head, *rows]).encode()


def test_bulk_orders_are_all_or_nothing_with_a_report_by_line(world: World) -> None:
    good = f"B-1,{world.exporter.pk},{world.importer.pk},USD,CN,mainland,H200 SXM,10,27000000"
    bad = f"B-2,{world.exporter.pk},{world.importer.pk},USD,CN,mainland,H200 SXM,1.5,27000000"
    wrong = f"B-3,{world.exporter.pk},999999,USD,CN,mainland,H2000,5,1"
    report = bulk.import_orders(world["seller"], "orders.csv", _orders_csv(world, good, bad, wrong))
    assert (report.done, report.made) == (False, ())
    assert [line for line, _ in report.errors] == [3, 4]
    assert "'1.5' is not a whole number" in report.errors[0][1]
    assert not world.exporter.exports.exists()
    report = bulk.import_orders(world["seller"], "orders.csv", _orders_csv(world, good))
    assert (report.done, report.made) == (True, ("B-1",))


def test_bulk_reads_a_spreadsheet_as_it_reads_a_csv(world: World) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(bulk.ORDER_COLUMNS)
    sheet.append(["X-1", world.exporter.pk, world.importer.pk, "USD", "CN", "mainland", "H200 SXM", 10, 27_000_000])
    sheet.append(["X-1", world.exporter.pk, world.importer.pk, "USD", "CN", "mainland", "H20", 5, 6_000_000])
    out = io.BytesIO()
    book.save(out)
    report = bulk.import_orders(world["seller"], "orders.xlsx", out.getvalue())
    assert report.done, report.errors
    assert world.exporter.exports.get().lines.count() == 2


def test_bulk_authorisations_pass_the_guards_and_still_need_the_second_signature(world: World) -> None:
    application = world.under_review(world.order(units=100), "export")
    day = f"{today()},2099-01-01,mainland;hong_kong"
    row = f"{application.pk},1,100,270000000,USD,12,{day},,Within the rule."
    content = "\n".join([",".join(bulk.AUTHORISATION_COLUMNS), row]).encode()
    with pytest.raises(Refused):
        bulk.import_authorisations(world["seller"], "a.csv", content)
    foreign = bulk.import_authorisations(world["miit1"], "a.csv", content)
    assert not foreign.done
    assert "only an officer of the authority" in foreign.errors[0][1]
    report = bulk.import_authorisations(world["bis1"], "a.csv", content)
    assert report.done, report.errors
    assert not Authorisation.objects.exists()
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["bis1"], application.pk)
    assert codes(refused) == {"four_eyes"}
    deciding.countersign(world["bis2"], application.pk)
    assert Authorisation.objects.get().balance.uses_cap == 12
    again = bulk.import_authorisations(world["bis1"], "a.csv", content)
    assert "is approved; decide is possible only from under_review" in again.errors[0][1]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b"PK\x03\x04no"])
def test_bulk_refuses_what_is_no_table_of_its_own(content: bytes, world: World) -> None:
    with pytest.raises(Refused):
        bulk.import_orders(world["seller"], "orders.csv", content)


def test_days_are_those_of_the_authority(world: World) -> None:
    from zoneinfo import ZoneInfo

    export, import_ = world.both(world.order())
    for each, zone in ((export, "America/New_York"), (import_, "Asia/Shanghai")):
        end = each.balance.closes_at
        assert end is not None
        midnight = datetime.combine(each.valid_until + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
        assert end == midnight


def test_the_queue_is_shown_with_a_constant_number_of_queries(world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from twokey.desk.api import show

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            [show.case(row) for row in reviewing.queue(world["bis1"])[:50]]
        return len(queries)

    world.under_review(world.order(), "export")
    before = count()
    for _ in range(3):
        world.under_review(world.order(), "export")
    assert count() == before == 1


def test_the_desk_is_the_only_writer_of_application_states() -> None:
    """No module but the table of transitions assigns a state: a second way in would be a second set of guards."""
    import re

    root = Path(papers.__file__).parents[1]
    writers = [
        path.name
        for path in root.rglob("*.py")
        if re.search(r"application\.state\s*=[^=]|state=.*\bApplication\b.*update", path.read_text())
    ]
    assert writers == ["states.py"]
    assert Application._meta.get_field("state").default == "draft"
