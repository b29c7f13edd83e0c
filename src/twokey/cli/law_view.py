"""One provision, and the difference between two days, in the terminal and as JSON."""

from __future__ import annotations

import inspect
from datetime import date
from typing import Any

from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from twokey.cli.law_words import word
from twokey.cli.shared import console
from twokey.law.engine.define import Provision
from twokey.law.engine.facts import FactType, unit_in
from twokey.law.engine.law import DatedValue, Instrument, Law, Parameter
from twokey.law.engine.tree import params_of, refs_of
from twokey.law.engine.words import Lang, confidence, kind, paragraph_of, plain, sentence, text_of
from twokey.law.history import Change, users_of


def change_json(change: Change) -> dict[str, str]:
    """Return one difference between two days as plain data."""
    return {
        "regime": change.regime,
        "what": change.what,
        "name": change.name,
        "before": _difference(change.before, change.after),
        "after": _difference(change.after, change.before),
        "instrument": change.instrument,
        "at": change.at,
    }


def _difference(value: Any, other: Any, lang: Lang = "en") -> str:
    if isinstance(value, bool):
        return word("in_force" if value else "not_in_force", lang)
    if value is None:
        return word("no_value", lang)
    if other is not None and isinstance(value.value, frozenset):
        gained = value.value - other.value
        entries = word("entries", lang, len(value.value))
        return entries + (word("gained", lang, ", ".join(sorted(gained))) if gained else "")
    return plain(value.value, lang)


def show_changes(changes: list[Change], first: date, second: date, law: Law, lang: Lang) -> None:
    """Print the changes as a table."""
    screen = console()
    if not changes:
        screen.print(word("unchanged", lang, first, second))
        return
    table = Table(title=f"{first} → {second}", title_justify="left", box=None, padding=(0, 2, 0, 0), expand=True)
    heads = [word(name, lang) for name in ("regime", "what", "name", "instrument")]
    for head in (*heads[:3], str(first), str(second), heads[3]):
        table.add_column(head, overflow="fold")
    for one in changes:
        pack = law.packs[one.regime]
        instrument = pack.instruments[one.instrument]
        name = one.name
        if one.what == "provision":
            name = paragraph_of(pack.provisions[f"{one.regime}:{one.name}"], law.at(second), lang)
        was, now = _difference(one.before, one.after, lang), _difference(one.after, one.before, lang)
        table.add_row(one.regime, word(one.what, lang), name, was, now, instrument.citation or instrument.row)
    screen.print(table)
    screen.print(Text(word("changes", lang, len(changes)), "dim"))


def show_timeline(rows: list[tuple[str, Instrument]], lang: Lang) -> None:
    """Print instruments with their regimes, in the order given."""
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    for name in ("effective", "regime", "kind"):
        table.add_column(word(name, lang), no_wrap=True)
    table.add_column(word("instrument", lang), ratio=1)
    table.add_column(word("confidence", lang), no_wrap=True)
    for regime, one in rows:
        title = one.title_zh if lang == "zh" else one.title
        ended = f" ({word('until', lang, one.ended)})" if one.ended else ""
        table.add_row(
            one.effective.isoformat(),
            regime,
            kind(one.kind, lang),
            f"{title}{ended} [dim]{one.citation or one.row}[/dim]",
            confidence(one.confidence, lang),
            style={"reported": "dim", "guidance": "cyan", "letter": "yellow"}.get(one.kind, ""),
        )
    console().print(table if rows else word("no_instrument", lang))


def show_facts(facts: list[FactType], asked: str, lang: Lang) -> None:
    """Print facts with type, unit and choices; `asked` is the word that narrowed them down."""
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    for name in ("fact", "type"):
        table.add_column(word(name, lang), no_wrap=True)
    table.add_column("", ratio=1)
    for fact in facts:
        type_ = f"{fact.type}, {fact.unit_in(lang)}" if fact.unit else fact.type
        choices = f" [dim]({', '.join(fact.choices)})[/dim]" if fact.choices else ""
        table.add_row(fact.name, type_, f"{fact.label(lang)}{choices}")
    console().print(table if facts else word("no_fact", lang, asked))


def provision_json(provision: Provision, law: Law, day: date) -> dict[str, Any]:
    """Return one provision as plain data."""
    at = law.at(day)
    start, end = law.span(provision)
    parameters = law.packs[provision.regime].parameters
    return {
        "id": provision.key, "paragraph": provision.paragraph, "words": provision.text,
        "words_zh": text_of(provision, at, "zh"), "sentence": sentence(provision.tree, provision.regime, at),
        "sentence_zh": sentence(provision.tree, provision.regime, at, "zh"), "instrument": provision.instrument,
        "since": start.isoformat(), "until": end.isoformat() if end else None, "in_force": at.force[provision.key],
        "parameters": {
            name: [_dated_json(value) for value in parameters[name].values]
            for name in params_of(provision.tree)
        },
        "rests_on": list(refs_of(provision.tree)), "used_by": list(users_of(law, provision)),
    }  # fmt: skip


def _dated_json(value: DatedValue) -> dict[str, Any]:
    return {
        "from": value.start.isoformat(), "value": _json(value.value), "instrument": value.instrument, "at": value.at,
        "confidence": value.confidence,
    }  # fmt: skip


def _json(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, date) else value


def show_provision(provision: Provision, law: Law, day: date, lang: Lang) -> None:
    """Print one provision."""
    screen, at = console(), law.at(day)
    instrument = law.instrument(provision)
    start, end = law.span(provision)
    screen.print(Text(paragraph_of(provision, at, lang), "bold").append(f"  {provision.key}", "dim"))
    screen.print(text_of(provision, at, lang))
    runs = at.force[provision.key]
    state = word("in_force" if runs else "not_in_force", lang)
    told = word("state_until", lang, state, day, start, end) if end else word("state", lang, state, day, start)
    screen.print(Text(told, "green" if runs else "yellow"))
    title = instrument.title_zh if lang == "zh" else instrument.title
    parts = (title, instrument.citation or instrument.row, kind(instrument.kind, lang))
    screen.print(Text(("；" if lang == "zh" else "; ").join((*parts, confidence(instrument.confidence, lang))), "dim"))
    if instrument.note:
        screen.print(Text(instrument.note_zh if lang == "zh" and instrument.note_zh else instrument.note, "dim"))
    screen.print()
    screen.print(sentence(provision.tree, provision.regime, at, lang))
    source = _source(provision)
    if source:
        screen.print()
        screen.print(Syntax(source, "python", background_color="default"))
    parameters = law.packs[provision.regime].parameters
    for name in params_of(provision.tree):
        screen.print()
        screen.print(_values(parameters[name], lang))
    users = users_of(law, provision)
    if users:
        screen.print()
        screen.print(Text(word("used_by", lang, ", ".join(users)), "dim"))
    screen.print()


def _source(provision: Provision) -> str:
    try:
        return inspect.getsource(provision.function).rstrip() if provision.file.endswith(".py") else ""
    except OSError:
        return ""


def _values(parameter: Parameter, lang: Lang) -> Table:
    table = Table(
        title=f"law.{parameter.name}: {parameter.zh if lang == 'zh' else parameter.en}",
        title_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for name in ("from", "value", "at", "instrument", "confidence"):
        table.add_column(word(name, lang), overflow="fold")
    for value in parameter.values:
        table.add_row(
            value.start.isoformat(),
            f"{plain(value.value, lang)} {unit_in(parameter.unit, lang)}".strip(),
            value.at,
            value.instrument,
            confidence(value.confidence, lang),
        )
    if parameter.unset:
        table.add_row("–", parameter.unset_zh if lang == "zh" else parameter.unset, "", "", "")
    return table
