"""A law that a test can change: clear unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from twokey.law.records import Assessment, KeyAnswer


@dataclass
class PlainLaw:
    """Answers what the test set; its digest changes with its edition."""

    edition: int = 1
    status: dict[str, str] = field(default_factory=lambda: {"export": "clear", "import": "clear"})
    missing: tuple[str, ...] = ()

    def law_digest(self, on: date) -> str:
        """Name the edition."""
        return f"edition-{self.edition}"

    def assess(self, facts: Mapping[str, Any], on: date) -> Assessment:
        """Answer for both keys."""
        keys = tuple(
            KeyAnswer(side, self.status[side], self.status[side], (self.status[side],), self.missing)  # type: ignore[arg-type]
            for side in ("export", "import")
        )
        return Assessment(on, dict(facts), "clear", keys, (), (), self.law_digest(on))
