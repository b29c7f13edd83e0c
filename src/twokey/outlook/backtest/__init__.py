"""The forecasts put to the record: what would have been said on each day, and how it came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twokey.outlook.backtest import baselines, chance, revenue, rolling
from twokey.outlook.backtest.knowledge import Settings
from twokey.outlook.backtest.scores import brier, covered, crps, pinball
from twokey.outlook.backtest.targets import Target, read_targets
from twokey.outlook.sources import data_folder, series

__all__ = ["Report", "Scored", "backtest", "forecast", "read_targets", "rolling"]

Floats = npt.NDArray[np.float64]
SEED = 11


@dataclass(frozen=True, slots=True)
class Scored:
    """One target with its forecast and scores; a score is None where there is no outcome, or no such baseline.

    `scale` is known at the origin; scores divided by it can be averaged over units. `losses` holds CRPS (or Brier)
    of model, persistence, climatology and guidance. An outcome known only to lie below a bound is scored at the bound,
    for every forecaster alike, and counts as held where the interval reaches below it.
    """

    target: Target
    settings: Settings
    mean: float | None
    p10: float | None
    p50: float | None
    p90: float | None
    scale: float
    losses: dict[str, float | None]
    pinball: float | None
    covered: bool | None
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every target, the rolling origins, and the means over both."""

    scored: tuple[Scored, ...]
    rolled: tuple[rolling.Rolled, ...]
    strict: bool

    def _continuous(self) -> list[Scored]:
        return [s for s in self.scored if s.target.continuous and s.losses.get("model") is not None]

    def mean_crps(self, name: str = "model", *, beside: str = "") -> float:
        """Return the mean scaled CRPS of one forecaster, over targets where it and `beside` both have a forecast."""
        kept = [
            loss / s.scale
            for s in self._continuous()
            if (loss := s.losses.get(name)) is not None and (not beside or s.losses.get(beside) is not None)
        ]
        return float(np.mean(kept)) if kept else float("nan")

    def mean_pinball(self) -> float:
        """Return the mean scaled pinball loss of the model at 10, 50 and 90 %."""
        return float(np.mean([s.pinball / s.scale for s in self._continuous() if s.pinball is not None]))

    def mean_brier(self, name: str = "model") -> float:
        """Return the mean Brier score over binary targets."""
        kept = [s.losses[name] for s in self.scored if not s.target.continuous and s.losses.get(name) is not None]
        return float(np.mean([k for k in kept if k is not None])) if kept else float("nan")

    def coverage(self) -> tuple[int, int]:
        """Return how many outcomes the 80 % intervals held, and of how many."""
        seen = [s.covered for s in self.scored if s.covered is not None]
        return sum(seen), len(seen)


def backtest(file: Traversable | Path | None = None, *, strict: bool = False) -> Report:
    """Score every target of a file (by default the package's), each with only what was known on its origin.

    >>> from twokey.outlook.sources import data_folder, series
    >>> report = backtest()
    >>> report.mean_crps("model") < report.mean_crps("persistence")
    True
    """
    targets = read_targets(file or data_folder() / "backtest_targets.csv")
    scored = tuple(_score(target, strict) for target in targets)
    return Report(scored, tuple(rolling.roll(strict=strict)), strict)


def forecast(target: Target, settings: Settings, *, strict: bool = False) -> tuple[Floats | float | None, str]:
    """Return samples (a quantity) or a probability (an event), and a note; None for a question not understood."""
    if target.by is None and target.family in ("delivered units", "controlled revenue", "licence", "mandate"):
        return None, "the question names no day, quarter or year"
    if target.continuous:
        return _quantity(target, settings, strict)
    return _event(target, settings, strict)


def _quantity(target: Target, settings: Settings, strict: bool) -> tuple[Floats | None, str]:
    makers: dict[str, Callable[[], Floats | None]] = {
        "annual china revenue": lambda: revenue.china_year(target, settings, SEED, strict=strict),
        "share": lambda: chance.share(target, settings, SEED, strict=strict),
        "delivered units": lambda: chance.delivered_units(target),
        "first delivery": lambda: chance.first_delivery_weeks(target.origin, settings, SEED) * 7,
        "charge": lambda: chance.charge(target, SEED),
    }
    if target.family == "controlled revenue" and target.start and target.by:
        return revenue.controlled(
            target.origin, target.start, target.by, settings, SEED, strict=strict, said=target.known
        ), ""
    if target.family in makers:
        samples = makers[target.family]()
        return samples, "" if samples is not None else "nothing was known at the origin"
    found = revenue.any_series(target, strict=strict)
    return (found.samples, f"random walk of {found.series}") if found else (None, "no stored series fits the question")


def _event(target: Target, settings: Settings, strict: bool) -> tuple[float | None, str]:
    def at_least(samples: Floats) -> float:
        return float(np.clip(np.mean(samples >= (target.threshold or 0.0)), chance.LEAST, chance.MOST))

    if target.family == "controlled revenue" and target.start and target.by:
        return at_least(revenue.controlled(target.origin, target.start, target.by, settings, SEED, strict=strict)), ""
    if target.family == "delivered units":
        return at_least(chance.delivered_units(target)), ""
    if target.family == "first delivery" and target.by:
        weeks = chance.first_delivery_weeks(target.origin, settings, SEED)
        share = float(np.mean(weeks * 7 <= (target.by - target.origin).days))
        return float(np.clip(share, chance.LEAST, chance.MOST)), ""
    if target.family == "licence":
        return chance.licence_by(target, settings, SEED), ""
    if target.family == "turn" and target.by:
        return chance.turn_by(target, settings, SEED), ""
    if target.family in ("new chip licence", "act") and target.by:
        return chance.new_chip_licence(target), ""
    if target.family == "mandate":
        return chance.mandate_by(target), ""
    return None, "the question is of no kind that the model answers"


def _score(target: Target, strict: bool) -> Scored:
    settings = rolling.choose(target.origin, strict=strict)
    made, note = forecast(target, settings, strict=strict)
    if made is None:
        return Scored(target, settings, None, None, None, None, 1.0, {}, None, None, note)
    outcome = target.outcome
    if isinstance(made, float):
        probabilities = {
            "model": made,
            "persistence": baselines.persistence_of_event(target),
            "climatology": baselines.climatology_of_event(target),
        }
        known = outcome is not None
        losses = {k: brier(p, bool(outcome)) if known else None for k, p in probabilities.items()}
        return Scored(target, settings, made, None, None, None, 1.0, losses, None, None, note)
    rivals = {
        "model": made,
        "persistence": baselines.persistence(target, strict=strict),
        "climatology": baselines.climatology(target, strict=strict),
        "guidance": baselines.guidance(target),
    }
    scale = scale_of(target, made, [v for k, v in rivals.items() if k != "model" and v is not None])
    p10, p50, p90 = (float(v) for v in np.quantile(made, (0.1, 0.5, 0.9)))
    losses = {k: crps(v, outcome) if v is not None and outcome is not None else None for k, v in rivals.items()}
    if outcome is None:
        return Scored(target, settings, float(np.mean(made)), p10, p50, p90, scale, losses, None, None, "open")
    note = "scored at its upper bound" if target.bound else note
    return Scored(
        target,
        settings,
        float(np.mean(made)),
        p10,
        p50,
        p90,
        scale,
        losses,
        pinball(made, outcome),
        bool(p10 <= outcome) if target.bound else covered(made, outcome),
        note,
    )


def scale_of(target: Target, made: Floats, known: list[Floats]) -> float:
    """Return the size of a question, from what was known at its origin: the largest baseline value.

    Where every baseline is zero (nothing was ever delivered) it is what was approved by then, else the forecast's own
    95th percentile.
    """
    largest = max((float(np.max(np.abs(v))) for v in known), default=0.0)
    if largest > 0:
        return largest
    if target.family == "delivered units":
        approved = series("h200_cn_approved", target.origin)
        if approved:
            return approved[-1].value
    return max(1e-9, float(np.quantile(made, 0.95)))
