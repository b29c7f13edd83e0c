"""Chips as pages show them: figures (unknown said as unknown), ratios, and where each figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from twokey.chips import Chip, catalogue
from twokey.chips.figures import FIGURES, Figure, Lang, text
from twokey.desk.web.charts.chart import EXPORT, FOURTH, IMPORT, THIRD, Chart, Column, Table, drawing

LISTED: Final = (
    "tpp",
    "performance_density",
    "memory_gb",
    "dram_bandwidth_gbs",
    "interconnect_gbs",
    "tdp_w",
    "released",
)
_BY_KEY: Final = {figure.key: figure for figure in FIGURES}
MOST_COMPARED: Final = 4


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of the list: how it is named and sorted."""

    key: str
    words: str
    unit: str
    sorted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One chip of the list."""

    name: str
    country: str
    unchecked: bool
    cells: tuple[tuple[str, bool], ...]  # text, and whether it is known


@dataclass(frozen=True, slots=True)
class Property:
    """One figure of one chip, with its unit and where it comes from."""

    words: str
    text: str
    known: bool
    unit: str
    source: str  # empty where it is that of the chip's row
    english: bool  # the value is a text of the catalogue


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of several chips, each with its ratio to the first."""

    words: str
    unit: str
    cells: tuple[tuple[str, str], ...]  # text, ratio
    numbers: bool


def headings(lang: Lang, order: str) -> list[Heading]:
    """Return the columns of the list."""
    return [Heading(key, _BY_KEY[key].short(lang), _BY_KEY[key].unit, key == order) for key in LISTED]


def rows(lang: Lang, *, words: str = "", country: str = "", order: str = "", least: float | None = None) -> list[Row]:
    """Return the chips that fit; `order` names a figure, highest first, unknown last; `least` is the lowest TPP."""
    wanted = words.casefold().split()
    found = [
        chip
        for chip in catalogue()
        if country in ("", chip.country)
        and (least is None or (chip.tpp is not None and chip.tpp >= least))
        and all(word in f"{chip.name} {chip.family or ''} {' '.join(chip.aliases)}".casefold() for word in wanted)
    ]
    if order in _BY_KEY:
        figure = _BY_KEY[order]
        found.sort(key=lambda chip: _rank(figure.value(chip)), reverse=True)
    return [
        Row(chip.name, chip.country or "", chip.unchecked, tuple(_cell(_BY_KEY[key], chip, lang) for key in LISTED))
        for chip in found
    ]


def _rank(value: object) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 2, float(value), ""
    return (1, 0.0, str(value)) if value is not None else (0, 0.0, "")


def _cell(figure: Figure, chip: Chip, lang: Lang) -> tuple[str, bool]:
    value = figure.value(chip)
    return _said(figure, value, lang), value is not None


def _said(figure: Figure, value: object, lang: Lang) -> str:
    return _("not launched") if value == "not launched" else text(value, lang, figure.digits)


def countries() -> list[str]:
    """Return the countries of the makers in the catalogue."""
    return sorted({chip.country for chip in catalogue() if chip.country})


def properties(chip: Chip, lang: Lang) -> list[Property]:
    """Return every figure of a chip, with its source where that is not the one of the whole row."""
    own = {origin.field: origin.source for origin in chip.origins}
    found = []
    for figure in FIGURES:
        words, known = _cell(figure, chip, lang)
        source = own.get(figure.origin, "") if known else ""
        found.append(Property(figure.label(lang), words, known, figure.unit, source, figure.key == "process"))
    return found


def compared(chips: Sequence[Chip], lang: Lang) -> list[Compared]:
    """Return the figures of several chips side by side; the ratio is to the first, where both are known."""
    found = []
    for figure in FIGURES:
        values = [figure.value(chip) for chip in chips]
        if all(value is None for value in values):
            continue
        cells = tuple((_said(figure, value, lang), _ratio(value, values[0])) for value in values)
        found.append(Compared(figure.label(lang), figure.unit, cells, not any(isinstance(v, str) for v in values)))
    return found


def _ratio(value: object, base: object) -> str:
    numbers = isinstance(value, float) and isinstance(base, float)
    return f"× {value / base:.2f}" if numbers and base and value is not base else ""  # type: ignore[operator]  # numbers, where `numbers` holds


def chart(chips: Sequence[Chip], lang: Lang, title: str, note: str, chip_word: str) -> Chart:
    """Return bars of what several chips have of each figure, as shares of the most among them."""
    keys = ("tpp", "performance_density", "memory_gb", "dram_bandwidth_gbs", "interconnect_gbs")
    drawn, table = [], []
    for key in keys:
        figure = _BY_KEY[key]
        values = [figure.value(chip) for chip in chips]
        known = [value for value in values if isinstance(value, int | float)]
        table.append((f"{figure.short(lang)}, {figure.unit}", *(text(value, lang, figure.digits) for value in values)))
        if not known or not max(known):
            continue
        drawn += [
            {"figure": figure.short(lang), "chip": chip.name, "share": value / max(known)}
            for chip, value in zip(chips, values, strict=True)
            if isinstance(value, int | float)
        ]
    names = [chip.name for chip in chips]
    bar = {
        "mark": {"type": "bar", "height": {"band": 0.85}},
        "encoding": {
            "y": {"field": "figure", "type": "nominal", "title": None, "sort": None},
            "yOffset": {"field": "chip", "sort": names},
            "x": {"field": "share", "type": "quantitative", "title": None, "axis": {"format": "%"}},
            "color": {
                "field": "chip",
                "type": "nominal",
                "sort": names,
                "scale": {"domain": names, "range": [EXPORT, IMPORT, THIRD, FOURTH][: len(names)]},
            },
        },
    }
    columns = (Column(chip_word), *(Column(name, True) for name in names))
    return Chart("compared", title, note, drawing([bar], drawn, height=300), Table(columns, tuple(table)))
