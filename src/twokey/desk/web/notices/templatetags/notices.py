"""`{% unread %}`: how many notices wait; `{% follow_button order %}`: follow an order, or no more."""

from __future__ import annotations

from typing import Any

from django import template

from twokey.desk.actors import Actor
from twokey.desk.cases.models import Order
from twokey.desk.notices.services import follows, unread_count

register = template.Library()


@register.simple_tag(takes_context=True)
def unread(context: dict[str, Any]) -> int:
    """Return how many notices the person has not read; nothing before signing in."""
    actor: Actor | None = context.get("actor")
    return unread_count(actor) if actor else 0


@register.inclusion_tag("notices/follow.html", takes_context=True)
def follow_button(context: dict[str, Any], order: Order) -> dict[str, Any]:
    """Show the button that follows an order, or follows it no more; it returns to the page it stands on."""
    return {
        "order": order,
        "follows": follows(context["actor"], order.pk),
        "here": context["request"].get_full_path(),
        "csrf_token": context["csrf_token"],
    }
