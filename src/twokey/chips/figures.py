"""The figures of a chip as people read them: each with its names in English and Chinese, unit and number of digits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from twokey.chips.chip import Chip

Lang = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One property of a chip as a person reads it; `origin` is the field that its source is kept under."""

    key: str
    en: str
    zh: str
    unit: str
    origin: str
    digits: int = 1
    short_en: str = ""
    short_zh: str = ""

    def short(self, lang: Lang) -> str:
        """Return the property's name where there is little room."""
        return (self.short_zh if lang == "zh" else self.short_en) or self.label(lang)

    def label(self, lang: Lang) -> str:
        """Return the property's name in a language."""
        return self.zh if lang == "zh" else self.en

    def value(self, chip: Chip) -> object:
        """Return the property's value; None where it is unknown."""
        if self.key.startswith("rate"):
            return chip.rate(int(self.key.removeprefix("rate")))
        if self.key == "area":
            areas = [die.area_mm2 for die in chip.dies if die.logic]
            return sum(area for area in areas if area is not None) if areas and None not in areas else None
        if self.key == "non_planar":
            kinds = {die.non_planar for die in chip.dies if die.logic}
            return kinds.pop() if len(kinds) == 1 else None
        return getattr(chip, self.key)


FIGURES: Final = (
    Figure("tpp", "TPP", "总处理性能 TPP", "bit-TOPS", "tpp", 1, "TPP", "TPP"),
    Figure("performance_density", "Performance density", "性能密度", "TPP/mm²", "performance_density", 2, "Density"),
    Figure(
        "rate16", "Dense rate, 16-bit", "16 位稠密算力", "TFLOPS", "fp16_tflops_dense", 1, "Dense 16-bit", "16 位稠密"
    ),
    Figure("rate8", "Dense rate, 8-bit", "8 位稠密算力", "TOPS", "fp8_tflops_dense", 1, "Dense 8-bit", "8 位稠密"),
    Figure("rate6", "Dense rate, 6-bit", "6 位稠密算力", "TOPS", "fp6_tflops_dense", 1, "Dense 6-bit", "6 位稠密"),
    Figure("rate4", "Dense rate, 4-bit", "4 位稠密算力", "TOPS", "fp4_tflops_dense", 1, "Dense 4-bit", "4 位稠密"),
    Figure("memory_gb", "Memory", "显存", "GB", "memory_gb"),
    Figure("memory_type", "Memory type", "显存类型", "", "memory_type"),
    Figure("dram_bandwidth_gbs", "DRAM bandwidth", "显存带宽", "GB/s", "memory_bw_gbs", 1, "DRAM", "带宽"),
    Figure("interconnect_gbs", "Interconnect", "互连带宽", "GB/s", "interconnect_gbs", 1, "Interconnect", "互连"),
    Figure("tdp_w", "Power (TDP)", "功耗 TDP", "W", "tdp_w", 0, "Power", "功耗"),
    Figure("area", "Logic die area", "逻辑芯片面积", "mm²", "die_area_mm2", 1, "Logic area", "面积"),
    Figure("process", "Process", "制程", "", "process"),
    Figure("non_planar", "Non-planar transistors", "非平面晶体管", "", "non_planar"),
    Figure("price_usd", "Price", "价格", "US$", "price_usd", 0),
    Figure("released", "Released", "发布", "", "released"),
    Figure("datacenter", "For datacenters", "面向数据中心", "", "datacenter"),
    Figure(
        "us_commercial_since",
        "On sale in the US by",
        "美国上市不晚于",
        "",
        "us_commercial_since",
        1,
        "On sale in US by",
    ),
)

_YES_NO = {"en": ("no", "yes"), "zh": ("否", "是")}


def unknown(lang: Lang) -> str:
    """Return the word for a number that nobody has published."""
    return "未知" if lang == "zh" else "unknown"


def text(value: object, lang: Lang, digits: int = 1) -> str:
    """Return a value as a person reads it; None is "unknown", never zero.

    >>> text(15832.0, "en"), text(None, "en"), text(19.4496, "en", 2), text(True, "zh")
    ('15,832', 'unknown', '19.45', '是')
    """
    if value is None:
        return unknown(lang)
    if isinstance(value, bool):
        return _YES_NO[lang][value]
    if isinstance(value, int | float):
        printed = f"{value:,.{digits}f}"
        return printed.rstrip("0").rstrip(".") if "." in printed else printed
    return value.isoformat() if isinstance(value, date) else str(value)
