"""Who signs for an authority: an interface, and the signer that keeps its keys in files outside the database."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from joserfc.jwk import OKPKey

from twokey.chips.errors import UserError
from twokey.desk.signing.envelope import sign
from twokey.desk.signing.keyring import KeyRing, PublicKey


class Signer(Protocol):
    """Signs for authorities; a hardware module or a remote service can stand behind it."""

    def sign(self, body: Mapping[str, Any], authorities: tuple[str, ...], at: datetime) -> dict[str, Any]:
        """Return the JWS of a document, one signature an authority."""
        ...

    def ring(self) -> KeyRing:
        """Return the public keys that it signs with, and those of before."""
        ...


@dataclass(frozen=True, slots=True)
class FileSigner:
    """Keys in a folder: `AUTHORITY/KID.jwk` (private, mode 0600) and `public.json` (the ring)."""

    folder: Path

    def sign(self, body: Mapping[str, Any], authorities: tuple[str, ...], at: datetime) -> dict[str, Any]:
        """Sign with the newest valid key of each authority; raises `UserError` where one has none."""
        return sign(body, [self._current(authority) for authority in authorities], at)

    def ring(self) -> KeyRing:
        """Return the public keys; empty where none was made yet."""
        path = self.folder / "public.json"
        return KeyRing.load(path) if path.exists() else KeyRing({})

    def make(self, authority: str, side: str) -> PublicKey:
        """Make a new key for an authority; the key before it stays valid for what it signed, and ends now."""
        now = datetime.now(UTC).replace(microsecond=0)
        ring = dict(self.ring().keys)
        number = 1 + sum(key.authority == authority for key in ring.values())
        kid = f"{authority}-{number}"
        private = OKPKey.generate_key("Ed25519", parameters={"kid": kid})
        for key in list(ring.values()):
            if key.authority == authority and key.valid_until is None:
                ring[key.kid] = replace(key, valid_until=now.isoformat())
        public = PublicKey(kid, authority, side, str(private.as_dict(private=False)["x"]), now.isoformat())
        ring[kid] = public
        folder = self.folder / authority
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / f"{kid}.jwk", json.dumps(private.as_dict(private=True)))
        self._save(ring)
        return public

    def revoke(self, kid: str, why: str) -> PublicKey:
        """Revoke a key: nothing that it signed, at whatever time, verifies any more.

        Errors: `UserError` for a key that this desk does not hold.
        """
        ring = dict(self.ring().keys)
        if kid not in ring:
            raise UserError(f"{kid}: no such key; `twokey keys list` shows them")
        ring[kid] = replace(ring[kid], revoked_at=datetime.now(UTC).isoformat(timespec="seconds"), revoked_reason=why)
        self._save(ring)
        return ring[kid]

    def _current(self, authority: str) -> tuple[str, OKPKey]:
        usable = [
            key
            for key in self.ring().keys.values()
            if key.authority == authority and key.valid_until is None and key.revoked_at is None
        ]
        if not usable:
            raise UserError(f"{authority} has no valid signing key; make one with `twokey keys make {authority}`")
        kid = usable[-1].kid
        path = self.folder / authority / f"{kid}.jwk"
        try:
            return kid, OKPKey.import_key(json.loads(path.read_text()))
        except FileNotFoundError:
            raise UserError(f"{path}: the private key {kid} of {authority} is not on this machine") from None

    def _save(self, ring: Mapping[str, PublicKey]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / "public.json", json.dumps(KeyRing(ring).dump(), indent=1))


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
