"""Rolling origins: next quarter's controlled revenue from each results day; settings chosen on earlier origins only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product

import numpy as np

from twokey.outlook.backtest.knowledge import Settings, quarters, values
from twokey.outlook.backtest.revenue import SPEC, controlled
from twokey.outlook.backtest.scores import covered, crps
from twokey.outlook.backtest.targets import fiscal_quarter
from twokey.outlook.inputs import SINCE
from twokey.outlook.sources import series

GRID = tuple(Settings(spread, since) for spread, since in product((0.1, 0.2, 0.35), (date(2022, 8, 26), SINCE)))
LEAST_ORIGINS = 2
SEED = 11


@dataclass(frozen=True, slots=True)
class Rolled:
    """One rolling origin: its forecast and baselines against the outcome, all in USD bn."""

    origin: date
    quarter: str
    outcome: float
    model: float
    persistence: float
    climatology: float
    guidance: float | None
    covered: bool
    settings: Settings


def roll(*, strict: bool = False) -> list[Rolled]:
    """Return every rolling origin whose outcome is stored: the results day before each quarter's own results."""
    found = []
    for row in series(SPEC):
        origin = _results_before(row.period, row.as_of)
        past = [v for _, v in quarters(values(SPEC, origin, strict=strict))] if origin else []
        if origin is None or not past:
            continue
        settings = choose(origin, strict=strict)
        start, end = fiscal_quarter(row.period)
        samples = controlled(origin, start, end, settings, SEED, strict=strict)
        found.append(
            Rolled(
                origin,
                row.period,
                row.value,
                crps(samples, row.value),
                abs(past[-1] - row.value),
                crps(np.array(past), row.value),
                abs(row.value) if origin >= date(2025, 4, 9) else None,
                covered(samples, row.value),
                settings,
            )
        )
    return found


@cache
def choose(origin: date, *, strict: bool = False) -> Settings:
    """Choose the hyper-parameters with the lowest mean CRPS over rolling origins whose outcomes were known at `origin`.

    With fewer than two such origins the defaults stand. Nothing dated on or after `origin` is used.

    >>> choose(date(2024, 6, 1)) == Settings()
    True
    """
    scored = []
    for row in series(SPEC, origin, strict=strict):
        before = _results_before(row.period, row.as_of)
        if before and quarters(values(SPEC, before, strict=strict)) and row.as_of < origin:
            scored.append((before, row))
    if len(scored) < LEAST_ORIGINS:
        return Settings()

    def loss(settings: Settings) -> float:
        losses = []
        for before, row in scored:
            start, end = fiscal_quarter(row.period)
            losses.append(crps(controlled(before, start, end, settings, SEED, strict=strict), row.value))
        return float(np.mean(losses))

    return min(GRID, key=loss)


def _results_before(period: str, published: date) -> date | None:
    days = sorted({r.as_of for r in series("nvidia_revenue_total") if r.as_of < published and "Q" in period})
    return days[-1] if days else None
