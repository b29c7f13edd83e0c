"""Inputs of the model: values or intervals (80 % or 90 %, stated), each with its sources, drawn with correlations."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from statistics import NormalDist
from typing import Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from twokey.outlook.sources import spells, table

Floats = npt.NDArray[np.float64]
Shape = Literal["lognormal", "share", "normal", "record"]

_Z: Final = {80: NormalDist().inv_cdf(0.9), 90: NormalDist().inv_cdf(0.95)}
_PRIOR_MOVES, _PRIOR_YEARS = 0.5, 0.25  # facts/outlook.md section 3: Gamma(n + 0.5, exposure + 0.25 years)
# The licence letter: events came four to seven times as often from then on, so forecasts learn from that window.
SINCE: Final = date(2025, 4, 9)
_SHARES: Final = frozenset(
    {"conversion", "pass_through", "mandate", "mandate_step", "substitution", "ai_wafer_share"}
    | {"die_yield", "die_yield_ceiling"}
)
RATES: Final = {
    "us_close_rate": ("export", "open"),
    "us_open_rate": ("export", "closed"),
    "cn_close_rate": ("import", "open"),
    "cn_open_rate": ("import", "closed"),
}

# Where an interval's ends are as far from its middle as normal scores are from theirs.
_SCALES: Final[Mapping[str, Callable[[float], float]]] = {
    "normal": float, "lognormal": math.log, "share": lambda p: math.log(p / (1 - p)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a fixed value (`low == high`), an interval of a shape, or a rate with a Gamma posterior."""

    name: str
    low: float
    high: float
    interval: int  # 80, 90, or 0 for a fixed value or a posterior
    shape: Shape
    unit: str
    sources: tuple[str, ...]
    confidence: str
    what: str
    what_zh: str
    moves: float = 0.0  # posterior of a rate: shape
    years: float = 0.0  # and exposure

    @property
    def fixed(self) -> bool:
        """Whether the input is one value."""
        return self.shape != "record" and self.low == self.high

    @property
    def central(self) -> float:
        """The median (of a posterior: the mean)."""
        if self.shape == "record":
            return self.moves / self.years
        return float(self.at(np.zeros(1))[0])

    def at(self, z: Floats) -> Floats:
        """Return the values at standard normal scores: 0 is the median.

        >>> stock = defaults(date(2026, 1, 28))["vendor_stock"]
        >>> [round(float(v)) for v in stock.at(np.array([-1.2815515, 0.0, 1.2815515]))]
        [600000, 670820, 750000]
        """
        if self.shape == "record":
            return _gamma_at(self.moves, self.years, z)
        if self.fixed:
            return np.full(z.shape, self.low)
        low, high = _SCALES[self.shape](self.low), _SCALES[self.shape](self.high)
        scaled = z * ((high - low) / 2 / _Z[self.interval])
        scaled += (low + high) / 2
        if self.shape == "normal":
            return scaled
        if self.shape == "lognormal":
            return np.exp(scaled, out=scaled)
        np.exp(np.negative(scaled, out=scaled), out=scaled)
        scaled += 1.0
        return np.divide(1.0, scaled, out=scaled)


def posterior(key: str, state: str, as_of: date, since: date = SINCE) -> tuple[float, float]:
    """Return the Gamma posterior (moves + 0.5, exposure years + 0.25) of leaving a state, from what was known.

    Only spells that began before `as_of` count, from `since` on; before `since` the whole record counts.

    >>> [round(n, 2) for n in posterior("import", "closed", date(2026, 10, 9))]
    [2.5, 1.09]
    """
    start = since if as_of > since else date(2022, 8, 26)
    moves, days = _PRIOR_MOVES, 0
    for spell in spells(key, as_of):
        if spell.state != state:
            continue
        end = spell.end or as_of
        days += max(0, (end - max(spell.start, start)).days)
        moves += 1 if spell.end and spell.end > start else 0
    return moves, days / 365.25 + _PRIOR_YEARS


def conversion_interval(as_of: date) -> tuple[float, float]:
    """Return the 80 % interval of the share of approvals that convert, from the reopenings known on `as_of`.

    A Beta(0.5, 0.5) prior; each reopening seen counts as two trials with its own share, so that three cannot make a
    forecast certain.

    >>> [round(end, 3) for end in conversion_interval(date(2025, 5, 1))]
    [0.024, 0.976]
    >>> [round(end, 3) for end in conversion_interval(date(2026, 10, 9))]
    [0.005, 0.32]
    """
    special: Any = importlib.import_module("scipy.special")  # 0.1 s to import

    a = b = 0.5
    for row in table("conversions"):
        if date.fromisoformat(row["as_of"]) <= as_of:
            a, b = a + 2 * float(row["share"]), b + 2 * (1 - float(row["share"]))
    return float(special.betaincinv(a, b, 0.1)), float(special.betaincinv(a, b, 0.9))


@cache
def defaults(as_of: date) -> Mapping[str, Input]:
    """Return the default inputs; the four rates have posteriors from the record known on `as_of`."""
    found = {}
    for row in table("inputs"):
        name, shape = row["name"], row["shape"]
        low, high = (float(row[end]) if row[end] else 0.0 for end in ("low", "high"))
        if name == "conversion":
            low, high = conversion_interval(as_of)
        moves, exposure = posterior(*RATES[name], as_of) if shape == "record" else (0.0, 0.0)
        found[name] = Input(
            name,
            low,
            high,
            int(row["interval"] or 0),
            cast(Shape, shape),
            row["unit"],
            tuple(row["sources"].split()),
            row["confidence"],
            row["what"],
            row["what_zh"],
            moves,
            exposure,
        )
    return found


def problem(base: Input, value: float) -> str:
    """Return why an input cannot have a value, or "" where it can.

    >>> problem(defaults(date(2026, 1, 28))["mandate"], 80)
    'a share lies from 0 to 1 (got 80)'
    """
    if not np.isfinite(value) or value < 0:
        return f"must be a number from 0 (got {value:g})"
    if base.name in _SHARES and value > 1:
        return f"a share lies from 0 to 1 (got {value:g})"
    if value == 0 and (base.name.endswith("_weeks") or base.name == "output_to_date"):
        return "must be above 0"
    return ""


def override(  # noqa: PLR0913, PLR0917 (what a person may say of one input)
    base: Input, low: float, high: float, interval: int, sources: Sequence[str], shape: str = ""
) -> Input:
    """Return an input with a person's own value or interval; a posterior becomes a lognormal interval."""
    kind = shape or ("lognormal" if base.shape == "record" else base.shape)
    if kind == "share" and not (low > 0 and high < 1) and low != high:
        kind = "normal"
    return replace(
        base,
        low=low,
        high=high,
        interval=interval,
        shape=cast(Shape, kind),
        sources=tuple(sources),
        confidence="scenario",
        moves=0.0,
        years=0.0,
    )


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation between the normal scores of two inputs."""

    first: str
    second: str
    value: float


def correlate(z: Floats, names: Sequence[str], links: Sequence[Correlation]) -> None:
    """Give standard normal scores, one row an input, shape (len(names), paths), the wanted correlations, in place.

    The Gaussian copula keeps each input's own interval. A set of correlations that no distribution can have is
    refused when the scenario is read.
    """
    if links:
        linked = sorted({n for link in links for n in (link.first, link.second)}, key=list(names).index)
        rows = [list(names).index(n) for n in linked]
        z[rows] = np.linalg.cholesky(correlation_matrix(linked, links)) @ z[rows]


def correlation_matrix(names: Sequence[str], links: Sequence[Correlation]) -> Floats:
    """Return the correlation matrix of the named inputs."""
    matrix = np.eye(len(names))
    for link in links:
        i, j = names.index(link.first), names.index(link.second)
        matrix[i, j] = matrix[j, i] = link.value
    return matrix


def _gamma_at(shape: float, years: float, z: Floats) -> Floats:
    """Gamma quantiles at normal scores, read from a table of 513 points (relative error below 1e-4 inside 4 sigma)."""
    values = _gamma_table(round(shape, 9))
    place = (np.clip(z, -_GAMMA_END, _GAMMA_END) + _GAMMA_END) * ((len(values) - 1) / (2 * _GAMMA_END))
    below = np.minimum(place.astype(np.intp), len(values) - 2)
    low = values[below]
    return np.asarray((low + (place - below) * (values[below + 1] - low)) / years)


_GAMMA_END: Final = 5.0  # the table's last normal score


@cache
def _gamma_table(shape: float) -> Floats:
    special: Any = importlib.import_module("scipy.special")  # 0.1 s to import; only models need it

    return np.asarray(special.gammaincinv(shape, special.ndtr(np.linspace(-_GAMMA_END, _GAMMA_END, 513))))
