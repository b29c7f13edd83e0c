"""Fitting the constants: robust least squares on the logarithms of measured against predicted, held by their priors.

A row has one family and one engine, so one constant of every family can be moved at once and the derivative read off
each family's own rows: a Jacobian costs as many evaluations as there are *names* of constants, not constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twokey.deploy.constants import ENGINE, FAMILY, GROUPS, PLATFORMS, WORLD, Constants, platform
from twokey.deploy.performance.columns import Array
from twokey.deploy.predict import Prepared, predict

_STEP = 0.02  # of a logarithm, for derivatives
_NOISE = 0.2  # spread of a measurement about a good fit, which the priors are weighed against
_SOFT = 0.25  # residuals beyond this (in logarithm) count linearly
_ALIKE = 0.7  # correlation of one constant between the families of a platform, before anything is measured


@dataclass(frozen=True, slots=True)
class _Slot:
    key: str
    name: str
    group: str
    member: str
    spread: float
    low: float
    high: float


def _slots(ready: Prepared) -> list[_Slot]:
    named = [("family", f, FAMILY) for f in (*ready.families, *PLATFORMS)]
    named += [("engine", e, ENGINE) for e in ready.engines]
    named += [("world", "all", WORLD)]
    slots = []
    for group, member, spec in named:
        for name, (_, spread, low, high) in spec.items():
            if spread > 0:
                slots.append(_Slot(f"{group}.{member}.{name}", name, group, member, spread, low, high))
    return slots


def _precision(slots: Sequence[_Slot]) -> Array:
    """Return the inverse of the priors' covariance (of logarithms, in units of the noise), n by n for n constants.

    A constant is alike among the families of a platform, so a family with few rows leans on the others of its kind: a
    hierarchical prior whose common mean is integrated out. Everything else is independent.
    """
    alike = np.array([[_alike(a, b) for b in slots] for a in slots])
    spread = np.array([s.spread for s in slots]) / _NOISE
    return np.asarray(np.linalg.inv(alike * spread[:, None] * spread[None, :]))


def _alike(a: _Slot, b: _Slot) -> float:
    if a.key == b.key:
        return 1.0
    families = a.group == b.group == "family" and a.name == b.name
    return _ALIKE if families and platform(a.member) == platform(b.member) else 0.0


def weights(ready: Prepared) -> Array:
    """Return each row's weight: rows of one source count less the more there are of them (their errors are alike)."""
    counts: dict[str, int] = {}
    for row in ready.rows:
        counts[row.source_family] = counts.get(row.source_family, 0) + 1
    trust = {"recalled": 0.7, "secondary": 0.7}
    raw = np.array(
        [trust.get(r.provenance, 1.0) * (0.4 if r.metric == "time_to_train_min" else 1.0) for r in ready.rows]
    )
    return np.asarray(raw * np.array([(1 + counts[r.source_family]) ** -0.25 for r in ready.rows]))


def fit(
    ready: Prepared,
    start: Constants | None = None,
    rounds: int = 25,
    progress: Callable[[int, float], None] | None = None,
) -> Constants:
    """Return constants fitted to the rows (levenberg-marquardt on soft-L1 residuals, priors as further residuals).

    `start` gives the priors' centres where it has values (a site's refit leans on the packaged ones). Deterministic.
    """
    slots = _slots(ready)
    base = start or Constants({})
    centre = np.log(np.array([base.of(s.group, s.member, s.name) for s in slots]))
    held = _precision(slots)
    low, high = np.log([s.low for s in slots]), np.log([s.high for s in slots])
    measured = np.log([row.value for row in ready.rows])
    weight = np.sqrt(weights(ready) / weights(ready).mean())

    def constants(x: Array) -> Constants:
        named = dict(base.values)
        named.update({s.key: float(np.exp(v)) for s, v in zip(slots, x, strict=True)})
        return Constants(named)

    def residuals(x: Array) -> Array:
        return np.asarray(np.nan_to_num(np.log(predict(ready, constants(x))) - measured, nan=0.0))

    def cost(r: Array, x: Array) -> float:
        soft = 2 * _SOFT**2 * (np.sqrt(1 + (r / _SOFT) ** 2) - 1)
        return float((weight**2 * soft).sum() + (x - centre) @ held @ (x - centre))

    x = np.clip(centre, low, high)
    r = residuals(x)
    value, damping = cost(r, x), 1e-2
    for turn in range(rounds):
        jacobian = _jacobian(ready, slots, residuals, x, r)
        robust = weight**2 / np.sqrt(1 + (r / _SOFT) ** 2)
        normal = jacobian.T @ (jacobian * robust[:, None]) + held
        slope = jacobian.T @ (robust * r) + held @ (x - centre)
        better = False
        for _ in range(5):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slope)
            trial = np.clip(x + np.clip(step, -0.5, 0.5), low, high)
            r_trial = residuals(trial)
            value_trial = cost(r_trial, trial)
            if value_trial < value:
                better = value - value_trial > 2e-5 * value
                x, r, value, damping = trial, r_trial, value_trial, max(damping / 3, 1e-5)
                break
            damping *= 5
        if progress:
            progress(turn + 1, value)
        if not better:
            break
    return constants(x)


def _jacobian(
    ready: Prepared, slots: Sequence[_Slot], residuals: Callable[[Array], Array], x: Array, r: Array
) -> Array:
    jacobian = np.zeros((len(r), len(slots)))
    for group, spec in GROUPS.items():
        for name in spec:
            moved = np.array([s.group == group and s.name == name for s in slots])
            if not moved.any():
                continue
            change = (residuals(x + moved * _STEP) - r) / _STEP
            for position in np.flatnonzero(moved):
                jacobian[:, position] = np.where(_rows_of(ready, slots[int(position)]), change, 0.0)
    return jacobian


def _rows_of(ready: Prepared, slot: _Slot) -> NDArray[np.bool_]:
    if slot.member in PLATFORMS:
        return np.zeros(len(ready.rows), dtype=bool)
    if slot.group == "family":
        return np.asarray(ready.family == ready.families.index(slot.member))
    if slot.group == "engine":
        return np.asarray(ready.engine == ready.engines.index(slot.member))
    return np.ones(len(ready.rows), dtype=bool)


def folds(groups: Sequence[str], count: int = 5, seed: int = 7) -> list[NDArray[np.intp]]:
    """Return the rows of each fold; a group is never split, and folds are near equal in rows.

    >>> [f.tolist() for f in folds(["a", "a", "b", "c"], 2)]
    [[0, 1], [2, 3]]
    """
    sizes: dict[str, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    names = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(names))
    load, home = [0] * count, {}
    for name in sorted((names[i] for i in order), key=lambda n: -sizes[n]):
        fold = load.index(min(load))
        home[name] = fold
        load[fold] += sizes[name]
    return [np.array([i for i, g in enumerate(groups) if home[g] == f], dtype=np.intp) for f in range(count)]
