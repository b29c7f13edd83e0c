"""The words of `twokey law` and `twokey impact` in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twokey.law.engine.law import LawInForce
    from twokey.law.engine.words import Lang

WORDS: Final[dict[str, tuple[str, str]]] = {
    "effective": ("effective", "生效日"),
    "regime": ("regime", "规则包"),
    "kind": ("kind", "类别"),
    "instrument": ("instrument", "文件"),
    "confidence": ("confidence", "可信度"),
    "until": ("until {0}", "至 {0}"),
    "no_instrument": ("no instrument on these days", "所选日期内没有文件"),
    "what": ("what", "变动项"),
    "name": ("name", "名称"),
    "provision": ("provision", "条文"),
    "parameter": ("parameter", "参数"),
    "in_force": ("in force", "有效"),
    "not_in_force": ("not in force", "未生效"),
    "no_value": ("no value", "无数值"),
    "entries": ("{0} entries", "{0} 项"),
    "gained": (", with {0}", "，新增 {0}"),
    "unchanged": ("nothing changed between {0} and {1}", "{0} 至 {1} 之间没有变动"),
    "changes": ("{0} changes", "{0} 处变动"),
    "state": ("{0} on {1}; from {2}", "{1} {0}；自 {2} 起"),
    "state_until": ("{0} on {1}; from {2} until {3}", "{1} {0}；自 {2} 起至 {3}"),
    "used_by": ("used by {0}", "被引用于：{0}"),
    "from": ("from", "起始日"),
    "value": ("value", "数值"),
    "at": ("at", "出处"),
    "fact": ("fact", "事实"),
    "type": ("type", "类型"),
    "no_fact": ("no fact speaks of {0!r}", "没有事实提及 {0!r}"),
    "a_value": ("a value", "数值"),
    "compared": ("compared on {0}", "比较日：{0}"),
    "draft_from": ("from {0}; {1}", "自 {0} 起；{1}"),
    "lines": ("{0:,} lines: ", "{0:,} 行："),
    "stricter": ("{0:,} move to a stricter status", "{0:,} 行变严"),
    "looser": ("{0:,} to a looser one", "{0:,} 行变松"),
    "comma": (", ", "，"),
    "by_key": ("by key", "按钥匙"),
    "by_answer": ("by answer", "按答案"),
    "by_provision": ("by provision", "按条文"),
    "column_lines": ("lines", "行数"),
    "column_units": ("units", "件数"),
    "column_value": ("US$", "美元"),
    "reach": ("Every order that it could touch", "可能受影响的全部订单"),
    "ordinary": (
        "Boxes speak of one circuit that its vendor exports from the United States to parties whom nobody lists, all "
        "certifications made; a computer moves with the circuits that it contains.",
        "以下各格均指供应商自美国出口、交易方未被列名、各项证明均已作出的单个集成电路；计算机随其所含集成电路而定。",
    ),
    "no_reach": (
        "none: no order that the law can tell apart moves on a key",
        "无：凡法律可区分的订单，其钥匙均不变动",
    ),
    "share": ("{0} of all distinguishable orders", "占全部可区分订单的 {0}"),
    "tiny": ("under 0.01 %", "不足 0.01 %"),
    "more": ("… and further boxes (--boxes N)", "……另有其他情形（--boxes N）"),
}


def word(key: str, lang: Lang, *values: object) -> str:
    """Return words of these commands in a language, with values put in.

    >>> word("changes", "en", 3), word("changes", "zh", 3)
    ('3 changes', '3 处变动')
    """
    return WORDS[key][lang == "zh"].format(*values)


def move_words(key: str, before: str, after: str, law: LawInForce, lang: Lang) -> str:
    """Return how the answer to what turns a key moves: by its names in English, by its words in Chinese."""
    from twokey.law.engine.words import answer_of, question_of, text_of

    if lang == "en":
        return f"{key.partition(':')[2]}: {before} → {after}"
    question = law.law.questions.get(key)
    what = question_of(question, law.law, lang) if question else text_of(law.law.provisions[key], law, lang)
    return f"{what} {answer_of(key, before, law, lang)} → {answer_of(key, after, law, lang)}"
