"""Check a release from its file and the public keys alone: no database, no Django, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from twokey.desk.reasons import Reason, reason
from twokey.desk.signing import BadSignature, KeyRing, verify
from twokey.desk.signing.keyring import moment

RELEASE: Final = "twokey.release/1"
DESK: Final = "DESK"  # whose key seals history and signs extracts of the register
KINDS: Final = (
    RELEASE,
    "twokey.decision/1",
    "twokey.countersignature/1",
    "twokey.condition/1",
    "twokey.state/1",
    "twokey.authorisation/1",
    "twokey.reconfirmation/1",
    "twokey.adjustment/1",
    "twokey.topup/1",
    "twokey.head/1",
    "twokey.extract/1",
)
_RELEASE_MEMBERS: Final = {
    "type",
    "number",
    "issued_at",
    "valid_until",
    "order",
    "shipment",
    "keys",
    "parties",
    "conditions",
    "evidence",
    "laboratory",
    "screening",
    "law",
    "movement",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check found: the body where it could be read, who signed, and every reason against it."""

    body: Mapping[str, Any]
    signed_by: tuple[str, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the document proves what it says."""
        return not self.reasons


def check(document: object, ring: KeyRing, today: datetime | None = None) -> Proof:
    """Check a signed document: both sides for a release, its own authority for everything else."""
    try:
        signed = verify(document, ring)
    except BadSignature as error:
        return Proof({}, (), (error.reason,))
    kind = signed.body.get("type")
    names = tuple(f"{key.authority} ({key.side}, {key.kid})" for key, _ in signed.signers)
    if kind not in KINDS:
        return Proof(signed.body, names, (reason("unknown_type", kind=str(kind)),))
    if kind != RELEASE:
        return Proof(signed.body, names, _own_authority(signed.body, {key.authority for key, _ in signed.signers}))
    notes: tuple[Reason, ...] = ()
    try:
        reasons = _both_sides(signed.body, {key.side: key.authority for key, _ in signed.signers}, len(signed.signers))
        if moment(signed.body["valid_until"]) <= (today or datetime.now(UTC)):
            notes = (reason("release_over", at=signed.body["valid_until"]),)
    except (KeyError, TypeError, ValueError):  # signed by both, and still not the form of a release
        reasons = (reason("not_a_release"),)
    return Proof(signed.body, names, reasons, notes)


def _own_authority(body: Mapping[str, Any], signers: set[str]) -> tuple[Reason, ...]:
    authority = str(body.get("authority"))
    return () if signers == {authority} else (reason("wrong_signer", authority=authority),)


def _both_sides(body: Mapping[str, Any], signers: Mapping[str, str], count: int) -> tuple[Reason, ...]:
    """Return why a release is not signed by the two authorities that it names, one for each key."""
    if set(body) != _RELEASE_MEMBERS or set(body["keys"]) != {"export", "import"}:
        return (reason("not_a_release"),)
    found = [
        reason("side_missing", side=side, authority=body["keys"][side]["authority"])
        for side in ("export", "import")
        if side not in signers
    ]
    found += [
        reason("wrong_signer", authority=body["keys"][side]["authority"])
        for side, authority in signers.items()
        if side in body["keys"] and authority != body["keys"][side]["authority"]
    ]
    if count != 2 and not found:
        found.append(reason("too_many_signatures"))
    return tuple(found)
