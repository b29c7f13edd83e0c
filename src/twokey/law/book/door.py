"""The door of a book: every column checked as the facts of one order are, with the figures of chips filled in."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any, Final

import polars as pl

from twokey.chips import UserError, find, nearest
from twokey.law.engine.facts import FactType, admit, dictionary
from twokey.law.order import CHIP_FACTS, IMPORTING_STATE, SHARED

_TYPES: Final[dict[str, Any]] = {"number": pl.Float64, "integer": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}


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
