"""Why: the provisions that decided a question, as a tree of reasons with values, paragraphs and instruments.

Nothing is computed again: the values are those of the assessment, and words are made only for what is shown. A branch
shows what settled it: of a conjunction that fails, the part that fails; of one that is open, the parts that are open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import LawInForce
from twokey.law.engine.tree import And, AnyOf, Compare, Const, Fact, Member, Node, Not, Operand, Or, Ref, facts_of
from twokey.law.engine.words import Lang, answer_of, mark, paragraph_of, plain, sentence, text_of
from twokey.law.state import Decided


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation; `depth` is how far it is indented, `value` True, False or None for unknown."""

    depth: int
    value: bool | None
    text: str
    provision: str = ""
    paragraph: str = ""
    instrument: str = ""
    citation: str = ""
    kind: str = ""
    confidence: str = ""

    @property
    def mark(self) -> str:
        """Return ✓, ✗ or ?."""
        return mark(self.value)


def explain(decided: Decided, question: str, lang: Lang = "en") -> list[Reason]:
    """Return the reasons for the answer to a question ("regime:name"), most important first.

    `decided`: what the law of a day says of one order. Branches before the one that decided are shown in one line each.
    """
    return list(_Explainer(decided, lang).question(question))


class _Explainer:
    """Walks one question; a provision is unfolded once and named after that."""

    def __init__(self, decided: Decided, lang: Lang) -> None:
        self.decided, self.lang = decided, lang
        self.law: LawInForce = decided.law
        self.facts: Mapping[str, Any] = decided.facts
        self.shown: set[str] = set()

    def question(self, key: str) -> Iterator[Reason]:
        question = self.law.law.questions[key]
        if question.value is not None:
            for name in facts_of(question.value):
                value = self.facts.get(name)
                yield Reason(0, None if value is None else True, self._fact(name))
            return
        open_before = False
        for branch in question.branches:
            value = self.value(branch.condition, question.regime)
            answer = answer_of(key, branch.answer, self.law, self.lang)
            if value is False:
                continue
            last = branch.condition == Const(True)
            if last:
                word = {"en": "otherwise: ", "zh": "否则："}[self.lang]
                yield Reason(0, None if open_before else True, f"{word}{answer}")
            else:
                yield Reason(0, value if not open_before else None, f"{answer}{'：' if self.lang == 'zh' else ':'}")
                yield from self.node(branch.condition, question.regime, 1)
            if value is True:
                return
            open_before = True

    def value(self, node: Node, regime: str) -> bool | None:
        """Return the value of any condition, from the values of provisions and facts."""
        match node:
            case Const(value):
                return value  # type: ignore[return-value]  # a boolean, or None
            case Ref(key):
                return self.decided.value(key)
            case Fact(name):
                return self.facts.get(name)
            case Not(part):
                inner = self.value(part, regime)
                return None if inner is None else not inner
            case And(parts):
                values = [self.value(part, regime) for part in parts]
                return False if False in values else None if None in values else True
            case Or(parts):
                values = [self.value(part, regime) for part in parts]
                return True if True in values else None if None in values else False
            case AnyOf(key, items):
                return self.decided.any_of(key, items.name)
            case Member(item, group):
                value, listed = self._operand(item), self.law.value(regime, group.name)
                return None if value is None or listed is None else value in listed
            case Compare():
                return self.decided.compare(node, regime)

    def _operand(self, node: Operand) -> Any:
        return self.facts.get(node.name) if isinstance(node, Fact) else None

    def node(self, node: Node, regime: str, depth: int) -> Iterator[Reason]:
        value = self.value(node, regime)
        match node:
            case Ref(key):
                yield from self.provision(key, depth)
            case AnyOf(key, items):
                yield from self._list(key, items.name, value, regime, depth, node)
            case And(parts) | Or(parts) if not _one_fact(node):
                wanted = self._telling(parts, regime, value, settles=isinstance(node, Or))
                for part in wanted:
                    yield from self.node(part, regime, depth)
            case Not(part) if isinstance(part, Ref | And | Or) and not _one_fact(part):
                word = {"en": "not:", "zh": "并非："}[self.lang]
                if isinstance(part, Ref):
                    yield from self.provision(part.provision, depth)
                else:
                    yield Reason(depth, value, word)
                    yield from self.node(part, regime, depth + 1)
            case Const():
                return
            case _:
                yield Reason(depth, value, self._leaf(node, regime))

    def _telling(self, parts: tuple[Node, ...], regime: str, value: bool | None, *, settles: bool) -> list[Node]:
        """Return the parts that say why: the one that settled it, those that are open, or all of them."""
        valued = [(part, self.value(part, regime)) for part in parts]
        if value is settles:
            return [next(part for part, one in valued if one is settles)]
        if value is None:
            return [part for part, one in valued if one is None]
        return [part for part, _ in valued if not self._out_of_force(part)]

    def _out_of_force(self, node: Node) -> bool:
        return isinstance(node, Ref) and not self.law.force[node.provision]

    def provision(self, key: str, depth: int) -> Iterator[Reason]:
        provision = self.law.law.provisions[key]
        value = self.decided.value(key)
        instrument = self.law.law.instrument(provision)
        yield Reason(
            depth,
            value,
            text_of(provision, self.law, self.lang),
            key,
            paragraph_of(provision, self.law, self.lang),
            instrument.title_zh if self.lang == "zh" else instrument.title,
            instrument.citation or instrument.row,
            instrument.kind,
            instrument.confidence,
        )
        if key not in self.shown and self.law.force[key] and not isinstance(provision.tree, Fact):
            self.shown.add(key)
            yield from self.node(provision.tree, provision.regime, depth + 1)

    def _list(self, key: str, items: str, value: bool | None, regime: str, depth: int, node: AnyOf) -> Iterator[Reason]:
        text = self._words(node, regime)
        if self.facts.get(items) is None:
            unknown = {"en": "unknown", "zh": "未知"}[self.lang]
            text = f"{text} ({dictionary()[items].label(self.lang)}: {unknown})"
        yield Reason(depth, value, text, key)
        for part in self.decided.elements(key, items):
            name = part.facts.get("item.chip") or dictionary()["item.kind"].label(self.lang)
            yield Reason(depth + 1, part.value(key), str(name))
            yield from _Explainer(part, self.lang).provision(key, depth + 2)
            return

    def _words(self, node: Node, regime: str) -> str:
        """Return the sentence of a condition, made once for a day's law and language."""
        key = (id(node), self.lang)
        words = self.decided.state.words
        if key not in words:
            words[key] = sentence(node, regime, self.law, self.lang)
        return words[key]

    def _leaf(self, node: Node, regime: str) -> str:
        words = self._words(node, regime)
        given = "; ".join(self._given(name) for name in facts_of(node))
        if self.lang == "zh":
            return f"{words}（{given}）"
        return f"{words} ({given})"

    def _given(self, name: str) -> str:
        fact, value = dictionary()[name], self.facts.get(name)
        if value is None:
            return {"en": "unknown", "zh": "未知"}[self.lang]
        if isinstance(value, list):
            return ", ".join(str(one.get("item.chip", "?")) for one in value)
        return f"{plain(value, self.lang)} {fact.unit}".strip()

    def _fact(self, name: str) -> str:
        colon = "：" if self.lang == "zh" else ": "
        return f"{dictionary()[name].label(self.lang)}{colon}{self._given(name)}"


def _one_fact(node: Node) -> bool:
    """Return whether a condition is short enough for one line: comparisons of a single fact."""
    match node:
        case And(parts) | Or(parts):
            return len(facts_of(node)) == 1 and all(isinstance(part, Compare | Member) for part in parts)
        case _:
            return False


def words_of(decided: Decided, question: str, lang: Lang = "en") -> str:
    """Return the explanation as indented lines of text, the shortest form of it."""
    lines = []
    for reason in explain(decided, question, lang):
        source = f"  [{reason.paragraph}; {reason.citation}, {reason.confidence}]" if reason.provision and reason.citation else ""
        lines.append(f"{'  ' * reason.depth}{reason.mark} {reason.text}{source}")
    return "\n".join(lines)


