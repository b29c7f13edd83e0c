"""Charts as PNG or SVG files: Vega-Lite drawn without a browser, every chart with its table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twokey.chips import UserError

_FONT = "Helvetica Neue, Arial, Noto Sans CJK SC, Noto Serif CJK SC, Microsoft YaHei, PingFang SC, sans-serif"


def write(chart: Mapping[str, Any], path: Path) -> None:
    """Write a Vega-Lite chart to `path`, whose ending says how: .png, .svg, .html or .json.

    Errors: UserError for another ending, or where it cannot be written.
    """
    import json

    import vl_convert

    schema = "https://vega.github.io/schema/vega-lite/v5.json"
    spec = {"$schema": schema, "background": "white", "config": {"font": _FONT}, **chart}
    ending = path.suffix.casefold()
    if ending == ".png":
        data = vl_convert.vegalite_to_png(spec, scale=2)
    elif ending == ".svg":
        data = vl_convert.vegalite_to_svg(spec).encode()
    elif ending == ".html":
        data = vl_convert.vegalite_to_html(spec, bundle=True).encode()
    elif ending == ".json":
        data = json.dumps(spec, ensure_ascii=False).encode()
    else:
        raise UserError(f"{path}: a chart ends in .png, .svg, .html or .json")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def predicted_against_measured(points: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> dict[str, Any]:
    """Return the chart of predictions over measurements (points: kind, measured, predicted, origin).

    `titles`: of the chart, of the measured, of the predicted, of the kind and of the origin.
    """
    base = {"data": {"values": list(points)}, "width": 420, "height": 420}
    axis = {"scale": {"type": "log"}, "axis": {"grid": False, "format": "~s"}}
    line = {
        "data": {"values": [{"m": p["measured"]} for p in points]},
        "mark": {"type": "line", "color": "#888", "strokeDash": [4, 4]},
        "encoding": {
            "x": {"field": "m", "type": "quantitative", **axis},
            "y": {"field": "m", "type": "quantitative", **axis},
        },
    }
    dots = {
        "mark": {"type": "point", "opacity": 0.6, "size": 28},
        "encoding": {
            "x": {"field": "measured", "type": "quantitative", "title": titles[1], **axis},
            "y": {"field": "predicted", "type": "quantitative", "title": titles[2], **axis},
            "color": {"field": "kind", "type": "nominal", "title": titles[3]},
            "shape": {"field": "origin", "type": "nominal", "title": titles[4]},
        },
    }
    return {**base, "title": titles[0], "layer": [line, dots]}


def growth(
    points: Sequence[Mapping[str, Any]], ends: Sequence[Mapping[str, float]], titles: Sequence[str], title: str
) -> dict[str, Any]:
    """Return work over cluster size, in all with its band, and below it a card's share of it.

    `points`: cards, rate, low, high, each, chip; `ends`: the cards beyond which more stop helping. `titles`: of the
    cards, of the rate, of the rate a card, of the chip.
    """
    x = {
        "field": "cards",
        "type": "quantitative",
        "title": titles[0],
        "scale": {"type": "log", "base": 2},
        "axis": {"format": ",d", "labelOverlap": True},
    }
    colour = {"field": "chip", "type": "nominal", "title": titles[3], "legend": {"symbolOpacity": 1}}
    wide = {"type": "log"}
    total = {"field": "rate", "type": "quantitative", "title": titles[1], "scale": wide, "axis": {"format": "~s"}}
    band = {
        "mark": {"type": "area", "opacity": 0.18},
        "encoding": {"x": x, "y": {**total, "field": "low"}, "y2": {"field": "high"}, "color": colour},
    }
    line = {"mark": {"type": "line", "point": True}, "encoding": {"x": x, "y": total, "color": colour}}
    each = {"field": "each", "type": "quantitative", "title": titles[2], "axis": {"format": ",d"}}
    rule = {
        "data": {"values": list(ends)},
        "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#888"},
        "encoding": {"x": x},
    }
    upper = {"layer": [band, line, rule], "width": 520, "height": 260}
    lower = {
        "layer": [{"mark": {"type": "line", "point": True}, "encoding": {"x": x, "y": each, "color": colour}}, rule],
        "width": 520,
        "height": 160,
    }
    return {"data": {"values": list(points)}, "title": title, "vconcat": [upper, lower]}


def trade_off(points: Sequence[Mapping[str, float]], titles: Sequence[str], title: str) -> dict[str, Any]:
    """Return what is reached (`value`) over what is asked (`share`, per cent). `titles`: of the share, of the value."""
    encoding = {
        "x": {"field": "share", "type": "quantitative", "title": titles[0]},
        "y": {"field": "value", "type": "quantitative", "title": titles[1]},
    }
    mark = {"type": "line", "point": True}
    return {
        "data": {"values": list(points)},
        "width": 520,
        "height": 320,
        "title": title,
        "mark": mark,
        "encoding": encoding,
    }
