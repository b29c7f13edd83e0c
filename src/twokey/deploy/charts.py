"""Charts as PNG or SVG files: Vega-Lite drawn without a browser, every chart with its table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twokey.chips import UserError


def write(chart: Mapping[str, Any], path: Path) -> None:
    """Write a Vega-Lite chart to `path`, whose ending says how: .png, .svg, .html or .json.

    Errors: UserError for another ending.
    """
    import json

    import vl_convert

    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "background": "white", **chart}
    ending = path.suffix.casefold()
    if ending == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=2))
    elif ending == ".svg":
        path.write_text(vl_convert.vegalite_to_svg(spec), "utf-8")
    elif ending == ".html":
        path.write_text(vl_convert.vegalite_to_html(spec, bundle=True), "utf-8")
    elif ending == ".json":
        path.write_text(json.dumps(spec, ensure_ascii=False), "utf-8")
    else:
        raise UserError(f"{path}: a chart ends in .png, .svg, .html or .json")


def predicted_against_measured(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the chart of ratio predicted / measured over kinds (points: kind, measured, predicted, domestic)."""
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
            "x": {"field": "measured", "type": "quantitative", "title": "measured (own unit of each row)", **axis},
            "y": {"field": "predicted", "type": "quantitative", "title": "predicted", **axis},
            "color": {"field": "kind", "type": "nominal"},
            "shape": {"field": "origin", "type": "nominal"},
        },
    }
    return {**base, "title": "Predicted against measured; the dashed line is equality", "layer": [line, dots]}


def lines(
    points: Sequence[Mapping[str, Any]], x: str, y: str, colour: str, titles: Mapping[str, str], title: str
) -> dict[str, Any]:
    """Return a line chart of `points` with a band between their `low` and `high` where they have them."""
    x_axis = {"field": x, "type": "quantitative", "title": titles.get(x, x)}
    layers: list[dict[str, Any]] = []
    if points and "low" in points[0]:
        layers.append(
            {
                "mark": {"type": "area", "opacity": 0.18},
                "encoding": {
                    "x": x_axis,
                    "y": {"field": "low", "type": "quantitative", "title": titles.get(y, y)},
                    "y2": {"field": "high"},
                    "color": {"field": colour, "type": "nominal"},
                },
            }
        )
    layers.append(
        {
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": x_axis,
                "y": {"field": y, "type": "quantitative", "title": titles.get(y, y)},
                "color": {"field": colour, "type": "nominal", "title": titles.get(colour, colour)},
            },
        }
    )
    return {"data": {"values": list(points)}, "width": 520, "height": 320, "title": title, "layer": layers}
