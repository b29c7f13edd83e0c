"""Published analyses, reproduced: one small function for each house, one tolerance rule, one report."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from twokey.chips.errors import UserError
from twokey.outlook.check import epoch, market, policy, supply
from twokey.outlook.check.rows import Computed, Inputs, Outcome, Published, Status, numbers, read_published
from twokey.outlook.sources import Row, data_folder, read_rows

__all__ = ["ANALYSES", "Computed", "Inputs", "Outcome", "Published", "check_file", "check_row", "tolerance"]

Analysis = Callable[[Published, Inputs], Computed]

ANALYSES: Final[dict[str, Analysis]] = {
    "EPOCH-2024": epoch.sold_to_china,
    "EPOCH-2025": epoch.sold_to_china,
    "EPOCH-2026": epoch.owners,
    "EPOCH-OWN": epoch.owners,
    "EPOCH-GAP": epoch.owners,
    "EPOCH-SMUG": epoch.owners,
    "IFP-B30A": policy.ifp_b30a,
    "IFP-H200": policy.ifp_h200,
    "BIS-2026": policy.thresholds,
    "SEMI-2025": supply.semianalysis,
    "SEMI-2026": supply.semianalysis,
    "CSIS-2025": supply.csis,
    "RAND-HEIM": supply.rand,
    "CFR": supply.cfr,
    "VENDOR": supply.vendor,
    "US-LICENCE": supply.vendor,
    "AI2027": market.ai2027,
    "IDC-2025": market.idc,
    "MS-2025": market.morgan_stanley,
    "BERNSTEIN": market.bernstein,
    "CNAS-2024": market.cnas,
    "SUBSTRATE-2026": market.substrate,
    "SMUGGLE-PATH2": epoch.smuggling_pathway,
}
_FISCAL: Final = "epoch_units_p50"


def tolerance(row: Published) -> float:
    """Return the relative tolerance of a row: what it states; 0 for "exact"; else by the precision that was printed.

    Without a statement it is half a unit of the last printed digit, at least 2 % and at most 10 %.

    >>> from twokey.outlook.check.rows import Published
    >>> row = Published("A", "x", "1600000", "", "", "", "2%", "", "", "", "")
    >>> tolerance(row)
    0.02
    """
    text = row.tolerance.casefold()
    if text.startswith("exact"):
        return 1e-9
    if match := re.match(r"(?:within |\+-|±)?\s*(\d+(?:\.\d+)?)\s?%", text):
        return float(match[1]) / 100
    spread = [_half_digit(value) for value in row.values if value]
    return min(0.10, max([0.02, *spread]))


def check_row(row: Published, inputs: Inputs) -> Outcome:
    """Put one published row through the function of its house and compare within its tolerance."""
    allowed = tolerance(row)
    if row.analysis == "EPOCH-NV" and "csv" in row.output:
        return _pointer(row, allowed)
    function = ANALYSES.get(row.analysis)
    computed = function(row, inputs) if function else Computed(reason=f"no formula for analysis {row.analysis!r}")
    if not computed.values and computed.agrees is None and (stored := inputs.restates(row)):
        computed = Computed(row.values, working=f"input {stored['quantity']!r} says the same", restated=True)
    return _compare(row, computed, allowed)


def _compare(row: Published, computed: Computed, allowed: float) -> Outcome:
    if computed.agrees is not None:
        return Outcome(row, computed, "reproduced" if computed.agrees else "differs", None, allowed)
    if not computed.values or not row.values:
        reason = computed.reason or "the printed value is not a number"
        unread = Computed(working=computed.working, reason=reason)
        return Outcome(row, unread, "not reproducible", None, allowed)
    if len(computed.values) != len(row.values):
        reason = f"{len(row.values)} numbers are printed, the formula gives {len(computed.values)}"
        return Outcome(row, Computed(working=computed.working, reason=reason), "not reproducible", None, allowed)
    pairs = [(mine, theirs) for mine, theirs in zip(computed.values, row.values, strict=True)]
    if row.bound == "<":
        held, off = all(m < t for m, t in pairs), None
    elif row.bound == ">":
        held, off = all(m >= t for m, t in pairs), None
    else:
        for mine, cell in ((computed.low, row.low), (computed.high, row.high)):
            if mine is not None and len(numbers(cell)) == 1:
                pairs.append((mine, numbers(cell)[0]))
        off = max(abs(m / t - 1) if t else abs(m) for m, t in pairs)
        held = off <= allowed or all(_rounds_to(m, t, cell) for (m, t), cell in zip(pairs, _cells(row), strict=False))
    status: Status = "reproduced" if held else "differs"
    if held and computed.partly:
        status = "partly reproduced"
    if not held and computed.partly:
        status = "not reproducible"
    if held and computed.restated:
        status = "restated"
    return Outcome(row, computed, status, off, allowed)


def _pointer(row: Published, allowed: float) -> Outcome:
    outcomes = check_fiscal(data_folder() / "epoch_nvidia_fiscal_units.csv")
    good = sum(o.status == "reproduced" for o in outcomes)
    worst = max(o.off_by or 0.0 for o in outcomes)
    working = f"{good} of {len(outcomes)} rows of epoch_nvidia_fiscal_units.csv, medians within {worst:.2%}"
    computed = Computed(working=working, agrees=good == len(outcomes))
    return Outcome(row, computed, "reproduced" if computed.agrees else "differs", worst, allowed)


def check_fiscal(file: Traversable | Path) -> list[Outcome]:
    """Check a file of the form of `epoch_nvidia_fiscal_units.csv`: 0.5 % on medians, 2 % on both ends.

    Raises:
        UserError: a cell is not a number; file and line are given.

    """
    outcomes = []
    for row in read_rows(file):
        try:
            ours, h100e, off = epoch.fiscal_units_row(row)
        except (KeyError, ValueError, ZeroDivisionError) as error:
            what = f"no column {error}" if isinstance(error, KeyError) else f"{error}"
            raise UserError(f"{file}: line {row['_line']}: {what}; every price and share must be a number") from None
        outcomes.append(_fiscal_outcome(file.name, row, ours, h100e, off))
    return outcomes


def _fiscal_outcome(
    name: str, row: Row, ours: tuple[float, float, float], h100e: float, off: dict[str, float]
) -> Outcome:
    medians = [abs(off[k]) for k in ("epoch_units_p50", "epoch_h100e_p50") if k in off]
    ends = [abs(off[k]) for k in ("epoch_units_p05", "epoch_units_p95") if k in off]
    held = all(m <= 0.005 for m in medians) and all(e <= 0.02 for e in ends)
    published = Published(
        "EPOCH-NV", f"{row['chip']} units in {row['fiscal_quarter']}", row.get(_FISCAL, ""),
        row.get("epoch_units_p05", ""), row.get("epoch_units_p95", ""), "units", "0.5% on medians, 2% on p05/p95",
        "units = revenue x share x hardware / price", "", "", f"{name} line {row['_line']}",
    )  # fmt: skip
    computed = Computed(
        (ours[0],), ours[1], ours[2],
        f"{ours[0]:,.0f} ({ours[1]:,.0f} to {ours[2]:,.0f}); {h100e:,.0f} H100e; "
        + ", ".join(f"{k.removeprefix('epoch_')} {v:+.2%}" for k, v in off.items()),
    )  # fmt: skip
    return Outcome(published, computed, "reproduced" if held else "differs", max(medians, default=None), 0.005)


def check_file(file: Traversable | Path, inputs: Inputs | None = None) -> list[Outcome]:
    """Check every row of a file, which may be of either form: published outputs or fiscal-quarter units.

    >>> outcomes = check_file(data_folder() / "published_outputs.csv")
    >>> [o.published.output for o in outcomes if o.status == "differs"]
    []
    """
    rows = read_rows(file)
    if rows and "revenue_share" in rows[0]:
        return check_fiscal(file)
    stored = inputs or Inputs.load()
    return [check_row(row, stored) for row in read_published(file)]


def _half_digit(value: float) -> float:
    """Half a unit of the last digit that a person would print, relative to the value; trailing zeros are not digits."""
    digits = f"{value:.12g}".replace(".", "").strip("0") or "0"
    exponent = math.floor(math.log10(abs(value))) - len(digits) + 1
    return 0.5 * 10.0**exponent / abs(value) if len(digits) <= 2 else 0.0


def _cells(row: Published) -> list[str]:
    return [*re.findall(r"\d[\d,.]*", row.value), row.low, row.high]


def _rounds_to(mine: float, printed: float, cell: str) -> bool:
    decimals = len(cell.split(".")[1]) if "." in cell else 0
    return printed < 1 and decimals >= 1 and round(mine, decimals) == printed
