"""Forecasts of revenue: of the controlled chip through both keys, of a year's China revenue, of any other series."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from twokey.outlook.backtest.knowledge import (
    PATHS,
    Settings,
    ahead,
    conversions,
    known_states,
    lognormal,
    quarters,
    state,
    values,
)
from twokey.outlook.backtest.targets import Target
from twokey.outlook.sources import series_rows

Floats = npt.NDArray[np.float64]
SPEC = "nvidia_china_spec_dc_gpu_revenue"
FLOWING = 0.25  # a channel flows while the last reported quarter is at least this share of its best
LEAK = 0.02  # what can pass a key that guidance, not law, has closed: at most this share of the best quarter


def controlled(  # noqa: PLR0913 (what was known, and of when)
    origin: date, start: date, end: date, settings: Settings, seed: int, *, strict: bool = False, said: str = ""
) -> Floats:
    """Return samples of the revenue (USD bn) of China-specific data-centre GPUs between two days.

    A channel that flows goes on at the last quarter's rate, with growth, while both keys stay open. A channel that
    was shut opens in three steps: both keys, the time to convert (8-26 weeks) and to inspect and ship (4-12 weeks);
    then it gives the converting share of the best quarter. While only guidance closes the import key a trickle passes.
    """
    rows = quarters(values(SPEC, origin, strict=strict, said=said))
    reported = [v for _, v in rows]
    best = max(reported[-8:], default=_fallback(origin))
    last = reported[-1] if reported else best
    weeks = max(1, (end - origin).days // 7 + 1)
    run = ahead(origin, weeks, settings, seed)
    both = run.us & run.cn
    first = max(0, (start - origin).days // 7)
    before = known_states(start, origin)
    open_now = state("export", origin, origin) == state("import", origin, origin) == "open"
    growth = np.exp(settings.growth_spread * run.rng.standard_normal(PATHS))
    total = np.zeros(PATHS)
    flowing = open_now and last >= FLOWING * best
    if flowing:
        held = np.logical_and.accumulate(both, axis=0)[first:].sum(axis=0) + sum(before)
        total += last / 13 * growth * held
    wait = lognormal(run.rng, 8, 26, PATHS) + lognormal(run.rng, 4, 12, PATHS)
    rate = conversions(run.rng, origin, PATHS) * best / 13
    since_open = np.zeros(PATHS)
    shut_before = np.full(PATHS, not flowing)
    for week in range(weeks):
        since_open = np.where(both[week], since_open + 1, 0.0)
        shut_before |= ~both[week]
        if week >= first:
            total += np.where((since_open > wait) & shut_before, rate, 0.0)
    if not flowing:
        trickle = LEAK * best * run.rng.random(PATHS) / 13
        total += trickle * (run.us[first:].sum(axis=0) + _us_open_before(start, origin))
    return total


def _us_open_before(start: date, origin: date) -> int:
    weeks = max(0, (origin - start).days // 7)
    return weeks if state("export", origin, origin) == "open" else 0


def _fallback(origin: date) -> float:
    """Where no China-specific value was known: the last quarter by billing, taken whole (an upper reading)."""
    rows = quarters(values("nvidia_revenue_china_hk_by_billing", origin, strict=False))
    return rows[-1][1] if rows else 1.0


def china_year(target: Target, settings: Settings, seed: int, *, strict: bool = False) -> Floats:
    """Return samples of a fiscal year's (or quarter's) China revenue on the basis that the question names.

    Quarters already reported stand; each further quarter is what is left without the controlled chip, between last
    year's level and the latest quarter's, plus the controlled chip through both keys.
    """
    basis = "by_billing" if "billing" in target.question.casefold() else "by_customer_hq"
    name = f"nvidia_revenue_china_hk_{basis}"
    known = values(name, target.origin, strict=strict, said=target.known)
    spec = values(SPEC, target.origin, strict=strict)
    year = target.period[:4]
    done = {p: v for p, v in known.items() if p.startswith(year) and "Q" in p}
    wanted = [target.period] if "Q" in target.period else [f"{year}Q{n}" for n in (1, 2, 3, 4)]
    ahead_of = [q for q in wanted if q not in done]
    rng = np.random.default_rng([seed, target.origin.toordinal(), 7])
    before = f"FY{int(year[2:]) - 1}"
    levels = []
    if before in known:
        part = [spec.get(f"{before}Q{n}") for n in (1, 2, 3, 4)]
        levels.append((known[before] - sum(p or 0.0 for p in part)) / 4)
    latest = sorted(p for p in known if re.fullmatch(r"FY\d\dQ\d", p))
    if latest:
        levels.append(known[latest[-1]] - spec.get(latest[-1], 0.0))
    if not levels:
        levels = [max(known.values(), default=1.0)]
    low, high = max(0.05, min(levels)), max(levels)
    high = max(high, low * 1.3)
    level = low * (high / low) ** rng.random(PATHS)
    total = np.full(PATHS, sum(done[q] for q in wanted if q in done)) + level * len(ahead_of)
    if ahead_of and target.by:
        total = total + controlled(target.origin, target.origin, target.by, settings, seed, strict=strict)
    return total


@dataclass(frozen=True, slots=True)
class Walk:
    """A forecast of any stored series: samples, the series, and the values it started from."""

    samples: Floats
    series: str
    past: list[float]


def any_series(target: Target, *, strict: bool = False) -> Walk | None:
    """Return samples for any other stored series; None where nothing of it was known.

    The series are those whose names share most words with the question and of which something was known; several of
    them (houses that disagree) are equally likely. A forecast made for the asked period itself stands, with a log
    spread of 0.35, since houses differ by about two times; else the series walks on, with the drift and spread so far.
    """
    words = set(re.findall(r"[a-z0-9]+", target.question.casefold().replace("data-centre", "data center")))
    fitting: dict[str, float] = {}
    for name in {r.series for r in series_rows()}:
        parts = set(name.split("_"))
        known = values(name, target.origin, strict=strict, said=target.known)
        if len(words & parts) >= 2 and _usable(known, target):
            fitting[name] = len(words & parts) - 0.1 * len(parts - words)
    if not fitting:
        return None
    best = sorted(name for name, score in fitting.items() if score >= max(fitting.values()) - 0.05)
    rng = np.random.default_rng([3, target.origin.toordinal()])
    each, past = [], []
    for name in best:
        rows = _usable(values(name, target.origin, strict=strict, said=target.known), target)
        each.append(_walk(rows, target.period, rng))
        past += [v for _, v in rows]
    return Walk(np.concatenate(each), ", ".join(best), past)


def _usable(known: dict[str, float], target: Target) -> list[tuple[str, float]]:
    rows = quarters(known) if "FY" in target.period else sorted(known.items())
    return [(period, value) for period, value in rows if value > 0]


def _walk(rows: list[tuple[str, float]], wanted: str, rng: np.random.Generator) -> Floats:
    last, value = rows[-1]
    if wanted in dict(rows):
        return np.asarray(dict(rows)[wanted] * np.exp(0.35 * rng.standard_normal(PATHS)))
    past = [v for _, v in rows]
    steps = np.diff(np.log(past[-9:])) if len(past) > 2 else np.array([0.0, 0.2])
    ahead_by = _periods_between(last, wanted)
    drift, spread = float(np.mean(steps)), max(0.05, float(np.std(steps)))
    return np.asarray(value * np.exp(drift * ahead_by + spread * np.sqrt(ahead_by) * rng.standard_normal(PATHS)))


def _periods_between(last: str, wanted: str) -> int:
    def index(name: str) -> int | None:
        match = re.fullmatch(r"FY(\d\d)Q(\d)", name) or re.fullmatch(r"(\d{4})Q(\d)", name)
        return int(match[1]) * 4 + int(match[2]) if match else None

    first, second = index(last), index(wanted)
    return max(1, second - first) if first is not None and second is not None else 1
