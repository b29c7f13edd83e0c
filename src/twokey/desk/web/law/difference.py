"""What is different between two days, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from twokey.desk.web.law import phrases
from twokey.law.engine.law import DatedValue, Law
from twokey.law.engine.law import Parameter as Stated
from twokey.law.engine.words import text_of
from twokey.law.history import Change, changes_between


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: a provision that began or ended, or a value that became another."""

    regime: str
    regime_title: str
    what: str  # provision or parameter
    name: str  # of the provision, for its address
    title: str
    words: str
    before: str
    after: str
    instrument: str
    instrument_title: str


def lines(law: Law, first: date, second: date, regime: str = "") -> list[Line]:
    """Return the differences between two days, for one regime or for all."""
    return [_line(law, one, second) for one in changes_between(law, first, second) if regime in ("", one.regime)]


def _line(law: Law, one: Change, day: date) -> Line:
    pack = law.packs[one.regime]
    if one.what == "provision":
        provision = law.provisions[f"{one.regime}:{one.name}"]
        title, words = phrases.thing(provision.key, law), text_of(provision, law.at(day), phrases.lang())
        before, after = (_("in force") if value else _("not in force") for value in (one.before, one.after))
    else:
        parameter = pack.parameters[one.name]
        title, words = phrases.label(parameter), phrases.place(one.at, law, one.regime)
        before, after = _value(one.before, one.after, parameter), _value(one.after, one.before, parameter)
    return Line(
        one.regime,
        phrases.regime(one.regime, law),
        one.what,
        one.name,
        title,
        words,
        before,
        after,
        one.instrument,
        phrases.title(pack.instruments[one.instrument]),
    )


def _value(value: bool | DatedValue | None, other: bool | DatedValue | None, parameter: Stated) -> str:
    """Return a value; of a long list, how many entries it has and which of them the other day lacks."""
    if not isinstance(value, DatedValue):
        return phrases.value(None, parameter)
    if isinstance(value.value, frozenset) and isinstance(other, DatedValue) and len(value.value) > 4:
        gained = value.value - other.value
        count = _("%(count)d entries") % {"count": len(value.value)}
        return (
            _("%(count)s, with %(entries)s") % {"count": count, "entries": phrases.listed(gained)} if gained else count
        )
    return phrases.value(value, parameter)


def by_regime(found: list[Line]) -> Iterator[tuple[str, list[Line]]]:
    """Yield each regime's title with its lines."""
    for title in dict.fromkeys(line.regime_title for line in found):
        yield title, [line for line in found if line.regime_title == title]
