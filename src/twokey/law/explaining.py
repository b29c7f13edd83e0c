"""Why: the provisions that decided a question, as a tree of reasons with values, paragraphs and instruments.

Nothing is decided again: the values are those of the assessment. A branch shows what settled it: of a conjunction that
fails, the part that fails; of one that is open, the parts that are open. What does not depend on the order (sentences,
paragraphs, sources) is written once for a day's law and language (`Outline`), so that explaining one more order costs
little more than walking the lines that are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import fold_condition
from twokey.law.engine.law import LawInForce
from twokey.law.engine.one import Get, compile_condition
from twokey.law.engine.tree import And, AnyOf, Compare, Const, Fact, Member, Node, Not, Or, Ref, facts_of, refs_of
from twokey.law.engine.words import Lang, answer_of, confidence, kind, mark, paragraph_of, plain, sentence, text_of
from twokey.law.state import Decided, State


class Reason(NamedTuple):
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
    source: str = ""  # paragraph, citation, kind where it is no rule, and confidence, as one text

    @property
    def mark(self) -> str:
        """Return ✓, ✗ or ?."""
        return mark(self.value)


def explain(decided: Decided, question: str, lang: Lang = "en") -> list[Reason]:
    """Return the reasons for the answer to a question ("regime:name"), in the order in which its branches are asked.

    `decided`: what the law of a day says of one order. Branches that fail are left out: the answer that they lead to is
    not the one given.
    """
    lines: list[Reason] = []
    outline = outline_of(decided.state, lang)
    _Explanation(decided, outline, lines, set()).question(question)
    return lines


def explain_provision(decided: Decided, key: str, lang: Lang = "en") -> list[Reason]:
    """Return the reasons for the value of one provision ("regime:name"), such as a condition of a licence."""
    lines: list[Reason] = []
    outline = outline_of(decided.state, lang)
    _Explanation(decided, outline, lines, set())._show(outline.provision(key), decided.value(key), 0)
    return lines


def explain_key(decided: Decided, key: str, lang: Lang = "en") -> list[tuple[str, list[Reason]]]:
    """Return what moves a key, each with its reasons: headline questions, and the overlays' own conditions on it."""
    law = decided.law.law
    questions = [one.question for pack in law.packs.values() if pack.key == key for one in pack.headlines]
    conditions = [provision for gate, provision in law.gates if gate == key]
    return [(one, explain(decided, one, lang)) for one in questions] + [
        (one, explain_provision(decided, one, lang)) for one in conditions
    ]


def value_of(decided: Decided, outline: Outline, item: Item) -> bool | None:
    """Return what the words of a condition add up to for one order; it is the value that the law gives it."""
    return _Explanation(decided, outline, [], set())._value(item)


def words_of(decided: Decided, question: str, lang: Lang = "en") -> str:
    """Return the explanation as indented lines of text, the shortest form of it."""
    return "\n".join(
        f"{'  ' * one.depth}{one.mark} {one.text}{f'  [{one.source}]' if one.source else ''}"
        for one in explain(decided, question, lang)
    )


# -- what does not depend on the order --------------------------------------------------------------------------------


def _never(get: Get) -> bool | None:
    return None


@dataclass(slots=True, eq=False)
class Item:
    """A condition in outline: what it is, its words, and its parts; `key` is a provision."""

    kind: str  # provision, list, all, any, not, leaf, const
    node: Node
    words: str = ""
    key: str = ""
    facts: tuple[str, ...] = ()
    parts: tuple[Item, ...] = ()
    source: tuple[str, ...] = ()
    regime: str = ""
    holds: Callable[[Get], bool | None] = _never


@dataclass(slots=True)
class Outline:
    """The words of one day's law in one language, made as they are first needed."""

    law: LawInForce
    lang: Lang
    provisions: dict[str, Item] = field(default_factory=dict)
    insides: dict[str, Item] = field(default_factory=dict)
    questions: dict[str, list[tuple[Item, str]]] = field(default_factory=dict)

    def question(self, key: str) -> list[tuple[Item, str]]:
        """Return the branches of a question with the words of their answers."""
        if key not in self.questions:
            question = self.law.law.questions[key]
            colon, otherwise = {"en": (":", "otherwise: {}"), "zh": ("：", "否则：{}")}[self.lang]
            branches = []
            for branch in question.branches:
                words = answer_of(key, branch.answer, self.law, self.lang)
                last = branch.condition == Const(True)
                branches.append(
                    (self.item(branch.condition, question.regime), otherwise.format(words) if last else words + colon)
                )
            self.questions[key] = branches
        return self.questions[key]

    def provision(self, key: str) -> Item:
        """Return the line of a provision."""
        if key not in self.provisions:
            one = self.law.law.provisions[key]
            instrument = self.law.law.instrument(one)
            paragraph, cited = paragraph_of(one, self.law, self.lang), instrument.citation or instrument.row
            told, known = kind(instrument.kind, self.lang), confidence(instrument.confidence, self.lang)
            shown = (
                paragraph,
                "" if cited in paragraph else cited,
                "" if instrument.kind in ("rule", "statute") else told,
                known,
            )
            title = instrument.title_zh if self.lang == "zh" else instrument.title
            separator = "；" if self.lang == "zh" else "; "
            about = (paragraph, title, cited, told, known, separator.join(part for part in shown if part))
            words = text_of(one, self.law, self.lang)
            self.provisions[key] = Item("provision", Ref(key), words, key, source=about, regime=one.regime)
        return self.provisions[key]

    def inside(self, key: str) -> Item | None:
        """Return what a provision says, or None where there is nothing to unfold."""
        one = self.law.law.provisions[key]
        if not self.law.force[key] or isinstance(one.tree, Fact):
            return None
        if key not in self.insides:
            self.insides[key] = self.item(one.tree, one.regime)
        return self.insides[key]

    def item(self, node: Node, regime: str) -> Item:
        """Return the outline of a condition."""
        match node:
            case Ref(key):
                return self.provision(key)
            case Const():
                return Item("const", node)
            case AnyOf(key, items):
                words = sentence(node, regime, self.law, self.lang)
                return Item("list", node, words, key, (items.name,), regime=regime)
            case And(parts) | Or(parts) if not _one_fact(node):
                if isinstance(node, And):
                    return Item("all", node, parts=tuple(self.item(part, regime) for part in parts), regime=regime)
                inner = tuple(self.item(part, regime) for part in parts if not self._out_of_force(part))
                return Item("any", node, parts=inner, regime=regime)
            case Not(part) if refs_of(part) or (isinstance(part, And | Or) and not _one_fact(part)):
                word = {"en": "not:", "zh": "并非："}[self.lang] if isinstance(part, And | Or) else ""
                return Item("not", node, word, parts=(self.item(part, regime),), regime=regime)
            case _:
                words = sentence(node, regime, self.law, self.lang)
                holds = compile_condition(fold_condition(node, regime, self.law))
                return Item("leaf", node, words, facts=facts_of(node), regime=regime, holds=holds)

    def _out_of_force(self, node: Node) -> bool:
        return isinstance(node, Ref) and not self.law.force[node.provision]


def outline_of(state: State, lang: Lang) -> Outline:
    """Return the outline of a day's law in a language; it is made once."""
    found = state.kept.get(lang)
    if not isinstance(found, Outline):
        found = state.kept[lang] = Outline(state.law, lang)
    return found


def _one_fact(node: Node) -> bool:
    """Return whether a condition is short enough for one line: comparisons of a single fact."""
    match node:
        case And(parts) | Or(parts):
            return len(facts_of(node)) == 1 and all(isinstance(part, Compare | Member) for part in parts)
        case _:
            return False


# -- one order --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Explanation:
    """Walks the outline with one order's values; a provision is unfolded once and only named after that."""

    decided: Decided
    outline: Outline
    lines: list[Reason]
    shown: set[str]

    def question(self, key: str) -> None:
        question = self.outline.law.law.questions[key]
        if question.value is not None:
            colon = "：" if self.outline.lang == "zh" else ": "
            for name in facts_of(question.value):
                known = self.decided.facts.get(name) is not None
                label = dictionary()[name].label(self.outline.lang)
                self.lines.append(Reason(0, known or None, f"{label}{colon}{self._given(name)}"))
            return
        open_before = False
        for item, words in self.outline.question(key):
            value = self._value(item)
            if value is False:
                continue
            self.lines.append(Reason(0, None if open_before else value, words))
            self._show(item, value, 1)
            if value is True:
                return
            open_before = True

    def _value(self, item: Item) -> bool | None:
        match item.kind:
            case "leaf":
                return item.holds(self.decided.facts.get)
            case "provision":
                return self.decided.value(item.key)
            case "const":
                return item.node.value  # type: ignore[union-attr, return-value]  # a constant's node is a Const
            case "list":
                return self.decided.any_of(item.key, item.facts[0])
            case "not":
                inner = self._value(item.parts[0])
                return None if inner is None else not inner
            case joined:
                settles = joined == "any"
                result: bool | None = not settles
                for part in item.parts:
                    value = self._value(part)
                    if value is settles:
                        return settles
                    if value is None:
                        result = None
                return result

    def _show(self, item: Item, value: bool | None, depth: int) -> None:
        match item.kind:
            case "provision":
                self.lines.append(Reason(depth, value, item.words, item.key, *item.source))
                inside = None if item.key in self.shown else self.outline.inside(item.key)
                if inside is not None:
                    self.shown.add(item.key)
                    self._show(inside, self._value(inside), depth + 1)
            case "all" | "any":
                self._show_parts(item, value, depth)
            case "not":
                if item.words:
                    self.lines.append(Reason(depth, value, item.words))
                    depth += 1
                self._show(item.parts[0], None if value is None else not value, depth)
            case "list":
                self._show_list(item, value, depth)
            case "leaf":
                self.lines.append(Reason(depth, value, f"{item.words}{self._bracketed(item.facts)}"))

    def _show_parts(self, item: Item, value: bool | None, depth: int) -> None:
        """Show the part that settled it, or those that are open, or all where all count."""
        settles = item.kind == "any"
        for part in item.parts:
            one = self._value(part)
            if value is settles and one is settles:
                self._show(part, one, depth)
                return
            if value is not settles and (value is not None or one is None):
                self._show(part, one, depth)

    def _show_list(self, item: Item, value: bool | None, depth: int) -> None:
        self.lines.append(Reason(depth, value, f"{item.words}{self._bracketed(item.facts)}", item.key))
        for circuit in self.decided.elements(item.key, item.facts[0]):
            name = circuit.facts.get("item.chip") or dictionary()["item.kind"].label(self.outline.lang)
            self.lines.append(Reason(depth + 1, circuit.value(item.key), str(name)))
            inner = _Explanation(circuit, self.outline, self.lines, set(self.shown))
            inner._show(self.outline.provision(item.key), circuit.value(item.key), depth + 2)
            return

    def _bracketed(self, facts: tuple[str, ...]) -> str:
        chinese = self.outline.lang == "zh"
        given = self._given(facts[0]) if len(facts) == 1 else ("；" if chinese else "; ").join(map(self._given, facts))
        return f"（{given}）" if chinese else f" ({given})"

    def _given(self, name: str) -> str:
        value = self.decided.facts.get(name)
        if value is None:
            return {"en": "unknown", "zh": "未知"}[self.outline.lang]
        if isinstance(value, list):
            return ("、" if self.outline.lang == "zh" else ", ").join(str(one.get("item.chip", "?")) for one in value)
        fact = dictionary()[name]
        shown = fact.word(value, self.outline.lang) if isinstance(value, str) else plain(value, self.outline.lang)
        return f"{shown} {fact.unit_in(self.outline.lang)}" if fact.unit else shown
