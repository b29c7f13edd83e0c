"""The chart of approved against arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from twokey.desk.ledger.progress import Day
from twokey.desk.web.base.templatetags.desk import day as day_in_words
from twokey.desk.web.base.words import language
from twokey.desk.web.charts.chart import EXPORT, FOURTH, IMPORT, THIRD, Chart, Column, Table, amounts, days, drawing


def arrived(rows: Sequence[Day]) -> Chart:
    """Return the chart of units approved, released and arrived, each in all up to a day."""
    series = (
        ("approved_import", _("approved by the import key"), IMPORT, [1, 0]),
        ("approved_export", _("licensed by the export key"), EXPORT, [8, 3]),
        ("released", _("released under both"), THIRD, [4, 2]),
        ("arrived", _("delivered"), FOURTH, [2, 2]),
    )
    values: list[dict[str, Any]] = [
        {
            "day": each.on.isoformat(),
            "series": words,
            "units": each.delivered if name == "arrived" else getattr(each, name),
        }
        for each in rows
        for name, words, _colour, _dash in series
    ]
    scale = {"domain": [words for _n, words, _c, _d in series]}
    layer = {
        "mark": {"type": "line", "interpolate": "step-after", "point": len(rows) < 3, "strokeWidth": 2},
        "encoding": {
            "x": days(),
            "y": amounts("units", "zh" if language() == "zh" else "en"),
            "color": {
                "field": "series",
                "legend": {"symbolType": "stroke"},
                "scale": {**scale, "range": [colour for _n, _w, colour, _d in series]},
            },
            "strokeDash": {"field": "series", "scale": {**scale, "range": [dash for _n, _w, _c, dash in series]}},
        },
    }
    heads = (_("Day"), *(words for _n, words, _c, _d in series), _("entered at customs"))
    table = Table(
        tuple(Column(head, place > 0) for place, head in enumerate(heads)),
        tuple(
            (
                day_in_words(each.on),
                *(
                    f"{n:,}"
                    for n in (each.approved_import, each.approved_export, each.released, each.delivered, each.entered)
                ),
            )
            for each in list(reversed(rows))[:60]
        ),
    )
    return Chart("arrived", _("Approved and arrived, in units"), "", drawing([layer], values), table)
