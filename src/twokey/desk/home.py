"""Where one desk keeps its files: database, documents, keys, outgoing messages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from twokey.chips.errors import UserError


@dataclass(frozen=True, slots=True)
class Home:
    """One data directory and the folders in it.

    >>> Home(Path("/srv/twokey")).keys.as_posix()
    '/srv/twokey/keys'
    """

    root: Path

    @property
    def database(self) -> Path:
        """Cluster directory of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def documents(self) -> Path:
        """Uploaded documents, under random names, outside any web root."""
        return self.root / "documents"

    @property
    def keys(self) -> Path:
        """Private signing keys, one folder an authority; never in the database."""
        return self.root / "keys"

    @property
    def outbox(self) -> Path:
        """Where the file transport of the outbox writes."""
        return self.root / "outbox"

    @property
    def tokens(self) -> Path:
        """Tokens that this machine's own command line may use, one file a login."""
        return self.root / "tokens"

    def make(self) -> None:
        """Create the directory and its folders, private ones readable by their owner only.

        Errors: `UserError` where the directory cannot be made or written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.documents, self.keys, self.outbox, self.tokens):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{self.root} cannot hold a desk ({error.strerror}); set TWOKEY_HOME to one that you may write to"
            ) from None


def home() -> Home:
    """Return the data directory: `TWOKEY_HOME`, or the user's own data directory."""
    return Home(Path(os.environ.get("TWOKEY_HOME") or platformdirs.user_data_dir("twokey")).expanduser().absolute())
