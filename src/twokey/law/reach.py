"""Every order that an amendment could touch, described by boxes of facts, not by a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from operator import eq
from typing import Any, Final

from twokey.law.engine.boxes import cover
from twokey.law.engine.cells import OTHER, Flag, Ordered, Words
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.facts import FactType, dictionary, unit_in
from twokey.law.engine.forest import IMPOSSIBLE
from twokey.law.engine.law import GATE, NOT_ASKED, Law, Turn
from twokey.law.engine.tree import AnyOf, Not
from twokey.law.engine.variables import Variable
from twokey.law.engine.words import Lang, answer_of, plain, sentence, text_of
from twokey.law.state import Decided, forced, state_of

# What boxes leave unsaid: one circuit, exported from the United States by its vendor, to parties whom nobody lists.
ORDINARY: Final[Mapping[str, Any]] = {
    "item.kind": "ic",
    "item.family": "",
    "exporter.kind": "vendor",
    "movement.kind": "export",
    "movement.origin": "US",
    "consignee.entity_list": False,
    "consignee.military_end_user": False,
    "consignee.listed_owner_share": 0.0,
    "consignee.iaas_provider": False,
    "end_use.prohibited": False,
    "end_use.supercomputer": False,
    "certifications.parameters": True,
    "certifications.us_shipments_stated": True,
    "certifications.us_supply": True,
    "certifications.foundry_capacity": True,
    "certifications.volume_cap": True,
    "certifications.remote_users": True,
    "certifications.prohibited_uses": True,
    "certifications.kyc": True,
    "certifications.security_procedures": True,
    "certifications.laboratory": True,
    "aggregate.china_to_us_tpp_ratio": 0.0,
    "laboratory.hq": "US",
    "laboratory.country": "US",
    "laboratory.financial_interest": False,
    "laboratory.every_shipment": True,
    "laboratory.d5_or_macau_control": False,
    "laboratory.standing_withdrawn": False,
}


@dataclass(frozen=True, slots=True)
class Box:
    """Orders that move together: each fact that matters with the classes that it may have."""

    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """One move of one question, with the share of all distinguishable orders that make it, and where they lie."""

    question: str
    before: str
    after: str
    cells: int
    of: int
    boxes: tuple[Box, ...]
    more: bool  # there are further boxes than those listed
    ordinary: bool  # the boxes are those of an ordinary order (ORDINARY); otherwise every condition is listed

    @property
    def share(self) -> float:
        """Return the share of all cells."""
        return self.cells / self.of


def reach_of(before: Law, after: Law, day: date, lang: Lang = "en", limit: int = 6) -> Iterator[Reach]:
    """Yield every move that an amendment makes to what turns a key, over all orders.

    What only the amended law asks was NOT_ASKED before; where it then leaves the key clear, nothing moves.
    """
    at = before.at(day).law, after.at(day).law
    diagrams = Diagrams(state_of(before, day).folded, state_of(after, day).folded)
    for name, turn in at[1].turns.items():
        pair = diagrams.paired(*(_asked(diagrams, name, law, at) for law in (0, 1)))
        bare = diagrams.paired(*(_asked(diagrams, name, law, at, cared=False) for law in (0, 1)))
        ordinary = diagrams.given(bare, ORDINARY)
        of_ordinary = diagrams.values(ordinary)
        over = diagrams.support(pair)
        possible = [value for value in diagrams.values(pair) if isinstance(value, tuple) and IMPOSSIBLE not in value]
        cells = sum(diagrams.count(pair, value, over) for value in possible)
        moves = {(str(was), str(now)): (was, now) for was, now in possible if _moved(was, now, turn)}
        for (was, now), move in sorted(moves.items()):
            boxes = list(
                cover(diagrams, ordinary if move in of_ordinary else bare, partial(eq, move), limit + 1, diagrams.care)
            )
            yield Reach(
                question=name,
                before=was,
                after=now,
                cells=diagrams.count(pair, move, over),
                of=cells,
                boxes=tuple(Box(tuple(_describe(diagrams, box, after, day, lang))) for box in boxes[:limit]),
                more=len(boxes) > limit,
                ordinary=move in of_ordinary,
            )


def _asked(diagrams: Diagrams, name: str, law: int, laws: tuple[Law, Law], *, cared: bool = True) -> int:
    """Return the diagram of what turns a key under one of two laws."""
    if name in laws[law].turns and name in laws[law].questions:
        return diagrams.question(name, law, cared=cared)
    if name in laws[law].turns:
        met, not_met = map(diagrams.leaf, GATE)
        found = diagrams.ite(diagrams.provision(name, law), met, not_met)
    else:
        found = diagrams.leaf(NOT_ASKED)
    return diagrams.ite(diagrams.care, found, diagrams.leaf(IMPOSSIBLE)) if cared else found


def _moved(was: Any, now: Any, turn: Turn) -> bool:
    return now not in turn.headline.clear if was == NOT_ASKED else was != now


def depending(decided: Decided, question: str, lang: Lang = "en", limit: int = 3) -> list[tuple[str, list[str]]]:
    """Return each answer still possible with the boxes of unknown facts that lead to it, in words.

    `decided`: an order whose `question` ("regime:name") is open. At most `limit` boxes are given for an answer.
    """
    diagrams, law = decided.state.diagrams, decided.law.law
    left = diagrams.given(diagrams.question(question, forced=forced(decided)), decided.facts)
    care = diagrams.given(diagrams.care, decided.facts)
    found, semicolon = [], {"en": "; ", "zh": "；"}[lang]
    for answer in law.questions[question].answers:
        boxes = list(cover(diagrams, left, partial(eq, answer), limit, care))
        if boxes:
            described = [semicolon.join(_describe(diagrams, box, law, decided.law.day, lang)) for box in boxes]
            found.append((answer_of(question, answer, decided.law, lang), described))
    return found


def _describe(diagrams: Diagrams, box: Mapping[str, frozenset[int]], law: Law, day: date, lang: Lang) -> Iterator[str]:
    by_name = {one.name: one for one in diagrams.variables}
    for name, indexes in box.items():
        yield describe(by_name[name], indexes, law, day, lang)


def describe(variable: Variable, indexes: frozenset[int], law: Law, day: date, lang: Lang) -> str:
    """Return some classes of one variable in words, such as "TPP: 1,600 or more and less than 2,400"."""
    if variable.joined is not None:
        return _joined(variable, 1 in indexes, law, day, lang)
    fact, colon = dictionary()[variable.name], "：" if lang == "zh" else ": "
    match variable.classes:
        case Flag():
            return f"{fact.label(lang)}{colon}{plain(1 in indexes, lang)}"
        case Words() as words:
            return f"{fact.label(lang)}{colon}{_words(words, indexes, fact, lang)}"
        case Ordered() as ordered:
            return f"{fact.label(lang)}{colon}{_ranges(ordered, sorted(indexes), fact.unit, lang)}"


def _joined(variable: Variable, holds: bool, law: Law, day: date, lang: Lang) -> str:
    if isinstance(variable.joined, AnyOf):
        provision = law.provisions[variable.joined.provision]
        circuit = {"en": "a contained circuit: ", "zh": "所含集成电路："}[lang]
        return f"{circuit}{text_of(provision, law.at(day), lang)} {plain(holds, lang)}"
    if variable.joined is None:
        return variable.name
    words = sentence(variable.joined, "", law.at(day), lang)
    return words if holds else sentence(Not(variable.joined), "", law.at(day), lang)


def _words(words: Words, indexes: frozenset[int], fact: FactType, lang: Lang) -> str:
    other = {"en": "any other", "zh": "其他"}[lang]
    rest = frozenset(range(words.size)) - indexes
    open_rest = any(words.classes[index][0] is OTHER for index in rest)
    if len(rest) < len(indexes) and rest and not open_rest:
        negated = _words(words, rest, fact, lang)
        return f"除{negated}以外" if lang == "zh" else f"not {negated}"
    names = [
        other if words.classes[index][0] is OTHER else _class_words(words.classes[index], fact, lang)
        for index in sorted(indexes)
    ]
    return ("、" if lang == "zh" else ", ").join(names)


def _class_words(group: tuple[Any, ...], fact: FactType, lang: Lang) -> str:
    """Return the words of a class; of a long list the first few."""
    shown = "/".join(fact.word(str(one), lang) for one in group[:8])
    return shown if len(group) <= 8 else f"{shown}/…"


def _ranges(ordered: Ordered, indexes: list[int], unit: str, lang: Lang) -> str:
    runs: list[list[int]] = []
    for index in indexes:
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ({"en": "; or ", "zh": "；或"}[lang]).join(_range(ordered, run[0], run[-1], unit, lang) for run in runs)


def _range(ordered: Ordered, first: int, last: int, unit: str, lang: Lang) -> str:
    low, high = ordered.describe(first)[0], ordered.describe(last)[1]
    unit, parts = unit_in(unit, lang), []
    if low is not None:
        value = f"{plain(low[0], lang)} {unit}".strip()
        more, least = ("晚于", "不早于") if isinstance(low[0], date) else ("高于", "不低于")
        words = {"en": f"more than {value}" if low[1] else f"{value} or more",
                 "zh": f"{more if low[1] else least} {value}"}  # fmt: skip
        parts.append(words[lang])
    if high is not None:
        value = f"{plain(high[0], lang)} {unit}".strip()
        most, less = ("不晚于", "早于") if isinstance(high[0], date) else ("不高于", "低于")
        words = {"en": f"at most {value}" if high[1] else f"less than {value}",
                 "zh": f"{most if high[1] else less} {value}"}  # fmt: skip
        parts.append(words[lang])
    return ({"en": " and ", "zh": "且"}[lang]).join(parts) or {"en": "any", "zh": "任意"}[lang]
