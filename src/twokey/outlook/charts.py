"""Charts of an answer as Vega-Lite specifications, written as SVG, PNG or one HTML file that loads nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from twokey.chips.errors import UserError
from twokey.outlook.arrive import Arrival
from twokey.outlook.basis import basis_in
from twokey.outlook.commit import Commitment
from twokey.outlook.compare import Point
from twokey.outlook.explain import Swing
from twokey.outlook.lines import find_line
from twokey.outlook.run import Result

Lang = Literal["en", "zh"]
INK: Final = "#1f3a5f"
SECOND: Final = "#b5532a"
_SIZE: Final = {"width": 560, "height": 260}
_STYLE: Final = {
    "background": "white",
    "font": "Helvetica Neue, Arial, Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif",
    "title": {"anchor": "start", "fontSize": 14, "subtitleFontSize": 11, "subtitleColor": "#555"},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "grid": True, "gridColor": "#e6e6e6"},
    "view": {"stroke": None},
}
_WORDS: Final = {
    "quarter": {"en": "quarter end", "zh": "季度末"},
    "fan": {
        "en": "median, half of paths (dark) and nine in ten (light)",
        "zh": "中位数；深色为一半路径，浅色为九成路径",
    },
    "probability": {"en": "probability", "zh": "概率"},
    "commit": {"en": "units committed", "zh": "承诺件数"},
    "money": {"en": "USD bn", "zh": "十亿美元"},
    "arrive": {"en": "P(arrived at least)", "zh": "到货概率"},
    "compute": {"en": "compute in service (H100e)", "zh": "可用算力（H100e）"},
    "made": {"en": "domestic packages made", "zh": "国产累计产量"},
    "mandate": {"en": "mandate", "zh": "国产比例"},
    "keys": {"en": "both keys over time", "zh": "两把钥匙"},
    "present": {"en": "present policy (red)", "zh": "现行政策（红）"},
    "mean": {"en": "mean over paths", "zh": "路径均值"},
    "swing": {"en": "10th to 90th percentile of each input", "zh": "各输入从第 10 到第 90 百分位"},
    "ratio": {"en": "ratio", "zh": "比值"},
    "share": {"en": "share", "zh": "占比"},
}


def _chart(title: str, subtitle: str, body: dict[str, Any]) -> dict[str, Any]:
    head = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **_SIZE, "config": _STYLE}
    return {**head, "title": {"text": title, "subtitle": subtitle}, **body}


def fan(result: Result, name: str, lang: Lang = "en") -> dict[str, Any]:
    """Return a fan chart of one line over the quarters."""
    line = find_line(name)
    rows = [{k: r[k] for k in ("end", "p05", "p25", "p50", "p75", "p95")} for r in result.rows([name])]
    x = {"field": "end", "type": "temporal", "title": _WORDS["quarter"][lang], "axis": {"format": "%Y-%m"}}
    counted = basis_in(line.basis, lang)
    y_title = f"{_WORDS[line.unit][lang]} ({counted})" if line.unit in ("ratio", "share") else counted
    y_format = "~%" if line.unit == "share" else "~s"

    def band(low: str, high: str, opacity: float) -> dict[str, Any]:
        y = {"field": low, "type": "quantitative", "title": y_title, "axis": {"format": y_format}}
        return {
            "mark": {"type": "area", "opacity": opacity, "color": INK},
            "encoding": {"x": x, "y": y, "y2": {"field": high}},
        }

    middle = {"mark": {"type": "line", "color": INK, "strokeWidth": 2.2},
              "encoding": {"x": x, "y": {"field": "p50", "type": "quantitative", "title": y_title}}}  # fmt: skip
    told = line.en if lang == "en" else line.zh
    layers = [band("p05", "p95", 0.18), band("p25", "p75", 0.32), middle]
    return _chart(told, _WORDS["fan"][lang], {"data": {"values": rows}, "layer": layers})


def keys(result: Result, lang: Lang = "en") -> dict[str, Any]:
    """Return the chart of the probability that each key, and both, are open."""
    names = ("us_open", "cn_open", "both_open")
    rows = [
        {"end": r["end"], "key": r["what"] if lang == "en" else r["what_zh"], "p": r["mean"]}
        for r in result.rows(names)
    ]
    encoding = {
        "x": {"field": "end", "type": "temporal", "title": _WORDS["quarter"][lang], "axis": {"format": "%Y-%m"}},
        "y": {
            "field": "p",
            "type": "quantitative",
            "title": _WORDS["probability"][lang],
            "scale": {"domain": [0, 1]},
            "axis": {"format": "%"},
        },
        "color": {"field": "key", "type": "nominal", "title": None, "sort": None, "legend": {"orient": "bottom"}},
    }
    mark = {"type": "line", "strokeWidth": 2.2}
    return _chart(_WORDS["keys"][lang], "", {"data": {"values": rows}, "mark": mark, "encoding": encoding})


def tornado(
    swings: Sequence[Swing], title: str, lang: Lang = "en", names: Mapping[str, str] | None = None, top: int = 12
) -> dict[str, Any]:
    """Return the tornado chart: one bar an input, from its 10th to its 90th percentile; `names` says what."""
    called = names or {}
    rows = [{"input": called.get(s.name, s.name), "low": s.low, "high": s.high} for s in swings[:top]]
    encoding = {
        "y": {"field": "input", "type": "nominal", "sort": [r["input"] for r in rows], "title": None,
              "axis": {"labelLimit": 260}},
        "x": {"field": "low", "type": "quantitative", "title": _WORDS["mean"][lang], "axis": {"format": "~s"},
              "scale": {"zero": False}},
        "x2": {"field": "high"},
    }  # fmt: skip
    base = {"mark": {"type": "rule", "color": SECOND}, "encoding": {"x": {"datum": swings[0].base}}}
    bar = {"mark": {"type": "bar", "color": INK, "opacity": 0.75}, "encoding": encoding}
    return _chart(title, _WORDS["swing"][lang], {"data": {"values": rows}, "layer": [bar, base]})


def commitment(answer: Commitment, lang: Lang = "en") -> dict[str, Any]:
    """Return expected profit and CVaR against the quantity committed."""
    names = ("expected profit", "CVaR 10 %") if lang == "en" else ("期望利润", "CVaR 10 %")
    rows = [
        {"q": q, "what": name, "usd": value / 1e9}
        for q, mean, tail in answer.curve
        for name, value in zip(names, (mean, tail), strict=True)
    ]
    encoding = {
        "x": {"field": "q", "type": "quantitative", "title": _WORDS["commit"][lang], "axis": {"format": "~s"}},
        "y": {"field": "usd", "type": "quantitative", "title": _WORDS["money"][lang]},
        "color": {"field": "what", "type": "nominal", "title": None, "legend": {"orient": "bottom"},
                  "scale": {"range": [INK, SECOND]}},
    }  # fmt: skip
    line = {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": encoding}
    rule = {
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#555"},
        "encoding": {"x": {"datum": answer.quantity}},
    }
    title = f"Q* = {answer.quantity:,.0f}"
    return _chart(title, "", {"data": {"values": rows}, "layer": [line, rule]})


def arrival(answer: Arrival, lang: Lang = "en") -> dict[str, Any]:
    """Return P(arrived >= q by t), one curve a quantity."""
    rows = [
        {"end": day.isoformat(), "q": f"{quantity:,.0f}", "p": float(answer.probability[i, n])}
        for i, quantity in enumerate(answer.quantities)
        for n, day in enumerate(answer.days)
    ]
    encoding = {
        "x": {"field": "end", "type": "temporal", "title": _WORDS["quarter"][lang], "axis": {"format": "%Y-%m"}},
        "y": {"field": "p", "type": "quantitative", "title": _WORDS["probability"][lang], "scale": {"domain": [0, 1]},
              "axis": {"format": "%"}},
        "color": {"field": "q", "type": "nominal", "title": _WORDS["arrive"][lang], "sort": None,
                  "scale": {"scheme": "blues"}},
    }  # fmt: skip
    mark = {"type": "line", "strokeWidth": 2.2}
    return _chart(_WORDS["arrive"][lang], "", {"data": {"values": rows}, "mark": mark, "encoding": encoding})


def aims(points: Sequence[Point], lang: Lang = "en") -> dict[str, Any]:
    """Return the frontier of the two aims, the present policy marked."""
    rows = [
        {"compute": p.compute, "made": p.domestic_made, "mandate": f"{p.mandate:.0%}", "present": p.present}
        for p in points
    ]
    encoding = {
        "x": {"field": "compute", "type": "quantitative", "title": _WORDS["compute"][lang], "axis": {"format": "~s"},
              "scale": {"zero": False}},
        "y": {"field": "made", "type": "quantitative", "title": _WORDS["made"][lang], "axis": {"format": "~s"},
              "scale": {"zero": False}},
        "color": {"condition": {"test": "datum.present", "value": "#c0392b"}, "field": "mandate", "type": "nominal",
                  "title": _WORDS["mandate"][lang], "scale": {"scheme": "blues"}},
        "size": {"condition": {"test": "datum.present", "value": 220}, "value": 70},
    }  # fmt: skip
    mark = {"type": "point", "filled": True, "opacity": 0.9}
    title, note = ("Two aims", "两个目标")[lang == "zh"], _WORDS["present"][lang]
    return _chart(title, note, {"data": {"values": rows}, "mark": mark, "encoding": encoding})


def altair(spec: dict[str, Any]) -> Any:
    """Return a chart as an Altair chart, checked against the Vega-Lite schema, for those who restyle it."""
    module: Any = importlib.import_module("altair")
    return module.Chart.from_dict(spec)


def svg(spec: dict[str, Any]) -> str:
    """Return a chart as SVG text."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, vl_version="5.20"))


def save(spec: dict[str, Any], file: Path) -> Path:
    """Write a chart as .svg, .png or .html (one file, its script inside), or its specification as .json.

    Raises:
        UserError: another ending.

    """
    import json

    import vl_convert

    ending = file.suffix.casefold()
    if ending == ".svg":
        file.write_text(svg(spec), encoding="utf-8")
    elif ending == ".png":
        file.write_bytes(vl_convert.vegalite_to_png(spec, vl_version="5.20", scale=2))
    elif ending == ".html":
        file.write_text(vl_convert.vegalite_to_html(spec, vl_version="5.20", bundle=True), encoding="utf-8")
    elif ending == ".json":
        file.write_text(json.dumps(spec, ensure_ascii=False, indent=1), encoding="utf-8")
    else:
        raise UserError(f"{file}: a chart is written as .svg, .png, .html or .json")
    return file
