"""Prints chips: as tables for a terminal, as markdown for a page, as JSON and CSV for another program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final, Literal

import click

from twokey.chips import Chip
from twokey.chips.figures import FIGURES, Figure, Lang, text, unknown
from twokey.chips.metrics import best_rate, tpp_of_rate
from twokey.cli.chips_words import word, working

_BY_KEY: Final = {figure.key: figure for figure in FIGURES}
_NARROW: Final = ("tpp", "performance_density", "memory_gb", "dram_bandwidth_gbs")
_WIDE: Final = (*_NARROW, "interconnect_gbs", "tdp_w", "price_usd", "released")
_WIDE_FROM: Final = 130
_LABEL_WIDTH: Final = 24
_CHIP_WIDTH: Final = 18


def record(chip: Chip) -> dict[str, Any]:
    """Return a chip as plain JSON values: its fields, TPP and density as computed; unknown is null."""
    best = best_rate(chip.dense_rates)
    plain = asdict(chip)
    since = chip.us_commercial_since
    plain["us_commercial_since"] = since.isoformat() if since else None
    plain["tpp"] = chip.tpp
    plain["tpp_from"] = best and best.format
    plain["performance_density"] = chip.performance_density
    return plain


def print_list(chips: Sequence[Chip], form: str, lang: Lang, hidden: int) -> None:
    """Print many chips, one a line; `hidden` is how many were left out because a number is unknown."""
    if form == "json":
        click.echo(json.dumps([record(chip) for chip in chips], ensure_ascii=False, indent=2))
        return
    if form == "csv":
        _echo_csv(chips)
        return
    console, width = _console()
    keys = _WIDE if form == "markdown" or width >= _WIDE_FROM else _NARROW
    figures = [_BY_KEY[key] for key in keys]
    join = " " if form == "markdown" else "\n"
    heads = [word("chip", lang), word("country", lang), *(_head(figure, lang, join) for figure in figures)]
    rows = [[chip.name, text(chip.country, lang), *(_text(figure, chip, lang) for figure in figures)] for chip in chips]
    if not chips:
        click.echo(word("none_fit", lang))
    elif form == "markdown":
        click.echo(_markdown(heads, rows, left=(0, 1)))
    else:
        console.print(_table(heads, rows, lang, left=(0, 1, *(2 + keys.index(k) for k in keys if k == "released"))))
    if form == "table":
        count = {"en": f"{len(chips)} chips", "zh": f"{len(chips)} 款芯片"}[lang] if chips else ""
        left_out = {"en": f"{hidden} left out: their figure is unknown", "zh": f"另有 {hidden} 款因数据未知未列出"}[
            lang
        ]
        closing = " · ".join(part for part in (count, left_out if hidden else "") if part)
        if closing:
            click.echo(closing)


def print_chips(chips: Sequence[Chip], form: str, lang: Lang) -> None:
    """Print each chip in full."""
    if form == "json":
        plain = [record(chip) for chip in chips]
        click.echo(json.dumps(plain[0] if len(plain) == 1 else plain, ensure_ascii=False, indent=2))
    elif form == "csv":
        _echo_csv(chips)
    else:
        for position, chip in enumerate(chips):
            if position:
                click.echo()
            (_show_markdown if form == "markdown" else _show_table)(chip, lang)


def print_comparison(chips: Sequence[Chip], form: str, lang: Lang) -> None:
    """Print chips side by side, each number with its ratio to the first chip's; as many a block as the width allows."""
    if form == "json":
        ratios = {
            chip.name: {f.key: _ratio(f.value(chip), f.value(chips[0])) for f in FIGURES if _is_number(f, chips)}
            for chip in chips
        }
        plain = {"base": chips[0].name, "chips": [record(chip) for chip in chips], "ratios_to_base": ratios}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    if form == "csv":
        _echo_csv(chips)
        return
    console, width = _console()
    size = len(chips) - 1 if form == "markdown" else max(1, (width - _LABEL_WIDTH) // _CHIP_WIDTH - 1)
    for start in range(1, len(chips), size):
        block = [chips[0], *chips[start : start + size]]
        heads = [word("property", lang), *(chip.name for chip in block)]
        rows = [[_head(figure, lang), *_compared(figure, block, lang)] for figure in _compared_figures(chips)]
        rows.append([word("confidence", lang), *(_confidence(chip, lang) for chip in block)])
        if form == "markdown":
            click.echo(_markdown(heads, rows, left=(0,)) + "\n")
        else:
            console.print(_table(heads, rows, lang, left=(0,)))
    click.echo(word("ratio", lang))


def _show_table(chip: Chip, lang: Lang) -> None:
    from rich.table import Table
    from rich.text import Text

    console, _ = _console()
    console.print(Text(chip.name, style="bold"), Text(_subtitle(chip, lang), style="dim"), sep="\n")
    if chip.unchecked:
        console.print(Text(word("unchecked", lang), style="yellow"))
    rows, sources = _sheet(chip, lang)
    heads = [word(key, lang) for key in ("property", "value", "unit", "confidence", "source")]
    console.print(_table(heads, rows, lang, left=(0, 2, 3, 4)))
    if chip.dense_rates:
        console.print(Text(word("working", lang), style="bold"))
        best = best_rate(chip.dense_rates)
        sums = Table.grid(padding=(0, 2))
        for rate in sorted(chip.dense_rates, key=lambda rate: -rate.bits):
            mark = f"← {word('highest', lang)}" if best and tpp_of_rate(rate) == tpp_of_rate(best) else ""
            sums.add_row(f"  {rate.format}", working(rate, lang), mark, style="bold" if mark else "")
        console.print(sums)
    for line in _remarks(chip, lang):
        console.print(Text(line))
    console.print(Text(word("sources", lang), style="bold"))
    for number, source in enumerate(sources, start=1):
        console.print(Text(f"  [{number}] {source}", overflow="fold"), soft_wrap=True)
    if chip.notes:
        console.print(Text.assemble((f"{word('notes', lang)} ", "bold"), chip.notes))


def _show_markdown(chip: Chip, lang: Lang) -> None:
    rows, sources = _sheet(chip, lang)
    heads = [word(key, lang) for key in ("property", "value", "unit", "confidence", "source")]
    lines = [f"## {chip.name}", "", _subtitle(chip, lang), ""]
    if chip.unchecked:
        lines += [f"**{word('unchecked', lang)}**", ""]
    lines += [_markdown(heads, rows, left=(0, 2, 3, 4)), ""]
    if chip.dense_rates:
        lines += [f"{word('working', lang)}:", ""]
    lines += [f"- {rate.format}: {working(rate, lang)}" for rate in chip.dense_rates]
    lines += ["", *_remarks(chip, lang), "", f"{word('sources', lang)}:", ""]
    lines += [f"{number}. {source}" for number, source in enumerate(sources, start=1)]
    if chip.notes:
        lines += ["", f"{word('notes', lang)}: {chip.notes}"]
    click.echo("\n".join(lines))


def _sheet(chip: Chip, lang: Lang) -> tuple[list[list[str]], list[str]]:
    """Return the rows of one chip's table, and its sources in the order of their numbers."""
    sources: dict[str, None] = dict.fromkeys(chip.sources)
    rows = []
    for figure in FIGURES:
        value = figure.value(chip)
        if value is None and figure.key == "rate6":
            continue
        if figure.key in ("tpp", "performance_density"):
            computed = word("computed", lang) if value is not None else ""
            rows.append([figure.label(lang), _text(figure, chip, lang), figure.unit, computed, ""])
            continue
        origin = chip.origin(figure.origin)
        own = any(known.field == figure.origin for known in chip.origins)
        if own:
            sources.setdefault(origin.source)
        numbers = [list(sources).index(origin.source) + 1] if own else range(1, len(chip.sources) + 1)
        cited = ",".join(map(str, numbers)) if own or value is not None else ""
        confidence = origin.confidence if value is not None else ""
        rows.append([figure.label(lang), _text(figure, chip, lang), figure.unit, confidence, cited and f"[{cited}]"])
    return rows, list(sources)


def _subtitle(chip: Chip, lang: Lang) -> str:
    parts = [chip.vendor, text(chip.country, lang)]
    if chip.family:
        parts.append(f"{word('family', lang)} {chip.family}")
    if chip.aliases:
        parts.append(f"{word('also', lang)} {', '.join(chip.aliases)}")
    return " · ".join(parts)


def _remarks(chip: Chip, lang: Lang) -> list[str]:
    remarks = []
    if not chip.dense_rates:
        remarks.append(word("no_rate", lang))
    elif chip.rate(16) is None:
        remarks.append(word("partly", lang))
    missing = [figure.label(lang) for figure in FIGURES if figure.value(chip) is None and figure.key != "rate6"]
    if missing:
        remarks.append(f"{word('unknown_list', lang)}: {', '.join(missing)}")
    return remarks


def _compared(figure: Figure, chips: Sequence[Chip], lang: Lang) -> list[str]:
    if figure.key == "process":  # its first words; the rest is a note that `show` prints
        return [text(chip.process and chip.process.partition(",")[0].partition(" (")[0], lang) for chip in chips]
    base = figure.value(chips[0])
    cells = [_text(figure, chips[0], lang)]
    for chip in chips[1:]:
        ratio = _ratio(figure.value(chip), base)
        cells.append(_text(figure, chip, lang) + (f"  ×{ratio:.2f}" if ratio is not None else ""))
    return cells


def _compared_figures(chips: Sequence[Chip]) -> list[Figure]:
    """Return what a comparison shows: no planarity, and no bit length that none of the chips is known to have."""
    return [
        figure
        for figure in FIGURES
        if figure.key != "non_planar"
        and not (figure.key.startswith("rate") and all(figure.value(chip) is None for chip in chips))
    ]


def _ratio(value: object, base: object) -> float | None:
    numbers = [number for number in (value, base) if isinstance(number, float)]
    return numbers[0] / numbers[1] if len(numbers) == 2 and numbers[1] else None


def _is_number(figure: Figure, chips: Sequence[Chip]) -> bool:
    return any(isinstance(figure.value(chip), float) for chip in chips)


def _confidence(chip: Chip, lang: Lang) -> str:
    return chip.confidence + (" [UNCHECKED]" if chip.unchecked else "")


def _text(figure: Figure, chip: Chip, lang: Lang) -> str:
    if figure.key == "performance_density" and chip.dies and all(die.non_planar is False for die in chip.dies):
        return word("not_defined", lang)
    return text(figure.value(chip), lang, figure.digits)


def _head(figure: Figure, lang: Lang, join: str = ", ") -> str:
    return f"{figure.short(lang)}{join}{figure.unit}" if figure.unit else figure.short(lang)


def _console() -> tuple[Any, int]:
    from rich.console import Console

    console = Console(highlight=False)
    return console, console.width


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], lang: Lang, left: Sequence[int]) -> Any:
    """Return a table for the terminal: numbers to the right, `unknown` dim."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for column, head in enumerate(heads):
        justify: Literal["left", "right"] = "left" if column in left else "right"
        table.add_column(Text(head), justify=justify, overflow="fold", min_width=_first_width(rows, column))
    for row in rows:
        table.add_row(*(Text(cell, style="dim" if cell == unknown(lang) else "") for cell in row))
    return table


def _first_width(rows: Sequence[Sequence[str]], column: int) -> int | None:
    """Return the width below which the first column is not squeezed: that of a property, or of most chips' names."""
    return min(34, max((len(row[0]) for row in rows), default=0)) if column == 0 else None


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = ["---" if column in left else "---:" for column in range(len(heads))]
    return "\n".join([line(heads), line(rule), *map(line, rows)])


def _echo_csv(chips: Sequence[Chip]) -> None:
    """Print one chip a row; an unknown number is an empty cell."""
    columns: list[tuple[str, Callable[[Chip], object]]] = [
        ("name", lambda chip: chip.name),
        ("vendor", lambda chip: chip.vendor),
        ("country", lambda chip: chip.country),
        ("family", lambda chip: chip.family),
        *((figure.key, figure.value) for figure in FIGURES),
        ("confidence", lambda chip: chip.confidence),
        ("unchecked", lambda chip: chip.unchecked),
        ("sources", lambda chip: " | ".join(chip.sources)),
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    for chip in chips:
        values = [read(chip) for _, read in columns]
        writer.writerow(["" if v is None else str(v).lower() if isinstance(v, bool) else v for v in values])
    click.echo(out.getvalue(), nl=False)
