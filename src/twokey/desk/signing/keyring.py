"""The public keys of every authority: which key, of whom, from when to when, and whether it was revoked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from twokey.chips.errors import UserError


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key: `x` is the raw Ed25519 key in base64url, times are ISO 8601 in UTC."""

    kid: str
    authority: str
    side: str  # "export", "import", or "desk" for the key that seals
    x: str
    valid_from: str
    valid_until: str | None = None
    revoked_at: str | None = None
    revoked_reason: str = ""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys by key id.

    >>> KeyRing({}).get("BIS-1") is None
    True
    """

    keys: Mapping[str, PublicKey]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an exported key file; raises `UserError` naming what is wrong with it."""
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            keys = [PublicKey(**key) for key in body["keys"]]
        except FileNotFoundError:
            raise UserError(
                f"{path}: no such file; `twokey keys export` writes the public keys of a desk, "
                "or ask the authority for its key file"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: not a key file ({error}); `twokey keys export` writes one") from None
        return cls({key.kid: key for key in keys})

    def dump(self) -> dict[str, Any]:
        """Return the ring as the JSON of a key file."""
        return {"twokey": "keys/1", "keys": [asdict(self.keys[kid]) for kid in sorted(self.keys)]}

    def get(self, kid: str) -> PublicKey | None:
        """Return one key, or None where the ring does not hold it."""
        return self.keys.get(kid)


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC.

    >>> moment("2026-01-28T00:00:00Z").year
    2026
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
