"""Domestic shares with bounds, and what they say of the conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from twokey.deploy.conditions import Condition, DomesticShare
from twokey.deploy.report.sums import MEASURES, UNKNOWN, Amount

Verdict = Literal["kept", "breached", "cannot tell", "not measured"]
ACCOUNTS: Final = {
    "nominal-compute": "used",
    "cards": "allocated",
    "delivered-tokens": "delivered",
    "tasks": "allocated",
}
"""Which measured amount a condition's measure is checked against, where a report is not told otherwise."""


@dataclass(frozen=True, slots=True)
class Share:
    """A domestic share, 0 to 1: measured, and the least and most it can be; None where nothing was measured."""

    site: str  # "all sites" for the sum
    period: int  # -1 for the whole time
    phase: str
    measure: str
    share: float | None
    low: float | None
    high: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition against one share."""

    condition: str
    words: str
    authority: str
    instrument: str
    bound: float
    share: Share
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON data."""
        return asdict(self)


def share_of(amounts: Sequence[Amount], phase: str, measure: str, site: str = "all sites", period: int = -1) -> Share:
    """Return one share. What is missing, of unknown origin or of unknown phase widens the bounds, never the middle.

    >>> a = Amount("s", 0, "inference", "910C", True, "used", 60.0)
    >>> b = Amount("s", 0, "inference", "H200", False, "used", 20.0, missing=20.0)
    >>> s = share_of([a, b], "inference", "used"); (s.share, s.low, s.high)
    (0.75, 0.6, 0.75)
    """
    domestic = imported = more_domestic = more_imported = either = 0.0
    for a in amounts:
        if a.measure != measure or site not in ("all sites", a.site) or (period >= 0 and a.period != period):
            continue
        if a.phase == phase:
            if a.domestic is None:
                either += a.known + a.missing
            elif a.domestic:
                domestic += a.known
                more_domestic += a.missing
            else:
                imported += a.known
                more_imported += a.missing
        elif a.phase == UNKNOWN:
            extra = a.known + a.missing
            if a.domestic is None:
                either += extra
            elif a.domestic:
                more_domestic += extra
            else:
                more_imported += extra
    known = domestic + imported
    least_total = known + more_imported + either
    most_total = known + more_domestic + either
    if least_total <= 0 and most_total <= 0:
        return Share(site, period, phase, measure, None, None, None, 0.0)
    return Share(
        site,
        period,
        phase,
        measure,
        domestic / known if known > 0 else None,
        domestic / least_total if least_total > 0 else 0.0,
        1.0 - imported / most_total if most_total > 0 else 1.0,  # and 1 where what is missing has no bound
        known,
    )


def shares(amounts: Sequence[Amount], periods: int) -> list[Share]:
    """Return every share that something was measured for: each site and all, each period and all."""
    sites = ["all sites", *sorted({a.site for a in amounts})]
    found = []
    for phase in ("inference", "training"):
        for measure in MEASURES:
            for site in sites:
                for period in [-1, *(range(periods) if periods > 1 else ())]:
                    share = share_of(amounts, phase, measure, site, period)
                    if share.low is not None:
                        found.append(share)
    return found


def judge(
    amounts: Sequence[Amount], conditions: Iterable[Condition], measure: str | None = None, periods: int = 1
) -> list[Finding]:
    """Return what the measured shares say of each domestic-share condition, over the whole time and each period.

    "kept" needs the lower bound to reach the condition, "breached" the upper bound to miss it; between the two the
    telemetry cannot tell.
    """
    found = []
    for c in conditions:
        if not isinstance(c, DomesticShare):
            continue
        counted = measure or ACCOUNTS[c.measure]
        inside = [a for a in amounts if not c.sites or a.site in c.sites]
        places = sorted({a.site for a in inside}) if c.each_site else ["all sites"]
        for place in places:
            for period in [-1, *(range(periods) if periods > 1 else ())]:
                share = share_of(inside, c.of, counted, place, period)
                found.append(Finding(c.id, c.words(), c.authority, c.instrument, c.at_least, share, _verdict(share, c)))
    return found


def _verdict(share: Share, condition: DomesticShare) -> Verdict:
    if share.low is None or share.high is None:
        return "not measured"
    if condition.kept_by(share.low):
        return "kept"
    return "cannot tell" if condition.kept_by(share.high) else "breached"
