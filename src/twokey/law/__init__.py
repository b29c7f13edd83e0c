"""What the law says: dated rules as code, their assessment and their impact.

    >>> from datetime import date
    >>> from twokey.law import assess
    >>> assess({"item.chip": "H20", "item.kind": "ic"}, date(2022, 1, 1)).status
    'clear'

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twokey.law.assessing import assess, assessment_of, decide, law_digest
    from twokey.law.change import amended, find_amendment
    from twokey.law.explaining import Reason, explain
    from twokey.law.order import facts_of_order, read_order
    from twokey.law.records import Answer, Assessment, Finding, KeyAnswer
    from twokey.law.source import law

_HOMES = {
    "assessing": ("assess", "assessment_of", "decide", "law_digest"),
    "change": ("amended", "find_amendment"),
    "explaining": ("Reason", "explain"),
    "order": ("facts_of_order", "read_order"),
    "records": ("Answer", "Assessment", "Finding", "KeyAnswer"),
    "source": ("law",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [
    "Answer",
    "Assessment",
    "Finding",
    "KeyAnswer",
    "Reason",
    "amended",
    "assess",
    "assessment_of",
    "decide",
    "explain",
    "facts_of_order",
    "find_amendment",
    "law",
    "law_digest",
    "read_order",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
