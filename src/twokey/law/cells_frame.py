"""The listed cells of a proof as a frame, and the batch's answers for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from twokey.law.engine.cells import Flag, Ordered
from twokey.law.engine.many import ManyLaw
from twokey.law.engine.variables import Variable
from twokey.law.state import State


def frame_of_cells(chosen: Sequence[Variable]) -> pl.DataFrame:
    """Return one line for each combination of the classes of some facts, every line a sample order of its cell."""
    from twokey.law.prove import otherwise  # noqa: PLC0415 - the two modules are one proof, split for the import of Polars

    frame = pl.DataFrame({"": [0]})
    for one in chosen:
        samples: list[Any] = [one.classes.sample(index) for index in range(one.classes.size)]
        kind: type[pl.DataType] | None = pl.Boolean if isinstance(one.classes, Flag) else None
        if isinstance(one.classes, Ordered) and not hasattr(samples[0], "year"):
            kind, samples = pl.Float64, [float(sample) for sample in samples]
        frame = frame.join(pl.DataFrame({one.name: pl.Series(samples, dtype=kind)}), how="cross")
    fixed = {name: value for name, value in otherwise().items() if name not in frame.columns}
    return frame.drop("").with_columns(**{name: pl.lit(value) for name, value in fixed.items()})


def answers_of_cells(state: State, frame: pl.DataFrame, questions: tuple[str, ...]) -> pl.DataFrame:
    """Return the batch's answers to some questions for every line."""
    law = ManyLaw(state.folded, questions, provisions=("us-export:in_a",))
    parts = [law.evaluate(frame.slice(start, 200_000)) for start in range(0, frame.height, 200_000)]
    return pl.concat(parts)
