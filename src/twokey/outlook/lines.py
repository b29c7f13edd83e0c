"""The lines of a result: what is reported for each quarter and side, each with its unit and basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twokey.outlook import basis
from twokey.outlook.model import Block
from twokey.outlook.scenario import BASES, Scenario

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One reported quantity; `side` is china, us, vendor or keys; `kind` is stock (at quarter end) or flow (in it)."""

    name: str
    side: str
    kind: str
    unit: str
    basis: str
    en: str
    zh: str


LINES: Final[tuple[Line, ...]] = (
    Line("applied", "china", "flow", "units", basis.UNITS, "applied for", "申请"),
    Line("licensed", "us", "flow", "units", basis.UNITS, "licensed (export key)", "已获出口许可"),
    Line("approved", "china", "flow", "units", basis.UNITS, "approved (both keys)", "两把钥匙均批准"),
    Line("ordered", "china", "flow", "units", basis.UNITS, "ordered (converted)", "已下单（转化）"),
    Line("delivered", "china", "flow", "units", basis.UNITS, "delivered through customs", "已通关交付"),
    Line("delivered_total", "china", "stock", "units", basis.UNITS, "delivered since the start", "起点以来累计交付"),
    Line("in_mainland", "china", "stock", "units", basis.UNITS, "in service in the mainland", "在内地投入使用"),
    Line("offshore", "china", "stock", "units", basis.UNITS, "in service outside the mainland", "在境外投入使用"),
    Line("domestic_made", "china", "flow", "units", basis.UNITS, "domestic packages made", "国产封装产量"),
    Line("tpp_delivered", "china", "flow", "TPP", basis.TPP, "TPP of controlled chips delivered", "交付受控芯片的 TPP"),
    Line("tpp_domestic", "china", "flow", "TPP", basis.TPP, "TPP of domestic packages", "国产芯片的 TPP"),
    Line("china_8bit", "china", "stock", "h100e", basis.H100E_8BIT, "compute of China", "中国算力存量"),
    Line("china_bandwidth", "china", "stock", "h100e", basis.H100E_BANDWIDTH, "compute of China", "中国算力存量"),
    Line("added_8bit", "china", "flow", "h100e", basis.H100E_8BIT, "compute China adds", "中国新增算力"),
    Line("smuggled", "china", "stock", "h100e", basis.H100E_8BIT + ", smuggled", "smuggled compute", "走私算力"),
    Line("us_8bit", "us", "stock", "h100e", basis.H100E_8BIT, "compute, seven US owners", "美国七家算力存量"),
    Line("us_bandwidth", "us", "stock", "h100e", basis.H100E_BANDWIDTH, "compute, seven US owners", "美国七家算力存量"),
    Line("gap_8bit", "gap", "stock", "ratio", basis.H100E_8BIT, "gap: US / China", "差距：美 / 中"),
    Line("gap_bandwidth", "gap", "stock", "ratio", basis.H100E_BANDWIDTH, "gap: US / China", "差距：美 / 中"),
    Line("gap_added_8bit", "gap", "flow", "ratio", basis.H100E_8BIT, "gap of what is added", "新增量差距"),
    Line("foreign_share_units", "china", "flow", "share", basis.UNITS, "foreign share, units added", "进口占新增件数"),
    Line("foreign_share_8bit", "china", "flow", "share", basis.H100E_8BIT, "foreign share, compute", "进口占新增算力"),
    Line("finished", "vendor", "stock", "units", basis.UNITS, "vendor's finished stock", "供应商成品库存"),
    Line("written_down", "vendor", "stock", "units", basis.UNITS, "written down since the start", "累计减记"),
    Line("die_yield", "china", "stock", "share", "share: good dies", "domestic die yield", "国产良率"),
    Line("mandate", "china", "stock", "share", "share: domestic by rule", "domestic share asked for", "规定国产比例"),
    Line("us_open", "keys", "stock", "probability", "share of paths", "export key open", "出口钥匙打开"),
    Line("cn_open", "keys", "stock", "probability", "share of paths", "import key open", "进口钥匙打开"),
    Line("both_open", "keys", "stock", "probability", "share of paths", "both keys open", "两把钥匙都打开"),
)  # fmt: skip
AT: Final = {line.name: i for i, line in enumerate(LINES)}

_READ: Final = (
    "applied", "licensed_ever", "approved_ever", "ordered_ever", "delivered", "deployed", "domestic_made",
    "domestic_deployed", "finished", "written_down", "die_yield", "mandate",
)  # fmt: skip


def find_line(name: str) -> Line:
    """Return one line by name."""
    return LINES[AT[name]]


def headline(scenario: Scenario) -> tuple[str, str]:
    """Return the names of the compute and gap lines on the scenario's basis.

    >>> from twokey.outlook.scenario import load
    >>> headline(load("founding-case-2026-01-28"))
    ('china_8bit', 'gap_8bit')
    """
    if BASES[scenario.basis] == basis.H100E_BANDWIDTH:
        return "china_bandwidth", "gap_bandwidth"
    return "china_8bit", "gap_8bit"


def _sum_of_powers(growth: Floats, n: npt.NDArray[np.int64]) -> Floats:
    """1 + growth + ... + growth^(n - 1), also where nothing grows."""
    safe = np.where(growth == 1.0, 2.0, growth)
    return np.where(growth == 1.0, n, (safe**n - 1) / (safe - 1))


def measure(scenario: Scenario, block: Block, offshore: Floats) -> Floats:
    """Return every line for every quarter of one block: shape (len(LINES), quarters + 1, paths); flows start at 0.

    Smuggled compute is a line of its own; it enters China's totals and the gap only where the scenario says so.
    """
    chip, home, x = scenario.chip, scenario.domestic_chip, block.inputs
    at = {name: block.of(name) for name in _READ}
    quarters, paths = at["deployed"].shape
    out = np.zeros((len(LINES), quarters, paths))

    def put(name: str, values: Floats) -> Floats:
        out[AT[name]] = values
        return values

    def flow(values: Floats) -> Floats:
        return np.diff(values, axis=0, prepend=values[:1])

    for name, count in (
        ("applied", "applied"), ("licensed", "licensed_ever"), ("approved", "approved_ever"),
        ("ordered", "ordered_ever"), ("delivered", "delivered"), ("domestic_made", "domestic_made"),
    ):  # fmt: skip
        put(name, flow(at[count]))
    put("delivered_total", at["delivered"])
    abroad = put("offshore", np.cumsum(flow(at["deployed"]) * offshore[:, None], axis=0))
    put("in_mainland", at["deployed"] - abroad)
    for name in ("finished", "written_down", "die_yield", "mandate"):
        put(name, at[name])
    put("tpp_delivered", flow(at["delivered"]) * chip.tpp)
    put("tpp_domestic", flow(at["domestic_deployed"]) * home.tpp)

    years = np.arange(quarters)[:, None] / 4
    security = block.chip_security * scenario.step_weeks / 52
    before = np.minimum(years, security)
    smuggled = put("smuggled", x["smuggled_stock"] + x["smuggled_year"] * (before + (years - before) / 2))
    extra = smuggled if scenario.include_smuggled else np.zeros_like(smuggled)
    foreign, domestic = at["deployed"] * chip.h100e_8bit, at["domestic_deployed"] * home.h100e_8bit
    china = put("china_8bit", x["china_foreign_stock"] + x["china_domestic_stock"] + foreign + domestic + extra)
    ratio = home.h100e_bandwidth / home.h100e_8bit
    put(
        "china_bandwidth",
        x["china_foreign_bandwidth"]
        + x["china_domestic_stock"] * ratio
        + at["deployed"] * chip.h100e_bandwidth
        + at["domestic_deployed"] * home.h100e_bandwidth
        + extra,
    )
    growth, n = 1 + x["us_growth"], np.arange(quarters)[:, None]
    us = put("us_8bit", x["us_stock"] + x["us_added_quarter"] * _sum_of_powers(growth, n))
    put("us_bandwidth", us * x["us_bandwidth_ratio"])
    added = put("added_8bit", flow(china))
    with np.errstate(divide="ignore", invalid="ignore"):
        put("gap_8bit", us / china)
        put("gap_bandwidth", out[AT["us_bandwidth"]] / out[AT["china_bandwidth"]])
        put("gap_added_8bit", np.where(added > 0, flow(us) / added, 0.0))
        units, made = flow(at["deployed"]), flow(at["domestic_deployed"])
        put("foreign_share_units", np.where(units + made > 0, units / (units + made), 0.0))
        both = flow(foreign) + flow(domestic)
        put("foreign_share_8bit", np.where(both > 0, flow(foreign) / both, 0.0))
    for name, flags in (("us_open", block.us), ("cn_open", block.cn), ("both_open", block.us & block.cn)):
        ends = flags[scenario.steps_a_quarter - 1 :: scenario.steps_a_quarter]
        put(name, np.concatenate([flags[:1], ends]).astype(np.float64))
    return out
