"""Frames of facts whose words may be numbers: a column of numbers, and beside it the words that they stand for.

A file's dictionary is taken as it stands, so that no word is read more than once a batch. Polars' own Enum says the
same, but to make one of numbers costs as much a line as a dozen conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

Words = tuple[str, ...]
NARROW = 255  # words that numbers of one byte can stand for


@dataclass(frozen=True, slots=True)
class Coded:
    """A frame, and for each of its columns that holds numbers of words: these words, none twice, in their order.

    >>> Coded(pl.DataFrame({"item.kind": pl.Series([1, None], dtype=pl.UInt8)}), {"item.kind": ("ic", "computer")})[
    ...     "item.kind"
    ... ].to_list()
    ['computer', None]
    """

    frame: pl.DataFrame
    words: Mapping[str, Words] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Return the number of lines."""
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns."""
        return self.frame.columns

    def __getitem__(self, name: str) -> pl.Series:
        """Return a column as it reads: words as an Enum."""
        values = self.frame[name]
        return values.cat.to(pl.Enum(self.words[name])) if name in self.words else values

    def plain(self) -> pl.DataFrame:
        """Return the frame with every column as it reads."""
        return self.frame.with_columns(self[name] for name in self.words)

    def with_frame(self, frame: pl.DataFrame) -> Coded:
        """Return other lines of the same columns with the same words."""
        return Coded(frame, self.words)


def coded(values: pl.Series) -> tuple[pl.Series, Words]:
    """Return a column of text, of classes or of an Enum as numbers of its words.

    >>> coded(pl.Series(["b", None, "a"]))[1]
    ('a', 'b')
    """
    if not isinstance(values.dtype, pl.Enum):
        values = values.cast(pl.Enum(values.unique().drop_nulls().cast(pl.String).sort()))
    assert isinstance(values.dtype, pl.Enum)
    return values.to_physical(), tuple(values.dtype.categories)


def narrow(words: Sequence[Any]) -> type[pl.DataType]:
    """Return the type of the numbers of so many words."""
    return pl.UInt8 if len(words) <= NARROW else pl.UInt32


def renumbered(values: pl.Series, meant: Sequence[str | None], words: Words) -> pl.Series:
    """Return numbers of other words: `meant` has for each number the word among `words` that it now stands for.

    >>> renumbered(pl.Series("x", [0, 1, None], dtype=pl.UInt8), ["b", None], ("a", "b")).to_list()
    [1, None, None]
    """
    numbers = {word: number for number, word in enumerate(words)}
    table = pl.Series([None if word is None else numbers[word] for word in meant], dtype=narrow(words))
    return table.gather(values).rename(values.name)
