"""Chinese reported guidance on importing AI chips."""

from pathlib import Path

from twokey.law.engine.law import load_pack
from twokey.law.packs.cn_import.rules import rules

PACK = load_pack(Path(__file__).parent, rules)
