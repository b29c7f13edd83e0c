"""How alike two names are, from 0 to 1000, and why. Pure functions over RapidFuzz."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from rapidfuzz import fuzz, process

THRESHOLD: Final = 850  # per mille; a pair at or above it waits for an officer

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
# What only says which form of company it is; it must not make two names alike.
_FORMS_LATIN: Final = frozenset(
    [
        "co",
        "company",
        "corp",
        "corporation",
        "inc",
        "incorporated",
        "ltd",
        "limited",
        "llc",
        "lp",
        "plc",
        "gmbh",
        "ag",
        "sa",
        "bv",
        "pte",
        "pty",
        "the",
        "and",
        "of",
    ]
)
_FORMS_HAN: Final = re.compile("股份有限公司|有限责任公司|有限公司|股份公司|公司|集团|（|）|[()]")


@dataclass(frozen=True, slots=True)
class Score:
    """How alike, and the explanation: both names as compared, the method, and what changed the number."""

    value: int
    ours: str
    theirs: str
    method: str
    notes: tuple[str, ...] = ()


def fold(name: str) -> str:
    """Return a name as it is compared: one width, one case, no marks, no form of company.

    >>> fold("ＢＹＴＥ-Dance Co., Ltd.")
    'byte dance'
    >>> fold("北京字节跳动科技有限公司")
    '北京字节跳动科技'
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name)).casefold()
    text = "".join(char for char in text if not unicodedata.combining(char))
    if _HAN.search(text):
        kept = re.sub(r"[\s\W_]+", "", _FORMS_HAN.sub("", text))
        return kept or re.sub(r"\s+", "", text)
    words = re.sub(r"[\W_]+", " ", text).split()
    kept_words = [word for word in words if word not in _FORMS_LATIN]
    return " ".join(kept_words or words)


def compare(ours: str, theirs: str) -> Score:
    """Score one pair of names of any script.

    >>> compare("Hikvision Digital Technology Co., Ltd.", "HIKVISION DIGITAL TECHNOLOGY").value
    1000
    >>> compare("Example Compute", "Sample Compute").value < THRESHOLD
    True
    """
    left, right = fold(ours), fold(theirs)
    if not left or not right:
        return Score(0, left, right, "empty")
    if left == right:
        return Score(1000, left, right, "equal after folding")
    if bool(_HAN.search(left)) != bool(_HAN.search(right)):
        return Score(0, left, right, "different scripts")
    if _HAN.search(left):
        return Score(_han(left, right), left, right, "characters")
    whole, words = fuzz.ratio(left.replace(" ", ""), right.replace(" ", "")), _words(left, right)
    notes = () if abs(whole - words) < 1 else (f"letters {round(whole * 10)}, words {round(words * 10)}",)
    return Score(round(10 * max(min(whole, words + 10), words)), left, right, "letters and words", notes)


def search(ours: Sequence[str], names: Sequence[str], threshold: int = THRESHOLD) -> Iterable[tuple[int, Score]]:
    """Yield `(index into names, score)` for every listed name that is like one of ours, best first for each.

    `names` must already be folded; a wide first pass by RapidFuzz keeps the pairs worth scoring.
    """
    best: dict[int, Score] = {}
    for name in ours:
        folded = fold(name)
        wide = max(0, threshold / 10 - 15)
        for scorer in (fuzz.ratio, fuzz.token_sort_ratio):
            for listed, _, index in process.extract(folded, names, scorer=scorer, score_cutoff=wide, limit=None):
                score = compare(name, listed)
                if score.value >= threshold and (index not in best or best[index].value < score.value):
                    best[index] = score
    yield from sorted(best.items(), key=lambda item: -item[1].value)


def _han(left: str, right: str) -> int:
    """Score two Han names: one that contains the other counts as its share, never as the whole."""
    base = fuzz.ratio(left, right)
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) >= 3 and shorter in longer:
        base = max(base, 80 + 20 * len(shorter) / len(longer))
    return round(10 * base)


def _words(left: str, right: str) -> float:
    """Score two Latin names word by word: every word of the shorter must find its like, weighed by length."""
    ours, theirs = left.split(), right.split()
    if len(ours) > len(theirs):
        ours, theirs = theirs, ours
    total = sum(map(len, ours)) + sum(map(len, theirs))
    free = list(theirs)
    score = 0.0
    for word in ours:
        match = max(free, key=partial(fuzz.ratio, word))
        likeness = fuzz.ratio(word, match)
        score += (len(word) + len(match)) * (likeness if likeness >= 85 else 0)
        free.remove(match)
    return score / total
