"""`{% chart figure %}` draws a chart with its table; `{% chart_scripts %}` in the block `scripts` loads the library."""

from __future__ import annotations

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from twokey.desk.web.charts.bundle import NAME
from twokey.desk.web.charts.chart import Chart

register = template.Library()


@register.inclusion_tag("charts/chart.html")
def chart(figure: Chart, level: int = 2) -> dict[str, Any]:
    """Show a chart and the table of its figures; `level` is that of its heading, 2 or 3."""
    return {"figure": figure, "spec": dict(figure.spec), "level": level}


@register.simple_tag
def chart_scripts() -> SafeString:
    """Return the two scripts that draw the charts of a page."""
    return format_html_join(
        "\n", '<script src="{}" defer></script>', ((static(name),) for name in (NAME, "charts/charts.js"))
    )
