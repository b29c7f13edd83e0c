"""Columns of numbers with names: what the phases compute on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Columns:
    """Named columns that broadcast against each other; a name is read as an attribute.

    >>> Columns({"tp": np.array([1.0, 2.0])}).tp.tolist()
    [1.0, 2.0]
    """

    __slots__ = ("_named",)

    def __init__(self, named: Mapping[str, Array]) -> None:
        self._named = dict(named)

    def __getattr__(self, name: str) -> Array:
        try:
            return self._named[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getstate__(self) -> dict[str, Array]:
        return self._named

    def __setstate__(self, state: dict[str, Array]) -> None:
        self._named = state

    def take(self, index: Array | NDArray[np.intp] | slice) -> Columns:
        """Return the rows at `index`; a single number stays one."""
        return Columns({k: v[index] if np.ndim(v) else v for k, v in self._named.items()})

    def with_(self, **changed: Array) -> Columns:
        """Return a copy with some columns replaced or added."""
        return Columns({**self._named, **changed})

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(self._named)


def scalar(value: float) -> Array:
    """Return a number as a column without length, which broadcasts against every other."""
    return np.asarray(value, dtype=np.float64)


def stack(records: Sequence[object], names: Iterable[str]) -> Columns:
    """Return one column per name, read from the records in order (n records give columns of length n)."""
    return Columns({name: np.array([float(getattr(r, name)) for r in records]) for name in names})


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything a phase needs: the model's shape, the device, its family's and its engine's constants, the world's.

    `config` holds tp, pp, dp, ep (devices), weight_bytes, cache_bytes (per number) and rate (peak FLOP/s of the
    arithmetic used) with efficiency `eta`.
    """

    shape: Columns
    device: Columns
    family: Columns
    engine: Columns
    world: Columns
    config: Columns

    def take(self, index: NDArray[np.intp] | slice) -> Setting:
        """Return the rows at `index` of every column."""
        return Setting(
            self.shape.take(index),
            self.device.take(index),
            self.family.take(index),
            self.engine.take(index),
            self.world.take(index),
            self.config.take(index),
        )


def larger(a: Array, b: Array) -> Array:
    """Return a smooth maximum (4-norm): never below either, at most 19 % above where they are equal.

    A kernel that needs as long for its arithmetic as for its bytes does not overlap them perfectly.
    """
    a2, b2 = a * a, b * b
    return np.sqrt(np.sqrt(a2 * a2 + b2 * b2))
