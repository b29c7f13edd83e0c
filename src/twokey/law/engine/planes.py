"""Columns of facts as NumPy arrays, and their conditions as planes: one bit a line, sixty-four lines a word.

A condition has two planes, one for the lines where it is True and one for those where it is False; a line in neither is
unknown. Bits past the last line are never set in a plane that comes from a fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from twokey.law.engine.coded import Coded, Words, coded
from twokey.law.engine.facts import dictionary

Plane = npt.NDArray[np.uint64]
Pair = tuple[Plane, Plane]  # the lines where it is True, the lines where it is False
WORD: Final = 64


def plane(flags: npt.NDArray[Any]) -> Plane:
    """Return an array of booleans (or of numbers: not zero) as a plane.

    >>> plane(np.array([True, False, True])).tolist()
    [5]
    """
    packed = np.packbits(flags, bitorder="little")
    rest = -len(packed) % 8
    return (np.concatenate([packed, np.zeros(rest, np.uint8)]) if rest else packed).view(np.uint64)


def flags(bits: Plane, lines: int) -> npt.NDArray[np.uint8]:
    """Return a plane as one byte a line, 0 or 1.

    >>> flags(np.array([5], np.uint64), 4).tolist()
    [1, 0, 1, 0]
    """
    return np.unpackbits(bits.view(np.uint8), count=lines, bitorder="little")


@dataclass(slots=True)
class Known:
    """On which of `lines` a result is known, put together chunk by chunk; a plane is kept only where one is not."""

    lines: int
    plane: Plane | None = None

    def put(self, place: slice, known: Plane, every: Plane) -> None:
        """Set the words of a chunk; `every` is set on each of its lines."""
        if self.plane is None and not np.array_equal(known & every, every):
            self.plane = ones(self.lines)
        if self.plane is not None:
            self.plane[place] = known

    def array(self, kind: pa.DataType, values: npt.NDArray[Any]) -> pa.Array:
        """Return values as an array that is null where they are not known; nothing is copied."""
        validity = None if self.plane is None else pa.py_buffer(self.plane)
        return pa.Array.from_buffers(kind, self.lines, [validity, pa.py_buffer(values)])


@dataclass(frozen=True, slots=True)
class Column:
    """One fact of every line: `values` as numbers, days since 1970, codes of words, or a plane of booleans."""

    values: npt.NDArray[Any]
    known: Plane | None  # None: on every line
    words: tuple[str, ...] | None = None
    is_plane: bool = False

    def is_known(self, start: int, stop: int) -> Plane:
        """Return the lines from `start` (a multiple of 64) on whose value is known; NaN is not a value."""
        known = ones(stop - start) if self.known is None else self.known[start // WORD : -(-stop // WORD)]
        if self.values.dtype.kind == "f":
            part = self.values[start:stop]
            if np.isnan(part.min()):  # NaN where any value is
                return known & plane(~np.isnan(part))
        return known


def ones(lines: int) -> Plane:
    """Return the plane that is set on every line."""
    whole, rest = divmod(lines, WORD)
    ones = np.full(whole + bool(rest), 0xFFFF_FFFF_FFFF_FFFF, np.uint64)
    if rest:
        ones[whole] = (1 << rest) - 1
    return ones


def column(facts: Coded, name: str) -> Column:
    """Return the column of a fact; no value is copied where it already has its form.

    Errors: polars.exceptions.InvalidOperationError where it cannot be cast to the fact's type.
    """
    kind = dictionary()[name].type
    if kind in ("number", "integer", "boolean", "date"):
        return numbers(facts[name], kind)
    codes, words = (facts.frame[name], facts.words[name]) if name in facts.words else coded(facts[name])
    return numbers(codes, "words", words)


def numbers(values: pl.Series, kind: str, words: Words | None = None) -> Column:
    """Return numbers, booleans, dates or codes of words as a column of a fact of a type of the dictionary."""
    if kind in ("number", "integer"):
        values = values.cast(pl.Float64)
    elif kind in ("boolean", "date"):
        values = values.cast(pl.Boolean if kind == "boolean" else pl.Date)
    lines, array = len(values), values.to_arrow()
    validity, data = array.buffers()
    known = None if not array.null_count or validity is None else _bits(validity, array.offset, lines)
    if data is None:
        return Column(np.zeros(lines, np.uint8), np.zeros(-(-lines // WORD), np.uint64), words)
    if kind == "boolean":
        return Column(_bits(data, array.offset, lines), known, is_plane=True)
    dtype = np.int32 if kind == "date" else np.dtype(array.type.to_pandas_dtype())
    return Column(np.frombuffer(data, dtype, lines, array.offset * np.dtype(dtype).itemsize), known, words)


def _bits(buffer: pa.Buffer, offset: int, lines: int) -> Plane:
    start, shift = divmod(offset, 8)
    packed = np.frombuffer(buffer, np.uint8, -(-(lines + shift) // 8), start)
    if shift:
        return plane(np.unpackbits(packed, bitorder="little")[shift : shift + lines])
    bits = np.zeros(-(-lines // WORD) * 8, np.uint8)
    bits[: len(packed)] = packed
    if lines % 8:
        bits[len(packed) - 1] &= (1 << lines % 8) - 1
    return bits.view(np.uint64)


def code(planes: Sequence[Plane], lines: int) -> npt.NDArray[np.uint8]:
    """Return for each line the number whose binary digits are its bits of at most eight planes, the lowest first."""
    result = flags(planes[0], lines)
    for digit, bits in enumerate(planes[1:], 1):
        result |= flags(bits, lines) << np.uint8(digit)
    return result
