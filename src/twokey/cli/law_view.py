"""One provision, and the difference between two days, in the terminal and as JSON."""

from __future__ import annotations

import inspect
from datetime import date
from typing import Any

from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from twokey.cli.shared import console
from twokey.law.engine.define import Provision
from twokey.law.engine.law import DatedValue, Law, Parameter
from twokey.law.engine.tree import params_of, refs_of
from twokey.law.engine.words import Lang, paragraph_of, plain, sentence, text_of
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


def _difference(value: Any, other: Any) -> str:
    if isinstance(value, bool):
        return ("not in force", "in force")[value]
    if value is None:
        return "no value"
    if other is not None and isinstance(value.value, frozenset):
        gained = value.value - other.value
        return f"{len(value.value)} entries{', with ' + ', '.join(sorted(gained)) if gained else ''}"
    return plain(value.value)


def show_changes(changes: list[Change], first: date, second: date, law: Law, lang: Lang) -> None:
    """Print the changes as a table."""
    screen = console()
    if not changes:
        screen.print(f"nothing changed between {first} and {second}")
        return
    table = Table(title=f"{first} → {second}", title_justify="left", box=None, padding=(0, 2, 0, 0), expand=True)
    for name in ("regime", "what", "name", str(first), str(second), "instrument"):
        table.add_column(name, overflow="fold")
    for one in changes:
        pack = law.packs[one.regime]
        instrument = pack.instruments[one.instrument]
        name = one.name
        if one.what == "provision":
            name = paragraph_of(pack.provisions[f"{one.regime}:{one.name}"], law.at(second), lang)
        was, now = _difference(one.before, one.after), _difference(one.after, one.before)
        table.add_row(one.regime, one.what, name, was, now, instrument.citation or instrument.row)
    screen.print(table)
    screen.print(Text(f"{len(changes)} changes", "dim"))


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
    state = "in force" if at.force[provision.key] else "not in force"
    screen.print(
        Text(
            f"{state} on {day}; from {start}{f' until {end}' if end else ''}",
            "green" if at.force[provision.key] else "yellow",
        )
    )
    title = instrument.title_zh if lang == "zh" else instrument.title
    screen.print(
        Text(f"{title}; {instrument.citation or instrument.row}; {instrument.kind}; {instrument.confidence}", "dim")
    )
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
        screen.print(Text(f"used by {', '.join(users)}", "dim"))
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
        table.add_column(name, overflow="fold")
    for value in parameter.values:
        table.add_row(
            value.start.isoformat(),
            f"{plain(value.value, lang)} {parameter.unit}".strip(),
            value.at,
            value.instrument,
            value.confidence,
        )
    if parameter.unset:
        table.add_row("–", parameter.unset_zh if lang == "zh" else parameter.unset, "", "", "")
    return table
