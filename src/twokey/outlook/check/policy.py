"""Analyses of export policy: which chips pass, what weaker chips cost, how wide the gap is (IFP, BIS)."""

from __future__ import annotations

import re
from typing import Final

from twokey.outlook.check.rows import Computed, Inputs, Published, numbers
from twokey.outlook.sources import OutlookChip, outlook_chips, table

TPP_LIMIT: Final = 21_000.0
BANDWIDTH_LIMIT_GBS: Final = 6_500.0


def passes(chip: OutlookChip, tpp: float = TPP_LIMIT, bandwidth_gbs: float = BANDWIDTH_LIMIT_GBS) -> bool:
    """Say whether a chip lies below both limits, TPP and GB/s, of the rule of 2026-01-13 (91 FR 1684).

    >>> [passes(outlook_chips()[name]) for name in ("H200 SXM", "MI325X", "B200")]
    [True, True, False]
    """
    return chip.tpp < tpp and chip.bandwidth_gbs < bandwidth_gbs


def thresholds(row: Published, inputs: Inputs) -> Computed:
    """Which chips pass: every chip that the row names is put through the two limits; or the volume cap."""
    if re.search(r"cap|volume", row.output) and not re.search(r"pass|below|fail|threshold", row.text):
        ratio = inputs.number("BIS-2026", "volume cap")
        volume = max(numbers(row.output), default=0.0)
        if ratio and volume > 1:
            return Computed((ratio * volume,), working=f"{ratio:g} x {volume:,.0f}")
        return Computed((ratio,) if ratio else (), working="the cap as stored", restated=True)
    by_name = {_short(name): chip for name, chip in outlook_chips().items()}
    verdicts: dict[str, bool] = {}
    for clause in re.split(r"[;,.]\s*|\bbut\b", row.value):
        named = [name for name in by_name if re.search(rf"\b{re.escape(name)}\b", clause)]
        says = not re.search(r"\b(do not|does not|not|fails?)\b", clause)
        verdicts |= dict.fromkeys(named, says)
    if not verdicts and (asked := [name for name in by_name if re.search(rf"\b{re.escape(name)}\b", row.output)]):
        said = not re.search(r"\b(no|not|fails?|0)\b", row.value)
        verdicts = dict.fromkeys(asked, said)
    if not verdicts:
        return Computed(reason="the row names no chip that chips.csv holds")
    ours = {name: passes(by_name[name]) for name in verdicts}
    wrong = [name for name in verdicts if ours[name] != verdicts[name]]
    working = "; ".join(f"{n}: TPP {by_name[n].tpp:,.0f}, {by_name[n].bandwidth_gbs:,.0f} GB/s" for n in verdicts)
    return Computed(working=working + (f"; disagrees on {', '.join(wrong)}" if wrong else ""), agrees=not wrong)


def ifp_b30a(row: Published, inputs: Inputs) -> Computed:
    """Ratios of one chip to another from chips.csv; the nine-scenario table itself is not stored."""
    named = re.findall(r"\b(B30A|B300|B200|H20|H100|H200|910C|910B)\b", row.output)
    chips = {_short(name): chip for name, chip in outlook_chips().items()}
    if "/" in row.output and len(named) >= 2 and "cost" not in row.output:
        first, second = chips[named[0]], chips[named[1]]
        if "price" in row.output:
            stated = inputs.number("IFP-B30A", "B30A performance and price relative to B300")
            return Computed((stated,) if stated else (), working="half the price, as stored", restated=True)
        if "bandwidth" in row.output:
            value, what = first.bandwidth_gbs / second.bandwidth_gbs, "GB/s"
        elif re.search(r"TPP", row.output):
            value, what = first.tpp / second.tpp, "TPP"
        else:
            value, what = first.tops_8bit / second.tops_8bit, "8-bit TOPS"
        return Computed((value,), working=f"{what} of {first.name} / {second.name}")
    if "cost" in row.output:
        return Computed(reason="prices of servers, network and energy over five years are not in the stored digests")
    return Computed(reason="the nine-scenario table (export strategy x adoption) is not in the stored digests")


def blackwell_spread() -> float:
    """Return how much wider the gap is when Blackwell is weighed at 4-bit instead of 8-bit operations.

    The mix of B200 and B300 is that of the last stored quarter of Epoch's world units.

    >>> round(blackwell_spread(), 2)
    2.33
    """
    units = {
        name: [float(r["value"]) for r in table("series") if r["series"] == f"world_units_nvidia_{name.casefold()}"][-1]
        for name in ("B200", "B300")
    }
    chips = outlook_chips()
    at_4bit = sum(n * (chips[name].tops_4bit or chips[name].tops_8bit) for name, n in units.items())
    return at_4bit / sum(n * chips[name].tops_8bit for name, n in units.items())


def ifp_h200(row: Published, _: Inputs) -> Computed:
    """Compute the spread between the two weightings; the level needs the US production of 2026, which is not stored."""
    ends = numbers(f"{row.low} {row.high}") or row.values
    if len(ends) == 2 and "no export" in row.output:
        spread = blackwell_spread()
        return Computed(
            (ends[0], ends[0] * spread), ends[0], ends[0] * spread,
            f"upper / lower end = 4-bit / 8-bit weight of the Blackwell mix = {spread:.2f}", partly=True,
            reason="only the spread is computed: the lower end is taken from the row, since production is not stored",
        )  # fmt: skip
    if re.search(r"ratio of (the two|upper)|spread|FP4 / FP8", row.text):
        return Computed((blackwell_spread(),), working="4-bit / 8-bit weight of the Blackwell mix")
    return Computed(reason="needs the US production of 2026 by chip, which is not in the stored digests")


def _short(name: str) -> str:
    return name.removesuffix(" SXM").removesuffix(" (planned)").removeprefix("Ascend ").removeprefix("Siyuan ")
