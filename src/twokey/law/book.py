"""Many orders: a book of lines read in batches, through the same door as one order, into columns of answers.

A line is an order; a column is a fact, by its dotted name. Columns without a dot (`id`, `customer`) are carried through
to the result, `as_of` is the day of the line. `item.contains` is a list of structs, or in CSV the chips' names with
semicolons between. Memory is bounded by one batch, however long the book is.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pa_parquet
from polars.io.plugins import register_io_source

from twokey.chips import UserError, find, nearest
from twokey.law.engine.facts import FactType, admit, dictionary
from twokey.law.engine.law import Law, LawInForce
from twokey.law.engine.many import MISSING, ManyLaw, places
from twokey.law.engine.tree import Arith
from twokey.law.order import CHIP_FACTS, IMPORTING_STATE, SHARED
from twokey.law.state import state_of

BATCH: Final = 500_000  # lines; about 200 MB at thirty facts a line
AS_OF: Final = "as_of"
_TYPES: Final[dict[str, Any]] = {"number": pl.Float64, "integer": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}
_ARROW: Final[dict[str, Any]] = {
    "number": pa.float64(),
    "integer": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
_WORDS: Final = pa.dictionary(pa.int32(), pa.string())


# -- reading ----------------------------------------------------------------------------------------------------------


def size_of(path: Path) -> int | None:
    """Return the number of lines of a book where its form tells it, or None."""
    if path.suffix == ".parquet":
        with _reading(path):
            return int(pa_parquet.read_metadata(path).num_rows)
    return None


def read_book(path: Path, groups: Iterable[int] | None = None) -> Iterator[pl.DataFrame]:
    """Yield a book in batches, as it stands. `groups`: only these row groups of a Parquet file.

    Errors: UserError with the file, and the line or column where it is malformed.
    """
    with _reading(path):
        yield from _parquet(path, groups) if path.suffix == ".parquet" else _joined(_tables(path))


def _parquet(path: Path, groups: Iterable[int] | None) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file, whole row groups at a time; words come with their dictionary, so that none is hashed."""
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
        columns = {}
        if words:
            table = by_word.read_row_groups(wanted, columns=words)
            columns = {name: _series(name, table[name]) for name in words}
        if others:  # Polars reads the rest in half the time
            rest = pl.scan_parquet(path).select(others).slice(start, count).collect()
            columns.update({name: rest[name] for name in others})
        yield pl.DataFrame([columns[name] for name in schema.names])


def _joined(tables: Iterable[pa.Table]) -> Iterator[pl.DataFrame]:
    """Yield small tables together as frames, since each batch costs some fixed work."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(one.num_rows for one in waiting) >= BATCH:
            yield _frame(waiting)
            waiting = []
    if any(one.num_rows for one in waiting):
        yield _frame(waiting)


def _frame(tables: list[pa.Table]) -> pl.DataFrame:
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables)
    return pl.DataFrame([_series(name, column) for name, column in zip(table.column_names, table.columns, strict=True)])


def _series(name: str, column: pa.ChunkedArray) -> pl.Series:
    if not pa.types.is_dictionary(column.type):
        return pl.Series(name, pl.from_arrow(column)).rechunk()
    whole = column.unify_dictionaries().combine_chunks()
    return _enum(name, whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole)


def _enum(name: str, words: pa.DictionaryArray) -> pl.Series:
    """Return words that come with their dictionary as an Enum: no word is hashed, the numbers are taken as they are."""
    categories = words.dictionary.to_pylist()
    if None in categories or len(set(categories)) < len(categories):
        return pl.Series(name, pl.from_arrow(words))
    width = pl.UInt8 if len(categories) <= 255 else pl.UInt16 if len(categories) <= 65_535 else pl.UInt32
    return pl.Series(name, pl.from_arrow(words.indices)).cast(width).cat.to(pl.Enum(categories))


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


# -- the door ---------------------------------------------------------------------------------------------------------


def admit_frame(frame: pl.DataFrame, where: str, first_line: int = 1) -> pl.DataFrame:
    """Return the facts of a batch, checked and with the figures of chips filled in; other columns are left out.

    `first_line`: the number of the batch's first line, for messages. Errors: UserError with `where`, line and fact.
    """
    columns: dict[str, pl.Series] = {}
    facts = dictionary()
    for name in frame.columns:
        if "." in name and name not in facts:
            raise UserError(f"{where}: column {name}: no such fact{nearest(name, facts)}")
    for name in frame.columns:
        if name in facts:
            columns[name] = _admit_column(frame[name], facts[name], where, first_line)
    if "item.chip" in columns:
        _fill_from_chips(columns, where, first_line)
    if "item.contains" in columns:
        columns["item.contains"] = _admit_circuits(columns["item.contains"], where, first_line)
        _lift_shared(columns)
    return pl.DataFrame(columns) if columns else pl.DataFrame({"": [None] * frame.height}).drop("")


def _admit_column(values: pl.Series, fact: FactType, where: str, first_line: int) -> pl.Series:
    if values.dtype == pl.Null:
        return values.cast(_TYPES.get(fact.type, pl.String)) if fact.type != "list" else values
    if fact.type == "list":
        if fact.name != "item.contains":
            raise UserError(f"{where}: column {fact.name}: a book has no such lists; give item.tpp or the chip by name")
        return values
    if fact.type in ("number", "integer"):
        return _admit_numbers(values, fact, where, first_line)
    if fact.type in _TYPES:
        if values.dtype != _TYPES[fact.type]:
            raise UserError(f"{where}: column {fact.name}: must be a {fact.type} (got {values.dtype})")
        return values
    return _admit_words(values, fact, where, first_line)


def _admit_numbers(values: pl.Series, fact: FactType, where: str, first_line: int) -> pl.Series:
    if not values.dtype.is_numeric():
        raise UserError(
            f"{where}: column {fact.name}: must be a number in {fact.unit or 'plain figures'} (got {values.dtype})"
        )
    values = values.cast(pl.Float64)
    least, most = _ends(values)
    if least is not None and math.isnan(least):
        values = values.fill_nan(None)
        least, most = _ends(values)
    if least is not None and least < 0:
        values = pl.select(pl.when(values != -1).then(values)).to_series().rename(fact.name)
        least, most = _ends(values)
    wrong = least is not None and most is not None and (least < 0 or (fact.max is not None and most > fact.max))
    broken = values % 1 != 0 if fact.type == "integer" else None
    if wrong or (broken is not None and broken.any()):
        marks = (values < 0) | (values > (fact.max or float("inf")))
        bad = (marks if broken is None else marks | broken).fill_null(False).arg_max() or 0
        admit({fact.name: values[bad]}, f"{where}: line {first_line + bad}")
    return values


def _ends(values: pl.Series) -> tuple[float | None, float | None]:
    """Return the least and the greatest value; NaN where any value is, None where none is known."""
    if len(values) and not values.null_count():
        array = values.to_numpy()  # nothing is copied, and NumPy's minimum is NaN where any value is
        return float(array.min()), float(array.max())
    if values.is_nan().any():
        return math.nan, math.nan
    least, most = values.min(), values.max()
    return least, most  # type: ignore[return-value]  # of a float column


def _admit_words(values: pl.Series, fact: FactType, where: str, first_line: int) -> pl.Series:
    if not isinstance(values.dtype, pl.Enum):
        if values.dtype not in (pl.String, pl.Categorical):
            raise UserError(f"{where}: column {fact.name}: must be text (got {values.dtype})")
        values = values.cast(pl.Enum(values.unique().drop_nulls().cast(pl.String).sort()))
    assert isinstance(values.dtype, pl.Enum)
    given = tuple(values.dtype.categories)
    try:
        plain = _plain_words(fact.name, given)
    except _BadWord as bad:
        line = first_line + ((values == bad.word).fill_null(False).arg_max() or 0)
        raise UserError(f"{where}: line {line}: {bad}") from None
    if plain == given:
        return values
    words = pl.Series(plain, dtype=pl.Enum(sorted({word for word in plain if word is not None})))
    return words.gather(values.to_physical()).rename(fact.name) if given else values


class _BadWord(Exception):  # noqa: N818 - never leaves this module: it becomes a UserError with its line
    def __init__(self, word: str, error: UserError) -> None:
        super().__init__(str(error).removeprefix("book: "))
        self.word = word


@lru_cache(maxsize=256)
def _plain_words(name: str, given: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return words of a fact as the engine reads them; the words of one batch are mostly those of the next."""
    plain: list[str | None] = []
    for word in given:
        try:
            plain.append(admit({name: word}, "book").get(name))
        except UserError as error:
            raise _BadWord(word, error) from None
    return tuple(plain)


def _fill_from_chips(columns: dict[str, pl.Series], where: str, first_line: int) -> None:
    chips = columns["item.chip"]
    if not isinstance(chips.dtype, pl.Enum):
        return
    figures: dict[str, list[Any]] = {name: [] for name in (*CHIP_FACTS, "item.origin")}
    for name in chips.dtype.categories:
        try:
            chip = find(name)
        except UserError as error:
            line = first_line + ((chips == name).fill_null(False).arg_max() or 0)
            raise UserError(f"{where}: line {line}: item.chip: {error}") from None
        known = {fact: getattr(chip, one) for fact, one in CHIP_FACTS.items() if getattr(chip, one) is not None}
        known["item.origin"] = "domestic" if chip.country == IMPORTING_STATE else "foreign"
        admitted = admit(known, where)
        for fact, values in figures.items():
            values.append(admitted.get(fact))
    for fact, values in figures.items():
        kind = _TYPES.get(dictionary()[fact].type)
        table = pl.Series(fact, values, dtype=kind or pl.Enum(sorted({one for one in values if one is not None})))
        filled = table.gather(chips.to_physical()).rename(fact) if len(values) else None
        if filled is not None and fact in columns:
            own = columns[fact]
            filled = own.fill_null(filled) if kind else own.cast(pl.String).fill_null(filled.cast(pl.String))
        if filled is not None:
            columns[fact] = filled


def _lift_shared(columns: dict[str, pl.Series]) -> None:
    """Give a computer the family, maker and origin of its circuits where they all share it, as for one order."""
    circuits = columns["item.contains"]
    if not isinstance(circuits.dtype, pl.List) or not isinstance(circuits.dtype.inner, pl.Struct):
        return
    inside = {field.name for field in circuits.dtype.inner.fields}
    for name in SHARED:
        if name in inside:
            values = pl.col("item.contains").list.eval(pl.element().struct.field(name).cast(pl.String))
            same = (values.list.n_unique() == 1) & values.list.first().is_not_null()
            table = pl.DataFrame([circuits.alias("item.contains")]).select(
                pl.when(same).then(values.list.first()).alias(name)
            )
            own = columns.get(name)
            columns[name] = table[name] if own is None else own.cast(pl.String).fill_null(table[name])


def _admit_circuits(lists: pl.Series, where: str, first_line: int) -> pl.Series:
    """Return lists of circuits with the figures of their chips; each circuit goes through the same door."""
    if isinstance(lists.dtype, pl.Enum | pl.Categorical) or lists.dtype == pl.String:
        lists = lists.cast(pl.String).str.split(";").list.eval(pl.struct(pl.element().str.strip_chars().alias("chip")))
    if not isinstance(lists.dtype, pl.List) or not isinstance(lists.dtype.inner, pl.Struct):
        raise UserError(
            f"{where}: column item.contains: must be a list of structs, or names of chips with ; between them"
        )
    line = pl.Series("line", range(len(lists)), dtype=pl.UInt32)
    flat = pl.DataFrame([line, lists.alias("circuit")]).filter(pl.col("circuit").list.len() > 0).explode("circuit")
    names = {field.name: field.name for field in lists.dtype.inner.fields if field.name not in ("count", "quantity")}
    inner = flat.select(
        pl.col("circuit").struct.field(name).alias(name if name.startswith("item.") else f"item.{name}")
        for name in names
    )
    if "item.contains" in inner.columns:
        raise UserError(f"{where}: item.contains: a circuit contains no circuits; list them all under item.contains")
    try:
        admitted = admit_frame(inner, f"{where}: item.contains", 0)
    except UserError as error:  # it counts circuits; a person looks for the line of the book
        told = re.sub(r": line (\d+)", lambda found: f": line {first_line + flat['line'][int(found[1])]}", str(error))
        raise UserError(told) from None
    packed = flat.select("line").with_columns(admitted.to_struct("circuit"))
    grouped = packed.group_by("line", maintain_order=True).agg(pl.col("circuit"))
    return (
        pl.DataFrame([line])
        .join(grouped, on="line", how="left", maintain_order="left")["circuit"]
        .alias("item.contains")
    )


# -- assessing --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class BookLaw:
    """A law ready for batches: the compiled forms of the days that the lines ask for, made once each."""

    law: Law
    as_of: date
    missing: bool = True
    questions: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    _ready: dict[LawInForce, ManyLaw] = field(default_factory=dict)

    def assess(self, frame: pl.DataFrame, where: str = "book", first_line: int = 1) -> pl.DataFrame:
        """Return a frame of answers, line by line as in the book: carried columns, provisions, questions, `missing`.

        Errors: UserError with `where`, line and column for what does not pass the door.
        """
        facts = admit_frame(frame, where, first_line)
        classes = (
            pl.selectors.enum() | pl.selectors.categorical()
        )  # a reader makes other classes of them in every batch
        carried = frame.select(name for name in frame.columns if "." not in name).with_columns(classes.cast(pl.String))
        if AS_OF not in frame.columns:
            return pl.concat([carried, self._on(self.as_of, facts)], how="horizontal")
        days = frame[AS_OF]
        if days.dtype in (pl.String, pl.Categorical) or isinstance(days.dtype, pl.Enum):
            days = days.cast(pl.String)
            words, days = days, days.str.to_date(strict=False)
            bad = (days.is_null() & words.is_not_null() & (words.str.strip_chars() != "")).fill_null(False)
            if bad.any():
                line = bad.arg_max() or 0
                raise UserError(
                    f"{where}: line {first_line + line}: {AS_OF}: must be a date as YYYY-MM-DD (got {words[line]!r})"
                )
        if days.dtype != pl.Date:
            raise UserError(f"{where}: column {AS_OF}: must be a date as YYYY-MM-DD (got {days.dtype})")
        return pl.concat([carried, self._by_day(days.fill_null(self.as_of), facts)], how="horizontal")

    def _on(self, day: date, facts: pl.DataFrame) -> pl.DataFrame:
        at = self.law.at(day)
        if at not in self._ready:
            self._ready[at] = ManyLaw(state_of(self.law, day).folded, self.questions, self.provisions)
        answers = self._ready[at].evaluate(facts, missing=self.missing)
        columns = []
        for given in answers.get_columns():
            kind = pl.Categorical() if given.name == MISSING else self._kind(given.name)
            if isinstance(kind, pl.Enum) and isinstance(given.dtype, pl.Enum):
                columns.append(places(given, kind.categories.to_list()).cat.to(kind).alias(given.name))
            else:
                columns.append(given if given.dtype == kind else given.cast(kind))
        return pl.DataFrame(columns)

    def _kind(self, name: str) -> Any:
        """Return the type of a column, the same on every day and in every batch."""
        question = self.law.questions.get(name)
        if question is None:
            return pl.Boolean
        if question.value is None:
            return pl.Enum(question.answers)
        return pl.Date if isinstance(question.value, Arith) and question.value.op == "years_after" else pl.Float64

    def _by_day(self, days: pl.Series, facts: pl.DataFrame) -> pl.DataFrame:
        spans = {day: id(self.law.at(day)) for day in days.unique()}
        if len(set(spans.values())) == 1:
            return self._on(next(iter(spans)), facts)
        numbered = facts.with_columns(days.alias("@day"), pl.int_range(facts.height, dtype=pl.UInt32).alias("@line"))
        parts = []
        for one in dict.fromkeys(spans.values()):
            same = [day for day, span in spans.items() if span == one]
            part = numbered.filter(pl.col("@day").is_in(same))
            parts.append(self._on(same[0], part.drop("@day", "@line")).with_columns(part["@line"]))
        return pl.concat(parts).sort("@line").drop("@line")


# -- writing ----------------------------------------------------------------------------------------------------------

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
