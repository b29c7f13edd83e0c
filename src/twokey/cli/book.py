"""`twokey assess --book`: progress while it runs, and what came out, by answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.errors import UserError
from twokey.law.memory import keep_pages

if TYPE_CHECKING:
    from twokey.law.engine.law import Law


def run_book(
    law: Law,
    source: Path,
    out: Path,
    as_of: date,
    *,
    missing: bool,
    engine: str,
    scheduler: str | None,
    changes: tuple[Path, ...] = (),
) -> None:
    """Assess a book into a file and print a summary. Errors: UserError."""
    keep_pages()
    try:
        from twokey.law.book import BookLaw, assess_book, size_of
        from twokey.law.spread import assess_spread, count_answers, plan
    except ImportError as error:
        raise UserError(f"a book needs the extra `twokey[book]` ({error.name} is not installed)") from None
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    lines = 0
    with _progress(size_of(source)) as advance:

        def told(height: int, found: dict[str, int]) -> None:
            nonlocal lines
            lines += height
            counts.update(found)
            advance(height)

        if engine == "dask":
            for height, found in assess_spread(plan(source, out, as_of, missing, changes), scheduler):
                told(height, found)
        else:
            book = BookLaw(law, as_of, missing)
            assess_book(book, source, out, lambda answers: told(answers.height, count_answers(answers, law)))
    _summary(lines, counts, out, time.perf_counter() - started)


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("lines"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("assessing", total=total)
        yield lambda height: progress.advance(task, height)


def _summary(lines: int, counts: Mapping[str, int], out: Path, seconds: float) -> None:
    from rich.table import Table

    from twokey.cli.shared import console

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("question")
    table.add_column("answer")
    table.add_column("lines", justify="right")
    table.add_column("share", justify="right")
    for name, count in sorted(counts.items(), key=lambda pair: (pair[0].partition(" = ")[0], -pair[1])):
        question, _, answer = name.partition(" = ")
        table.add_row(question, answer, f"{count:,}", f"{count / lines:.1%}")
    console().print(table)
    click.echo(f"{lines:,} lines assessed into {out} in {seconds:.1f} s ({lines / seconds:,.0f} a second)")
