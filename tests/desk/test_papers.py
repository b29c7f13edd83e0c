"""Papers: the same record gives the same bytes, a code reads back as the signed document, a forged page is found."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from twokey.deploy.report.readings import Flag
from twokey.deploy.report.shares import Finding, Share
from twokey.desk.cases import deciding
from twokey.desk.cases.deciding import ConditionTerm
from twokey.desk.home import home
from twokey.desk.ledger import adjusting, states
from twokey.desk.ledger.models import Release
from twokey.desk.papers import checking, qr, typesetting
from twokey.desk.papers.record import NAME, Lang, Record
from twokey.desk.papers.say import Say, words
from twokey.desk.papers.services import decision_paper, licence_paper, release_paper
from twokey.desk.papers.use import record_of
from twokey.desk.proof import check
from twokey.desk.reasons import Refused
from twokey.desk.signing import FileSigner, KeyRing

from .world import World

LANGS: tuple[Lang, ...] = ("en", "zh")
CJK = re.compile(r"[\u4e00-\u9fff]")


def ring() -> KeyRing:
    return FileSigner(home().keys).ring()


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def codes(found: checking.PaperProof) -> list[str]:
    return [each.code for each in (*found.reasons, *(x for proof in found.documents for x in proof.reasons))]


@pytest.fixture
def released(world: World) -> Release:
    return world.released()


def refused(world: World) -> int:
    application = world.under_review(world.order(), "export")
    deciding.decide(world["bis1"], application.pk, "refuse", "The use is not shown to be civil.")
    deciding.countersign(world["bis2"], application.pk)
    return application.pk


@pytest.mark.parametrize("lang", LANGS)
def test_a_release_is_the_same_bytes_in_every_process_time_zone_and_folder(released: Release, lang: Lang) -> None:
    record = Record("release", lang, (released.document.jws,))
    here = hashlib.sha256(typesetting.pdf(record)).hexdigest()
    script = (
        "import sys, hashlib; from twokey.desk.papers.record import Record; from twokey.desk.papers.typesetting import "
        "pdf; print(hashlib.sha256(pdf(Record.load(sys.stdin.buffer.read())[0])).hexdigest())"
    )
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = subprocess.run(
            [sys.executable, "-c", script],
            input=record.dump(),
            capture_output=True,
            check=True,
            cwd=folder,
            env={**os.environ, "TZ": "Asia/Shanghai", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
        )
    assert elsewhere.stdout.decode().strip() == here


@pytest.mark.parametrize("lang", LANGS)
def test_a_release_is_proven_offline_by_its_pdf_and_says_what_was_signed(
    world: World, released: Release, lang: Lang
) -> None:
    paper = release_paper(world["seller"], released.number, lang)
    found = checking.check_pdf(paper.content, ring())
    assert found.holds
    assert found.documents[0].body["number"] == released.number
    text = text_of(paper.content)
    for part in (released.number, "NVIDIA H200 SXM", "BIS-1", "MIIT-1", Say(lang)("keys")):
        assert part in text


@pytest.mark.parametrize("lang", LANGS)
def test_a_scanner_reads_the_whole_release_from_the_printed_code(released: Release, lang: Lang) -> None:
    first, *_ = typesetting.pictures(Record("release", lang, (released.document.jws,)), ppi=200)
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(first)))
    assert qr.unpack(read.text) == released.document.jws
    assert checking.check_code(read.text, ring()).holds


def test_a_code_of_an_altered_release_proves_nothing(released: Release) -> None:
    forged = dict(released.document.jws)
    body = qr._bytes(forged["payload"]).replace(b'"units":10', b'"units":99')
    found = checking.check_code(qr.pack({**forged, "payload": qr._text(body)}), ring())
    assert [each.code for each in found.reasons] == ["altered"]


def test_a_release_too_long_for_a_code_names_its_hash_and_is_proven_by_the_pdf(released: Release) -> None:
    body = {**checking.check(released.document.jws, ring()).body}
    marks = os.urandom(2_500).hex()
    body["parties"] = [
        {"name": marks[n : n + 200], "name_latin": "X", "country": "CN", "roles": []} for n in range(0, 5_000, 200)
    ]
    from django.utils import timezone

    long = FileSigner(home().keys).sign(body, ("BIS", "MIIT"), timezone.now())
    page = typesetting.lay_out(Record("release", "en", (long,)))
    assert page.code.startswith(f"{qr.DIGEST}{released.number}:")
    assert [each.code for each in checking.check_code(page.code, ring()).reasons] == ["qr_broken"]
    assert checking.check_pdf(typesetting.pdf(Record("release", "en", (long,))), ring()).holds


def test_pages_that_differ_from_the_signed_document_are_found(
    released: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record("release", "en", (released.document.jws,))
    real = typesetting.pdf(record)
    monkeypatch.setitem(words()["units"], "en", "Units (thousands)")
    forged = typesetting.pdf(record)
    monkeypatch.undo()
    assert checking.check_pdf(real, ring()).holds
    assert codes(checking.check_pdf(forged, ring())) == ["paper_differs"]
    assert codes(checking.check_pdf(real + b"\n%", ring())) == ["paper_differs"]


def test_a_paper_of_another_version_is_not_taken_for_proven(released: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.desk.papers.record.maker", lambda: {"typst": "0.1"})
    other = typesetting.pdf(Record("release", "en", (released.document.jws,)))
    monkeypatch.undo()
    assert codes(checking.check_pdf(other, ring())) == ["paper_other_version"]


def test_a_paper_under_unknown_keys_is_not_proven(released: Release) -> None:
    content = typesetting.pdf(Record("release", "en", (released.document.jws,)))
    assert codes(checking.check_pdf(content, KeyRing({}))) == ["unknown_key"]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", b"not a pdf", b"%PDF-" + b"\x00" * 4_000])
def test_whatever_is_no_paper_is_refused_with_a_reason(content: bytes) -> None:
    assert codes(checking.check_pdf(content, KeyRing({}))) == ["not_a_paper"]


@pytest.mark.parametrize("lang", LANGS)
def test_a_licence_says_its_terms_and_what_stands_since(world: World, lang: Lang) -> None:
    order = world.order()
    export = world.approved(order, "export", uses=7)
    fresh = licence_paper(world["seller"], export.pk, lang).content
    assert checking.check_pdf(fresh, ring()).holds
    assert licence_paper(world["auditor"], export.pk, lang).content == fresh
    states.change_state(world["bis1"], export.pk, "suspend", "a question is open")
    condition = export.conditions.get()
    adjusting.change_condition(world["bis2"], condition.pk, text_en="Kept safe.", text_zh="妥善保管。", why="clearer")
    later = licence_paper(world["seller"], export.pk, lang).content
    found = checking.check_pdf(later, ring())
    assert found.holds
    assert [each.body["type"] for each in found.documents] == [
        "twokey.decision/1",
        "twokey.countersignature/1",
        "twokey.extract/1",
        "twokey.state/1",
        "twokey.condition/1",
    ]
    text = text_of(later)
    assert Say(lang)("suspended") in text
    assert {"en": "Kept safe.", "zh": "妥善保管。"}[lang] in text
    assert {"en": "Secure.", "zh": "安全。"}[lang] not in text


@pytest.mark.parametrize("lang", LANGS)
def test_a_refusal_says_its_reasons_and_until_when_to_appeal(world: World, lang: Lang) -> None:
    case = refused(world)
    content = decision_paper(world["seller"], case, lang).content
    found = checking.check_pdf(content, ring())
    assert found.holds
    until = found.documents[2].body["appeal_until"]
    text = text_of(content).replace("\n", "")
    assert Say(lang).day(until).replace(" ", "") in text.replace(" ", "")
    assert "The use is not shown to be civil." in text


def test_an_extract_signed_by_anybody_but_the_desk_makes_no_paper(world: World) -> None:
    from django.utils import timezone

    export = world.approved(world.order(), "export")
    record, _ = Record.load(_record(licence_paper(world["seller"], export.pk, "en").content))
    body = {**check(record.documents[2], ring()).body, "authority": "BIS"}
    body["holder"] = ["Somebody else", "Somebody else"]
    forged = FileSigner(home().keys).sign(body, ("BIS",), timezone.now())
    content = typesetting.pdf(Record("licence", "en", (*record.documents[:2], forged)))
    assert codes(checking.check_pdf(content, ring())) == ["paper_mismatch"]


def test_a_countersignature_of_another_decision_makes_no_paper(world: World) -> None:
    one, two = (world.approved(world.order(), "export") for _ in range(2))
    first, second = (
        Record.load(_record(licence_paper(world["seller"], each.pk, "en").content))[0] for each in (one, two)
    )
    mixed = (first.documents[0], second.documents[1], first.documents[2])
    assert codes(checking.check_pdf(typesetting.pdf(Record("licence", "en", mixed)), ring())) == ["paper_mismatch"]


def test_who_does_not_see_the_thing_gets_no_paper_of_it(world: World, released: Release) -> None:
    for call in (
        lambda: release_paper(world["rival"], released.number, "en"),
        lambda: licence_paper(world["rival"], released.shipment.lines.get().export_authorisation_id or 0, "en"),
        lambda: decision_paper(world["rival"], refused(world), "en"),
    ):
        with pytest.raises(Refused) as error:
            call()
        assert error.value.status == 404


def test_an_undecided_case_has_no_paper(world: World) -> None:
    application = world.decided(world.order(), "export")
    with pytest.raises(Refused) as error:
        decision_paper(world["seller"], application.pk, "en")
    assert [each.code for each in error.value.reasons] == ["not_decided"]


def test_a_batch_and_a_decision_despite_the_law_are_on_the_paper(world: World) -> None:
    case = world.under_review(world.order(), "export")
    terms = world.terms(case.order, conditions=(ConditionTerm("a", "lasting", "One.", "一。"),))
    deciding.decide(world["bis1"], case.pk, "approve", "It serves both.", terms, despite="Paragraph c is satisfied.")
    deciding.countersign(world["bis2"], case.pk)
    assert "Paragraph c is satisfied." in text_of(decision_paper(world["bis1"], case.pk, "en").content)


def test_the_pdf_is_archival_tagged_and_carries_no_font_of_the_machine(released: Release) -> None:
    content = typesetting.pdf(Record("release", "zh", (released.document.jws,)))
    reader = PdfReader(io.BytesIO(content))
    assert reader.attachments.keys() == {NAME}
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "zh-CN"
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    fonts = {str(font["/BaseFont"]).split("+")[-1] for page in reader.pages for font in _fonts(page)}
    assert fonts <= {"NotoSerifSC-Regular-Identity-H", "NotoSansSC-Regular-Identity-H"} | {
        name for name in fonts if name.startswith(("LibertinusSerif", "DejaVuSansMono", "NotoSansSC", "NotoSerifSC"))
    }


def test_every_word_of_the_papers_is_in_both_languages() -> None:
    for word, both in words().items():
        assert set(both) == {"en", "zh"}, word
        assert not CJK.search(both["en"]), word
        assert CJK.search(both["zh"]) or word == "sha256", word
        assert set(re.findall(r"\{\w+\}", both["en"])) == set(re.findall(r"\{\w+\}", both["zh"])), word


def test_a_chinese_release_holds_no_english_words_but_names(released: Release) -> None:
    text = text_of(typesetting.pdf(Record("release", "zh", (released.document.jws,))))
    left = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"[0-9a-f\n]{16,}", " ", text)))
    names = set(re.findall(r"[A-Za-z]{3,}", str(check(released.document.jws, ring()).body)))
    own = set(re.findall(r"[A-Za-z]{3,}", "TWOKEY twokey-paper.json PDF twokey verify keys KEYS.json SHA BIS MIIT"))
    assert left <= names | own


def test_an_english_release_holds_no_chinese_but_names(released: Release) -> None:
    text = text_of(typesetting.pdf(Record("release", "en", (released.document.jws,))))
    names = str(check(released.document.jws, ring()).body)
    assert set(CJK.findall(text)) <= set(CJK.findall(names))


@pytest.mark.parametrize("lang", LANGS)
def test_a_use_statement_carries_its_figures_and_says_that_nobody_signed_it(lang: Lang) -> None:
    share = Share("all sites", -1, "inference", "used", 0.4012, 0.387, 0.416, 10.0)
    finding = Finding("inference-domestic", "words", "MIIT", "CN-029", 0.6, share, "breached")
    flags = (Flag("a", "gap", "x", 2), Flag("a", "gap", "y"), Flag("", "unknown-chip", "z"))
    record = record_of(
        "舰队 One", (1_793_491_200.0, 1_793_577_600.0), (share,), (finding,), flags, (("a", "0" * 64),), lang
    )
    content = typesetting.pdf(record)
    found = checking.check_pdf(content, KeyRing({}))
    assert found.holds
    assert not found.documents
    text = text_of(content)
    for part in (Say(lang)("breached"), Say(lang)("gap"), "40.1", "3"):
        assert part in text


@given(st.binary(max_size=300))
def test_base45_reads_back(content: bytes) -> None:
    assert qr.unbase45(qr.base45(content)) == content


@given(st.text(alphabet=qr._ALPHABET + "a\u00e9\n", max_size=60))
def test_a_text_that_is_no_code_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(qr.BadCode):
        qr.unpack(qr.WHOLE + text)


def test_a_code_that_unpacks_to_too_much_is_refused() -> None:
    import zlib

    whole = b'{"a":"' + b"0" * 10_000_000 + b'"}\n{}\nAA'  # of the right form, were it not for its size
    with pytest.raises(qr.BadCode):
        qr.unpack(qr.WHOLE + qr.base45(zlib.compress(whole, 9)))


def _record(content: bytes) -> bytes:
    return bytes(PdfReader(io.BytesIO(content)).attachments[NAME][0])


def _fonts(page: object) -> list[dict[str, object]]:
    return [each.get_object() for each in page["/Resources"]["/Font"].values()]  # type: ignore[index]


def test_the_folder_of_a_paper_command_need_not_be_writable(tmp_path: Path) -> None:
    from twokey.cli.errors import UserError
    from twokey.cli.paper import write_pdf

    with pytest.raises(UserError, match="cannot be written"):
        write_pdf(tmp_path / "none" / "x.pdf", b"")
