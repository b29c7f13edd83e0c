"""A provision's tree as a sentence, in English and in Chinese, with the values that are in force."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal

from twokey.law.engine.define import Provision, Question
from twokey.law.engine.facts import dictionary, unit_in
from twokey.law.engine.law import NOT_ASKED, Law, LawInForce
from twokey.law.engine.tree import And, AnyOf, Arith, Compare, Const, Fact, Member, Node, Not, Operand, Or, Param, Ref

Lang = Literal["en", "zh"]

_COMPARED: Final[dict[str, dict[str, str]]] = {
    "en": {
        ">=": "{0} is {1} or more",
        ">": "{0} is more than {1}",
        "<=": "{0} is at most {1}",
        "<": "{0} is less than {1}",
        "==": "{0} is {1}",
        "!=": "{0} is not {1}",
    },
    "zh": {
        ">=": "{0}不低于 {1}",
        ">": "{0}高于 {1}",
        "<=": "{0}不高于 {1}",
        "<": "{0}低于 {1}",
        "==": "{0}为{1}",
        "!=": "{0}不为{1}",
    },
}
_DATED: Final[dict[str, dict[str, str]]] = {
    "en": {
        "<=": "{0} is {1} or earlier",
        "<": "{0} is before {1}",
        ">=": "{0} is {1} or later",
        ">": "{0} is after {1}",
    },
    "zh": {"<=": "{0}不晚于 {1}", "<": "{0}早于 {1}", ">=": "{0}不早于 {1}", ">": "{0}晚于 {1}"},
}
_FLIP: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_MARKS: Final = {True: "✓", False: "✗", None: "?"}


_CONFIDENCE_ZH: Final = {
    "primary": "一手",
    "secondary": "二手",
    "uncertain": "不确定",
    "computed": "推算",
    "high": "高",
    "medium-high": "中高",
    "medium": "中",
    "low-medium": "中低",
    "low": "低",
    "stated": "自述",
    "assumed": "假定",
}
_KIND_ZH: Final = {
    "statute": "法律",
    "rule": "规章",
    "order": "命令",
    "letter": "函件",
    "guidance": "指引",
    "reported": "据报道",
    "draft": "草案",
    "overlay": "叠加",
}


_GATE_WORDS: Final = {
    "met": {"en": "met", "zh": "符合"},
    "not_met": {"en": "not met", "zh": "不符合"},
    NOT_ASKED: {"en": "not asked", "zh": "未要求"},
}


def confidence(value: str, lang: Lang = "en") -> str:
    """Return how well an instrument is known, in words; a longer remark is returned as it is."""
    return _CONFIDENCE_ZH.get(value, value) if lang == "zh" else value


def kind(value: str, lang: Lang = "en") -> str:
    """Return the kind of an instrument in words."""
    return _KIND_ZH.get(value, value) if lang == "zh" else value


def mark(value: bool | None) -> str:
    """Return the mark of a value: ✓ holds, ✗ does not, ? unknown."""
    return _MARKS[value]


def number(value: float) -> str:
    """Return a number as people read it.

    >>> number(15832.0), number(5.92), number(0.5)
    ('15,832', '5.92', '0.5')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"


def plain(value: Any, lang: Lang = "en") -> str:
    """Return one value of a fact or a parameter in words."""
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "zh": ("否", "是")}[lang][value]
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(str(one) for one in value))
    return str(value)


def text_of(provision: Provision, law: LawInForce, lang: Lang = "en") -> str:
    """Return our own short words for a paragraph."""
    if lang == "zh":
        words = law.law.packs[provision.regime].words_zh.get("provisions", {})
        return str(words.get(provision.name, provision.text)) if isinstance(words, dict) else provision.text
    return provision.text


def paragraph_of(provision: Provision, law: LawInForce, lang: Lang = "en") -> str:
    """Return the name of the paragraph, in Chinese where it is a phrase and not a citation."""
    if lang == "zh":
        names = law.law.packs[provision.regime].words_zh.get("paragraphs", {})
        if isinstance(names, dict):
            return str(names.get(provision.paragraph, provision.paragraph))
    return provision.paragraph


def answer_of(question: str, answer: Any, law: LawInForce, lang: Lang = "en") -> str:
    """Return an answer of a question or a gate ("regime:name") in words."""
    if not isinstance(answer, str):
        return plain(answer, lang)
    words = law.law.packs[question.partition(":")[0]].answers.get(answer) or _GATE_WORDS.get(answer)
    return words[lang] if words else answer


def question_of(question: Question, law: Law, lang: Lang = "en") -> str:
    """Return a question in words."""
    words = law.packs[question.regime].words_zh.get("questions", {}) if lang == "zh" else {}
    return str(words.get(question.name, question.text))


def sentence(node: Node, regime: str, law: LawInForce, lang: Lang = "en") -> str:
    """Return a condition as a sentence; references stand as the names of their paragraphs.

    `node`: a tree as defined (not folded). The result has the values of the day and their units.
    """
    return _Writer(regime, law, lang).condition(node)


def operand(node: Operand, regime: str, law: LawInForce, lang: Lang = "en") -> str:
    """Return one side of a comparison in words."""
    return _Writer(regime, law, lang).operand(node)


class _Writer:
    """Writes the words of one tree."""

    def __init__(self, regime: str, law: LawInForce, lang: Lang) -> None:
        self.regime, self.law, self.lang = regime, law, lang
        self.chinese = lang == "zh"

    def condition(self, node: Node, inside: bool = False) -> str:
        match node:
            case Const(value):
                return plain(value, self.lang) if value is not None else "?"
            case Fact(name):
                return dictionary()[name].label(self.lang)
            case Ref(key) | AnyOf(key, _):
                name = paragraph_of(self.law.law.provisions[key], self.law, self.lang)
                if self.chinese or " " in name:
                    name = f"“{name}”"
                if isinstance(node, Ref):
                    return name
                return f"其所含任一集成电路符合{name}" if self.chinese else f"any circuit that it contains meets {name}"
            case Not(Member(item, group)):
                return self._member(item, group, negated=True)
            case Not(part):
                inner = self.condition(part)
                if self.chinese:
                    return f"并非{inner}" if isinstance(part, Ref) else f"并非（{inner}）"
                return f"not {inner}" if isinstance(part, Ref) else f"not ({inner})"
            case And(parts) if (chained := self._chained(parts)) is not None:
                return chained
            case And(parts):
                return self._joined(parts, "且" if self.chinese else " and ", inside)
            case Or(parts):
                return self._joined(parts, "或" if self.chinese else " or ", inside)
            case Member(item, group):
                return self._member(item, group, negated=False)
            case Compare(op, left, right):
                if isinstance(left, Param | Const) and not isinstance(right, Param | Const):
                    op, left, right = _FLIP[op], right, left
                table = _DATED if self._is_date(left) and op in _DATED["en"] else _COMPARED
                return table[self.lang][op].format(self.operand(left), self._other(left, right))
            case _:
                raise TypeError(node)

    def _is_date(self, node: Operand) -> bool:
        return isinstance(node, Fact) and dictionary()[node.name].type == "date"

    def _other(self, left: Operand, right: Operand) -> str:
        """Return the right side; a choice of the fact on the left stands in words."""
        if isinstance(left, Fact) and isinstance(right, Const) and isinstance(right.value, str):
            return dictionary()[left.name].word(right.value, self.lang)
        return self.operand(right)

    def _chained(self, parts: tuple[Node, ...]) -> str | None:
        match parts:
            case (Compare("<=" | "<" as low_op, low, middle), Compare("<" | "<=" as high_op, again, high)) if (
                middle == again
            ):
                low_words, name, high_words = self.operand(low), self.operand(middle), self.operand(high)
                if self.chinese:
                    start = f"不低于 {low_words}" if low_op == "<=" else f"高于 {low_words}"
                    return f"{name}{start}且{'低于' if high_op == '<' else '不高于'} {high_words}"
                start = f"{low_words} or more" if low_op == "<=" else f"more than {low_words}"
                return f"{name} is {start} and {'less than' if high_op == '<' else 'at most'} {high_words}"
            case _:
                return None

    def _joined(self, parts: tuple[Node, ...], word: str, inside: bool) -> str:
        text = word.join(self.condition(part, inside=True) for part in parts)
        if not inside:
            return text
        return f"（{text}）" if self.chinese else f"({text})"

    def _member(self, item: Operand, group: Operand, *, negated: bool) -> str:
        verb = ("不属于" if negated else "属于") if self.chinese else (" is not in " if negated else " is in ")
        return f"{self.operand(item)}{verb}{self.operand(group)}"

    def operand(self, node: Operand) -> str:
        match node:
            case Fact(name):
                return dictionary()[name].label(self.lang)
            case Param(name):
                return self._parameter(name)
            case Const(value):
                return plain(value, self.lang)
            case Arith("years_after", left, right):
                if self.chinese:
                    return f"{self.operand(left)}之后{self.operand(right)}"
                return f"{self.operand(right)} after {self.operand(left)}"
            case Arith(op, left, right):
                words: dict[str, tuple[str, str]] = {"+": ("plus", "加"), "-": ("less", "减"), "*": ("times", "乘以")}
                word = words[op][self.chinese]
                return f"{self.operand(left)}{word if self.chinese else f' {word} '}{self.operand(right)}"
            case _:
                raise TypeError(node)

    def _parameter(self, name: str) -> str:
        parameter = self.law.law.packs[self.regime].parameters[name]
        value = self.law.value(self.regime, name)
        label = parameter.zh if self.chinese else parameter.en
        if value is None:
            return f"{label}（未定）" if self.chinese else f"{label} (not set)"
        if isinstance(value, frozenset):
            return label
        if isinstance(value, int | float):
            return f"{number(value)} {unit_in(parameter.unit, self.lang)}".strip()
        return plain(value, self.lang)
