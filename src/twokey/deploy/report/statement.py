"""The statement that an importer files, in English or Chinese, and the breach records that a case desk takes in."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from twokey.deploy.report.readings import Flag
from twokey.deploy.report.shares import Finding, Share
from twokey.deploy.said import Lang
from twokey.deploy.said import say as in_words

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Statement of use", "使用情况说明"),
    "from_to": ("From {a} to {b} (UTC)", "自 {a} 至 {b}(UTC)"),
    "conditions": ("Conditions", "条件"),
    "shares": ("Domestic share of use", "国产算力使用份额"),
    "evidence": ("Evidence", "依据"),
    "flags": ("What the telemetry does not show", "遥测未能说明之处"),
    "nothing": (
        "Nothing was measured in this time; what was flagged says why.",
        "该时段内没有任何测量；原因见所列标记。",
    ),
    "none": ("Nothing was flagged.", "无。"),
    "no_conditions": ("No domestic-share condition was given.", "未给出国产份额条件。"),
    "kept": ("kept", "已遵守"),
    "breached": ("breached", "已违反"),
    "cannot tell": ("cannot tell", "无法判定"),
    "not measured": ("not measured", "未测量"),
    "inference": ("inference", "推理"),
    "training": ("training", "训练"),
    "allocated": ("allocated", "已分配"),
    "used": ("used", "已使用"),
    "delivered": ("delivered", "已交付"),
    "all sites": ("all sites", "全部站点"),
    "whole": ("whole time", "全期"),
    "condition": ("condition", "条件"),
    "bound": ("at least", "不低于"),
    "measured": ("measured", "实测"),
    "between": ("between", "区间"),
    "verdict": ("verdict", "结论"),
    "site": ("site", "站点"),
    "period": ("period", "时段"),
    "phase": ("phase", "阶段"),
    "measure": ("measure", "口径"),
    "clock": ("clock", "时钟"),
    "duplicate": ("duplicate", "重复"),
    "conflict": ("conflict", "矛盾"),
    "reset": ("reset", "计数器归零"),
    "gap": ("gap", "缺口"),
    "unknown-chip": ("unknown chip", "芯片不明"),
    "unknown-phase": ("unknown phase", "阶段不明"),
    "bad-sample": ("bad sample", "样本无效"),
    "no-telemetry": ("no telemetry", "无遥测"),
    "note": (
        "Allocated is device time x nominal 16-bit compute; used is that x utilisation, which exporters define "
        "differently; delivered is tokens counted by the serving engine. The bounds hold whatever happened in the "
        "gaps; of tokens that nobody counted, at most as many a second as the fastest counter of the site showed.",
        "已分配 = 设备时间 × 标称 16 位算力；已使用 = 再乘以利用率（各导出器定义不同）；已交付 = 推理引擎计数的 token。"
        "无论缺口期间发生了什么，区间均成立；无人计数的 token，按该站点计数器的最高速率计其上限。",
    ),
}


def say(word: str, lang: Lang) -> str:
    """Return a word of the statement in a language; a name of its own (a site) as it is."""
    return _WORDS[word][lang == "zh"] if word in _WORDS else word


def flagged(flag: Flag, lang: Lang) -> str:
    """Return a flag as a sentence: what kind, what, how many times, where."""
    times = f" × {flag.count}" if flag.count > 1 else ""
    opened, closed, colon = ("（", "）", "：") if lang == "zh" else (" (", ")", ": ")
    source = f"{opened}{flag.source}{closed}" if flag.source else ""
    return f"{say(flag.kind, lang)}{colon}{in_words(flag.words, lang)}{times}{source}"


def percent(value: float | None) -> str:
    """Return a share as text; what was not measured is a dash."""
    return "–" if value is None else f"{100 * value:.1f} %"


def day(seconds: float) -> str:
    """Return a time as text, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def period_name(period: int, edges: Sequence[float], lang: Lang) -> str:
    """Return the name of a period."""
    return say("whole", lang) if period < 0 else f"{day(edges[period])} – {day(edges[period + 1])}"


def markdown(
    name: str,
    edges: Sequence[float],
    shares: Sequence[Share],
    findings: Sequence[Finding],
    flags: Sequence[Flag],
    evidence: Sequence[tuple[str, str]],
    lang: Lang = "en",
) -> str:
    """Return the statement as Markdown."""
    lines = [f"# {say('title', lang)}: {name}", "", say("from_to", lang).format(a=day(edges[0]), b=day(edges[-1])), ""]
    lines += [f"## {say('conditions', lang)}", ""]
    if findings:
        heads: tuple[str, ...] = ("condition", "site", "period", "measure", "bound", "measured", "between", "verdict")
        lines += _table([say(h, lang) for h in heads], [finding_row(f, edges, lang) for f in findings])
        lines += [
            "",
            *dict.fromkeys(
                f"- {f.condition}: {in_words(f.words, lang)}"
                + (f" ({f.authority}, {f.instrument})" if f.authority else "")
                for f in findings
            ),
        ]
    else:
        lines.append(say("no_conditions", lang))
    lines += ["", f"## {say('shares', lang)}", ""]
    heads = ("phase", "measure", "site", "period", "measured", "between")
    lines += _table([say(h, lang) for h in heads], [share_row(s, edges, lang) for s in shares])
    lines += ["", say("note", lang), "", f"## {say('flags', lang)}", ""]
    lines += [f"- {flagged(flag, lang)}" for flag in flags] or [say("none", lang)]
    lines += ["", f"## {say('evidence', lang)}", ""]
    lines += [f"- `{file}` sha256 `{digest}`" for file, digest in evidence]
    return "\n".join(lines) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def finding_row(f: Finding, edges: Sequence[float], lang: Lang) -> list[str]:
    """Return the cells of a finding."""
    s = f.share
    return [
        f.condition,
        say(s.site, lang),
        period_name(s.period, edges, lang),
        say(s.measure, lang),
        percent(f.bound),
        percent(s.share),
        f"{percent(s.low)} – {percent(s.high)}",
        say(f.verdict, lang),
    ]


def share_row(s: Share, edges: Sequence[float], lang: Lang) -> list[str]:
    """Return the cells of a share."""
    return [
        say(s.phase, lang),
        say(s.measure, lang),
        say(s.site, lang),
        period_name(s.period, edges, lang),
        percent(s.share),
        f"{percent(s.low)} – {percent(s.high)}",
    ]


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file that the statement rests on."""
    return hashlib.sha256(data).hexdigest()


def breaches(
    name: str, edges: Sequence[float], findings: Sequence[Finding], evidence: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return one record per breached condition and period, each with an id that is the same for the same facts.

    Shares are in basis points, so that no two readers round them differently; a case desk takes the records in.
    """
    found = []
    for f in findings:
        if f.verdict != "breached":
            continue
        s = f.share
        record: dict[str, Any] = {
            "record": "twokey.breach",
            "version": 2,
            "fleet": name,
            "condition": f.condition,
            "words_en": str(f.words),
            "words_zh": in_words(f.words, "zh"),
            "authority": f.authority,
            "instrument": f.instrument,
            "site": s.site,
            "from": day(edges[max(s.period, 0)]),
            "to": day(edges[-1] if s.period < 0 else edges[s.period + 1]),
            "phase": s.phase,
            "measure": s.measure,
            "at_least_bp": _points(f.bound),
            "measured_bp": None if s.share is None else _points(s.share),
            "low_bp": math.floor(1e4 * (s.low or 0.0)),
            "high_bp": math.ceil(1e4 * (1.0 if s.high is None else s.high)),
            "evidence": [{"file": file, "sha256": value} for file, value in evidence],
        }
        record["id"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
        found.append(record)
    return found


def _points(share: float) -> int:
    return round(1e4 * share)
