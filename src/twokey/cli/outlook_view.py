"""Tables of the outlook room as text, JSON, CSV or Markdown; numbers as a person reads them."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import click

_WIDE: Final = 140
Format = Literal["text", "json", "csv", "markdown"]


def number(value: object) -> str:
    """Return a number as a person reads it: three digits, thousands separators, M and bn; "-" where there is none.

    >>> number(1234567.0), number(0.03456), number(None), number(400000), number(float("inf")), number(2.871e9)
    ('1,234,567', '0.0346', '-', '400,000', 'no cap', '2.87bn')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    size = abs(value)
    if math.isinf(size):
        return "no cap"
    if round(size) >= 1e7:
        return _large(value)
    if isinstance(value, int) or size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size >= 1e-4 else "0"


def _large(value: float) -> str:
    """Return ten million and more: in millions and thousand millions, in Chinese in 万 and 亿."""
    if language() == "zh":
        unit, size = ("亿", 1e8) if abs(value) >= 1e8 else ("万", 1e4)
    else:
        unit, size = ("bn", 1e9) if abs(value) >= 1e9 else ("M", 1e6)
    return f"{float(f'{value / size:.3g}'):,g}{unit}"


def show(rows: Sequence[Mapping[str, Any]], form: Format, *, title: str = "", columns: Sequence[str] = ()) -> None:
    """Print rows in one form. `columns` chooses what text and Markdown show; JSON and CSV carry everything."""
    if form == "json":
        click.echo(json.dumps([_plain(row) for row in rows], ensure_ascii=False, indent=1, default=str))
        return
    if not rows:
        say("nothing", form)
        return
    if form == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        click.echo(out.getvalue(), nl=False)
        return
    names = list(columns) or list(rows[0])
    if language() == "zh":
        rows = [{**row, **{key[:-3]: row[key] for key in row if key.endswith("_zh")}} for row in rows]
    cells = [[_cell(name, row.get(name)) for name in names] for row in rows]
    right = [isinstance(rows[0].get(name), int | float) for name in names]
    if form == "markdown":
        click.echo(f"**{title}**\n\n" if title else "", nl=False)
        click.echo("| " + " | ".join(in_words(name) for name in names) + " |")
        click.echo("|" + "|".join("---:" if r else "---" for r in right) + "|")
        for line in cells:
            click.echo("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |")
        return
    if title:
        click.echo(title)
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name, of_numbers in zip(names, right, strict=True):
        grid.add_column(in_words(name), justify="right" if of_numbers else "left", overflow="fold")
    for line in cells:
        grid.add_row(*line)
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDE)  # a pipe has no width: do not fold words for it
    console.print(grid)


_NAMES: Final = frozenset(
    {"input", "line", "scenario", "series", "id", "order", "party", "chip", "sources", "analysis"}
)


def _cell(column: str, value: object) -> str:
    """Return one cell as a person reads it; a name that a command takes is never translated."""
    return number(value) if column in _NAMES else in_words(number(value))


def say(name: str, form: Format, /, **values: object) -> None:
    """Print a sentence beside a table, in the forms that a person reads."""
    if form in ("text", "markdown"):
        click.echo(("" if name in _CLOSE else "\n") + phrase(name, **values))


_CLOSE: Final = frozenset({"nothing", "against", "all_targets", "coverage", "brier", "not_forecast"})


def phrase(name: str, /, **values: object) -> str:
    """Return a sentence in the language that was asked for, its gaps filled.

    >>> phrase("buyer", title="As known", units="75,000")
    'As known: 75,000 units approved for this buyer'
    """
    from twokey.cli.outlook_words import SAYINGS

    return SAYINGS[name][language() == "zh"].format(**values)


def language() -> Literal["en", "zh"]:
    """Return the language that the command was asked for."""
    context = click.get_current_context(silent=True)
    return "zh" if context and context.meta.get("twokey.outlook.lang") == "zh" else "en"


def in_words(text: str) -> str:
    """Return a cell or heading in the language that was asked for; what has no translation stays as it is."""
    if language() == "en":
        return text
    from twokey.cli.outlook_words import translate

    return translate(text)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity and no NaN."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
