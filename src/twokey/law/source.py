"""The law as it ships: the packs of this project and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module, metadata

from twokey.chips.errors import UserError
from twokey.law.engine.law import Law, Pack

GROUP = "twokey.packs"
_OURS = ("us_export", "us_tariff", "cn_import", "cn_use")


@cache
def law() -> Law:
    """Return the law of every installed pack; modules are imported on first use and kept.

    >>> sorted(law().packs)[:4]
    ['cn-import', 'cn-use', 'us-export', 'us-tariff']
    """
    return Law(tuple(_packs()))


def _packs() -> Iterator[Pack]:
    for name in _OURS:
        yield import_module(f"twokey.law.packs.{name}").PACK
    for entry in metadata.entry_points(group=GROUP):
        if not entry.value.startswith("twokey.law.packs."):
            pack = getattr(entry.load(), "PACK", None)
            if not isinstance(pack, Pack):
                raise UserError(f"the pack {entry.name} ({entry.value}) has no PACK made by load_pack")
            yield pack
