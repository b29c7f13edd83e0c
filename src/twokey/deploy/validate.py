"""Validation: what the model says of measured rows, by kind, chip family and pair of chips; every row on a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twokey.deploy import intervals
from twokey.deploy.calibrate import predictions
from twokey.deploy.constants import Constants
from twokey.deploy.corrections import TIMES
from twokey.deploy.counterparts import counterparts
from twokey.deploy.measurements import Measurement
from twokey.deploy.performance.columns import Array


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of a set of rows. Shares are 0 to 1; `bias` is the median of predicted / measured - 1."""

    name: str
    rows: int
    median: float
    p90: float
    bias: float
    coverage: float | None  # share of rows inside their 80 % interval

    def words(self) -> str:
        """Return the score as one aligned line."""
        covered = "    –" if self.coverage is None else f"{100 * self.coverage:4.0f}%"
        return (
            f"{self.name:28} {self.rows:5d} {100 * self.median:8.1f}% {100 * self.p90:8.1f}% "
            f"{100 * self.bias:+8.1f}% {covered}"
        )


@dataclass(frozen=True, slots=True)
class Pairs:
    """How well the *ratio* of two chips on the same work is predicted."""

    pairs: int
    median: float
    sign: float  # share of pairs whose faster chip is named rightly


@dataclass(frozen=True, slots=True)
class Validation:
    """Predictions of rows with their intervals, and the refusals (message per row that could not be answered)."""

    rows: tuple[Measurement, ...]
    predicted: Array
    low: Array
    high: Array
    refused: tuple[str, ...] = ()

    @property
    def measured(self) -> Array:
        """The measured figures."""
        return np.array([row.value for row in self.rows])

    @property
    def answered(self) -> float:
        """Share of the file's rows that have a prediction."""
        every = len(self.rows) + len(self.refused)
        return float(np.isfinite(self.predicted).sum() / every) if every else 0.0

    def last_line(self) -> str:
        """Return `median X % p90 Y % answered Z %`."""
        error = self._errors()
        median, p90 = (np.median(error), np.quantile(error, 0.9)) if len(error) else (np.nan, np.nan)
        return f"median {100 * median:.1f} % p90 {100 * p90:.1f} % answered {100 * self.answered:.1f} %"

    def _errors(self) -> Array:
        kept = np.isfinite(self.predicted)
        return np.abs(self.predicted[kept] / self.measured[kept] - 1)


def validate(rows: Sequence[Measurement], constants: Constants, refused: Sequence[str] = ()) -> Validation:
    """Return predictions and 80 % intervals for measured rows."""
    predicted = predictions(rows, constants) if rows else np.zeros(0)
    return with_intervals(rows, predicted, constants, refused)


def with_intervals(
    rows: Sequence[Measurement], predicted: Array, constants: Constants, refused: Sequence[str] = ()
) -> Validation:
    """Return given predictions with the interval of each row's kind."""
    low, high = np.zeros(len(rows)), np.zeros(len(rows))
    for i, row in enumerate(rows):
        slow, fast = intervals.bounds(constants, row.kind, row.device.family, row.device.domestic, row.engine)
        if row.metric in TIMES:
            low[i], high[i] = predicted[i] / fast, predicted[i] / slow
        else:
            low[i], high[i] = predicted[i] * slow, predicted[i] * fast
    return Validation(tuple(rows), predicted, low, high, tuple(refused))


def score(of: Validation, name: str, chosen: NDArray[np.bool_]) -> Score:
    """Return the score of the chosen rows (those without a prediction are left out)."""
    kept = chosen & np.isfinite(of.predicted)
    measured, predicted = of.measured[kept], of.predicted[kept]
    error = np.abs(predicted / measured - 1)
    inside = (measured >= of.low[kept]) & (measured <= of.high[kept])
    return Score(
        name,
        int(kept.sum()),
        float(np.median(error)),
        float(np.quantile(error, 0.9)),
        float(np.median(predicted / measured) - 1),
        float(inside.mean()),
    )


def scores(of: Validation) -> Iterator[tuple[str, list[Score]]]:
    """Yield the tables: overall, by kind, by chip family, by origin; empty strata are left out."""
    everything = np.ones(len(of.rows), dtype=bool)

    def by(key: Callable[[Measurement], str]) -> list[Score]:
        names = sorted({key(row) for row in of.rows})
        masks = {name: np.array([key(row) == name for row in of.rows]) for name in names}
        return [score(of, name, mask) for name, mask in masks.items() if (mask & np.isfinite(of.predicted)).any()]

    if np.isfinite(of.predicted).any():
        yield "all", [score(of, "all rows", everything)]
        yield "kind", by(lambda row: row.kind)
        yield "chip family", by(lambda row: row.device.family)
        yield "origin", by(lambda row: "domestic" if row.device.domestic else "imported")


def pairs(of: Validation) -> Pairs:
    """Return how well chip-to-chip ratios hold: pairs of rows with equal work on two chips (per card, same metric)."""
    errors, right = [], []
    for a, b in counterparts(of.rows):
        true, said = of.rows[a].value / of.rows[b].value, of.predicted[a] / of.predicted[b]
        if np.isfinite(said):
            errors.append(abs(said / true - 1))
            if abs(np.log(true)) > 0.02:
                right.append(np.sign(np.log(said)) == np.sign(np.log(true)))
    if not errors:
        return Pairs(0, float("nan"), float("nan"))
    return Pairs(len(errors), float(np.median(errors)), float(np.mean(right)) if right else float("nan"))


def row_by_row(of: Validation) -> str:
    """Return the row-by-row CSV: id, kind, chip, model, metric, measured, predicted, low, high, error, group."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "line",
            "id",
            "kind",
            "chip",
            "family",
            "model",
            "metric",
            "measured",
            "predicted",
            "low",
            "high",
            "error_pct",
            "group",
        ]
    )
    for i, row in enumerate(of.rows):
        known = np.isfinite(of.predicted[i])
        figures = [f"{x:.5g}" if known else "" for x in (of.predicted[i], of.low[i], of.high[i])]
        error = f"{100 * (of.predicted[i] / row.value - 1):.1f}" if known else ""
        writer.writerow(
            [
                row.line,
                row.id,
                row.kind,
                row.device.name,
                row.device.family,
                row.shape.name,
                row.metric,
                f"{row.value:g}",
                *figures,
                error,
                row.group,
            ]
        )
    return out.getvalue()
