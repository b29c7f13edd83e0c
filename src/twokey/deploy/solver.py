"""Linear and mixed-integer programmes over columns, solved by HiGHS."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import highspy
import numpy as np
from numpy.typing import NDArray

from twokey.deploy.performance.columns import Array

INFINITY = float(highspy.kHighsInf)


@dataclass(frozen=True, slots=True)
class Programme:
    """Minimise cost @ x, with row_low <= A x <= row_high and low <= x <= high; A by its non-zeros.

    n columns, m rows, k non-zeros: cost, low, high, integer (n); row_low, row_high (m); row, column, value (k).
    """

    cost: Array
    low: Array
    high: Array
    integer: NDArray[np.bool_]
    row_low: Array
    row_high: Array
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    value: Array

    def bounded(self, low: Array, high: Array) -> Programme:
        """Return the programme with other bounds on its columns."""
        return replace(self, low=low, high=high)

    def relaxed(self) -> Programme:
        """Return the linear relaxation."""
        return replace(self, integer=np.zeros(len(self.cost), dtype=bool))

    def only(self, kept: NDArray[np.bool_]) -> Programme:
        """Return the programme without the other columns (they are zero)."""
        new = np.cumsum(kept) - 1
        inside = kept[self.column]
        return Programme(
            self.cost[kept],
            self.low[kept],
            self.high[kept],
            self.integer[kept],
            self.row_low,
            self.row_high,
            self.row[inside],
            new[self.column[inside]].astype(np.int32),
            self.value[inside],
        )


@dataclass(frozen=True, slots=True)
class Solution:
    """`status` is "optimal", "infeasible", "limit" (best so far) or "unbounded"; duals are of the linear solve."""

    status: str
    objective: float
    x: Array
    row_dual: Array
    reduced: Array


def solve(programme: Programme, seconds: float = 600.0, gap: float = 1e-4, threads: int = 2) -> Solution:
    """Solve a programme within a time, whole columns to a relative gap."""
    return Session(programme, seconds, gap, threads).run()


class Session:
    """A programme in the solver's hands: run again under other bounds, it begins from the basis of the last run."""

    def __init__(self, programme: Programme, seconds: float = 600.0, gap: float = 1e-4, threads: int = 2) -> None:
        self._n, self._m = len(programme.cost), len(programme.row_low)
        h = _quiet_highs()
        h.setOptionValue("threads", threads)
        h.setOptionValue("time_limit", float(seconds))
        h.setOptionValue("mip_rel_gap", gap)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self._n, self._m
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cost, programme.low, programme.high
        lp.row_lower_, lp.row_upper_ = programme.row_low, programme.row_high
        order = np.lexsort((programme.row, programme.column))
        counts = np.bincount(programme.column, minlength=self._n)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = self._n, self._m
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        lp.a_matrix_.index_ = programme.row[order].astype(np.int32)
        lp.a_matrix_.value_ = programme.value[order]
        if programme.integer.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(i)] for i in programme.integer]
        h.passModel(lp)
        self._highs = h

    def run(self) -> Solution:
        """Solve, from the last basis where there is one."""
        self._highs.run()
        return _solution(self._highs, self._n, self._m)

    def bound(self, columns: NDArray[np.intp], low: Array, high: Array) -> None:
        """Change the bounds of some columns (all three of equal length)."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), low, high)


@cache
def _silence_banner() -> None:
    """HiGHS prints its licence notice on the first use; standard output belongs to the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]  # highspy ships no types for it
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _quiet_highs() -> highspy.Highs:
    _silence_banner()
    h = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy ships no types for it
    h.silent()
    return h


def _solution(h: highspy.Highs, n: int, m: int) -> Solution:
    status = h.getModelStatus()
    names = {
        highspy.HighsModelStatus.kOptimal: "optimal",
        highspy.HighsModelStatus.kInfeasible: "infeasible",
        highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
        highspy.HighsModelStatus.kUnbounded: "unbounded",
    }
    word = names.get(status, "limit")
    found = h.getSolution()
    x = np.array(found.col_value)
    if len(x) != n:
        x = np.full(n, np.nan)
    dual = np.array(found.row_dual) if len(found.row_dual) == m else np.zeros(m)
    reduced = np.array(found.col_dual) if len(found.col_dual) == n else np.zeros(n)
    return Solution(word, float(h.getObjectiveValue()), x, dual, reduced)


def nonzeros(
    parts: Sequence[tuple[NDArray[np.int32], NDArray[np.int32], Array]],
) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
    """Join (row, column, value) parts into one."""
    return (
        np.concatenate([part[0] for part in parts]).astype(np.int32),
        np.concatenate([part[1] for part in parts]).astype(np.int32),
        np.concatenate([part[2] for part in parts]).astype(np.float64),
    )
