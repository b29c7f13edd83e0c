"""Parties and their screening."""

from __future__ import annotations

from ninja import File, Query, Router, UploadedFile

from twokey.desk.actors import Actor
from twokey.desk.api import shapes, show
from twokey.desk.api.routing import route
from twokey.desk.parties import screening, services
from twokey.desk.parties.lists import parse_list
from twokey.desk.parties.models import Organisation, ScreeningList
from twokey.desk.reasons import missing

router = Router(tags=["parties"])


@route(router, "GET", "/parties", "party.read", list[shapes.PartyOut])
def parties(actor: Actor, page: Query[shapes.Page]) -> list[shapes.PartyOut]:
    """List parties by id."""
    return [show.party(row) for row in services.parties(actor).filter(pk__gt=page.after)[: page.limit]]


@route(router, "POST", "/parties", "party.write", shapes.PartyOut, 201)
def add(actor: Actor, body: shapes.PartyIn) -> shapes.PartyOut:
    """Enter a party, with its name in both scripts."""
    fields = body.model_dump(exclude={"addresses"})
    row = services.add_party(actor, **fields, addresses=[each.model_dump() for each in body.addresses])
    return show.party(row)


@route(router, "GET", "/parties/{party_id}", "party.read", shapes.PartyOut)
def party(actor: Actor, party_id: shapes.PathId) -> shapes.PartyOut:
    """Show one party."""
    return show.party(_party(party_id))


@route(router, "POST", "/parties/{party_id}/shares", "party.own", shapes.IdOut, 201)
def share(actor: Actor, party_id: shapes.PathId, body: shapes.ShareIn) -> shapes.IdOut:
    """State a share that another party holds in this one."""
    row = services.add_share(actor, _party(body.owner_id), _party(party_id), body.share_bp, body.as_of, body.source)
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/parties/{party_id}/screen", "screening.run", shapes.ScreeningOut)
def screen(actor: Actor, party_id: shapes.PathId) -> shapes.ScreeningOut:
    """Screen a party against the current lists."""
    return show.screening(screening.screen(actor, _party(party_id)))


@route(router, "GET", "/parties/{party_id}/screenings", "screening.read", list[shapes.ScreeningOut])
def screenings(actor: Actor, party_id: shapes.PathId) -> list[shapes.ScreeningOut]:
    """Show the last screenings of a party, newest first."""
    return [show.screening(row) for row in _party(party_id).screenings.order_by("-pk")[:20]]


@route(router, "POST", "/parties/{party_id}/matches", "screening.decide", shapes.ScreeningOut)
def decide_match(actor: Actor, party_id: shapes.PathId, body: shapes.MatchIn) -> shapes.ScreeningOut:
    """Record an officer's judgement of a match."""
    return show.screening(screening.decide_match(actor, _party(party_id), body.entry_uid, body.same, body.reason))


@route(router, "GET", "/screening-lists", "screening.read", list[shapes.ListOut])
def lists(actor: Actor) -> list[shapes.ListOut]:
    """Show the lists in force."""
    return [show.screening_list(row) for row in ScreeningList.objects.select_related("current").order_by("code")]


@route(router, "POST", "/screening-lists/{code}", "screening.import", shapes.ListOut, 201)
def import_list(
    actor: Actor, code: shapes.Code, file: File[UploadedFile], how: Query[shapes.ListHow]
) -> shapes.ListOut:
    """Import a list (Consolidated Screening List JSON or CSV, or a generic CSV); every party is screened again."""
    parsed = parse_list(file.name or "list", file.read())
    version = screening.import_list(actor, parsed, code, required=how.required, max_age_days=how.max_age_days)
    return show.screening_list(version.list)


def _party(party_id: int) -> Organisation:
    row = Organisation.objects.filter(pk=party_id).first()
    if row is None:
        raise missing("party", party_id)
    return row
