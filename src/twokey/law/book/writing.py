"""The answers of a book, written as they come; half a result is never left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from twokey.chips import UserError
from twokey.law.book.answering import BookLaw
from twokey.law.book.reading import BATCH, read_book

_SINKS: Final[Mapping[str, Callable[[pl.LazyFrame, Path], object]]] = {
    ".parquet": lambda frame, path: frame.sink_parquet(
        path, compression="snappy", statistics=False, row_group_size=2 * BATCH
    ),
    ".arrow": lambda frame, path: frame.sink_ipc(path),
    ".csv": lambda frame, path: frame.sink_csv(path),
}


def write_book(batches: Iterator[pl.DataFrame], out: Path) -> None:
    """Write batches of one schema to a .parquet, .arrow or .csv file as they come.

    The file appears when the last batch is written; half a result is never left. Errors: UserError where it cannot be
    written; what the batches themselves raise is passed on.
    """
    if out.suffix not in _SINKS:
        raise UserError(f"{out}: a result is .parquet, .arrow or .csv (got {out.suffix or 'no ending'!r})")
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")
    first = next(batches)
    failed: list[BaseException] = []

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        try:  # the writer's thread has no use for our errors: they are kept, and raised once it has stopped
            yield first
            yield from batches
        except BaseException as error:  # kept and raised below
            failed.append(error)

    part = out.with_name(f"{out.name}.part")
    try:
        _SINKS[out.suffix](register_io_source(source, schema=first.schema), part)
        if failed:
            raise failed[0]
        part.replace(out)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise UserError(f"{out}: cannot be written: {error}") from None
    finally:
        part.unlink(missing_ok=True)


def assess_book(
    book: BookLaw,
    source: Path,
    out: Path,
    told: Callable[[pl.DataFrame], None] | None = None,
    groups: Iterable[int] | None = None,
) -> int:
    """Assess a book into a file and return its number of lines.

    `told` is called with each batch of answers, for progress and counts; `groups`: only these row groups of a Parquet
    file. Errors: UserError for a book that cannot be read or has no lines; no half-written result is left.
    """
    lines, first_line = 0, 2 if source.suffix == ".csv" else 1  # a CSV file has its header on line 1

    def answers() -> Iterator[pl.DataFrame]:
        nonlocal lines
        for frame in read_book(source, groups):
            done = book.assess(frame, str(source), lines + first_line)
            lines += frame.height
            if told is not None:
                told(done)
            yield done

    batches = answers()
    try:
        write_book(batches, out)
    except StopIteration:
        raise UserError(f"{source}: has no lines") from None
    return lines
