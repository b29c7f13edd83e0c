"""The door of a book: every column checked as the facts of one order are, with the figures of chips filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import polars as pl

from twokey.chips import UserError, find, nearest
from twokey.law.engine.coded import Coded, Words, coded, renumbered
from twokey.law.engine.facts import FactType, admit, dictionary
from twokey.law.order import CHIP_FACTS, IMPORTING_STATE, SHARED

_TYPES: Final[dict[str, Any]] = {"number": pl.Float64, "integer": pl.Float64, "boolean": pl.Boolean, "date": pl.Date}


def admit_frame(lines: Coded, where: str, first_line: int = 1) -> Coded:
    """Return the facts of a batch, checked and with the figures of chips filled in; other columns are left out.

    `first_line`: the number of the batch's first line, for messages. Errors: UserError with `where`, line and fact.
    """
    columns: dict[str, pl.Series] = {}
    words: dict[str, Words] = {}
    facts = dictionary()
    for name in lines.columns:
        if "." in name and name not in facts:
            raise UserError(f"{where}: column {name}: no such fact{nearest(name, facts)}")
    for name in (name for name in lines.columns if name in facts):
        fact, place = facts[name], f"{where}: column {name}"
        if fact.type in _TYPES or fact.type == "list":
            columns[name] = _admit_column(lines[name], fact, where, first_line)
        else:
            given = (lines.frame[name], lines.words[name]) if name in lines.words else _words_of(lines[name], place)
            columns[name], words[name] = _admit_words(*given, fact, where, first_line)
    if "item.chip" in words:
        _fill_from_chips(columns, words, where, first_line)
    if "item.contains" in columns:
        columns["item.contains"] = _admit_circuits(columns["item.contains"], where, first_line)
        _lift_shared(columns, words)
    return Coded(pl.DataFrame(columns) if columns else pl.DataFrame({"": [None] * lines.height}).drop(""), words)


def _admit_column(values: pl.Series, fact: FactType, where: str, first_line: int) -> pl.Series:
    if fact.type == "list":
        if fact.name != "item.contains" and values.dtype != pl.Null:
            raise UserError(f"{where}: column {fact.name}: a book has no such lists; give item.tpp or the chip by name")
        return values
    if values.dtype == pl.Null:
        return values.cast(_TYPES[fact.type])
    if fact.type in ("number", "integer"):
        return _admit_numbers(values, fact, where, first_line)
    if values.dtype != _TYPES[fact.type]:
        raise UserError(f"{where}: column {fact.name}: must be a {fact.type} (got {values.dtype})")
    return values


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


def _words_of(values: pl.Series, place: str) -> tuple[pl.Series, Words]:
    if values.dtype == pl.Null:
        return values.cast(pl.UInt8), ()
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise UserError(f"{place}: must be text (got {values.dtype})")
    return coded(values)


def _admit_words(
    values: pl.Series, given: Words, fact: FactType, where: str, first_line: int
) -> tuple[pl.Series, Words]:
    plain, refused = _plain_words(fact.name, given)
    for number, why in refused.items():
        if (line := _first(values, number)) is not None:
            raise UserError(f"{where}: line {first_line + line}: {why}")
    if plain == given:
        return values, given
    words = _sorted(plain)
    return renumbered(values, plain, words), words


def _first(values: pl.Series, number: int) -> int | None:
    """Return the first line with a word of this number; a file's dictionary may have words that no line has."""
    found = (values == number).fill_null(False)
    return found.arg_max() if found.any() else None


@lru_cache(maxsize=256)
def _plain_words(name: str, given: Words) -> tuple[tuple[str | None, ...], Mapping[int, str]]:
    """Return words of a fact as the engine reads them, and why some are refused, by number.

    The words of one batch are mostly those of the next.
    """
    plain: list[str | None] = []
    refused = {}
    for number, word in enumerate(given):
        try:
            plain.append(admit({name: word}, "book").get(name))
        except UserError as error:
            plain.append(None)
            refused[number] = str(error).removeprefix("book: ")
    return tuple(plain), refused


def _fill_from_chips(columns: dict[str, pl.Series], words: dict[str, Words], where: str, first_line: int) -> None:
    chips = columns["item.chip"]
    figures: dict[str, list[Any]] = {name: [] for name in (*CHIP_FACTS, "item.origin")}
    for number, name in enumerate(words["item.chip"]):
        known: dict[str, Any] = {}
        try:
            chip = find(name)
            known = {fact: getattr(chip, one) for fact, one in CHIP_FACTS.items() if getattr(chip, one) is not None}
            known["item.origin"] = "domestic" if chip.country == IMPORTING_STATE else "foreign"
        except UserError as error:
            if (line := _first(chips, number)) is not None:
                raise UserError(f"{where}: line {first_line + line}: item.chip: {error}") from None
        admitted = admit(known, where)
        for fact, values in figures.items():
            values.append(admitted.get(fact))
    if not words["item.chip"]:
        return
    for fact, values in figures.items():
        kind = _TYPES.get(dictionary()[fact].type)
        if kind is None:
            _fill_words(columns, words, fact, renumbered(chips, values, found := _sorted(values)), found)
        else:
            filled = pl.Series(values, dtype=kind).gather(chips).rename(fact)
            columns[fact] = columns[fact].fill_null(filled) if fact in columns else filled


def _sorted(words: Iterable[str | None]) -> Words:
    return tuple(sorted({word for word in words if word is not None}))


def _fill_words(
    columns: dict[str, pl.Series], words: dict[str, Words], fact: str, filled: pl.Series, found: Words
) -> None:
    """Fill the gaps of a column of words from another one, or add it."""
    if fact in columns:
        joint = _sorted((*words[fact], *found))
        filled = renumbered(columns[fact], words[fact], joint).fill_null(renumbered(filled, found, joint))
        found = joint
    columns[fact], words[fact] = filled.rename(fact), found


def _lift_shared(columns: dict[str, pl.Series], words: dict[str, Words]) -> None:
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
            _fill_words(columns, words, name, *coded(table[name]))


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
        admitted = admit_frame(Coded(inner), f"{where}: item.contains", 0).plain()
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
