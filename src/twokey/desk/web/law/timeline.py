"""The instruments of both sides in the order in which they take effect, with a chart of how they fall in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from django.utils.translation import gettext as _

from twokey.desk.web.charts.chart import EXPORT, IMPORT, Chart, Column, Table, days, drawing
from twokey.desk.web.law import phrases
from twokey.law.engine.law import Law
from twokey.law.history import instruments

Side = Literal["export", "import"]
_SIDES: Final[dict[str, Side]] = {"US": "export", "CN": "import"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One instrument as the time line shows it."""

    id: str
    title: str
    side: Side
    regime: str
    kind: str
    kind_words: str
    effective: date
    ended: date | None
    citation: str
    authority: str
    known: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader narrows the time line to; empty: everything."""

    side: str = ""
    kind: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None


def entries(law: Law, choice: Choice = Choice()) -> list[Entry]:
    """Return the instruments that fit a choice, earliest first."""
    found = []
    for regime, one in instruments(law):
        entry = Entry(
            one.id,
            phrases.title(one),
            _SIDES.get(law.packs[regime].jurisdiction, "import"),
            regime,
            one.kind,
            phrases.kind(one.kind),
            one.effective,
            one.ended,
            phrases.citation(one),
            phrases.authority(one),
            phrases.known(one),
        )
        if _fits(entry, choice):
            found.append(entry)
    return sorted(found, key=lambda entry: (entry.effective, entry.id))


def _fits(entry: Entry, choice: Choice) -> bool:
    wanted = choice.words.casefold().split()
    text = f"{entry.id} {entry.title} {entry.citation} {entry.authority}".casefold()
    return (
        choice.side in ("", entry.side)
        and choice.kind in ("", entry.kind)
        and (choice.since is None or entry.effective >= choice.since)
        and (choice.until is None or entry.effective <= choice.until)
        and all(word in text for word in wanted)
    )


def side_words() -> dict[Side, str]:
    """Return the names of the two sides."""
    return {"export": _("United States"), "import": _("China")}


def chart(found: list[Entry]) -> Chart:
    """Return the chart of the instruments: one mark each, by day and side; its table counts them by year."""
    sides = side_words()
    kinds = list(dict.fromkeys(entry.kind_words for entry in found))
    rows = [
        {"day": e.effective.isoformat(), "side": sides[e.side], "title": e.title, "kind": e.kind_words} for e in found
    ]
    mark = {
        "mark": {"type": "tick", "thickness": 2, "size": 34},
        "encoding": {
            "x": days(),
            "y": {"field": "side", "type": "nominal", "title": None, "sort": list(sides.values())},
            "color": {
                "field": "side",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": list(sides.values()), "range": [EXPORT, IMPORT]},
            },
            "tooltip": [
                {"field": "day", "type": "temporal", "format": "%Y-%m-%d", "title": _("in effect")},
                {"field": "title", "type": "nominal", "title": _("instrument")},
                {"field": "kind", "type": "nominal", "title": _("kind")},
            ],
        },
    }
    counts = Counter((entry.effective.year, entry.side) for entry in found)
    years = sorted({year for year, _side in counts})
    columns = (Column(_("Year")), *(Column(name, True) for name in sides.values()))
    table = tuple((str(year), *(str(counts[year, side]) for side in sides)) for year in years)
    return Chart(
        "instruments",
        _("When the instruments took effect"),
        _("One mark an instrument."),
        drawing([mark], rows, height=120),
        Table(columns, table),
        _("Instruments by year") if kinds else "",
    )
