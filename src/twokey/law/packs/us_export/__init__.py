"""The United States' rules on exporting advanced computing items, from 2022 to today."""

from pathlib import Path

from twokey.law.engine.law import load_pack
from twokey.law.packs.us_export import (  # noqa: F401 - importing a module writes its rules into the book
    eccn_3a090,
    eccn_4a090,
    exceptions,
    foundry,
    january_2026,
    letters,
    parties,
    places,
    requirement,
    review,
    route,
    shipping,
)
from twokey.law.packs.us_export.rules import rules

PACK = load_pack(Path(__file__).parent, rules)
