"""The United States Section 232 duty."""

from pathlib import Path

from twokey.law.engine.law import load_pack
from twokey.law.packs.us_tariff.rules import rules

PACK = load_pack(Path(__file__).parent, rules)
