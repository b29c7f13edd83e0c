"""Documents and evidence: type by content, size, hash, a scanner that fails closed, and dates that expire."""

from __future__ import annotations

import hashlib
import io
import secrets
import shlex
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import filetype
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from twokey.desk.actors import Actor, permit_organisation
from twokey.desk.audit.events import record
from twokey.desk.cases.models import Document, DocumentWithdrawal, Evidence, Order
from twokey.desk.cases.states import CLOSED, locked
from twokey.desk.home import home
from twokey.desk.reasons import Refused, invalid, missing, problem, reason

KINDS: Final = (
    "use_statement",
    "end_user_statement",
    "contract",
    "certification",
    "security_procedures",
    "laboratory_certificate",
    "substitution_statement",
    "power_of_attorney",
    "other",
)
_OFFICE: Final = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ACCEPTED: Final = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain", *_OFFICE.values()})


def add_document(actor: Actor, application_id: int, kind: str, filename: str, content: bytes) -> Document:
    """Take in one document; raises `Refused` for a kind, size, type or content that is not accepted.

    The file is stored under a random name. It counts as clean only when a scanner said so: without one, or when it
    does not answer, the document stays in the case but the application cannot be submitted with it.
    """
    with transaction.atomic():
        application = locked(application_id)
        permit_organisation(actor, "case.document", application.applicant_id)
        if application.state in CLOSED - {"returned"}:
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {application_id}",
                    state=application.state,
                    task="add a document",
                    allowed="draft, submitted, under_review, information_requested, approved",
                )
            )
        if kind not in KINDS:
            raise invalid("kind", "not_known", given=kind, known=", ".join(KINDS))
        if application.documents.filter(withdrawal=None).count() >= settings.TWOKEY_DOCUMENTS_PER_APPLICATION:
            raise refused_file(filename, "too_many_documents", status=409)
        content_type = detect(filename, content)
        scan, detail = scan_content(content)
        stored_as = secrets.token_hex(32)
        document = Document.objects.create(
            application=application,
            kind=kind,
            filename=Path(filename.replace("\\", "/")).name[:200],
            content_type=content_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            stored_as=stored_as,
            scan=scan,
            scan_detail=detail,
            uploaded_by=actor.login,
        )
        folder = home().documents
        folder.mkdir(parents=True, exist_ok=True)
        (folder / stored_as).write_bytes(content)
        record(
            actor, "case.document", "application", application.pk, kind=kind, sha256=document.sha256, scan=document.scan
        )
    return document


def withdraw_document(actor: Actor, document_id: int, why: str) -> Document:
    """Take a document back, so that another can take its place; the row stays, and counts for nothing.

    What no scanner passed may go at any time, and its content with it; any other only while the authority does not
    have the application, and while no evidence rests on it.
    """
    with transaction.atomic():
        document = Document.objects.filter(pk=document_id).first()
        if document is None:
            raise missing("document", document_id)
        application = locked(document.application_id)
        permit_organisation(actor, "case.document", application.applicant_id)
        if DocumentWithdrawal.objects.filter(document=document).exists():
            return document
        clean = document.scan == Document.Scan.CLEAN
        if clean and application.state not in {"draft", "returned"}:
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"application {application.pk}",
                    state=application.state,
                    task="withdraw a document",
                    allowed="draft, returned",
                )
            )
        if Evidence.objects.filter(document=document, withdrawn_at=None).exists():
            raise refused_file(document.filename, "evidence_rests_on_it", status=409)
        DocumentWithdrawal.objects.create(document=document, why=why, by=actor.login)
        record(
            actor, "case.document_withdrawn", "application", application.pk, sha256=document.sha256, scan=document.scan
        )
        if not clean:
            transaction.on_commit(lambda: (home().documents / document.stored_as).unlink(missing_ok=True))
    return document


def read_document(document: Document) -> bytes:
    """Return a document's content; raises `Refused` where it was not passed, or is not what was stored."""
    if document.scan != Document.Scan.CLEAN:
        raise Refused(
            reason("document_not_clean", filename=document.filename, detail=document.scan_detail or document.scan)
        )
    content = (home().documents / document.stored_as).read_bytes()
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise refused_file(document.filename, "stored_altered", status=409)
    return content


def detect(filename: str, content: bytes) -> str:
    """Return the type that the content itself shows; raises `Refused` for anything that is not accepted.

    >>> detect("a.pdf", b"%PDF-1.7 ...")
    'application/pdf'
    """
    limit = settings.TWOKEY_DOCUMENT_MAX_BYTES
    if not content:
        raise refused_file(filename, "file_empty")
    if len(content) > limit:
        raise refused_file(filename, "file_too_large", size=len(content), limit=limit)
    kind = filetype.guess(content)
    found = str(kind.mime) if kind else ""
    if content.startswith(b"PK"):
        found = _office(filename, content)
    elif not found and _is_text(content):
        found = "text/plain"
    if found not in ACCEPTED:
        raise refused_file(filename, "content_not_taken", found=found or "of no known type")
    return found


def scan_content(content: bytes) -> tuple[str, str]:
    """Ask the scanner: `(clean | infected | failed, detail)`. No scanner, a crash or a time-out is `failed`."""
    command = settings.TWOKEY_SCAN_COMMAND
    if not command:
        return Document.Scan.FAILED, "no scanner is configured: set TWOKEY_SCAN_COMMAND"
    path = home().documents / f"scan-{secrets.token_hex(16)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try:
        arguments = [part.replace("{path}", str(path)) for part in shlex.split(command)]
        done = subprocess.run(arguments, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return Document.Scan.FAILED, f"the scanner did not answer ({type(error).__name__})"
    finally:
        path.unlink(missing_ok=True)
    if done.returncode == 0:
        return Document.Scan.CLEAN, ""
    if done.returncode == 1:
        return Document.Scan.INFECTED, "the scanner found something"
    return Document.Scan.FAILED, f"the scanner ended with status {done.returncode}"


def add_evidence(
    actor: Actor,
    order_id: int,
    name: str,
    document_id: int,
    *,
    issuer: str,
    issued_on: date,
    expires_on: date | None,
    shipment_id: int | None = None,
) -> Evidence:
    """Record what shows that a certification or a condition holds; it rests on a clean document of the same order."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=order_id).first()
        if order is None:
            raise missing("order", order_id)
        permit_organisation(actor, "case.evidence", order.exporter_id, order.importer_id)
        document = Document.objects.filter(pk=document_id, application__order=order, withdrawal=None).first()
        if document is None:
            raise missing("document", document_id)
        if document.scan != Document.Scan.CLEAN:
            raise Refused(reason("document_not_clean", filename=document.filename, detail=document.scan_detail))
        if issued_on > timezone.now().date():
            raise invalid("issued_on", "in_future", on=issued_on)
        if expires_on is not None and expires_on < issued_on:
            raise invalid("expires_on", "expires_before_issue")
        if shipment_id is not None and not order.shipments.filter(pk=shipment_id).exists():
            raise missing("shipment", shipment_id)
        evidence = Evidence.objects.create(
            order=order,
            name=name,
            shipment_id=shipment_id,
            document=document,
            issuer=issuer,
            issued_on=issued_on,
            expires_on=expires_on,
            recorded_by=actor.login,
        )
        record(actor, "case.evidence", "order", order.pk, name=name, sha256=document.sha256, expires_on=str(expires_on))
    return evidence


def withdraw_evidence(actor: Actor, evidence_id: int, why: str) -> Evidence:
    """Take back evidence that no longer shows what it did; the row stays, and stops counting."""
    with transaction.atomic():
        evidence = Evidence.objects.select_for_update().select_related("order").filter(pk=evidence_id).first()
        if evidence is None:
            raise missing("evidence", evidence_id)
        permit_organisation(actor, "case.evidence", evidence.order.exporter_id, evidence.order.importer_id)
        if evidence.withdrawn_at is None:
            evidence.withdrawn_at, evidence.withdrawn_reason = timezone.now(), why
            evidence.save(update_fields=["withdrawn_at", "withdrawn_reason"])
            record(actor, "case.evidence_withdrawn", "order", evidence.order_id, name=evidence.name, reason=why)
    return evidence


def in_force(evidence: Sequence[Evidence], name: str, on: date, shipment_id: int | None = None) -> Evidence | None:
    """Return the evidence for a name that counts on a day, of several the one that lasts longest, or None."""
    counting = [
        each
        for each in evidence
        if each.name == name
        and each.withdrawn_at is None
        and each.shipment_id in {None, shipment_id}
        and (each.expires_on is None or each.expires_on >= on)
    ]
    return max(counting, key=lambda each: each.expires_on or date.max, default=None)


def refused_file(filename: str, code: str, *, status: int = 422, **values: Any) -> Refused:
    """Return the refusal of a file; `code` says what is wrong with it."""
    return Refused(reason("document_refused", filename=filename, problem=problem(code, **values)), status=status)


def _office(filename: str, content: bytes) -> str:
    """Tell DOCX and XLSX from other archives; macros, bombs and broken archives are refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            whole = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError):
        raise refused_file(filename, "broken_archive") from None
    if whole > 200 * 1024 * 1024 or len(names) > 10_000:
        raise refused_file(filename, "archive_too_large")
    if any("vbaproject" in name.casefold() or name.casefold().startswith("xl/macrosheets/") for name in names):
        raise refused_file(filename, "holds_macros")
    if "[Content_Types].xml" in names:
        for prefix, content_type in _OFFICE.items():
            if any(name.startswith(prefix) for name in names):
                return content_type
    return "application/zip"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(char) < 32 and char not in "\t\r\n" for char in text)
