"""Market houses and growth models: IDC, Morgan Stanley, Bernstein, AI 2027, CNAS, Substrate."""

from __future__ import annotations

import re
from datetime import date

from twokey.outlook.check.rows import Computed, Inputs, Published, years
from twokey.outlook.sources import outlook_chips, series_rows


def grown(stock: float, rate: float, elapsed_years: float) -> float:
    """Return a stock after compound growth.

    >>> round(grown(10e6, 2.25, 2.75) / 1e6)
    93
    """
    return float(stock * rate**elapsed_years)


def ai2027(row: Published, inputs: Inputs) -> Computed:
    """Growth of compute is the product of efficiency and production growth; a stock grows from March 2025."""
    efficiency = inputs.number("AI2027", "chip efficiency growth")
    production = inputs.number("AI2027", "chip production growth")
    start = inputs.number("AI2027", "global stock March 2025")
    if efficiency is None or production is None or start is None:
        return Computed(reason="a growth rate or the starting stock is not stored")
    rate = efficiency * production
    if "stock" not in row.output:
        if "TPP" in row.output:
            return Computed((inputs.number("AI2027", "H100 TPP") or 0.0,), working="as stored", restated=True)
        return Computed((rate,), working=f"{efficiency:g} x {production:g} = {rate:.4g}")
    stated = _rate_of(row.text)
    elapsed = (_when(row.output) - date(2025, 3, 31)).days / 365.25
    value = grown(start, stated or rate, elapsed)
    return Computed((value,), working=f"{start:,.0f} x {stated or rate:.4g}^{elapsed:.2f} = {value:,.0f}")


def idc(row: Published, inputs: Inputs) -> Computed:
    """Shares of cards: vendor / total, from the IDC rows of series.csv."""
    when = str(years(row.output)[0]) if years(row.output) else "2025"
    cards = {
        r.series.removeprefix("china_accelerator_cards_").removesuffix("_idc"): r.value
        for r in series_rows()
        if r.series.startswith("china_accelerator_cards") and r.period == when
    }
    total = cards.get("total") or inputs.number("IDC-2025", "China accelerator cards total")
    if not total or "nvidia" not in cards:
        return Computed(reason=f"no IDC cards of {when} by vendor are stored")
    order = list(re.findall(r"nvidia|amd|domestic|chinese", row.output.casefold()))
    order = ["domestic" if name == "chinese" else name for name in order]
    if not order:
        whole = sum(n for name, n in cards.items() if name != "total")
        return Computed((whole,), working=f"sum over vendors = {whole:,.0f} (total as printed: {total:,.0f})")
    if re.search(r"cards|units", row.unit) and "share" not in row.output:
        return Computed(tuple(cards[name] for name in order), working="cards as stored", restated=True)
    ratios = tuple(cards[name] / total for name in order)
    return Computed(ratios, working="; ".join(f"{cards[name]:,.0f} / {total:,.0f}" for name in order))


def morgan_stanley(row: Published, inputs: Inputs) -> Computed:
    """China's part of the global cloud-AI market: market x share."""
    market = inputs.row("MS-2025", "global cloud-AI market 2027")
    if re.search(r"market", row.output) and market:
        share = next((n for n in re.findall(r"China (\d+(?:\.\d+)?)\s?%", market["formula_or_role"])), None)
        if share and "China" in row.output:
            value = float(market["value"]) * float(share) / 100
            return Computed((value,), working=f"{market['value']} x {share} % = {value:.1f}")
    return Computed(reason="the house's own forecast; supply and demand behind it are not in the stored digests")


def bernstein(row: Published, _: Inputs) -> Computed:
    """Domestic supply over demand where a ratio is printed; the forecasts themselves are the house's own."""
    ratio_of_supply = re.search(r"self-sufficien|supply / demand|domestic share|localisation", row.output)
    when = [str(year) for year in years(row.output)]
    known = {
        (r.series, r.period): r.value
        for r in series_rows()
        if r.series in ("china_domestic_supply_bernstein", "china_accelerator_demand_bernstein")
    }
    if ratio_of_supply and when and all(("china_domestic_supply_bernstein", year) in known for year in when):
        ratios = tuple(
            known["china_domestic_supply_bernstein", y] / known["china_accelerator_demand_bernstein", y] for y in when
        )
        return Computed(ratios, working="domestic supply / demand, both of the same house")
    if "lag" in row.output:
        return Computed((3.0, 4.0), working="3-4 quarters as stored", restated=True)
    return Computed(reason="the house's own forecast; the exhibits behind it are not in the stored digests")


def cnas(_row: Published, _inputs: Inputs) -> Computed:
    """Not reproducible: a Monte Carlo over reported cases and odds of seizure that were not published as a table."""
    return Computed(reason="a Monte Carlo over reported cases and seizure odds, which are not in the stored digests")


def substrate(row: Published, inputs: Inputs) -> Computed:
    """Legal imports over all acquisition; the domestic part of the total is not stored."""
    legal = inputs.number("SUBSTRATE-2026", "legal import cap in B300-equivalents")
    smuggled = inputs.number("SUBSTRATE-2026", "smuggled chips 2026")
    chips = outlook_chips()
    if re.search(r"H200 per B300", row.text):
        return Computed((chips["B300"].tops_8bit / chips["H200 SXM"].tops_8bit,), working="5000 / 1979 TOPS")
    if legal is None or smuggled is None:
        return Computed(reason="the inputs of that house are not stored")
    if re.search(r"H200", row.unit + row.output) and re.search(r"legal|import", row.output):
        ratio = chips["B300"].tops_8bit / chips["H200 SXM"].tops_8bit
        return Computed((legal * ratio,), working=f"{legal:,.0f} x {ratio:.3f}")
    implied = legal / row.values[0] - legal - smuggled if row.values and row.values[0] < 1 else 0.0
    return Computed(
        working=f"230,000 of legal and 20,000 of smuggled B300e are stored; the share implies {implied:,.0f} of others",
        reason="the domestic pathway, part of the total, is not in the stored digest; reality by August 2026 was near "
        "zero legal imports, so this forecast is kept as a lesson on conversion",
    )


def _when(text: str) -> date:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    if match := re.search(r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* (20\d\d)", text):
        month = months.index(match[1]) + 1
        return date(int(match[2]) + month // 12, month % 12 + 1, 1)
    return date((years(text) or (2027,))[-1] + 1, 1, 1)


def _rate_of(text: str) -> float | None:
    match = re.search(r"(\d+\.\d+)\s?\^", text)
    return float(match[1]) if match else None
