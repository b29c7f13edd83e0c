"""An assessment as plain data (the published JSON form) and as Markdown, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from twokey.law.engine.facts import dictionary
from twokey.law.engine.words import Lang, answer_of, paragraph_of, question_of, text_of
from twokey.law.explaining import Reason, explain_key
from twokey.law.reach import depending
from twokey.law.records import Answer, Assessment, KeyAnswer
from twokey.law.state import Decided

SCHEMA: Final = "assessment.schema.json"

WORDS: Final[dict[str, dict[Lang, str]]] = {
    "export": {"en": "Export key", "zh": "出口钥匙"},
    "import": {"en": "Import key", "zh": "进口钥匙"},
    "clear": {"en": "can be turned", "zh": "可以转动"},
    "blocked": {"en": "blocked", "zh": "受阻"},
    "needs_information": {"en": "needs information", "zh": "需补充信息"},
    "overall": {"en": "Both keys", "zh": "两把钥匙"},
    "possible": {"en": "still possible", "zh": "仍可能为"},
    "depends": {"en": "Which answer, depending on what", "zh": "何种情形得何种答案"},
    "if": {"en": "if", "zh": "若"},
    "missing": {"en": "What is missing", "zh": "尚缺信息"},
    "settles": {"en": "would settle", "zh": "可确定"},
    "conditions": {"en": "What binds once the key is turned", "zh": "钥匙转动后须遵守"},
    "why": {"en": "Why", "zh": "理由"},
    "other": {"en": "Other answers", "zh": "其他问题"},
    "on": {"en": "on", "zh": "日期"},
    "reported": {"en": "reported guidance, not law", "zh": "据报道的指导，并非法律"},
    "notice": {
        "en": "Not legal advice. What is marked secondary, reported or uncertain was not verified at its source.",
        "zh": "非法律意见。标为二手、据报道或不确定的内容未经官方文本核实。",
    },
    "fact": {"en": "fact", "zh": "事实"},
    "question": {"en": "question", "zh": "问题"},
    "answer": {"en": "answer", "zh": "答案"},
    "no_law": {
        "en": "No instrument of the packs was in force on this day; the first takes effect on {0}.",
        "zh": "当日本规则包尚无任何文件生效；最早者自 {0} 起生效。",
    },
    "no_import_pack": {
        "en": "No pack holds the import rules of {0}; the import key shows what China's reported guidance says.",
        "zh": "暂无 {0} 的进口规则包；进口钥匙所示为中国据报道的监管指导对此类芯片的要求。",
    },
    "unpublished": {
        "en": "{0}: {1} is not published; it counts as unknown, never as zero.",
        "zh": "{0}：{1}未公布，按未知处理，绝不按零处理。",
    },
    "none": {"en": "nothing", "zh": "无"},
}


def word(name: str, lang: Lang) -> str:
    """Return one of this module's words in a language."""
    return WORDS[name][lang]


def fact_label(name: str, lang: Lang) -> str:
    """Return a fact's words; a fact of a contained circuit is named as such."""
    facts = dictionary()
    if name in facts:
        return facts[name].label(lang)
    inner = f"item.{name.removeprefix('item.contains.')}"
    if inner in facts:
        return (
            f"所含集成电路：{facts[inner].label(lang)}" if lang == "zh" else f"{facts[inner].en} of a contained circuit"
        )
    return name


def notes(assessment: Assessment, lang: Lang) -> list[str]:
    """Return the notes of an assessment in words."""
    return [
        word(name, lang).format(*(fact_label(one, lang) if one in dictionary() else one for one in parts))
        for name, *parts in assessment.notes
    ]


def key_text(key: KeyAnswer, decided: Decided, lang: Lang) -> str:
    """Return what a key's headline says: the answer, or the answers still possible."""
    question = _headline(key, decided)
    if key.answer is not None:
        return answer_of(question, key.answer, decided.law, lang)
    choices = [answer_of(question, one, decided.law, lang) for one in key.possible]
    return f"{word('possible', lang)}{'：' if lang == 'zh' else ': '}{('；' if lang == 'zh' else '; ').join(choices)}"


def _headline(key: KeyAnswer, decided: Decided) -> str:
    for pack in decided.law.law.packs.values():
        for headline in pack.headlines if pack.key == key.key else ():
            if set(key.possible) <= set(decided.law.law.questions[headline.question].answers):
                return headline.question
    raise KeyError(key.key)


def headline_questions(decided: Decided, key: str) -> list[str]:
    """Return the questions that move a key, "regime:name"."""
    return [one.question for pack in decided.law.law.packs.values() if pack.key == key for one in pack.headlines]


def open_questions(key: KeyAnswer, decided: Decided) -> list[str]:
    """Return the questions that hold an open key up; a lasting condition that is open does not."""
    if key.status != "needs_information":
        return []
    headlines = [one for pack in decided.law.law.packs.values() if pack.key == key.key for one in pack.headlines]
    return [one.question for one in headlines if not one.condition and decided.answer(one.question) is None]


def missing_facts(assessment: Assessment) -> dict[str, list[str]]:
    """Return the facts that hold a key up, each with the questions that it would help to settle."""
    wanted = {fact for key in assessment.keys for fact in key.missing}
    found: dict[str, list[str]] = {}
    for answer in assessment.answers:
        for fact in answer.missing:
            if fact in wanted:
                found.setdefault(fact, []).append(f"{answer.regime}:{answer.question}")
    return {**found, **{fact: [] for fact in wanted if fact not in found}}


def to_json(assessment: Assessment, decided: Decided, lang: Lang = "en") -> dict[str, Any]:
    """Return the assessment in its published form (`assessment.schema.json`); everything in it is JSON."""
    law = decided.law
    return {
        "schema": SCHEMA,
        "as_of": assessment.as_of.isoformat(),
        "language": lang,
        "status": assessment.status,
        "law_digest": assessment.law_digest,
        "overlays": [getattr(title, lang) for title in assessment.overlays],
        "notes": notes(assessment, lang),
        "notice": word("notice", lang),
        "facts": {name: _value(value) for name, value in assessment.facts.items()},
        "keys": {key.key: _key(key, decided, lang) for key in assessment.keys},
        "answers": [_answer(answer, decided, lang) for answer in assessment.answers],
        "missing": [
            {"fact": fact, "words": fact_label(fact, lang), "settles": questions}
            for fact, questions in missing_facts(assessment).items()
        ],
        "provisions": [
            {
                "id": one.provision,
                "paragraph": paragraph_of(law.law.provisions[one.provision], law, lang),
                "words": text_of(law.law.provisions[one.provision], law, lang),
                "value": one.value,
                "in_force": one.in_force,
                "instrument": one.instrument,
                "kind": one.kind,
                "confidence": one.confidence,
                "missing": list(one.missing),
            }
            for one in assessment.findings
        ],
    }


def _key(key: KeyAnswer, decided: Decided, lang: Lang) -> dict[str, Any]:
    return {
        "status": key.status,
        "answer": key.answer,
        "words": key_text(key, decided, lang),
        "possible": list(key.possible),
        "missing": list(key.missing),
        "conditions": [
            {"id": one, "words": text_of(decided.law.law.provisions[one], decided.law, lang)} for one in key.conditions
        ],
        "depends": [
            {"question": question, "answer": answer, "if": boxes}
            for question in open_questions(key, decided)
            for answer, boxes in depending(decided, question, lang)
        ],
        "why": [_reason(reason) for _, reasons in explain_key(decided, key.key, lang) for reason in reasons],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "depth": reason.depth,
        "value": reason.value,
        "words": reason.text,
        "provision": reason.provision,
        "paragraph": reason.paragraph,
        "instrument": reason.instrument,
        "citation": reason.citation,
        "kind": reason.kind,
        "confidence": reason.confidence,
    }


def _answer(answer: Answer, decided: Decided, lang: Lang) -> dict[str, Any]:
    question = f"{answer.regime}:{answer.question}"
    return {
        "question": answer.question,
        "regime": answer.regime,
        "answer": _value(answer.answer),
        "words": None if answer.answer is None else answer_of(question, answer.answer, decided.law, lang),
        "possible": list(answer.possible),
        "missing": list(answer.missing),
        "because": list(answer.because),
    }


def _value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    return value


def question_text(question: str, decided: Decided, lang: Lang) -> str:
    """Return a question in words, or the paragraph of a provision that is asked about as one."""
    if question in decided.law.law.provisions:
        return paragraph_of(decided.law.law.provisions[question], decided.law, lang)
    return question_of(decided.law.law.questions[question], decided.law.law, lang)


def to_markdown(assessment: Assessment, decided: Decided, title: str, lang: Lang = "en") -> str:
    """Return the assessment as a Markdown page."""
    return "\n".join(_markdown(assessment, decided, title, lang)) + "\n"


def _markdown(assessment: Assessment, decided: Decided, title: str, lang: Lang) -> Iterable[str]:
    yield f"# {title}"
    yield ""
    yield f"{assessment.as_of.isoformat()} · **{word(assessment.status, lang)}** · `{assessment.law_digest}`"
    for note in notes(assessment, lang):
        yield f"\n> {note}"
    for key in assessment.keys:
        yield f"\n## {word(key.key, lang)}: {word(key.status, lang)}\n"
        yield f"{key_text(key, decided, lang)}\n"
        for waiting in open_questions(key, decided):
            yield f"### {word('depends', lang)}: {question_text(waiting, decided, lang)}\n"
            for possible, boxes in depending(decided, waiting, lang):
                yield f"- {possible}"
                yield from (f"  - {word('if', lang)} {box}" for box in boxes)
            yield ""
        for asked, reasons in explain_key(decided, key.key, lang):
            yield f"### {question_text(asked, decided, lang)}\n"
            for reason in reasons:
                source = f" — {reason.source}" if reason.source else ""
                yield f"{'  ' * reason.depth}- {reason.mark} {reason.text}{source}"
            yield ""
        if key.conditions:
            yield f"### {word('conditions', lang)}\n"
            for one in key.conditions:
                yield f"- {text_of(decided.law.law.provisions[one], decided.law, lang)}"
    missing = missing_facts(assessment)
    yield f"\n## {word('missing', lang)}\n"
    if missing:
        yield f"| {word('fact', lang)} | | {word('settles', lang)} |\n|---|---|---|"
        for fact, questions in missing.items():
            yield f"| `{fact}` | {fact_label(fact, lang)} | {', '.join(questions)} |"
    else:
        yield word("none", lang)
    yield f"\n## {word('other', lang)}\n"
    yield f"| {word('question', lang)} | {word('answer', lang)} |\n|---|---|"
    for answer in assessment.answers:
        if answer.answer is not None:
            question = f"{answer.regime}:{answer.question}"
            given = answer_of(question, answer.answer, decided.law, lang)
            yield f"| {question_text(question, decided, lang)} | {given} |"
    yield f"\n*{word('notice', lang)}*"
