"""The text of a file that a person names."""

from __future__ import annotations

from pathlib import Path

from twokey.chips.errors import UserError


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file. Errors: UserError where there is none, or it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text: {error}") from None
