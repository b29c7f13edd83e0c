"""Values that are calculated, and comparisons that join two facts, on every line of a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from twokey.law.engine.coded import Coded
from twokey.law.engine.facts import dictionary
from twokey.law.engine.tree import CALCULATE, COMPARE, Arith, Compare, Const, Fact, Operand

OPS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {**COMPARE, **CALCULATE}


def calculated(node: Compare | Operand, facts: Coded) -> pl.Series:
    """Return a value that is calculated, or a comparison of two facts, on every line; null where a part is null."""
    match node:
        case Fact(name):
            kind = dictionary()[name].type
            plain = {"number": pl.Float64, "integer": pl.Float64, "date": pl.Date}.get(kind, pl.String)
            if name not in facts.columns:
                return pl.Series(name, [None], dtype=plain).new_from_index(0, facts.height)
            return facts[name].cast(plain)
        case Const(value):
            return pl.Series("", [value]).new_from_index(0, facts.height)
        case Arith("years_after", left, Const(years)):
            return _years_after(calculated(left, facts), years)  # type: ignore[arg-type]  # a whole number, by the reader
        case Arith(op, left, right) | Compare(op, left, right):
            found: pl.Series = OPS[op](_side(left, facts), _side(right, facts))
            return found
        case _:
            raise TypeError(node)


def _side(node: Operand, facts: Coded) -> Any:
    return node.value if isinstance(node, Const) else calculated(node, facts)


def _years_after(days: pl.Series, years: int) -> pl.Series:
    """Return the same days some years later; 29 February becomes 1 March where there is none."""
    numbers = days.to_physical()
    if numbers.null_count() == len(numbers):
        return days
    low, high = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]  # whole numbers of days
    day = np.arange(low, high + 1).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    later = (month + 12 * years).astype("datetime64[D]") + (day - month)
    return pl.Series(days.name, later.astype(np.int32)).gather(numbers - low).cast(pl.Date)
