"""One provision as a page shows it: its words, how it reads on a day, values by date, history, what rests on it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import date

from twokey.desk.web.law import phrases
from twokey.law.engine.define import Provision
from twokey.law.engine.law import Instrument, Law
from twokey.law.engine.tree import refs_of
from twokey.law.engine.words import paragraph_of, sentence, text_of
from twokey.law.history import parameters_of, readings, resting_on, users_of


@dataclass(frozen=True, slots=True)
class Link:
    """A provision or question that is named: its address is empty where it has no page."""

    words: str
    regime: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter's value from a day on."""

    start: date
    words: str
    at: str
    instrument: str
    title: str
    known: str
    current: bool  # in force on the day of the page


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that a provision reads, with every value that law gave it, latest first."""

    name: str
    label: str
    values: tuple[Value, ...]
    unset: str


@dataclass(frozen=True, slots=True)
class Past:
    """How a provision read from one day to another."""

    start: date
    until: date | None
    in_force: bool
    words: str
    changed: str  # the parameters that have another value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of provisions."""

    regime: str
    name: str
    paragraph: str
    words: str
    in_force: bool
    instrument: str
    reported: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Everything about one provision on a day."""

    row: Row
    regime_title: str
    since: date
    until: date | None
    instrument: Instrument
    instrument_title: str
    instrument_known: str
    instrument_kind: str
    instrument_citation: str
    reads: str
    code: str
    parameters: tuple[Parameter, ...]
    history: tuple[Past, ...]
    rests_on: tuple[Link, ...]
    used_by: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One instrument with what it carries."""

    instrument: Instrument
    title: str
    kind: str
    citation: str
    authority: str
    addressee: str
    known: str
    note: str
    provisions: tuple[Row, ...]
    values: tuple[tuple[str, Value], ...]


def rows(law: Law, on: date, *, regime: str = "", words: str = "", only_in_force: bool = False) -> list[Row]:
    """Return the provisions that fit, in the order in which the packs define them."""
    wanted = words.casefold().split()
    found = []
    for one in law.provisions.values():
        row = _row(law, one, on)
        text = f"{row.name} {row.paragraph} {row.words}".casefold()
        if regime in ("", one.regime) and (row.in_force or not only_in_force) and all(word in text for word in wanted):
            found.append(row)
    return found


def page(law: Law, one: Provision, on: date) -> Page:
    """Return everything about one provision on a day."""
    lang, at, instrument = phrases.lang(), law.at(on), law.instrument(one)
    start, end = law.span(one)
    labels = {name: phrases.label(law.packs[one.regime].parameters[name]) for name in parameters_of(law, one)}
    return Page(
        row=_row(law, one, on),
        regime_title=phrases.regime(one.regime, law),
        since=start,
        until=end,
        instrument=instrument,
        instrument_title=phrases.title(instrument),
        instrument_known=phrases.known(instrument),
        instrument_kind=phrases.kind(instrument.kind),
        instrument_citation=phrases.citation(instrument),
        reads=sentence(one.tree, one.regime, at, lang),
        code=_code(one),
        parameters=tuple(_parameter(law, one.regime, name, on) for name in labels),
        history=tuple(
            Past(
                each.start, each.until, each.in_force, each.words, phrases.items(labels[name] for name in each.changed)
            )
            for each in reversed(readings(law, one, lang))
        ),
        rests_on=tuple(_link(law, key) for key in dict.fromkeys(refs_of(one.tree))),
        used_by=tuple(_link(law, key) for key in users_of(law, one)),
    )


def act(law: Law, instrument: Instrument, on: date) -> Act:
    """Return one instrument with its provisions and the values that it set."""
    carried, values = resting_on(law, instrument.id)
    return Act(
        instrument,
        phrases.title(instrument),
        phrases.kind(instrument.kind),
        phrases.citation(instrument),
        phrases.authority(instrument),
        phrases.addressee(instrument),
        phrases.known(instrument),
        phrases.note(instrument),
        tuple(_row(law, one, on) for one in carried),
        tuple(
            (
                phrases.label(law.packs[regime].parameters[name]),
                next(each for each in _parameter(law, regime, name, on).values if each.start == dated.start),
            )
            for regime, name, dated in values
        ),
    )


def _row(law: Law, one: Provision, on: date) -> Row:
    at, lang, instrument = law.at(on), phrases.lang(), law.instrument(one)
    paragraph = paragraph_of(one, at, lang)
    in_force = at.force.get(one.key, False)
    return Row(
        one.regime, one.name, paragraph, text_of(one, at, lang), in_force, one.instrument, instrument.kind == "reported"
    )


def _parameter(law: Law, regime: str, name: str, on: date) -> Parameter:
    parameter = law.packs[regime].parameters[name]
    current = parameter.on(on)
    known = law.packs[regime].instruments
    values = tuple(
        Value(
            each.start,
            phrases.value(each, parameter),
            phrases.place(each.at, law, regime),
            each.instrument,
            phrases.title(known[each.instrument]),
            phrases.known(each),
            each == current,
        )
        for each in reversed(parameter.values)
    )
    unset = parameter.unset_zh if phrases.lang() == "zh" else parameter.unset
    return Parameter(name, phrases.label(parameter), values, unset)


def _link(law: Law, key: str) -> Link:
    regime, _colon, name = key.partition(":")
    words = phrases.thing(key, law)
    return Link(words, regime, name) if key in law.provisions else Link(words)


def _code(one: Provision) -> str:
    """Return the Python of a provision; empty where it came from an amendment's text."""
    try:
        return inspect.getsource(one.function).rstrip() if one.file.endswith(".py") else ""
    except OSError:
        return ""
