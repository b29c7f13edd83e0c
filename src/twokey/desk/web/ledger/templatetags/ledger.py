"""Filters of the ledger's pages. `{% load ledger %}`."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.translation import gettext as _

from twokey.desk.ledger.models import Release, Shipment
from twokey.desk.ledger.posture import Limit
from twokey.desk.ledger.statement import Line

register = template.Library()
_REACHED = {
    "planned": 1,
    "reserved": 2,
    "half_signed": 2,
    "released": 3,
    "shipped": 4,
    "delivered": 5,
    "returned": 5,
    "voided": 1,
}


@register.filter
def limit_label(sort: str, limit: Limit) -> str:
    """Say what a bar shows, for who cannot see it."""
    words = {"units": _("Units used"), "value": _("Value used"), "uses": _("Uses used")}
    per_cent = limit.used * 100 // limit.cap if limit.cap else 0
    return _("%(what)s: %(per_cent)s%%") % {"what": words[sort], "per_cent": per_cent}


@register.filter
def signed(line: Line, field: str) -> str:
    """Show units as they change what is left: reserved −10, given back +10, drawn 10.

    A correction shows what it did to what is left: more drawn is less left.
    """
    units: int = getattr(line, field)
    change = line.effect * units
    if change == 0:
        return f"{units:,}"
    return f"+{change:,}" if change > 0 else f"−{-change:,}"


@register.filter
def moved_value(line: Line) -> int:
    """Return a movement's value as it changes what is left; of a draw, which changes nothing, the value itself."""
    return line.effect * line.value_minor if line.effect else line.value_minor


@register.filter
def journey(shipment: Shipment, release: Release | None) -> list[tuple[str, bool, datetime | None]]:
    """Return the steps of a shipment: name, whether reached, and the day where it is known."""
    reached = _REACHED[shipment.state]
    steps = (
        (_("planned"), shipment.created_at),
        (_("reserved on both keys"), None),
        (_("released"), release.at if release else None),
        (_("shipped"), None),
        (_("delivered"), None),
    )
    return [(name, place <= reached, at) for place, (name, at) in enumerate(steps, 1)]
