"""A book as it stands in its file, a batch at a time: Parquet, Arrow or CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pa_parquet

from twokey.chips import UserError
from twokey.law.engine.coded import Coded, Words, narrow
from twokey.law.engine.facts import dictionary

BATCH: Final = 500_000  # lines; about 200 MB at thirty facts a line
AS_OF: Final = "as_of"
_ARROW: Final[dict[str, Any]] = {
    "number": pa.float64(),
    "integer": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
_WORDS: Final = pa.dictionary(pa.int32(), pa.string())


def size_of(path: Path) -> int | None:
    """Return the number of lines of a book where its form tells it, or None."""
    if path.suffix == ".parquet":
        with _reading(path):
            return int(pa_parquet.read_metadata(path).num_rows)
    return None


def read_book(path: Path, groups: Iterable[int] | None = None) -> Iterator[Coded]:
    """Yield a book in batches, as it stands. `groups`: only these row groups of a Parquet file.

    Errors: UserError with the file, and the line or column where it is malformed.
    """
    with _reading(path):
        yield from _parquet(path, groups) if path.suffix == ".parquet" else _joined(_tables(path))


def _parquet(path: Path, groups: Iterable[int] | None) -> Iterator[Coded]:
    """Yield a Parquet file, whole row groups at a time; words come with their dictionary, so that none is hashed.

    Columns are read one after the other, so that each takes the memory that the last one's wide numbers left.
    """
    file = pa_parquet.ParquetFile(path, memory_map=True)
    schema = file.schema_arrow
    words = [one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
    by_word = pa_parquet.ParquetFile(path, read_dictionary=words, memory_map=True)
    others = [name for name in schema.names if name not in words]
    lines = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    for wanted in _grouped(lines, range(len(lines)) if groups is None else groups):
        if len(wanted) == 1 and lines[wanted[0]] > 2 * BATCH:  # a group that is too large to be held
            yield from _joined(pa.Table.from_batches([one]) for one in by_word.iter_batches(BATCH, row_groups=wanted))
            continue
        start, count = sum(lines[: wanted[0]]), sum(lines[group] for group in wanted)
        columns = {name: _series(name, by_word.read_row_groups(wanted, columns=[name])[name]) for name in words}
        if others:  # Polars reads the rest in half the time
            rest = pl.scan_parquet(path).select(others).slice(start, count).collect()
            kinds, numbers = rest.schema, rest.with_columns(pl.selectors.enum().to_physical())
            for name in others:
                kind = kinds[name]
                columns[name] = numbers[name], tuple(kind.categories) if isinstance(kind, pl.Enum) else None
        yield _coded({name: columns[name] for name in schema.names})


def _joined(tables: Iterable[pa.Table]) -> Iterator[Coded]:
    """Yield small tables together as frames, since each batch costs some fixed work."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(one.num_rows for one in waiting) >= BATCH:
            yield _frame(waiting)
            waiting = []
    if any(one.num_rows for one in waiting):
        yield _frame(waiting)


def _frame(tables: list[pa.Table]) -> Coded:
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
    return _coded({name: _series(name, table[name]) for name in table.column_names})


def _coded(columns: Mapping[str, tuple[pl.Series, Words | None]]) -> Coded:
    frame = pl.DataFrame([values for values, _ in columns.values()])
    return Coded(frame, {name: words for name, (_, words) in columns.items() if words is not None})


def _series(name: str, column: pa.ChunkedArray) -> tuple[pl.Series, Words | None]:
    """Return a column, and the words that its numbers stand for where it has a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return pl.Series(name, pl.from_arrow(column)).rechunk(), None
    if column.num_chunks != 1:
        column = pa.chunked_array([column.unify_dictionaries().combine_chunks()], column.type)
    coded: pa.DictionaryArray = column.chunk(0)
    words = tuple(coded.dictionary.to_pylist())
    if None in words or len(set(words)) < len(words):
        return pl.Series(name, pl.from_arrow(coded)), None
    if words and len(coded) > coded.null_count and pc.max(coded.indices).as_py() >= len(words):
        raise pa.ArrowInvalid(f"column {name}: a word's number is beyond its dictionary")
    numbers = pl.Series(name, pl.from_arrow(coded.indices))
    return numbers.cast(narrow(words), wrap_numerical=True), words  # every number is of a word: none wraps


def _tables(path: Path) -> Iterator[pa.Table]:
    match path.suffix:
        case ".arrow" | ".feather" | ".ipc":
            with pa.memory_map(str(path)) as source:
                try:
                    reader = pa_ipc.open_file(source)
                    batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
                    yield from (pa.Table.from_batches([batch]) for batch in batches)
                except pa.ArrowInvalid:
                    source.seek(0)
                    yield from (pa.Table.from_batches([batch]) for batch in pa_ipc.open_stream(source))
        case ".csv":
            reader = pa_csv.open_csv(
                path,
                read_options=pa_csv.ReadOptions(block_size=64 << 20, use_threads=False),  # so that it tells the row
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: _ARROW.get(fact.type, _WORDS) for name, fact in dictionary().items()}
                    | {AS_OF: pa.date32()},
                    strings_can_be_null=True,
                    null_values=["", "NaN", "nan", "-1", "NA", "null"],
                ),
            )
            yield from (pa.Table.from_batches([batch]) for batch in reader)
        case _:
            raise UserError(f"{path}: a book is .parquet, .arrow or .csv (got {path.suffix or 'no ending'!r})")


def _grouped(lines: Sequence[int], groups: Iterable[int]) -> Iterator[list[int]]:
    """Yield neighbouring row groups together that make a batch; `lines`: the number of lines of each group."""
    waiting: list[int] = []
    for group in groups:
        if waiting and (group != waiting[-1] + 1 or sum(lines[one] for one in waiting) >= BATCH):
            yield waiting
            waiting = []
        waiting.append(group)
    if waiting:
        yield waiting


class _reading:  # noqa: N801 - reads like a keyword: with _reading(path)
    """Turns what a file reader says of a malformed file into one clear error."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if not self.path.is_file():
            raise UserError(f"{self.path}: no such file")

    def _named(self, text: str) -> str:
        """Return what the CSV reader says with the column's name in place of its number."""
        found = re.search(r"CSV column #(\d+)", text)
        if found is None or self.path.suffix != ".csv":
            return text
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            names = next(csv.reader(file), [])
        number = int(found.group(1))
        return text.replace(found.group(0), f"column {names[number] if number < len(names) else number}")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            text = self._named(" ".join(str(error).split()))
            raise UserError(f"{self.path}: cannot be read as {self.path.suffix[1:]}: {text}") from None
