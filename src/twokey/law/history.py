"""The law over time: what is different on two days, on which days a provision read differently, what rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from twokey.law.engine.define import Provision
from twokey.law.engine.law import DatedValue, Instrument, Law
from twokey.law.engine.tree import params_of, refs_of
from twokey.law.engine.words import Lang, sentence


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different on the second of two days.

    A provision is in force or not (True or False); a parameter has a dated value or none. `instrument` is the act that
    made the difference, `at` its paragraph.
    """

    regime: str
    what: Literal["provision", "parameter"]
    name: str
    before: bool | DatedValue | None
    after: bool | DatedValue | None
    instrument: str
    at: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a provision reads from `start` to the day before `until`, with the values in force between the two."""

    start: date
    until: date | None
    in_force: bool
    words: str
    changed: tuple[str, ...]  # the parameters whose values are other than in the reading before


def changes_between(law: Law, first: date, second: date) -> Iterator[Change]:
    """Yield what is different between two days, provisions before values.

    >>> from twokey.law import law
    >>> [each.name for each in changes_between(law(), date(2026, 7, 9), date(2026, 7, 10))][:1]
    ['group_d4']
    """
    early, late = law.at(first), law.at(second)
    for provision in law.provisions.values():
        was, now = early.force.get(provision.key, False), late.force.get(provision.key, False)
        if was != now:
            yield Change(
                provision.regime, "provision", provision.name, was, now, provision.instrument, provision.paragraph
            )
    for pack in law.packs.values():
        for parameter in pack.parameters.values():
            before, after = parameter.on(first), parameter.on(second)
            source = after or before
            if before != after and source is not None:
                yield Change(pack.regime, "parameter", parameter.name, before, after, source.instrument, source.at)


def readings(law: Law, provision: Provision, lang: Lang = "en") -> tuple[Reading, ...]:
    """Return the history of a provision, from the first day on which it is in force: one reading for each change.

    A change is a beginning, an end, other words (with the values of the day), or another value of a parameter it reads.
    """
    parameters = {name: law.packs[provision.regime].parameters[name] for name in parameters_of(law, provision)}
    found: list[Reading] = []
    before: dict[str, DatedValue | None] = {}
    for day in law.days:
        at = law.at(day)
        in_force = at.force.get(provision.key, False)
        words = sentence(provision.tree, provision.regime, at, lang) if in_force else ""
        values = {name: parameter.on(day) for name, parameter in parameters.items()}
        changed = tuple(name for name, value in values.items() if before.get(name) != value)
        before = values
        if not found and not in_force:
            continue
        if found:
            last = found[-1]
            if (last.in_force, last.words) == (in_force, words) and not (changed and in_force):
                continue
            found[-1] = replace(last, until=day)
        found.append(Reading(day, None, in_force, words, changed if found and in_force else ()))
    return tuple(found)


def users_of(law: Law, provision: Provision) -> tuple[str, ...]:
    """Return the keys of the provisions and questions that rest on a provision, provisions first."""
    users = [one.key for one in law.provisions.values() if provision.key in refs_of(one.tree)]
    for question in law.questions.values():
        if any(provision.key in refs_of(branch.condition) for branch in question.branches):
            users.append(question.key)
    return tuple(users)


def instruments(law: Law) -> Iterator[tuple[str, Instrument]]:
    """Yield every instrument once, with the regime that it was first entered for."""
    seen: set[str] = set()
    for pack in law.packs.values():
        for one in pack.instruments.values():
            if one.id not in seen:
                seen.add(one.id)
                yield pack.regime, one


def resting_on(law: Law, instrument: str) -> tuple[tuple[Provision, ...], tuple[tuple[str, str, DatedValue], ...]]:
    """Return what an instrument carries: its provisions, and the values that it set as (regime, parameter, value)."""
    provisions = tuple(one for one in law.provisions.values() if one.instrument == instrument)
    values = tuple(
        (pack.regime, parameter.name, value)
        for pack in law.packs.values()
        for parameter in pack.parameters.values()
        for value in parameter.values
        if value.instrument == instrument
    )
    return provisions, values


def parameters_of(law: Law, provision: Provision) -> tuple[str, ...]:
    """Return the names of the parameters that a provision reads, each once."""
    return tuple(dict.fromkeys(params_of(provision.tree)))
