"""Pooled corrections: how much faster or slower a known combination runs than its family's constants say.

Each is one number per category (this model on this engine, this engine for mixtures of experts, ...), fitted to the
residuals with a ridge that shrinks it towards 1 by the few rows that speak for it. Being the same for every batch,
size and layout, a correction changes no slope of the model: more bandwidth is never slower for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twokey.deploy.measurements import Measurement
from twokey.deploy.performance.columns import Array
from twokey.deploy.shapes import Shape

TIMES = frozenset({"tpot_ms", "ttft_ms", "iter_time_s", "gpu_hours", "gpu_hours_per_T_tokens", "time_to_train_min"})
_SHRINK = 6.0  # a category with as many rows keeps half of what they say
_SOFT = 0.15
_LIMIT = 0.9  # no correction beyond a factor of 2.5


def categories(kind: str, engine: str, shape: Shape, chip: str, family: str, precision: str) -> tuple[str, ...]:
    """Return the categories of a configuration, from the narrowest to the widest."""
    mixture = "moe" if shape.experts else "dense"
    return (
        f"model {shape.name} on {engine} on {chip}",
        f"model {shape.name} on {engine}",
        f"{kind} of {mixture} on {engine}",
        f"{mixture} on {engine} on {family}",
        f"{kind} in {precision or 'unstated'} on {family}",
    )


def _of_row(row: Measurement) -> tuple[str, ...]:
    return categories(row.kind, row.engine, row.shape, row.device.name, row.device.family, row.precision)


def sign(rows: Sequence[Measurement]) -> Array:
    """Return 1 for rows that report a rate and -1 for rows that report a time."""
    return np.array([-1.0 if row.metric in TIMES else 1.0 for row in rows])


def learn(rows: Sequence[Measurement], predicted: Array) -> dict[str, float]:
    """Return the logarithm of speed per category, from rows and their uncorrected predictions."""
    names = [_of_row(row) for row in rows]
    index = {name: i for i, name in enumerate(sorted({n for each in names for n in each}))}
    design = np.zeros((len(rows), len(index)))
    for i, each in enumerate(names):
        for name in each:
            design[i, index[name]] = 1.0
    error = np.log(np.array([row.value for row in rows]) / predicted) * sign(rows)
    weight: Array = np.ones(len(rows))
    x: Array = np.zeros(len(index))
    for _ in range(5):
        normal = design.T @ (design * weight[:, None]) + _SHRINK * np.eye(len(index))
        x = np.asarray(np.linalg.solve(normal, design.T @ (weight * error)), dtype=np.float64)
        weight = 1 / np.sqrt(1 + ((error - design @ x) / _SOFT) ** 2)
    return {name: float(x[i]) for name, i in index.items() if abs(x[i]) > 1e-3}


def speed(effects: Mapping[str, float], named: Sequence[str]) -> float:
    """Return the factor on speed for a configuration's categories; 1 where none of them was ever measured.

    >>> speed({"model A on vllm": 0.0953}, ["model A on vllm", "unknown"])
    1.1
    """
    total = sum(effects.get(name, 0.0) for name in named)
    return float(np.round(np.exp(np.clip(total, -_LIMIT, _LIMIT)), 6))


def apply(effects: Mapping[str, float], rows: Sequence[Measurement], predicted: Array) -> Array:
    """Return the predictions with each row's correction."""
    factor = np.array([speed(effects, _of_row(row)) for row in rows])
    return np.asarray(predicted * factor ** sign(rows))
