"""Papers: complete before submitted, checked by content, scanned, dated."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from twokey.desk.audit.models import Event
from twokey.desk.cases import assessing, drafting, papers
from twokey.desk.cases.completeness import gaps
from twokey.desk.reasons import Refused

from .world import PDF, World, today


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


def test_what_the_scanner_did_not_pass_can_be_taken_back_and_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from twokey.desk.home import home

    application = world.draft(world.order(), "import")
    monkeypatch.setattr(settings, "TWOKEY_SCAN_COMMAND", "false")
    infected = world.paper(application, "other", world["buyer"])
    with pytest.raises(Refused, match="virus scanner"):
        drafting.submit(world["buyer"], application.pk)
    with pytest.raises(Refused, match="only a person of the party"):
        papers.withdraw_document(world["seller"], infected.pk, "not mine")
    with django_capture_on_commit_callbacks(execute=True):
        papers.withdraw_document(world["buyer"], infected.pk, "infected")
    assert not (home().documents / infected.stored_as).exists()
    assert gaps(application) == []
    papers.withdraw_document(world["buyer"], infected.pk, "again")  # has no second effect
    assert Event.objects.filter(verb="case.document_withdrawn").count() == 1
    drafting.submit(world["buyer"], application.pk)


def test_a_clean_document_is_taken_back_only_while_the_authority_does_not_have_it(world: World) -> None:
    application = world.draft(world.order(), "import")
    statement = application.documents.get(kind="use_statement")
    assert "application.use_documents" in assessing._shown(assessing.load_order(application.order_id), today())
    papers.withdraw_document(world["buyer"], statement.pk, "the wrong file")
    assert [each.values["about"] for each in gaps(application)] == ["document:use_statement"]
    assert "application.use_documents" not in assessing._shown(assessing.load_order(application.order_id), today())
    world.paper(application, "use_statement", world["buyer"])
    drafting.submit(world["buyer"], application.pk)
    for each in application.documents.filter(withdrawal=None):
        with pytest.raises(Refused, match="withdraw a document is possible only from draft, returned"):
            papers.withdraw_document(world["buyer"], each.pk, "too late")


def test_a_document_on_which_evidence_rests_stays(world: World) -> None:
    application = world.draft(world.order(), "export")
    evidence = application.order.evidence.first()
    assert evidence is not None
    with pytest.raises(Refused, match="evidence rests on it"):
        papers.withdraw_document(world["seller"], evidence.document_id, "x")
    for each in application.order.evidence.filter(document=evidence.document_id):
        papers.withdraw_evidence(world["seller"], each.pk, "mistaken")
    papers.withdraw_document(world["seller"], evidence.document_id, "x")
    with pytest.raises(Refused, match="there is no document"):
        papers.add_evidence(
            world["seller"],
            application.order_id,
            "kyc",
            evidence.document_id,
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
