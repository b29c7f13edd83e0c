"""The one error that a room raises for a person's mistake, and what the command prints of it."""

from __future__ import annotations

from twokey.chips.errors import UserError

__all__ = ["UserError"]
