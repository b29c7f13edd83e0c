"""A reason of a service as a sentence in the language of the page: every code, field, day and amount is in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.utils.formats import date_format

from twokey.desk.audit.models import Event
from twokey.desk.cases.naming import evidence_words
from twokey.desk.reasons import Problem, Reason, problems, sentences
from twokey.desk.web.base.words import VERBS, WORDS, language, word

# Which tables say a value of a reason; where several could, the first that knows the code does.
_OF_VALUE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "side": ("side",),
        "status": ("status",),
        "state": ("state",),
        "task": ("task",),
        "allowed": ("state",),
        "role": ("role",),
        "action": ("action",),
        "place": ("place",),
        "places": ("place",),
        "what": ("thing",),
        "criteria": ("criterion",),
        "known": ("place", "outcome", "recommendation", "document", "kind", "party", "window"),
        "detail": ("scan",),
    }
)
_DAYS: Final = frozenset({"on", "until", "at"})
_AMOUNTS: Final = frozenset({"amount", "limit", "asked", "left", "units", "released", "size", "most", "rows"})
# A space between two Chinese characters or marks comes from a code that was put into words.
_BETWEEN_HAN: Final = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef“”]) (?=[\u3000-\u9fff\uff00-\uffef“”])")
_ITEM: Final = re.compile(r"\[(\d+)\]")


def say(reason: Reason) -> str:
    """Return a reason in the language of the request, with every code in it put into words."""
    lang = language()
    about = str(reason.values.get("about", ""))
    if reason.code == "incomplete" and about.startswith(("evidence:", "fact:")):
        return sentences()[reason.code][lang].format(**_lacking(about, lang))
    values = _values(reason.values, lang, money=reason.code == "batch_value" or reason.values.get("what") == "value")
    if "answer" in values:
        values["answer"] = _answer(str(values["answer"]), str(reason.values.get("side", "")), lang)
    text = sentences()[reason.code][lang].format(**values)
    return _BETWEEN_HAN.sub("", text) if lang == "zh" else text


def evidence_name(code: str) -> str:
    """Return what a piece of evidence shows: a condition's word, or the law's words for a certification."""
    return evidence_words(code, language())


def happened(event: Event) -> str:
    """Return an event in words: what was done, to what, and who did it."""
    verb = str(VERBS.get(event.verb, event.verb))
    number = event.payload.get("number") or ""
    name = event.payload.get("name") if event.verb.startswith(("case.evidence", "evidence.")) else ""
    parts = [verb, evidence_name(str(name)) if name else "", str(number)]
    who = event.authority or event.actor
    return " · ".join(part for part in [*parts, who] if part)


def day_in_words(day: date) -> str:
    """Return a day as it is written in the language of the request: 28 January 2026, or 2026年1月28日."""
    return date_format(day, "Y年n月j日" if language() == "zh" else "j\xa0F\xa0Y")


def _values(values: Mapping[str, Any], lang: str, *, money: bool = False) -> dict[str, Any]:
    return {name: _value(name, value, lang, money=money) for name, value in values.items()}


def _value(name: str, value: Any, lang: str, *, money: bool) -> Any:
    if isinstance(value, Problem):
        return problems()[value.code][lang].format(**_values(value.values, lang))
    if name == "facts":
        return _comma(lang).join(_fact(each) for each in str(value).split(", "))
    if name == "field":
        return _field(str(value), lang)
    if name in _DAYS:
        return _day(value)
    if name in _AMOUNTS and type(value) is int:
        return f"{value // 100:,}.{value % 100:02d}" if money else f"{value:,}"
    if name == "code":
        return f"“{evidence_name(str(value))}”"
    if name not in _OF_VALUE:
        return value
    return _comma(lang).join(_one(part, name) for part in str(value).split(", "))


def _one(part: str, name: str) -> str:
    head, _space, number = part.rpartition(" ")
    for table in _OF_VALUE[name]:
        if part in WORDS[table]:
            return word(part, table)
        if number.isdecimal() and head in WORDS[table]:
            return f"{word(head, table)} {number}"
    return part


def _field(name: str, lang: str) -> str:
    """Return the words of a field: `lines[0].units` is "Item 1: Units"; `facts.end_use.necessary` is the law's."""
    if name.startswith("facts."):
        return _fact(name.removeprefix("facts."))
    head, _space, number = name.rpartition(" ")
    if number.isdecimal() and head == "row":
        return f"第 {number} 行" if lang == "zh" else f"Line {number}"
    last = word(name, "field") if name in WORDS["field"] else word(_ITEM.sub("", name).rpartition(".")[2], "field")
    item = _ITEM.search(name)
    if item is None:
        return last
    place = int(item.group(1)) + 1
    return f"第 {place} 项：{last}" if lang == "zh" else f"Item {place}: {last}"


def _day(value: Any) -> str:
    try:
        return day_in_words(date.fromisoformat(str(value)[:10]))
    except ValueError:
        return str(value)


def _answer(code: str, side: str, lang: str) -> str:
    """Return what the law answers for a key, in words; every pack names its own answers."""
    from twokey.law import law

    found = (pack.answers[code] for pack in law().packs.values() if pack.key == side and code in pack.answers)
    return next((str(words[lang]) for words in found), code)


def _lacking(about: str, lang: str) -> dict[str, str]:
    """Return the words of one thing that an application lacks: `evidence:kyc`, `fact:end_use.supercomputer`."""
    sort, _colon, name = about.partition(":")
    words = evidence_name(name) if sort == "evidence" else _fact(name)
    before = {("evidence", "en"): "evidence in force: ", ("evidence", "zh"): "有效证据——"}
    before |= {("fact", "en"): "a fact: ", ("fact", "zh"): "事实——"}
    text = before[sort, lang] + words
    return {"what": text, "what_zh": text}


def _fact(name: str) -> str:
    from twokey.law.report import fact_label

    return fact_label(name, language())


def _comma(lang: str) -> str:
    return "、" if lang == "zh" else ", "
