"""What the law would say: a form's facts become an answer for each key, with its tree of reasons. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from twokey.chips import UserError
from twokey.desk.web.law import phrases
from twokey.law.assessing import assessment_of, decide
from twokey.law.engine.law import Law
from twokey.law.engine.words import Lang, answer_of, kind, text_of
from twokey.law.explaining import Reason, explain_key
from twokey.law.reach import depending
from twokey.law.records import KeyAnswer
from twokey.law.report import (
    fact_label,
    headline_questions,
    key_text,
    missing_facts,
    notes,
    open_questions,
    question_text,
)
from twokey.law.state import Decided

_REPORTED: Final = ("reported", kind("reported", "zh"))


@dataclass(slots=True)
class Node:
    """One line of the tree of reasons, with the lines that it rests on."""

    reason: Reason
    source: str = ""  # empty where the line is no provision
    reported: bool = False
    regime: str = ""
    name: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def sign(self) -> str:
        """Return yes, no or soon: the class of its mark."""
        return {True: "yes", False: "no", None: "soon"}[self.reason.value]


@dataclass(frozen=True, slots=True)
class Why:
    """One question that moves a key, with its reasons."""

    question: str
    tree: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Depends:
    """An answer that is still possible, and the facts that would lead to it."""

    answer: str
    boxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What one government's rules say."""

    name: str
    status: str
    words: str
    why: tuple[Why, ...]
    conditions: tuple[str, ...]
    depends: tuple[tuple[str, tuple[Depends, ...]], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that would settle something, and what."""

    name: str
    label: str
    settles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that the law of a day says of one order."""

    on: date
    status: str
    keys: tuple[Key, ...]
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    digest: str


def ask(stated: Mapping[str, object], on: date, law: Law, lang: Lang) -> Answer:
    """Return what a law says of the stated facts on a day. Errors: UserError for facts that cannot stand together."""
    decided = decide(stated, on, law=law)
    assessment = assessment_of(decided, on)
    asked = {name for key in assessment.keys for name in headline_questions(decided, key.key)}
    return Answer(
        on,
        assessment.status,
        tuple(_key(key, decided, lang) for key in assessment.keys),
        tuple(
            Missing(name, fact_label(name, lang), tuple(question_text(one, decided, lang) for one in questions))
            for name, questions in missing_facts(assessment).items()
        ),
        tuple(notes(assessment, lang)),
        tuple(
            (question_text(key, decided, lang), answer_of(key, each.answer, decided.law, lang))
            for each in assessment.answers
            if each.answer is not None and (key := f"{each.regime}:{each.question}") not in asked
        ),
        assessment.law_digest,
    )


def problem(error: UserError) -> str:
    """Return in words why facts cannot stand together."""
    text = str(error).removeprefix("order: ")
    return text if phrases.lang() == "en" else _("These facts cannot stand together; check chip and figures.")


def _key(key: KeyAnswer, decided: Decided, lang: Lang) -> Key:
    return Key(
        key.key,
        key.status,
        key_text(key, decided, lang),
        tuple(
            Why(question_text(question, decided, lang), tree(reasons))
            for question, reasons in explain_key(decided, key.key, lang)
        ),
        tuple(text_of(decided.law.law.provisions[one], decided.law, lang) for one in key.conditions),
        tuple(
            (
                question_text(question, decided, lang),
                tuple(Depends(answer, tuple(boxes)) for answer, boxes in depending(decided, question, lang)),
            )
            for question in open_questions(key, decided)
        ),
    )


def tree(reasons: Sequence[Reason]) -> tuple[Node, ...]:
    """Return the flat lines of an explanation as a tree, by their depths.

    >>> [len(node.children) for node in tree([Reason(0, True, "a"), Reason(1, True, "b"), Reason(0, None, "c")])]
    [1, 0]
    """
    roots: list[Node] = []
    path: list[Node] = []
    for reason in reasons:
        regime, _colon, name = reason.provision.partition(":")
        node = Node(reason, _source(reason), reason.kind in _REPORTED, regime, name)
        del path[reason.depth :]
        (path[-1].children if path else roots).append(node)
        path.append(node)
    return tuple(roots)


def _source(reason: Reason) -> str:
    """Return paragraph, citation and confidence of a line as one text; the kind is shown beside it."""
    cited = phrases.cited(reason.citation)
    parts = (reason.paragraph, "" if reason.citation in reason.paragraph else cited, reason.confidence)
    return ("；" if phrases.lang() == "zh" else "; ").join(part for part in parts if part)
