"""What was known on one day, and nothing else: states, rates, values; the two keys run forward from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from twokey.outlook import keys
from twokey.outlook.inputs import SINCE, conversion_interval, posterior
from twokey.outlook.sources import policy_events, series, spells
from twokey.outlook.timeline import CHANCE, Timeline

Floats = npt.NDArray[np.float64]
PATHS = 4_000
_EARLY = date(2022, 8, 26)


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyper-parameters; each origin chooses them on earlier origins only (see `rolling.choose`)."""

    growth_spread: float = 0.2  # log spread of growth in a quarter without a turn of either key
    since: date = SINCE  # start of the window that the rates are learnt from


@dataclass(frozen=True, slots=True)
class Ahead:
    """Both keys from the origin on, week by week; arrays of shape (weeks, paths)."""

    us: npt.NDArray[np.bool_]
    cn: npt.NDArray[np.bool_]
    rng: np.random.Generator


def state(key: str, day: date, known: date) -> str:
    """Return "open" or "closed" of one key on `day`, as known on `known`."""
    current = "open"
    for spell in spells(key, known):
        if spell.start <= day:
            current = spell.state
    return current


def ahead(origin: date, weeks: int, settings: Settings, seed: int, paths: int = PATHS) -> Ahead:
    """Run both keys forward from the origin with the posteriors of the record known then."""
    rng = np.random.default_rng([seed, origin.toordinal()])
    steps = max(1, weeks)
    line = _all_chance(steps, state("export", origin, origin) == "open", state("import", origin, origin) == "open")
    rates = []
    for key, leaving in (("export", "open"), ("export", "closed"), ("import", "open"), ("import", "closed")):
        moves, exposure = posterior(key, leaving, origin, settings.since)
        rates.append(rng.gamma(moves, 1 / exposure, paths))
    coupling = np.exp(np.log(5) / 2 + np.log(5) / 2 / 1.6449 * rng.standard_normal(paths))
    recent = [e for e in policy_events() if e.key == "export" and e.direction == "loosen" and e.as_of <= origin]
    hot = max(0, keys.COUPLING_DAYS - (origin - recent[-1].date).days) // 7 if recent else 0
    clocks = rng.standard_exponential((2, keys.MOVES, paths))
    never = np.full(paths, 10**9, dtype=np.int64)
    a, b, c, d = rates
    run = keys.simulate(line, keys.Hazards((a, b, c, d), coupling, never, hot_steps=hot), clocks, 1.0)
    return Ahead(run.us, run.cn, rng)


def lognormal(rng: np.random.Generator, low: float, high: float, size: int) -> Floats:
    """Draw from the lognormal whose 80 % interval is given."""
    return np.asarray(
        np.exp((np.log(low) + np.log(high)) / 2 + np.log(high / low) / 2.5631 * rng.standard_normal(size))
    )


def conversions(rng: np.random.Generator, origin: date, size: int) -> Floats:
    """Draw shares of an approval that convert, from the reopenings known at the origin."""
    low, high = conversion_interval(origin)
    logit = [np.log(p / (1 - p)) for p in (low, high)]
    return np.asarray(1 / (1 + np.exp(-(sum(logit) / 2 + (logit[1] - logit[0]) / 2.5631 * rng.standard_normal(size)))))


def values(name: str, origin: date, *, strict: bool, said: str = "") -> dict[str, float]:
    """Return period -> value of a series known at the origin, with what the target says was known ("FY26Q1 4.6")."""
    found = {row.period: row.value for row in series(name, origin, strict=strict)}
    for period, value in re.findall(r"(FY\d\d(?:Q\d)?) (\d+(?:\.\d+)?)", said):
        found.setdefault(period, float(value))
    return found


def quarters(found: dict[str, float]) -> list[tuple[str, float]]:
    """Return only fiscal quarters, in order."""
    return sorted((p, v) for p, v in found.items() if re.fullmatch(r"FY\d\dQ\d", p))


def known_states(start: date, origin: date) -> list[bool]:
    """Return week by week, from `start` up to the origin, whether both keys were open."""
    weeks = max(0, (origin - start).days // 7)
    days = [start + timedelta(days=7 * w) for w in range(weeks)]
    return [state("export", d, origin) == state("import", d, origin) == "open" for d in days]


@cache
def _all_chance(steps: int, us_open: bool, cn_open: bool) -> Timeline:
    chance, no = np.full(steps, CHANCE, dtype=np.int8), np.zeros(steps, dtype=np.bool_)
    zeros, inf = np.zeros(steps), np.full(steps, np.inf)
    return Timeline(
        (), us_open, cn_open, chance, chance, no, no, inf, inf, inf, zeros, zeros, zeros, zeros, zeros, zeros, no
    )
