"""Check a PDF, or the text of its QR code, with the public keys alone: no database, no network.

A PDF holds the record that it was set from. Every signature in it is checked, the documents must belong together, and
the record is typeset again: only a PDF whose bytes come out the same says what was signed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from twokey.desk.papers.qr import BadCode, unpack
from twokey.desk.papers.record import NAME, NotAPaper, Record, maker
from twokey.desk.proof import DESK, Proof, check
from twokey.desk.reasons import Reason, reason
from twokey.desk.signing import KeyRing, digest

_MOST_BYTES: Final = 20 * 1024 * 1024
_HEAD: Final = {
    "release": ("twokey.release/1",),
    "licence": ("twokey.decision/1", "twokey.countersignature/1", "twokey.extract/1"),
    "refusal": ("twokey.decision/1", "twokey.countersignature/1", "twokey.extract/1"),
    "use": (),
}
_LATER: Final = {"twokey.state/1", "twokey.condition/1"}


@dataclass(frozen=True, slots=True)
class PaperProof:
    """What a check of a PDF found: the record, a proof of each document in it, and every reason against the paper."""

    record: Record | None
    documents: tuple[Proof, ...]
    reasons: tuple[Reason, ...]

    @property
    def holds(self) -> bool:
        """Whether the paper says what was signed, all of it by the authorities that it names."""
        return not self.reasons and all(each.holds for each in self.documents)


def check_code(text: str, ring: KeyRing, today: datetime | None = None) -> Proof:
    """Check the text of a QR code: the whole document is in it."""
    try:
        return check(unpack(text.strip("\r\n")), ring, today)
    except BadCode as error:
        return Proof({}, (), (error.reason,))


def check_pdf(content: bytes, ring: KeyRing, today: datetime | None = None) -> PaperProof:
    """Check the bytes of a PDF; whatever is wrong with them is a reason, never an exception."""
    from twokey.desk.papers.typesetting import pdf

    try:
        record, made_with = Record.load(_attached(content))
    except NotAPaper as error:
        return PaperProof(None, (), (error.reason,))
    proofs = tuple(check(each, ring, today) for each in record.documents)
    found = list(_belongs(record, proofs))
    if not found and all(each.holds for each in proofs):
        if made_with != maker():
            found.append(reason("paper_other_version", made=_versions(made_with), here=_versions(maker())))
        else:
            try:
                same = pdf(record) == content
            except (KeyError, TypeError, ValueError, RuntimeError):  # a record of the right kinds and the wrong form
                same = False
            if not same:
                found.append(reason("paper_differs"))
    return PaperProof(record, proofs, tuple(found))


def _attached(content: bytes) -> bytes:
    """Return the record inside a PDF; raises `NotAPaper`."""
    if len(content) > _MOST_BYTES:
        raise NotAPaper(f"it has {len(content)} bytes, and no paper is that large")
    try:
        found = PdfReader(io.BytesIO(content)).attachments.get(NAME)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError) as error:
        raise NotAPaper(f"the PDF cannot be read ({type(error).__name__})") from None
    if not found:
        raise NotAPaper(f"the PDF holds no {NAME}")
    return bytes(found[0])


def _belongs(record: Record, proofs: Sequence[Proof]) -> list[Reason]:
    """Return why the documents of a paper are not those of its kind, or not of one decision."""
    bodies = [each.body for each in proofs]
    kinds = [body.get("type") for body in bodies]
    head = _HEAD[record.kind]
    if any(not body for body in bodies):
        return []  # the document's own proof says why
    later = kinds[len(head) :]
    if tuple(kinds[: len(head)]) != head or not set(later) <= _LATER or (later and record.kind not in _LATER_KINDS):
        return [reason("paper_mismatch", detail=", ".join(map(str, kinds)) or "none")]
    if record.kind in _LATER_KINDS:
        return _of_one_decision(record, bodies)
    return []


_LATER_KINDS: Final = {"licence", "refusal"}


def _of_one_decision(record: Record, bodies: Sequence[Mapping[str, Any]]) -> list[Reason]:
    decision, countersigned, extract, *later = bodies
    whole = digest(decision)
    outcome = "approve" if record.kind == "licence" else "refuse"
    numbers = {line.get("authorisation") for line in extract.get("lines", [])}
    holds = (
        decision.get("outcome") == outcome
        and countersigned.get("decision") == whole
        and countersigned.get("outcome") == outcome
        and extract.get("decision") == whole
        and extract.get("authority") == DESK
        and decision.get("authority") == countersigned.get("authority")
        and decision.get("officer") != countersigned.get("officer")
        and all(
            each.get("authorisation") in numbers and each.get("authority") == decision["authority"] for each in later
        )
    )
    return [] if holds else [reason("paper_mismatch", detail="they are not of one decision")]


def _versions(made_with: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(made_with.items())))
