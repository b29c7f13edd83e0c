"""Houses that count dies, memory stacks and packages: SemiAnalysis, CSIS, RAND, CFR, the vendor's stock."""

from __future__ import annotations

import re

from twokey.outlook.check.rows import Computed, Inputs, Published, numbers, years
from twokey.outlook.sources import outlook_chips, series

_DIES_PER_910C = 2.0
_DIES_A_WAFER = 550.0  # assumption of facts/outlook.md section 2: HBM dies on a 300 mm wafer
_H20_IN_STOCK_AND_PROGRESS = 1.0e6  # published_inputs.csv, VENDOR: 650,000 in stock "plus work in progress to about 1M"


def packages(dies: float | None, stacks: float | None, *, dies_each: float = 2.0, stacks_each: float = 8.0) -> float:
    """Return how many packages the scarcer of dies and memory stacks allows; None is not limiting.

    >>> packages(None, 13e6), packages(2e6, None), packages(2e6, 2e6)
    (1625000.0, 1000000.0, 250000.0)
    """
    limits = [n / each for n, each in ((dies, dies_each), (stacks, stacks_each)) if n is not None]
    return min(limits)


def stacks_from_wafers(kwspm: float, dies_a_wafer: float, overall_yield: float, high: float = 8.0) -> float:
    """Return memory stacks a year from thousand wafer starts a month.

    >>> round(stacks_from_wafers(30, 550, 0.25))
    6187500
    """
    return kwspm * 1e3 * 12 * dies_a_wafer * overall_yield / high


def semianalysis(row: Published, inputs: Inputs) -> Computed:
    """Compute packages from memory stacks and dies: min(dies / 2, stacks / 8), or stacks from wafers."""
    house = "SEMI-2025"
    text = row.text
    stacks_each = inputs.number(house, "HBM stacks per 910C") or 8.0
    low, high = (numbers(cell)[0] if numbers(cell) else None for cell in (row.low, row.high))
    if re.search(r"kwspm|wafer starts|wafers? a month", text) or row.analysis == "SEMI-2026":
        return _cxmt(row, inputs, stacks_each)
    if "stack" in text.casefold() or "hbm stock" in text.casefold():
        stated = _count_before(row.output, "stack") or _count_before(row.output, "CXMT")
        stored = inputs.number(house, "HBM stacks bought by China before 2025")
        stacks = stated or (inputs.number(house, "CXMT HBM output 2026") if "CXMT" in text else stored)
        if stacks is None:
            return Computed(reason="no count of stacks is stored")
        value = packages(None, stacks, stacks_each=stacks_each)
        return Computed((value,), working=f"{stacks:,.0f} / {stacks_each:.0f} = {value:,.0f}")
    if "die" in row.output.casefold():
        dies = _count_before(row.output, "die") or inputs.number(house, "TSMC-made Ascend dies in bank")
        value = packages(dies, None)
        return Computed((value,), working=f"{dies:,.0f} / 2 = {value:,.0f}")
    if "min(" in text and "2026" in row.output:
        stacks = inputs.number(house, "CXMT HBM output 2026")
        dies = inputs.number(house, "TSMC-made Ascend dies in bank")
        if stacks is not None and dies is not None:
            value = packages(dies, stacks, stacks_each=stacks_each)
            need = row.values[0] * stacks_each if row.values else 0.0
            return Computed(
                (value,), low, high, f"min({dies:,.0f} / 2; {stacks:,.0f} / 8) = {value:,.0f}", partly=True,
                reason=f"the stored {stacks / 1e6:.1f}M stacks are the low end of the house's 250,000-300,000; the "
                f"printed number needs {need / 1e6:.1f}M stacks, which no stored input gives",
            )  # fmt: skip
    return Computed(reason="needs the quarterly draw on the die bank and the foundry's yield, in the paid article only")


def _cxmt(row: Published, inputs: Inputs, stacks_each: float) -> Computed:
    when = years(row.output)
    capacity = inputs.row("SEMI-2026", "CXMT HBM capacity")
    steps = numbers(capacity["value"]) if capacity else ()
    share = inputs.number("SEMI-2026", "CXMT HBM3 8-high overall yield")
    stated = _count_before(row.output, "thousand") or _count_before(row.output, "kwspm")
    year = when[0] if when else 2026
    kwspm = stated or (steps[year - 2025] if 0 <= year - 2025 < len(steps) else None)
    if kwspm is None or share is None:
        return Computed(reason="wafer starts or yield of that year are not stored")
    stacks = stacks_from_wafers(kwspm, _DIES_A_WAFER, share)
    value = packages(None, stacks, stacks_each=stacks_each)
    working = f"{kwspm:g}k x 12 x {_DIES_A_WAFER:.0f} x {share:g} / 8 = {stacks:,.0f} stacks"
    if re.search(r"package|910C|unit", row.unit + row.output):
        return Computed((value,), working=f"{working}; / {stacks_each:.0f} = {value:,.0f} packages")
    return Computed((stacks,), working=working)


def csis(row: Published, inputs: Inputs) -> Computed:
    """Compute packages from the die bank: dies / 2, times the packaging yield where the row states one."""
    dies = _count_before(row.output, "die") or inputs.number("CSIS-2025", "910B dies held by Huawei from TSMC")
    if dies is None:
        return Computed(reason="no count of dies is stored")
    value = dies / _DIES_PER_910C
    working = f"{dies:,.0f} / 2 = {value:,.0f}"
    if re.search(r"after|yield|loss|surviv", row.output):
        share = re.search(r"(\d+(?:\.\d+)?)\s?%", row.text)
        if share is None:
            implied = f"; the printed number implies {row.values[0] / value:.2f}" if row.values else ""
            return Computed(working=working, reason=f"the packaging yield is not among the stored inputs{implied}")
        value *= float(share[1]) / 100
        working += f" x {share[1]} % = {value:,.0f}"
    return Computed((value,), working=working)


def rand(row: Published, inputs: Inputs) -> Computed:
    """Count the proxy's dies as 910C packages (two dies each), or as H100-equivalents (a 910B is one die, 0.345)."""
    dies = _count_before(row.output, "die") or inputs.number("RAND-HEIM", "advanced dies made by TSMC")
    if dies is None:
        return Computed(reason="no count of dies is stored")
    if re.search(r"h100", row.unit + row.output, re.IGNORECASE):
        stated = re.search(r"(0?\.\d+)\s?H100e", row.text)
        each = outlook_chips()["Ascend 910B"].h100e_8bit
        if stated:
            each = float(stated[1])
        elif "910C" in row.text:
            each = outlook_chips()["Ascend 910C"].h100e_8bit / 2
        return Computed((dies * each,), working=f"{dies:,.0f} dies x {each:.4f} H100e a die = {dies * each:,.0f}")
    value = packages(dies, None)
    return Computed((value,), working=f"{dies:,.0f} / 2 = {value:,.0f}")


def cfr(row: Published, inputs: Inputs) -> Computed:
    """Huawei's output in units of the best US chip (chips / ratio), and growth of either between two years."""
    when = years(row.output)
    chips = {year: inputs.number("CFR", f"Huawei AI chips made {year}") for year in (2025, 2026, 2027)}
    today = inputs.number("CFR", "best US chip / best Huawei chip today")
    later = inputs.number("CFR", "best US chip / best Huawei chip 2027")
    if re.search(r"gap|ratio|best", row.output) and today and later:
        if len(row.values) == 2:
            return Computed((today, later), working="the two ratios as stored", restated=True)
        if re.search(r"grow|times|widen", row.output):
            return Computed((later / today,), working=f"{later:g} / {today:g}")
        return Computed((later if 2027 in when else today,), working="the ratio as stored", restated=True)
    known = [chips[year] for year in when if chips.get(year)]
    if re.search(r"grow|times", row.output) and len(known) == 2 and known[0] and known[1]:
        return Computed((known[1] / known[0],), working=f"{known[1]:,.0f} / {known[0]:,.0f}")
    if re.search(r"equivalent|equal to", row.output) and known and known[0]:
        ratio = later if when[0] == 2027 else today
        if ratio:
            return Computed((known[0] / ratio,), working=f"{known[0]:,.0f} / {ratio:g}")
    if len(known) == len(row.values) and known and re.search(r"share|percent|%", row.text) is None:
        return Computed(tuple(n for n in known if n), working="the assumptions as stored", restated=True)
    return Computed(reason="needs the other side's output, which the stored digests do not give")


def vendor(row: Published, inputs: Inputs) -> Computed:
    """Licences and stock: value / price, buyers x cap, charge / units."""
    text = row.text.casefold()
    if row.analysis == "US-LICENCE" or "licen" in text:
        per_buyer = inputs.number("US-LICENCE", "H200 per approved buyer")
        value = inputs.number("US-LICENCE", "approved licence value")
        if re.search(r"buyer|cap\b", text) and per_buyer:
            buyers = _count_before(row.output, "buyer") or _count_before(row.output, "firm") or 10.0
            return Computed((per_buyer * buyers,), working=f"{buyers:.0f} x {per_buyer:,.0f}")
        if value:
            price = _count_before(row.text.replace(",", ""), "usd") or 27000.0
            return Computed((value * 1e9 / price,), working=f"{value:g}bn / {price:,.0f}")
    if "charge" in text:
        h200 = "h200" in text
        charge = series("nvidia_h200_china_charge" if h200 else "nvidia_h20_charge")[0].value * 1e9
        units = series("h200_built_for_china")[0].value if h200 else _H20_IN_STOCK_AND_PROGRESS
        return Computed((charge / units,), working=f"{charge:,.0f} USD / {units:,.0f} units built or in progress")
    return Computed(reason="no formula: a reported figure")


def _count_before(text: str, word: str) -> float | None:
    """Return the number that stands within three words before `word`, or None.

    >>> _count_before("910C packages from 2M CXMT stacks", "stack")
    2000000.0
    """
    match = re.search(
        rf"(?<![\w.])(\d[\d,]*(?:\.\d+)?\s?(?:k|M|bn)?)(?![A-Za-z])(?:\s+[\w-]+){{0,2}}?\s+{word}", text, re.IGNORECASE
    )
    return numbers(match[1])[0] if match else None
