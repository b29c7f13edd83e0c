"""What an amendment would do to the open book: case by case, and as running totals that a page carries with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.core import signing

from twokey.desk.cases.openbook import OpenCase
from twokey.desk.web.law import phrases
from twokey.desk.web.law.drafts import law_under
from twokey.law.assessing import decide, keys_of
from twokey.law.engine.law import Law
from twokey.law.engine.words import Lang, answer_of
from twokey.law.reach import Reach, reach_of
from twokey.law.records import KeyAnswer
from twokey.law.report import key_text
from twokey.law.source import law
from twokey.law.state import Decided

_ORDER: Final = ("clear", "needs_information", "blocked")
_SALT: Final = "twokey.law.impact"
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Move:
    """One open case that the amendment moves: its key's status and answer before and after, and the provisions."""

    case: OpenCase
    before: str
    after: str
    before_words: str
    after_words: str
    provisions: tuple[str, ...]

    @property
    def stricter(self) -> bool:
        """Whether it is worse off."""
        return _ORDER.index(self.after) > _ORDER.index(self.before)


@dataclass(slots=True)
class Totals:
    """What was counted so far: cases read, those that nobody assessed, and what moved, by key and status."""

    read: int = 0
    unknown: int = 0
    last: int = 0
    moved: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)  # -> cases, units
    provisions: Counter[str] = field(default_factory=Counter)

    def add(self, cases: Sequence[OpenCase], moves: Sequence[Move]) -> None:
        """Add a portion of the book."""
        self.read += len(cases)
        self.unknown += sum(not case.items for case in cases)
        self.last = max([self.last, *(case.application_id for case in cases)])
        for move in moves:
            tally = self.moved.setdefault((move.case.side, move.before, move.after), [0, 0])
            tally[0] += 1
            tally[1] += move.case.units
            self.provisions.update(move.provisions)

    def sum(self, *, stricter: bool) -> tuple[int, int]:
        """Return cases and units that move to a stricter status, or to a looser one."""
        chosen = [
            tally
            for (_side, before, after), tally in self.moved.items()
            if before != after and (_ORDER.index(after) > _ORDER.index(before)) is stricter
        ]
        return sum(cases for cases, _ in chosen), sum(units for _, units in chosen)

    def signed(self) -> str:
        """Return the totals as a text that the next portion is asked with; nobody can write one of their own."""
        moved = [[*key, *tally] for key, tally in self.moved.items()]
        return signing.dumps(
            [self.read, self.unknown, self.last, moved, dict(self.provisions)], salt=_SALT, compress=True
        )


def totals(text: str) -> Totals:
    """Return the totals that a page carried; new ones where it carried none, or not ours."""
    try:
        read, unknown, last, moved, provisions = signing.loads(text, salt=_SALT) if text else (0, 0, 0, [], {})
    except signing.BadSignature:
        return Totals()
    return Totals(
        read, unknown, last, {(row[0], row[1], row[2]): [row[3], row[4]] for row in moved}, Counter(provisions)
    )


def moves(cases: Iterable[OpenCase], draft: str, day: date, lang: Lang) -> list[Move]:
    """Return the cases of a portion whose key a draft moves on a day: another status, or another answer."""
    before, after = law_under(""), law_under(draft)
    changed = _changed(draft, day)
    found = []
    for case in cases:
        if not case.items:
            continue
        was, now = _worst(case, before, day), _worst(case, after, day)
        if (was[1].status, was[1].answer, was[1].possible) != (now[1].status, now[1].answer, now[1].possible):
            found.append(
                Move(
                    case,
                    was[1].status,
                    now[1].status,
                    key_text(was[1], was[0], lang),
                    key_text(now[1], now[0], lang),
                    tuple(key for key in changed if _value(was[0], key) != _value(now[0], key)),
                )
            )
    return found


def _worst(case: OpenCase, under: Law, day: date) -> tuple[Decided, KeyAnswer]:
    """Return what the law says of the item that holds the key up most; one blocked item blocks the order."""
    told = [decide(facts, day, law=under, where=case.number) for facts in case.items]
    keys = [(each, next(key for key in keys_of(each) if key.key == case.side)) for each in told]
    return max(keys, key=lambda pair: _ORDER.index(pair[1].status))


def _value(decided: Decided, key: str) -> bool | None:
    return decided.value(key) if key in decided.state.places else False


@lru_cache(maxsize=32)
def _changed(draft: str, day: date) -> tuple[str, ...]:
    """Return the provisions that a draft changes or adds."""
    from twokey.law.state import state_of

    old, new = state_of(law(), day).folded, state_of(law_under(draft), day).folded
    return tuple(key for key, tree in new.provisions.items() if old.provisions.get(key) != tree and "@" not in key)


@lru_cache(maxsize=16)
def reaches(draft: str, day: date, lang: Lang) -> tuple[Reach, ...]:
    """Return every move that a draft makes, over every order that the law can tell apart (0.1 to 0.3 s, then kept)."""
    return tuple(reach_of(law(), law_under(draft), day, lang, 3))


@dataclass(frozen=True, slots=True)
class Reached:
    """One move of one question over all orders, in words."""

    question: str
    before: str
    after: str
    share: str
    boxes: tuple[tuple[str, ...], ...]
    more: bool
    ordinary: bool


def reached(draft: str, day: date, lang: Lang) -> list[Reached]:
    """Return every move that a draft makes, in words."""
    at = law_under(draft).at(day)
    return [
        Reached(
            phrases.thing(one.question, law()),
            answer_of(one.question, one.before, at, lang),
            answer_of(one.question, one.after, at, lang),
            f"{one.share:.2%}" if one.share >= 0.0001 else "< 0.01%",
            tuple(box.conditions for box in one.boxes),
            one.more,
            one.ordinary,
        )
        for one in reaches(draft, day, lang)
    ]


def provision_words(draft: str, counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the provisions that moved cases, most first, by their paragraphs."""
    under: Any = law_under(draft)
    return [(phrases.thing(key, under), count) for key, count in Counter(counted).most_common()]
