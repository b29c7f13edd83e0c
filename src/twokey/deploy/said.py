"""A sentence in both languages."""

from __future__ import annotations

from typing import Literal

Lang = Literal["en", "zh"]


class Said(str):
    """A sentence that is its English text, and carries the Chinese for a reader who wants it.

    >>> words = Said("no plan", "无可行方案")
    >>> words, say(words, "zh"), say("H200", "zh")
    ('no plan', '无可行方案', 'H200')
    """

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, en: str, zh: str) -> Said:
        """Return the sentence."""
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    def __reduce__(self) -> tuple[type[Said], tuple[str, str]]:
        """Return what a copy is made from: both languages."""
        return type(self), (str(self), self.zh)


def say(text: str, lang: str) -> str:
    """Return a text in a language; what has no Chinese (a name) is said as it is."""
    return text.zh if lang == "zh" and isinstance(text, Said) else str(text)
