"""The words of `twokey chips` in English and Chinese, and how its numbers are printed."""

from __future__ import annotations

from typing import Final

from twokey.chips import Rate
from twokey.chips.figures import Lang, text

WORDS: Final[dict[str, tuple[str, str]]] = {
    "chip": ("Chip", "芯片"),
    "country": ("From", "国别"),
    "property": ("Property", "属性"),
    "value": ("Value", "数值"),
    "unit": ("Unit", "单位"),
    "confidence": ("Confidence", "可信度"),
    "source": ("Source", "来源"),
    "sources": ("Sources", "来源"),
    "notes": ("Notes", "备注"),
    "also": ("also called", "又名"),
    "family": ("family", "系列"),
    "format": ("Format", "格式"),
    "bits": ("Bits", "位长"),
    "rate": ("Dense TOPS", "稠密 TOPS"),
    "highest": ("highest", "最高"),
    "working": ("TPP = dense rate × bit length, the highest counts", "TPP = 稠密算力 × 位长,取最高值"),
    "no_rate": ("No dense rate is known, so TPP is unknown.", "无已知稠密算力,TPP 未知。"),
    "partly": (
        "No rate is known at 16 bits: the TPP is the highest over the rates that are known and may be higher.",
        "16 位算力未知:TPP 仅按已知算力计算,实际可能更高。",
    ),
    "unknown_list": ("Unknown", "未知项"),
    "computed": ("computed", "计算"),
    "unchecked": (
        "UNCHECKED: nobody has re-opened the source of some figures of this row.",
        "未核对:该行部分数据的来源尚未复核。",
    ),
    "none_fit": ("No chip fits these filters.", "没有符合条件的芯片。"),
    "ratio": ("× = ratio to the first chip", "× = 与第一款芯片之比"),
    "not_defined": ("not defined", "无定义"),
}


def word(key: str, lang: Lang) -> str:
    """Return a word of the command in a language."""
    en, zh = WORDS[key]
    return zh if lang == "zh" else en


def working(rate: Rate, lang: Lang) -> str:
    """Return the working of one rate's TPP.

    >>> working(Rate(8, 1979, "fp8"), "en")
    '1,979 × 8 = 15,832'
    """
    from twokey.chips.metrics import tpp_of_rate

    return f"{text(rate.tops, lang, 2)} × {rate.bits} = {text(tpp_of_rate(rate), lang)}"
