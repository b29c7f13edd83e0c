"""An assessment in the terminal: both keys at a glance, then why, then what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from twokey.cli.shared import console
from twokey.law.engine.words import Lang, answer_of, number, paragraph_of, text_of
from twokey.law.explaining import Reason, explain, explain_key
from twokey.law.reach import depending
from twokey.law.records import Assessment, KeyAnswer
from twokey.law.report import (
    fact_label,
    headline_questions,
    key_text,
    missing_facts,
    notes,
    open_questions,
    question_text,
    word,
)
from twokey.law.state import Decided

STYLE: Final = {"clear": "green", "blocked": "red", "needs_information": "yellow"}
SIGN: Final = {"clear": "✓", "blocked": "✗", "needs_information": "?"}
_VALUE: Final[Mapping[bool | None, str]] = {True: "green", False: "red", None: "yellow"}


def show(
    assessment: Assessment,
    decided: Decided,
    title: str,
    lang: Lang,
    *,
    everything: bool = False,
    brief: bool = False,
    screen: Console | None = None,
) -> None:
    """Print one assessment on a console; by default the terminal."""
    screen = screen or console()
    screen.print(Text(title, "bold"))
    screen.print(Text(_summary(assessment, lang), "dim"))
    screen.print()
    screen.print(_keys(assessment, decided, lang))
    for note in notes(assessment, lang):
        screen.print(Text(f"! {note}", "yellow"))
    for key in assessment.keys:
        if brief:
            _deciding_lines(screen, key, decided, lang)
        else:
            _explain_key(screen, key, decided, lang)
        _depends(screen, key, decided, lang)
    _missing(screen, assessment, decided, lang)
    if everything:
        _others(screen, assessment, decided, lang)
    screen.print()
    screen.print(Text(word("notice", lang), "dim"))


def _summary(assessment: Assessment, lang: Lang) -> str:
    facts = assessment.facts
    parts = [assessment.as_of.isoformat()]
    chips = [str(one.get("item.chip", "?")) for one in facts.get("item.contains", ())] or [
        str(facts.get("item.chip", ""))
    ]
    what = ", ".join(one for one in chips if one)
    quantity = facts.get("item.quantity")
    if what:
        parts.append(f"{number(quantity)} × {what}" if quantity is not None else what)
    origin, destination = facts.get("movement.origin"), facts.get("movement.destination")
    if origin or destination:
        parts.append(f"{origin or '?'} → {destination or '?'}")
    parts += [
        *(getattr(title, lang) for title in assessment.overlays),
        f"{'法律摘要' if lang == 'zh' else 'law'} {assessment.law_digest}",
    ]
    return " · ".join(parts)


def _keys(assessment: Assessment, decided: Decided, lang: Lang) -> Table:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(*(_panel(key, decided, lang) for key in assessment.keys))
    return grid


def _panel(key: KeyAnswer, decided: Decided, lang: Lang) -> Panel:
    packs = [pack for pack in decided.law.law.packs.values() if pack.key == key.key]
    style = STYLE[key.status]
    body: list[Any] = [
        Text(f"{SIGN[key.status]} {word(key.status, lang)}", f"bold {style}"),
        Text(key_text(key, decided, lang)),
    ]
    for gate, provision in decided.law.law.gates:
        if gate == key.key and decided.value(provision) is not True:
            mark = {False: "✗", None: "?"}[decided.value(provision)]
            one = decided.law.law.provisions[provision]
            body.append(Text(f"{mark} {text_of(one, decided.law, lang)} [{one.paragraph}]", style))
    reasons = [reason for _, reasons in explain_key(decided, key.key) for reason in reasons]
    if any(reason.kind == "reported" for reason in reasons):
        body.append(Text(word("reported", lang), "dim italic"))
    title = f"{word(key.key, lang)} · {packs[0].jurisdiction}"
    return Panel(Group(*body), title=title, title_align="left", border_style=style, padding=(0, 1))


def _deciding_lines(screen: Console, key: KeyAnswer, decided: Decided, lang: Lang) -> None:
    """Print the first two levels of the headline that decides a key."""
    told = explain_key(decided, key.key, lang)
    questions = headline_questions(decided, key.key)
    telling = next((one for one in questions if decided.answer(one) == key.answer), questions[0])
    reasons = [reason for reason in dict(told)[telling] if reason.depth < 3]
    screen.print(
        tree(reasons, f"{word(key.key, lang)}{'：' if lang == 'zh' else ': '}{question_text(telling, decided, lang)}")
    )


def _explain_key(screen: Console, key: KeyAnswer, decided: Decided, lang: Lang) -> None:
    screen.print()
    title = f"{word('why', lang)}{'：' if lang == 'zh' else ': '}{word(key.key, lang)}"
    screen.print(Text(title, f"bold {STYLE[key.status]}"))
    for asked, reasons in explain_key(decided, key.key, lang):
        screen.print(tree(reasons, question_text(asked, decided, lang)))
    if key.conditions:
        screen.print(Text(word("conditions", lang), "bold"))
        for one in key.conditions:
            provision = decided.law.law.provisions[one]
            line = Text(f"• {text_of(provision, decided.law, lang)} ")
            screen.print(Padding(line.append(f"[{paragraph_of(provision, decided.law, lang)}]", "dim"), (0, 0, 0, 2)))


def tree(reasons: list[Reason], title: str) -> Tree:
    """Return reasons as a tree that a terminal shows."""
    root = Tree(Text(title, "bold"), guide_style="dim")
    branch = [root]
    for reason in reasons:
        del branch[reason.depth + 1 :]
        branch.append(branch[-1].add(_line(reason)))
    return root


def _line(reason: Reason) -> Text:
    line = Text(f"{reason.mark} ", _VALUE[reason.value]).append(reason.text, "default")
    if reason.source:
        line.append(f" [{reason.source}]", "dim")
    return line


def _depends(screen: Console, key: KeyAnswer, decided: Decided, lang: Lang) -> None:
    """Print, for a key that is open, the answers still possible and the facts that lead to each."""
    for question in open_questions(key, decided):
        screen.print()
        screen.print(
            Text(
                f"{word('depends', lang)}{'：' if lang == 'zh' else ': '}{question_text(question, decided, lang)}",
                "bold yellow",
            )
        )
        for answer, boxes in depending(decided, question, lang):
            screen.print(Text(f"  {answer}"))
            for box in boxes:
                screen.print(
                    Padding(Text(f"{word('if', lang)}{'' if lang == 'zh' else ' '}{box}", "dim"), (0, 0, 0, 4))
                )


def _missing(screen: Console, assessment: Assessment, decided: Decided, lang: Lang) -> None:
    missing = missing_facts(assessment)
    if not missing:
        return
    screen.print()
    table = Table(
        title=word("missing", lang), title_justify="left", title_style="bold yellow", box=None, padding=(0, 2, 0, 0)
    )
    table.add_column(word("fact", lang), style="yellow", overflow="fold")
    table.add_column("")
    table.add_column(word("settles", lang), style="dim")
    for fact, questions in missing.items():
        table.add_row(fact, fact_label(fact, lang), ", ".join(one.partition(":")[2] for one in questions))
    screen.print(table)


def _others(screen: Console, assessment: Assessment, decided: Decided, lang: Lang) -> None:
    screen.print()
    screen.print(Text(word("other", lang), "bold"))
    for answer in assessment.answers:
        question = f"{answer.regime}:{answer.question}"
        title = question_text(question, decided, lang)
        if answer.answer is not None:
            given = answer_of(question, answer.answer, decided.law, lang)
            screen.print(tree(explain(decided, question, lang), f"{title} → {given}"))
        else:
            waits = ", ".join(answer.missing)
            screen.print(Text(f"{title} → ? ({word('missing', lang)}: {waits})", "yellow"))
