"""What a setting leads to: deliveries, the compute gap and both keys over time, as charts with their tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext as _

from twokey.desk.web.base.words import language
from twokey.desk.web.charts.chart import EXPORT, IMPORT, THIRD, Chart, Column, Lang, Table, amounts, days, drawing
from twokey.desk.web.outlook.setting import Setting, scenario_of
from twokey.outlook.basis import DEFINITIONS
from twokey.outlook.events import ACTS
from twokey.outlook.lines import find_line, headline
from twokey.outlook.provenance import source_rows
from twokey.outlook.run import Result
from twokey.outlook.scenario import Scenario
from twokey.outlook.sliders import SLIDERS, quick

_KEYS: Final = ("us_open", "cn_open", "both_open")


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline number at the end of the horizon: its middle and where nine of ten paths lie."""

    label: str
    middle: str
    between: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One dated event of a scenario."""

    day: Any
    side: str
    words: str
    numbers: str


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a slider: the input, and the rows of the record that its interval comes from."""

    label: str
    rows: tuple[tuple[str, str, str, str], ...]  # id, value, day known, confidence


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that the page shows of one setting."""

    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    paths: int
    end: Any


def outcome(setting: Setting) -> Outcome:
    """Return what a setting leads to, in the language of the request; a setting that was asked before is kept."""
    return _outcome(setting, "zh" if language() == "zh" else "en")


@lru_cache(maxsize=256)
def _outcome(setting: Setting, lang: Lang) -> Outcome:
    result = quick(scenario_of(setting.scenario), setting.values)
    compute, gap = headline(result.scenario)
    last = len(result.ends) - 1
    figures = (
        _figure(result, "delivered_total", last, lang),
        _figure(result, compute, last, lang),
        _figure(result, gap, last, lang),
        Figure(_words("both_open", lang), f"{result.at('both_open', last):.0%}", ""),
    )
    charts = (_fan(result, "delivered_total", lang), _fan(result, gap, lang), _keys(result, lang))
    return Outcome(figures, charts, result.scenario.paths, result.ends[-1])


def _figure(result: Result, name: str, at: int, lang: Lang) -> Figure:
    low, middle, high = (number(result.at(name, at, q)) for q in (0.05, 0.5, 0.95))
    unit = {"h100e": "H100e"}.get(find_line(name).unit, "")
    bracketed = (f"（{unit}）" if lang == "zh" else f" ({unit})") if unit else ""
    return Figure(
        f"{_words(name, lang)}{bracketed}",
        middle,
        _("nine in ten paths: %(low)s to %(high)s") % {"low": low, "high": high},
    )


def _fan(result: Result, name: str, lang: Lang) -> Chart:
    line = find_line(name)
    rows = [{"day": row["end"], **{k: row[k] for k in _BANDS}} for row in result.rows([name])]
    x, title = days(), _words(name, lang)

    def band(low: str, high: str, opacity: float) -> dict[str, Any]:
        y = amounts(low, lang)
        return {
            "mark": {"type": "area", "opacity": opacity, "color": EXPORT},
            "encoding": {"x": x, "y": y, "y2": {"field": high}},
        }

    middle = {
        "mark": {"type": "line", "color": EXPORT, "strokeWidth": 2},
        "encoding": {"x": x, "y": amounts("p50", lang)},
    }
    table = tuple((row["day"], *(number(float(row[k])) for k in _BANDS)) for row in rows)
    heads = (Column(_("Quarter end")), *(Column(head, True) for head in ("5%", "25%", "50%", "75%", "95%")))
    return Chart(
        name,
        title,
        _("Median; half of the paths (dark), nine in ten (light). %(basis)s") % {"basis": _basis(line.basis, lang)},
        drawing([band("p05", "p95", 0.22), band("p25", "p75", 0.4), middle], rows),
        Table(heads, table),
        _("Share of paths at or below"),
    )


_BANDS: Final = ("p05", "p25", "p50", "p75", "p95")


def _keys(result: Result, lang: Lang) -> Chart:
    names = [_words(name, lang) for name in _KEYS]
    rows = [
        {"day": end.isoformat(), "key": words, "p": result.at(name, n)}
        for name, words in zip(_KEYS, names, strict=True)
        for n, end in enumerate(result.ends)
    ]
    line = {
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": days(),
            "y": {
                "field": "p",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, 1]},
                "axis": {"format": "%"},
            },
            "color": {
                "field": "key",
                "type": "nominal",
                "sort": names,
                "scale": {"domain": names, "range": [EXPORT, IMPORT, THIRD]},
            },
            "strokeDash": {
                "field": "key",
                "type": "nominal",
                "sort": names,
                "scale": {"domain": names, "range": [[1, 0], [6, 3], [2, 2]]},
            },
        },
    }
    table = tuple(
        (end.isoformat(), *(f"{result.at(name, n):.0%}" for name in _KEYS)) for n, end in enumerate(result.ends)
    )
    return Chart(
        "keys",
        _("Both keys over time"),
        _("Share of paths on which a key is open."),
        drawing([line], rows),
        Table((Column(_("Quarter end")), *(Column(name, True) for name in names)), table),
    )


def happenings(scenario: Scenario) -> list[Happening]:
    """Return the events that a scenario fixes, in words."""
    lang = language()
    found = []
    for event in scenario.events:
        act = ACTS[event.act]
        words = act.says_zh if lang == "zh" else act.says.replace("`", "")
        values = (_value(name, value) for name, value in event.numbers.items())
        found.append(Happening(event.date, event.key, words, ("；" if lang == "zh" else "; ").join(values)))
    return found


def _value(name: str, value: float) -> str:
    if name in ("share", "rate", "ratio", "fee"):
        return f"{value:.0%}"
    if name == "weeks":
        return _("%(count)s weeks") % {"count": number(value)}
    if name == "buyers":
        return _("%(count)s buyers") % {"count": number(value)}
    return _("%(count)s units") % {"count": number(value)}


def behind(scenario: Scenario) -> list[Behind]:
    """Return the rows of the record behind the sliders' inputs."""
    found = []
    for slider in SLIDERS:
        given = scenario.inputs[slider.input]
        rows = tuple(
            (row["id"], row["value"] + (f" {row['unit']}" if row["unit"] else ""), row["as_of"], row["confidence"])
            for row in source_rows(given.sources)
            if row["file"]
        )
        found.append(Behind(given.what_zh if language() == "zh" else given.what, rows))
    return found


def number(value: float) -> str:
    """Return a number of three figures as a person reads it: 84,500; 2.31; in millions and billions where it is large.

    >>> number(84512.0), number(2.3149), number(0.0)
    ('84,500', '2.31', '0')
    """
    if abs(value) >= 1e5 and language() == "zh":
        unit, size = ("亿", 1e8) if abs(value) >= 1e8 else ("万", 1e4)
        return f"{float(f'{value / size:.3g}'):,g} {unit}"
    if abs(value) >= 1e6:
        unit, size = ("bn", 1e9) if abs(value) >= 1e9 else ("M", 1e6)
        return f"{float(f'{value / size:.3g}'):,g} {unit}"
    if abs(value) >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _words(name: str, lang: Lang) -> str:
    line = find_line(name)
    return line.zh if lang == "zh" else line.en[:1].upper() + line.en[1:]


def _basis(name: str, lang: Lang) -> str:
    said = DEFINITIONS.get(name)
    if said is None:
        return ""
    return f"口径：{said[1]}。" if lang == "zh" else f"Counted as: {said[0]}."
