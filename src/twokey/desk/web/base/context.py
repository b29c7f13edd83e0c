"""What every template may use: who is signed in, and where they may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor, Role, may
from twokey.desk.notices.services import unread_count


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; `words` may be translated when it is shown."""

    name: str
    words: str | Promise
    action: str
    roles: frozenset[Role] = frozenset(Role)


PLACES: Final = (
    Place("home", _("My desk"), "case.read"),
    Place("orders:index", _("Orders"), "order.read"),
    Place("cases:index", _("Cases"), "case.read"),
    Place("ledger:batches", _("Batches"), "batch.read"),
    Place("ledger:authorisations", _("Authorisations"), "ledger.read"),
    Place("ledger:shipments", _("Shipments"), "ledger.read"),
    Place("ledger:usage", _("Usage"), "usage.read", frozenset({Role.CUSTOMS, Role.OPERATOR, Role.AUDITOR})),
    Place("ledger:flows", _("Approved and arrived"), "ledger.read"),
    Place("parties:index", _("Parties"), "party.read"),
    Place("law:index", _("Law"), "law.read"),
    Place("outlook:index", _("Outlook"), "outlook.read"),
    Place("notices:index", _("Notices"), "notice.own"),
)


def desk(request: HttpRequest) -> dict[str, Any]:
    """Return the actor (None before signing in), the navigation, and whether this is the demonstration."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "actor": actor,
        "places": _places(request, actor) if actor else [],
        "demonstration": settings.TWOKEY_DEMO,
    }


def _places(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    found = []
    for place in PLACES:
        try:
            address = reverse(place.name)
        except NoReverseMatch:
            continue
        if may(actor, place.action) and actor.role in place.roles:
            here = request.path == address or (address != "/" and request.path.startswith(address))
            found.append({"address": address, "words": place.words, "here": here, "count": _count(place, actor)})
    return found


def _count(place: Place, actor: Actor) -> int:
    """Return how many things wait behind an entry of the navigation: notices that were not read."""
    return unread_count(actor) if place.name == "notices:index" else 0
