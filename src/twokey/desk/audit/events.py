"""Write what happened: one event, or one signed document. The only two ways into the audit tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor
from twokey.desk.audit.models import Event, SignedDocument
from twokey.desk.home import home
from twokey.desk.reasons import Refused, reason
from twokey.desk.signing import FileSigner, Signer, digest


def record(actor: Actor, verb: str, subject_kind: str, subject_id: int, **payload: Any) -> Event:
    """Append one event. `payload` holds integers, text, lists and mappings; no float."""
    return Event.objects.create(
        actor=actor.login,
        role=actor.role.value,
        authority=actor.authority_code,
        channel=actor.channel,
        verb=verb,
        subject_kind=subject_kind,
        subject_id=subject_id,
        payload=payload,
    )


def signer() -> Signer:
    """Return who signs for the authorities of this desk; the keys are files, never rows."""
    return FileSigner(home().keys)


def issue(
    kind: str,
    body: Mapping[str, Any],
    authorities: tuple[str, ...],
    subject: tuple[str, int],
    at: datetime | None = None,
) -> SignedDocument:
    """Sign a document for one or more authorities and keep it; raises `Refused` where an authority has no key here."""
    whole = {"type": kind, **body}
    try:
        jws = signer().sign(whole, authorities, at or timezone.now())
    except UserError:
        raise Refused(*(reason("no_key", authority=code) for code in authorities)) from None
    return SignedDocument.objects.create(
        kind=kind, subject_kind=subject[0], subject_id=subject[1], sha256=digest(whole), jws=jws
    )
