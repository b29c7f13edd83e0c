"""A chart as the pages draw it: a Vega-Lite specification with its figures in a table beside it.

    Chart("Supply", "units a quarter", {"mark": "line", ...}, Table((Column("quarter"), Column("units", True)), rows))

The specification says nothing of colours of text, axes or page: the script takes those from the stylesheet, light or
dark. A reader without the script, or without sight, has the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Lang = Literal["en", "zh"]
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
# Two sides and what is neither, readable on both grounds (at least 3:1 against each).
EXPORT, IMPORT, THIRD, FOURTH = "#3d74e0", "#d2554b", "#2f8f5b", "#a9741c"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading, and whether it holds numbers."""

    head: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of a chart as texts, row by row; the first column names its row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def lines(self) -> tuple[tuple[tuple[str, bool], ...], ...]:
        """Return the rows with, for each cell, whether it holds a number."""
        return tuple(
            tuple((cell, column.number) for cell, column in zip(row, self.columns, strict=True)) for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: what it shows in words, its specification, its table; `name` is its id on the page."""

    name: str
    title: str
    subtitle: str
    spec: Mapping[str, Any]
    table: Table
    caption: str = ""

    @property
    def spec_id(self) -> str:
        """Return the id of the element that carries the specification."""
        return f"{self.name}-spec"


def drawing(
    layers: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], *, height: int = 260
) -> dict[str, Any]:
    """Return a specification that fills its box: layers over one set of rows; `height` in pixels."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": [dict(row) for row in rows]},
        "layer": [dict(layer) for layer in layers],
    }


def days(field: str = "day", title: str | None = None) -> dict[str, Any]:
    """Return an axis of days that reads the same in every language: 2026-01."""
    axis = {"format": "%Y-%m", "labelOverlap": True, "grid": False}
    return {"field": field, "type": "temporal", "title": title, "axis": axis}


def amounts(field: str, lang: Lang, title: str | None = None) -> dict[str, Any]:
    """Return an axis of amounts in the manner of the language: 400k and 2.5M, or 40 万 and 2.5 亿.

    >>> amounts("units", "zh")["axis"]["labelExpr"].count("万")
    1
    """
    expression = "format(datum.value, '~s')"
    if lang == "zh":
        expression = (
            "abs(datum.value) >= 1e8 ? format(datum.value / 1e8, ',~r') + ' 亿' : "
            "abs(datum.value) >= 1e4 ? format(datum.value / 1e4, ',~r') + ' 万' : format(datum.value, ',~r')"
        )
    return {"field": field, "type": "quantitative", "title": title, "axis": {"labelExpr": expression}}
