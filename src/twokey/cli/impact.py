"""`twokey impact`: who wins and who loses under a draft rule."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.errors import UserError
from twokey.cli.examples import examples
from twokey.cli.law_words import move_words, word
from twokey.cli.shared import Day, chosen_law, complete_amendment, console, lang_option, write_text

if TYPE_CHECKING:
    from twokey.law.engine.law import Law
    from twokey.law.impact import Impact, Moved
    from twokey.law.reach import Reach


@click.command()
@click.argument("amendment", shell_complete=complete_amendment, required=False)
@click.option("--book", type=click.Path(path_type=Path), help="The orders: a Parquet, Arrow or CSV file, one a line.")
@click.option(
    "--as-of", "as_of", type=Day(), help="The day that is compared; by default the day on which the amendment starts."
)
@click.option(
    "--overlay", "overlays", multiple=True, type=click.Path(path_type=Path), help="Your own overlay, under both laws."
)
@click.option(
    "--boxes",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="How many boxes of orders are listed for each move.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--list", "listing", is_flag=True, help="List the ready amendments and stop.")
@lang_option
@examples(
    "twokey impact --list",
    "twokey impact safe-chips --book lines.parquet",
    "twokey impact my-draft.toml --as-of 2027-06-01",
)
def impact(
    amendment: str | None,
    book: Path | None,
    as_of: date | None,
    overlays: tuple[Path, ...],
    boxes: int,
    form: str,
    listing: bool,
    lang: Any,
) -> None:
    """Say what AMENDMENT changes: over the orders of a book, and over every order that the law can tell apart."""
    from twokey.law.change import amended, find_amendment, ready_amendments
    from twokey.law.memory import keep_pages

    keep_pages()
    before = chosen_law(overlays, ())
    if listing:
        _list(ready_amendments(), form, lang)
        return
    if amendment is None:
        raise UserError("impact: name an amendment, a ready one (twokey impact --list) or a TOML file")
    path = find_amendment(amendment)
    after = amended(before, path)
    day = as_of or after.starts or date.today()
    from twokey.law.reach import reach_of

    reaches = list(reach_of(before, after, day, lang, boxes))
    found = None
    if book is not None:
        found = _over_book(before, after, day, book)
    if form == "json":
        write_text(json.dumps(_json(after.overlays[-1].en, day, found, reaches), ensure_ascii=False, indent=2), None)
    else:
        _show(after, day, found, reaches, lang)


def _over_book(before: Any, after: Any, day: date, book: Path) -> Impact:
    try:
        from twokey.law.impact import Difference, impact_of, merged
    except ImportError as error:
        raise UserError(f"--book needs the extra `twokey[book]` ({error.name} is not installed)") from None
    return merged(list(impact_of(Difference(before, after, day), book)))


def _list(ready: dict[str, Path], form: str, lang: Any) -> None:
    import tomllib

    from twokey.law.engine.words import confidence

    tables = {name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in ready.items()}
    if form == "json":
        write_text(
            json.dumps(
                {name: {"title": one["title"], "from": str(one["from"])} for name, one in tables.items()}, indent=2
            ),
            None,
        )
        return
    for name, one in tables.items():
        click.echo(f"{name:<24} {one['title_zh' if lang == 'zh' else 'title']}")
        click.echo(f"{'':<24} {word('draft_from', lang, one['from'], confidence(one['confidence'], lang))}")


def _show(after: Law, day: date, found: Impact | None, reaches: list[Reach], lang: Any) -> None:
    from rich.text import Text

    from twokey.law.report import word as status

    screen, at = console(), after.at(day)
    screen.print(Text(getattr(after.overlays[-1], lang), "bold"))
    screen.print(Text(word("compared", lang, day), "dim"))
    if found is not None:
        loses, wins = found.total(worse=True), found.total(worse=False)
        screen.print()
        screen.print(
            Text(word("lines", lang, found.lines), "bold")
            .append(word("stricter", lang, loses.lines), "red")
            .append(word("comma", lang))
            .append(word("looser", lang, wins.lines), "green")
        )
        keys = [
            (f"{status(key, lang)} {status(was, lang)} → {status(now, lang)}", moved)
            for (key, was, now), moved in found.keys.items()
        ]
        answers = [
            (move_words(question, was, now, at, lang), moved) for (question, was, now), moved in found.answers.items()
        ]
        for title, rows in (("by_key", keys), ("by_answer", answers), ("by_provision", list(found.provisions.items()))):
            _table(word(title, lang), rows, lang)
    screen.print()
    screen.print(Text(word("reach", lang), "bold"))
    if any(one.ordinary for one in reaches):
        screen.print(Text(word("ordinary", lang), "dim"))
    if not reaches:
        screen.print(word("no_reach", lang))
    for one in reaches:
        share = f"{one.share:.2%}" if one.share >= 0.0001 else word("tiny", lang)
        screen.print(
            Text(move_words(one.question, one.before, one.after, at, lang), "cyan").append(
                f"  {word('share', lang, share)}", "dim"
            )
        )
        for box in one.boxes:
            screen.print(Text(f"  • {('；' if lang == 'zh' else '; ').join(box.conditions)}"))
        if one.more:
            screen.print(Text(f"  {word('more', lang)}", "dim"))


def _table(title: str, rows: list[tuple[str, Moved]], lang: Any) -> None:
    from rich.table import Table

    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in ("column_lines", "column_units", "column_value"):
        table.add_column(word(name, lang), justify="right")
    for name, moved in sorted(rows, key=lambda row: -row[1].lines):
        table.add_row(name, f"{moved.lines:,}", f"{moved.units:,.0f}", f"{moved.value_usd:,.0f}")
    screen = console()
    screen.print()
    screen.print(table)


def _json(title: str, day: date, found: Impact | None, reaches: list[Reach]) -> dict[str, Any]:
    def moved(one: Moved) -> dict[str, float]:
        return {"lines": one.lines, "units": one.units, "value_usd": one.value_usd}

    result: dict[str, Any] = {"amendment": title, "as_of": day.isoformat()}
    if found is not None:
        result["lines"] = found.lines
        result["stricter"], result["looser"] = moved(found.total(worse=True)), moved(found.total(worse=False))
        result["keys"] = [
            {"key": key, "before": was, "after": now, **moved(one)} for (key, was, now), one in found.keys.items()
        ]
        result["answers"] = [
            {"question": key, "before": was, "after": now, **moved(one)}
            for (key, was, now), one in found.answers.items()
        ]
        result["provisions"] = [{"provision": key, **moved(one)} for key, one in found.provisions.items()]
    result["reach"] = [
        {"question": one.question, "before": one.before, "after": one.after, "cells": one.cells, "of": one.of,
         "share": one.share,
         "boxes": [list(box.conditions) for box in one.boxes], "more": one.more, "ordinary": one.ordinary}
        for one in reaches
    ]  # fmt: skip
    return result
