"""Calibration: constants, corrections and intervals from measurements, the intervals from groups left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twokey.chips import UserError
from twokey.deploy import corrections, intervals
from twokey.deploy.constants import Constants
from twokey.deploy.counterparts import kept_together
from twokey.deploy.fitting import fit, folds
from twokey.deploy.measurements import Measurement, groups
from twokey.deploy.performance.columns import Array
from twokey.deploy.predict import predict as uncorrected
from twokey.deploy.predict import prepare

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The constants, with predictions of every row by the fit and by fits that did not see the row's group.

    `paired` did not see the group of any counterpart either: both sides of a pair of chips come from one fit.
    """

    constants: Constants
    fitted: Array
    held_out: Array
    paired: Array


def predictions(rows: Sequence[Measurement], constants: Constants) -> Array:
    """Return the predicted figure of each row, corrected, in its own metric; NaN where there is no answer."""
    return corrections.apply(constants.effects, rows, uncorrected(prepare(rows), constants))


def _learn(rows: Sequence[Measurement], start: Constants | None) -> Constants:
    ready = prepare(rows)
    base = fit(ready, start)
    return Constants(base.values, corrections.learn(rows, uncorrected(ready, base)))


def calibrate(
    rows: Sequence[Measurement],
    start: Constants | None = None,
    count: int = 6,
    progress: Progress = lambda _: None,
) -> Calibration:
    """Return a calibration on rows; `count` folds of whole groups give the held-out predictions and the intervals.

    `start` are constants to lean on (a site refits the packaged ones with the public rows and its own). Takes about
    five seconds per fold on the 677 public rows. Raises UserError with fewer than two groups.
    """
    if len(set(groups(rows))) < 2:
        raise UserError("calibration needs rows of at least two groups; give more measurements (column `group`)")
    held_out, parts = _left_out(rows, groups(rows), start, count, progress)
    paired, _ = _left_out(rows, kept_together(rows), start, count, lambda text: progress(f"pairs of chips, {text}"))
    progress(f"all {len(rows)} rows")
    learned = _learn(rows, start)
    fitted = predictions(rows, learned)
    measured = np.array([row.value for row in rows])
    about = {
        "rows": len(rows),
        "groups": len(set(groups(rows))),
        "folds": parts,
        "held_out_median_error": float(np.median(np.abs(held_out / measured - 1))),
        "held_out_p90_error": float(np.quantile(np.abs(held_out / measured - 1), 0.9)),
        "fitted_median_error": float(np.median(np.abs(fitted / measured - 1))),
        "rows_per_family": _count([row.device.family for row in rows]),
        "rows_per_engine": _count([row.engine for row in rows]),
    }
    residuals = intervals.learn(rows, held_out)
    return Calibration(Constants(learned.values, learned.effects, residuals, about), fitted, held_out, paired)


def _left_out(
    rows: Sequence[Measurement], names: Sequence[str], start: Constants | None, count: int, progress: Progress
) -> tuple[Array, int]:
    """Return each row's prediction by a fit without the rows of its fold, and how many folds there were."""
    answer = np.full(len(rows), np.nan)
    parts = folds(names, min(count, len(set(names))))
    for number, part in enumerate(parts):
        left = set(part.tolist())
        progress(f"fold {number + 1} of {len(parts)}: {len(rows) - len(left)} rows fitted, {len(left)} left out")
        learned = _learn([row for i, row in enumerate(rows) if i not in left], start)
        answer[part] = predictions([rows[i] for i in part], learned)
    return answer, len(parts)


def _count(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
