"""Forecasts of deliveries, dates, shares, charges and events."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from twokey.outlook.backtest.knowledge import PATHS, Ahead, Settings, ahead, lognormal, state, values
from twokey.outlook.backtest.targets import Target
from twokey.outlook.events import Event
from twokey.outlook.inputs import defaults
from twokey.outlook.model import simulate
from twokey.outlook.scenario import Scenario, load
from twokey.outlook.sources import policy_events, series

Floats = npt.NDArray[np.float64]
LEAST, MOST = 0.02, 0.98  # no event more than a month away is certain
HORIZON_WEEKS = 156


def delivered_units(target: Target) -> Floats:
    """Return samples of units delivered by a day: the whole model, started at the origin with what was known then."""
    if target.by is None:
        raise ValueError("the question names no day")
    scenario = at_origin(target.origin)
    weeks = max(1, min((target.by - target.origin).days // 7, scenario.steps))
    quarter, rest = divmod(weeks, 13)
    blocks = [block.of("delivered") for block in simulate(scenario)]
    paths = np.concatenate(blocks, axis=1)
    after = paths[min(quarter + 1, len(paths) - 1)]
    return np.asarray(paths[quarter] + (after - paths[quarter]) * rest / 13)


def at_origin(origin: date) -> Scenario:
    """Return the model's scenario at an origin: the rules and approvals of the record dated before it, no others."""
    base = load("founding-case-2026-01-28")
    events = []
    for record in policy_events():
        if record.as_of > origin:
            continue
        if record.key == "import" and record.direction == "loosen" and "batch" in record.instrument:
            approved = series("h200_cn_approved", record.as_of)
            units = approved[-1].value if approved else 0.0
            events.append(Event(record.date, "import", "batch", {"units": units}, None, False, "", (record.id,), "", 0))
        if record.key == "export" and record.instrument == "BIS rule" and record.direction == "loosen":
            event = Event(record.date, "export", "ratio_cap", {"ratio": 0.5}, None, False, "", (record.id,), "", 0)
            events.append(event)
    dated = [e for e in events if e.act != "batch" or (origin - e.date).days <= 7]
    return replace(
        base, as_of=origin, quarters=6, paths=PATHS, events=tuple(dated), inputs=dict(defaults(origin)), correlations=()
    )


def first_delivery_weeks(origin: date, settings: Settings, seed: int) -> Floats:
    """Return samples of the weeks until a first confirmed delivery; `HORIZON_WEEKS` stands for not within three years.

    Where no licence could exist yet the rule (3-8 weeks) and the licence (3-8 weeks) come first. Then both keys must be
    open, or a trickle passes a key that only guidance closes (rate 0.3-2 a year), and the goods must travel
    (4-12 weeks).
    """
    run = ahead(origin, HORIZON_WEEKS, settings, seed)
    ready = np.zeros(PATHS)
    if not licensed(origin):
        ready = lognormal(run.rng, 3, 8, PATHS) + lognormal(run.rng, 3, 8, PATHS)
    leak = run.rng.standard_exponential(PATHS) / lognormal(run.rng, 0.3, 2.0, PATHS) * 52
    weeks = np.arange(HORIZON_WEEKS)[:, None]
    both = run.us & run.cn & (weeks >= ready)
    opened = np.where(both.any(axis=0), both.argmax(axis=0), HORIZON_WEEKS)
    leaked = _with_us(run, ready + leak)
    travel = lognormal(run.rng, 4, 12, PATHS)
    return np.minimum(np.minimum(opened, leaked) + travel, HORIZON_WEEKS)


def _with_us(run: Ahead, when: Floats) -> Floats:
    week = np.minimum(when, HORIZON_WEEKS - 1).astype(np.int64)
    open_then = run.us[week, np.arange(PATHS)]
    return np.where(open_then & (when < HORIZON_WEEKS), when, HORIZON_WEEKS)


def licensed(origin: date) -> bool:
    """Say whether a licence under the rule in force was already known on a day."""
    return any(
        e.as_of <= origin and e.key == "export" and e.direction == "loosen" and e.instrument == "licences"
        for e in policy_events()
    )


def licence_by(target: Target, settings: Settings, seed: int) -> float:
    """Return the probability that a closed export key opens and a first licence follows (3-8 weeks) by a day."""
    weeks = _weeks(target)
    run = ahead(target.origin, weeks, settings, seed)
    if state("export", target.origin, target.origin) == "open" and licensed(target.origin):
        return MOST
    wait = lognormal(run.rng, 3, 8, PATHS)
    opened = np.where(run.us.any(axis=0), run.us.argmax(axis=0), 10**6)
    return _clip(float(np.mean(opened + wait <= weeks)))


def new_chip_licence(target: Target) -> float:
    """Return the probability of a first: a chip class above every limit licensed, an act of Congress; none so far."""
    years = (target.origin - date(2022, 8, 26)).days / 365.25
    return _poisson(0.5, years + 0.25, _weeks(target) / 52)


def turn_by(target: Target, settings: Settings, seed: int) -> float:
    """Return the probability that the named key closes (or opens) at some time before a day.

    China's key is meant where the question names China, Beijing, customs or one of its bodies; else the export key.
    """
    q = target.question.casefold()
    chinese = re.search(r"china|chinese|beijing|customs|cac|miit|ndrc|mofcom|purchase", q)
    opening = re.search(r"lift|resum|reopen|loosen|restor|end", q)
    run = ahead(target.origin, _weeks(target), settings, seed)
    opened = run.cn if chinese else run.us
    return _clip(float(np.mean((opened if opening else ~opened).any(axis=0))))


def mandate_by(target: Target) -> float:
    """Return the probability of a new mandate, times one half for its reaching the level that is asked."""
    seen = [e for e in policy_events() if "mandate" in e.instrument and e.as_of <= target.origin]
    years = (target.origin - date(2025, 4, 1)).days / 365.25
    chance = _poisson(len(seen) + 0.5, max(0.1, years) + 0.25, _weeks(target) / 52)
    return _clip(chance * (0.5 if target.threshold else 1.0))


def share(target: Target, settings: Settings, seed: int, *, strict: bool = False) -> Floats | None:
    """Return samples of a vendor group's share of a year's cards.

    Last known share, less the controlled part for the weeks in which a key is shut; domestic makers take up
    `substitution` (0.4-0.9) of what is lost. A basis other than that of the known share adds spread (0.3 in logit).
    """
    domestic = "domestic" in target.question.casefold()
    name = "domestic_self_sufficiency_ms" if domestic else "nvidia_share_china_value_bernstein"
    rows = series(name, target.origin, strict=strict)
    if re.search(r"huawei|amd|cambricon|kunlun", target.question.casefold()):
        return None  # no share of a single other vendor is stored
    if not rows or target.by is None or target.start is None:
        return None
    foreign = series("nvidia_share_china_value_bernstein", target.origin, strict=strict)
    foreign_share = foreign[-1].value if foreign else 0.66
    weeks = max(1, (target.by - target.origin).days // 7)
    run = ahead(target.origin, weeks, settings, seed)
    shut = 1 - (run.us & run.cn).mean(axis=0)
    span = (target.by - target.start).days
    lost = shut * min(1.0, (target.by - target.origin).days / span) * controlled_part(target.origin, strict=strict)
    taken = 0.4 + 0.5 * run.rng.random(PATHS)
    base = rows[-1].value
    gone = foreign_share * lost
    level = base + taken * gone if domestic else base * (1 - lost)
    level = np.clip(level / (1 - (1 - taken) * gone), 1e-3, 1 - 1e-3)
    logit = np.log(level / (1 - level)) + 0.3 * run.rng.standard_normal(PATHS)
    return np.asarray(1 / (1 + np.exp(-logit)))


def controlled_part(origin: date, *, strict: bool = False) -> float:
    """Return the controlled chip's part of the vendor's China revenue in the last year known, 0.75 where unknown."""
    spec = [v for _, v in sorted(values("nvidia_china_spec_dc_gpu_revenue", origin, strict=strict).items())]
    billing = [
        v for p, v in sorted(values("nvidia_revenue_china_hk_by_billing", origin, strict=strict).items()) if "Q" in p
    ]
    return min(1.0, sum(spec[-4:]) / sum(billing[-4:])) if len(spec) >= 4 and len(billing) >= 4 else 0.75


def charge(target: Target, seed: int) -> Floats:
    """Return samples of a charge (USD bn): 50-100 % of a stated ceiling; else stock at risk x loss a unit.

    Without a ceiling: 60,000-700,000 units at risk (what was planned for China, up to all stock), each losing 5-50 % of
    the 4,500 USD that the last charge cost a unit, since a chip that sells elsewhere loses less.
    """
    rng = np.random.default_rng([seed, target.origin.toordinal(), 5])
    if match := re.search(r"up to (\d+(?:\.\d+)?)", target.known):
        return float(match[1]) * (0.5 + 0.5 * rng.random(PATHS))
    units = lognormal(rng, 60e3, 700e3, PATHS)
    return units * 4500 * (0.05 + 0.45 * rng.random(PATHS)) / 1e9


def _weeks(target: Target) -> int:
    if target.by is None:
        raise ValueError("the question names no day")
    return max(1, (target.by - target.origin).days // 7)


def _poisson(moves: float, exposure: float, years: float) -> float:
    """P(at least one event) under a Gamma posterior of the rate: 1 - (exposure / (exposure + years)) ^ moves."""
    return _clip(1 - math.pow(exposure / (exposure + years), moves))


def _clip(p: float) -> float:
    return min(MOST, max(LEAST, p))
