"""Chinese reported conditions on the use of imported AI chips."""

from pathlib import Path

from twokey.law.engine.law import load_pack
from twokey.law.packs import cn_import
from twokey.law.packs.cn_use.rules import rules

PACK = load_pack(Path(__file__).parent, rules, borrow=cn_import.PACK.instruments)
