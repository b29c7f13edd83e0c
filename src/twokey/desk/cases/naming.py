"""What a piece of evidence shows, and a day, in words of either language, for texts that are not a page."""

from __future__ import annotations

from datetime import date
from typing import Final

from babel.dates import format_date

# The law room names certifications; these are the desk's own conditions.
_WORDS: Final = {
    "laboratory_certificate": {"en": "laboratory certificate of the shipment", "zh": "该批货的实验室证书"},
    "security_procedures_shown": {"en": "adequate security procedures shown", "zh": "已证明具备充分的安全程序"},
    "training_share_kept": {"en": "domestic share of training kept", "zh": "遵守训练的国产芯片比例"},
    "inference_share_kept": {"en": "domestic share of inference kept", "zh": "遵守推理的国产芯片比例"},
}


def evidence_words(code: str, lang: str) -> str:
    """Return what a piece of evidence shows; a code that nobody named is shown as it is.

    >>> evidence_words("laboratory_certificate", "zh")
    '该批货的实验室证书'
    """
    from twokey.law.report import fact_label

    if code in _WORDS:
        return _WORDS[code]["zh" if lang == "zh" else "en"]
    label = fact_label(f"certifications.{code}", "zh" if lang == "zh" else "en")
    return label if not label.startswith("certifications.") else code.replace("_", " ")


def day_words(day: date, lang: str) -> str:
    """Return a day as it is written.

    >>> day_words(date(2026, 1, 28), "en"), day_words(date(2026, 1, 28), "zh")
    ('28 January 2026', '2026年1月28日')
    """
    return format_date(day, format="long", locale="zh_Hans_CN" if lang == "zh" else "en_GB")
