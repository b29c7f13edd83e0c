"""What a forecast has to beat: persistence, climatology, and the company's own guidance where it gave any."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import numpy.typing as npt

from twokey.outlook.backtest.chance import LEAST
from twokey.outlook.backtest.knowledge import quarters, values
from twokey.outlook.backtest.revenue import SPEC, any_series
from twokey.outlook.backtest.targets import Target
from twokey.outlook.sources import policy_events, series

Floats = npt.NDArray[np.float64]


def persistence(target: Target, *, strict: bool = False) -> Floats | None:
    """Return the last value known at the origin, as one point."""
    past = history(target, strict=strict)
    return np.array([past[-1]]) if past else None


def climatology(target: Target, *, strict: bool = False) -> Floats | None:
    """Return every past value known at the origin, equally likely."""
    past = history(target, strict=strict)
    return np.array(past) if past else None


def history(target: Target, *, strict: bool = False) -> list[float]:
    """Return the past values of the quantity that a question asks, oldest first."""
    origin, q = target.origin, target.question.casefold()
    if target.family == "controlled revenue":
        rows = quarters(values(SPEC, origin, strict=strict, said=target.known))
        return [v for _, v in rows]
    if target.family == "annual china revenue":
        basis = "by_billing" if "billing" in q else "by_customer_hq"
        known = values(f"nvidia_revenue_china_hk_{basis}", origin, strict=strict, said=target.known)
        same = sorted((p, v) for p, v in known.items() if ("Q" in p) == ("Q" in target.period))
        return [v for _, v in same]
    if target.family == "share":
        name = "domestic_self_sufficiency_ms" if "domestic" in q else "nvidia_share_china_value_bernstein"
        rows_of_share = series(name, origin, strict=strict)
        older = series("domestic_share_china_cards_idc", origin, strict=strict) if "domestic" in q else []
        return [r.value for r in [*older, *rows_of_share]]
    if target.family == "delivered units":
        return [0.0]
    if target.family == "first delivery":
        # The one earlier reopening: announced 2025-07-14, first revenue in the quarter that ended 2025-10-26.
        return [(date(2025, 10, 26) - date(2025, 7, 14)).days] if origin >= date(2025, 11, 19) else []
    if target.family == "charge":
        charges = [*series("nvidia_h20_charge", origin), *series("nvidia_h200_china_charge", origin)]
        return [0.0] + [row.value for row in charges]
    if target.family == "series":
        found = any_series(target, strict=strict)
        return found.past if found else []
    return []


def guidance(target: Target) -> Floats | None:
    """Return the company's own number at the origin, as one point; None where it gave none.

    From the licence letter of 2025-04-09 on, every outlook assumed no China-specific data-centre revenue.
    """
    if target.family == "controlled revenue" and target.origin >= date(2025, 4, 9):
        return np.array([0.0])
    if target.family == "charge" and (match := re.search(r"up to (\d+(?:\.\d+)?)", target.known)):
        return np.array([float(match[1])])
    if target.family == "first delivery" and (match := re.search(r"mid-(\w{3})\w* (20\d\d)", target.known)):
        months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        if match[1] in months:
            planned = date(int(match[2]), months.index(match[1]) + 1, 15)
            return np.array([float((planned - target.origin).days)])
    if match := re.search(r"(?:guidance|outlook) (?:of |was )?(\d+(?:\.\d+)?)", target.known):
        return np.array([float(match[1])])
    if target.family == "series" and "total" in target.question.casefold():
        rows = [r for r in series("nvidia_revenue_total_guidance", target.origin) if r.period == target.period]
        return np.array([rows[-1].value]) if rows else None
    return None


def persistence_of_event(_target: Target) -> float:
    """Return the probability that nothing changes: the asked event does not come."""
    return LEAST


def climatology_of_event(target: Target) -> float:
    """Return the chance of at least one event of the asked kind by the day, at the rate of the whole record so far."""
    q, origin = target.question.casefold(), target.origin
    if target.family == "controlled revenue":
        past = history(target)
        return float(np.mean([v >= (target.threshold or 0) for v in past])) if past else 0.5
    key, direction = ("import", "tighten") if target.family == "mandate" else ("export", "loosen")
    if "deliver" in q:
        key = "import"
    seen = [e for e in policy_events() if e.key == key and e.direction == direction and e.as_of <= origin]
    years = max(0.1, (origin - date(2022, 8, 26)).days / 365.25)
    ahead = ((target.by or origin) - origin).days / 365.25
    return float(1 - np.exp(-len(seen) / years * ahead))
