"""Epoch AI: units from revenue, and who owns how many H100-equivalents."""

from __future__ import annotations

import math
import re
from statistics import NormalDist

from twokey.outlook.check.rows import Computed, Inputs, Published, numbers, years
from twokey.outlook.sources import H100_TOPS, outlook_chips, series_rows, table

_Z80, _Z90 = NormalDist().inv_cdf(0.9), NormalDist().inv_cdf(0.95)
_US_OWNERS = frozenset({"Amazon", "CoreWeave", "Google", "Meta", "Microsoft", "Oracle", "xAI"})


def units_from_revenue(
    revenue_usd: float, share: float, price: tuple[float, float], first_price: tuple[float, float],
    hardware: tuple[float, float],
) -> tuple[float, float, float]:  # fmt: skip
    """Return the median, 5th and 95th percentile of units sold: revenue (USD) x share x hardware share / price.

    `price` and `hardware` are 80 % intervals of lognormals, whose median is the geometric mean of the ends. The spread
    is that of the first-year price, as in the published intervals. Source: Epoch AI, ai-chip-counts (MIT code).

    >>> [round(n) for n in units_from_revenue(34.13e9, 0.13, (10e3, 13e3), (10e3, 15e3), (0.96, 0.99))]
    [379368, 292453, 492115]
    """
    median = revenue_usd * share * math.sqrt(hardware[0] * hardware[1]) / math.sqrt(price[0] * price[1])
    spread = math.exp(_Z90 * math.log(first_price[1] / first_price[0]) / (2 * _Z80))
    return median, median / spread, median * spread


def h100e_of_units(units: float, tops_8bit: float) -> float:
    """Return H100-equivalents by dense 8-bit operations: units x TOPS / 1979."""
    return units * tops_8bit / H100_TOPS


def sold_to_china(row: Published, _: Inputs) -> Computed:
    """Units of one chip sold to Chinese owners in a calendar year: the sum of its quarters."""
    when, chip = years(row.output), _chip(row.output)
    quarters = [
        r for r in table("epoch_china_by_quarter")
        if when and r["quarter_end"].startswith(str(when[0]))
        and (chip is None or r["chip"] == chip.removesuffix(" SXM"))
    ]  # fmt: skip
    h1 = "H1" in row.output or "first half" in row.output
    quarters = [r for r in quarters if not h1 or r["quarter_end"][5:7] in ("03", "06")]
    if not quarters:
        return Computed(reason=f"no stored quarter of {chip or 'any chip'} in {when[0] if when else 'that year'}")
    column = "h100e" if "h100e" in row.unit.casefold() else "units"
    total = sum(float(r[f"{column}_p50"]) for r in quarters)
    return Computed((total,), working=f"sum of {len(quarters)} rows of epoch_china_by_quarter.csv = {total:,.0f}")


def owners(row: Published, inputs: Inputs) -> Computed:
    """Stocks and additions by owner: smuggled, Chinese share, United States to China ratio, world total."""
    text, when = row.text.casefold(), _quarter(row.output)
    of_smuggled = "smuggled" in text and not re.search(r"(excl|without)[a-z.]*\s+smuggled", text)
    if of_smuggled and not re.search(
        r"share|ratio|world|global|gap|us\s?/\s?china|china\b.*\bplus", text.split("cross-check")[0]
    ):
        return _smuggled(row, when)
    if "ratio" in text or "us/china" in text or "gap" in text or "advantage" in text:
        return _ratio(row, when)
    if "share" in text:
        return _share(row, when)
    side = (
        "us" if re.search(r"\bus\b|seven|united states", text) else "china" if re.search(r"chin(a|ese)", text) else ""
    )
    if side and re.search(r"stock|owners|compute", text) and "sold" not in text:
        sides = stock_h100e(when)
        total = sides[side] + (sides["smuggled"] if side == "china" and of_smuggled else 0.0)
        return Computed((total,), working=f"sum of the {side} rows through {when}")
    if "stock" in text or "total" in text:
        return _world(row, when)
    return sold_to_china(row, inputs)


def _smuggled(row: Published, when: str) -> Computed:
    kind = "units" if re.search(r"\b(chips|units)\b", row.unit) else "h100e"
    found = [r for r in table("epoch_cumulative_by_owner") if r["through"] == when and "smuggled" in r["owner"]]
    if not found:
        return Computed(reason=f"no smuggled row through {when} is stored")
    mid, low, high = (float(found[0][f"{kind}_{p}"]) for p in ("p50", "p05", "p95"))
    other = f"; the CNAS median for 2024 is 140,000 chips, this row counts {float(found[0]['units_p50']):,.0f}"
    return Computed((mid,), low, high, f"row 'China (smuggled)' through {when}{other}")


def stock_h100e(through: str) -> dict[str, float]:
    """Return H100-equivalents by side through one quarter end: `us` (seven named owners), `other`, `china`, `smuggled`.

    >>> {side: round(n / 1e6, 2) for side, n in stock_h100e("2025-06-30").items()}
    {'us': 9.14, 'other': 1.95, 'china': 0.86, 'smuggled': 0.41}
    """
    sides = {"us": 0.0, "other": 0.0, "china": 0.0, "smuggled": 0.0}
    for r in table("epoch_cumulative_by_owner"):
        if r["through"] == through:
            owner = r["owner"]
            side = "us" if owner in _US_OWNERS else "china" if owner == "China" else "other"
            sides["smuggled" if "smuggled" in owner else side] += float(r["h100e_p50"])
    return sides


def _ratio(row: Published, when: str) -> Computed:
    end = stock_h100e(when)
    if not end["china"]:
        return Computed(reason=f"no owners' rows through {when} are stored")
    if re.search(r"add(ed|itions)|flow|H1|half", row.output):
        start = stock_h100e(f"{int(when[:4]) - 1}-12-31")
        end = {side: end[side] - start[side] for side in end}
    text = row.text.casefold()
    with_smuggled = "smuggled" in text and not re.search(r"(excl|without)[a-z.]* smuggled", text)
    china = end["china"] + (end["smuggled"] if with_smuggled else 0.0)
    return Computed((end["us"] / china,), working=f"{end['us']:,.0f} / {china:,.0f} H100e by 8-bit operations, {when}")


def _share(row: Published, when: str) -> Computed:
    stored = max(r["through"] for r in table("epoch_cumulative_by_owner"))
    trend = []
    for through in sorted({r["through"] for r in table("epoch_cumulative_by_owner")}):
        sides = stock_h100e(through)
        trend.append((through, sides["china"] / (sides["us"] + sides["other"] + sides["china"])))
    share = dict(trend).get(when, trend[-1][1])
    fell = all(later <= earlier for (_, earlier), (_, later) in zip(trend[-6:-1], trend[-5:], strict=True))
    working = f"China / all owners through {min(when, stored)}: {share:.4f}; {'falling' if fell else 'not falling'}"
    if when in dict(trend) and years(row.output):
        return Computed((share,), working=working)
    return Computed(
        (),
        working=working,
        reason=f"the statement is dated after the last stored quarter ({stored}), when the share was {share:.3f}; "
        f"the direction ({'falling' if fell else 'not falling'} over five quarters) can be checked, the level not",
    )


def _world(row: Published, when: str) -> Computed:
    stored = max(r["through"] for r in table("epoch_cumulative_by_owner"))
    sides = stock_h100e(min(when, stored))
    total = sum(sides.values()) - (0.0 if "incl" in row.text and "smuggled" in row.text else sides["smuggled"])
    working = f"sum of owners through {min(when, stored)} = {total / 1e6:.2f}M"
    if when > stored:
        later = [r for r in series_rows() if r.series.startswith("h100e_added_owner_") and _end(r.period) > stored]
        later = [r for r in later if _end(r.period) <= when]
        total += sum(r.value for r in later)
        working += (
            f" + additions of named owners after it, {sum(r.value for r in later) / 1e6:.2f}M (part of the world)"
        )
    return Computed((total,), working=working)


def _end(period: str) -> str:
    if match := re.fullmatch(r"(\d{4})Q([1-4])", period):
        return f"{match[1]}-{('03-31', '06-30', '09-30', '12-31')[int(match[2]) - 1]}"
    return period


def _quarter(text: str) -> str:
    """Return the quarter end that a text means; "Jan 2026" is the end of 2025; the last stored one by default."""
    last = max(r["through"] for r in table("epoch_cumulative_by_owner"))
    if match := re.search(r"(20\d\d)\s?-?Q([1-4])", text):
        return _end(f"{match[1]}Q{match[2]}")
    if match := re.search(r"(20\d\d)\s?H([12])", text):
        return f"{match[1]}-{'06-30' if match[2] == '1' else '12-31'}"
    if match := re.search(r"mid[- ](20\d\d)", text):
        return f"{match[1]}-06-30"
    if match := re.search(r"Jan\w* (20\d\d)", text):
        return f"{int(match[1]) - 1}-12-31"
    if match := re.search(r"(Mar|Jun|Sep|Dec)\w* (20\d\d)", text):
        return f"{match[2]}-{ {'Mar': '03-31', 'Jun': '06-30', 'Sep': '09-30', 'Dec': '12-31'}[match[1]] }"
    return f"{years(text)[-1]}-12-31" if years(text) else last


def _chip(text: str) -> str | None:
    names = sorted(outlook_chips(), key=len, reverse=True)
    short = {name: name.removesuffix(" SXM").removeprefix("Ascend ") for name in names}
    return next((n for n in names if re.search(rf"\b{re.escape(short[n])}\b", text)), None)


def fiscal_units_row(row: dict[str, str]) -> tuple[tuple[float, float, float], float, dict[str, float]]:
    """Return our units (p50, p05, p95), our H100e and the relative differences of one row of the fiscal-units form."""

    def pair(low: str, high: str) -> tuple[float, float]:
        return float(row[low]), float(row[high])

    ours = units_from_revenue(
        float(row["compute_revenue_usd_bn"]) * 1e9,
        float(row["revenue_share"]),
        pair("price_low_80", "price_high_80"),
        pair("first_year_price_low_80", "first_year_price_high_80"),
        pair("hardware_share_low_80", "hardware_share_high_80"),
    )
    h100e = h100e_of_units(ours[0], float(row["int8_or_fp8_tops"]))
    off = {
        name: mine / float(row[name]) - 1
        for name, mine in (
            ("epoch_units_p50", ours[0]),
            ("epoch_units_p05", ours[1]),
            ("epoch_units_p95", ours[2]),
            ("epoch_h100e_p50", h100e),
        )
        if row.get(name)
    }
    return ours, h100e, off


def smuggling_pathway(row: Published, _: Inputs) -> Computed:
    """Compute the median of a lognormal given by its two ends: the geometric mean."""
    ends = numbers(f"{row.low} {row.high}")
    if len(ends) != 2:
        return Computed(reason="the row gives no two ends")
    return Computed((math.sqrt(ends[0] * ends[1]),), ends[0], ends[1], f"sqrt({ends[0]:,.0f} x {ends[1]:,.0f})")
