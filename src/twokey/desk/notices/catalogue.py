"""Which events are told, to whom, and in which words: `words.toml`, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from twokey.desk.cases.naming import day_words, evidence_words

AUDIENCES: Final = frozenset({"officers", "reviewers", "applicant", "parties", "keys", "customs"})


@dataclass(frozen=True, slots=True)
class Telling:
    """One verb: whom it concerns, whether followers hear of it, the page it leads to, and its two sentences."""

    to: tuple[str, ...]
    followers: bool
    link: str
    en: str
    zh: str

    def words(self, lang: str, values: Mapping[str, Any]) -> str:
        """Return the sentence in a language ("en" or "zh"), its values filled in: days and evidence in words."""
        spoken: dict[str, Any] = dict(values)
        if "name" in spoken:
            spoken["name"] = evidence_words(str(spoken["name"]), lang)
        if "day" in spoken:
            spoken["day"] = day_words(date.fromisoformat(str(spoken["day"])), lang)
        return (self.zh if lang == "zh" else self.en).format_map(_Dashes(spoken))


class _Dashes(dict[str, Any]):
    """Values in which a missing one is a dash: an old notice is shown even where its words have changed."""

    def __missing__(self, key: str) -> str:
        return "–"


@cache
def catalogue() -> Mapping[str, Telling]:
    """Return every verb that is told."""
    body = tomllib.loads((files("twokey.desk.notices") / "words.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            verb: Telling(tuple(each["to"]), each["followers"], each["link"], each["en"], each["zh"])
            for verb, each in body.items()
        }
    )
