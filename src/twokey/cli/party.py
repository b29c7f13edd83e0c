"""`twokey party …` and `twokey screen …`: who takes part, and whether anybody is listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show
from twokey.cli.errors import UserError
from twokey.cli.shared import Day

if TYPE_CHECKING:
    from datetime import date

    from twokey.desk.actors import Actor


@click.group()
def party() -> None:
    """Organisations, each with its name in its own script and in Latin letters."""


@party.command("list")
@page_options
@at_desk
def list_parties(actor: Actor, form: str, limit: int, page: int) -> None:
    """List parties."""
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.services import parties

    rows = [dump(shapes.party(row)) for row in page_of(parties(actor), limit, page)]
    show(rows, form, ("id", "name", "name_latin", "kind", "country", "hq_country", "provenance"), "No party yet.")


@party.command("add")
@click.option("--name", required=True, help="In its own script.")
@click.option("--name-latin", required=True, help="In plain Latin letters.")
@click.option(
    "--kind",
    required=True,
    help="private, state_owned, military, critical_infrastructure, university_laboratory or cloud_provider.",
)
@click.option("--country", required=True, help="Two letters, such as CN.")
@click.option("--hq-country", help="Where its headquarters are.  [default: the country]")
@click.option("--alias", "aliases", multiple=True, help="Another name; may be given repeatedly.")
@click.option(
    "--identifier", "identifiers", multiple=True, metavar="SCHEME=VALUE", help="A register's number, such as LEI=…."
)
@click.option(
    "--address", "addresses", multiple=True, metavar="COUNTRY:LINES:LATIN", help="In its own script, and in Latin."
)
@click.option("--parent", "ultimate_parent_id", type=int, help="Id of the ultimate parent.")
@click.option("--source", "provenance", default="", help="Where this is known from.")
@at_desk
def add(
    actor: Actor,
    form: str,
    name: str,
    name_latin: str,
    kind: str,
    country: str,
    hq_country: str | None,
    aliases: tuple[str, ...],
    identifiers: tuple[str, ...],
    addresses: tuple[str, ...],
    ultimate_parent_id: int | None,
    provenance: str,
) -> None:
    """Enter a party."""
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.services import add_party

    row = add_party(
        actor,
        name=name,
        name_latin=name_latin,
        kind=kind,
        country=country,
        hq_country=hq_country or country,
        aliases=aliases,
        identifiers=dict(_parts(each, "=", 2, "--identifier takes SCHEME=VALUE") for each in identifiers),
        addresses=[
            dict(zip(("country", "lines", "lines_latin"), parts, strict=True))
            for parts in (_parts(each, ":", 3, "--address takes COUNTRY:LINES:LATIN") for each in addresses)
        ],
        ultimate_parent_id=ultimate_parent_id,
        provenance=provenance,
    )
    show(dump(shapes.party(row)), form)


@party.command("show")
@click.argument("party_id", type=int)
@at_desk
def show_party(actor: Actor, form: str, party_id: int) -> None:
    """Show a party: names, identifiers, addresses, parent, and who owns which share."""
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.services import parties
    from twokey.desk.reasons import missing

    row = parties(actor).filter(pk=party_id).first()
    if row is None:
        raise missing("party", party_id)
    show(dump(shapes.party(row)), form)


@party.command("share")
@click.argument("party_id", type=int)
@click.argument("owner_id", type=int)
@click.option("--share-bp", type=int, required=True, help="Basis points of the whole: 51 % is 5100.")
@click.option("--as-of", type=Day(), required=True)
@click.option("--source", required=True)
@at_desk
def share(actor: Actor, form: str, party_id: int, owner_id: int, share_bp: int, as_of: date, source: str) -> None:
    """State the share that an owner holds in a party."""
    from twokey.desk.parties.models import Organisation
    from twokey.desk.parties.services import add_share
    from twokey.desk.reasons import missing

    found = Organisation.objects.in_bulk([party_id, owner_id])
    for pk in (party_id, owner_id):
        if pk not in found:
            raise missing("party", pk)
    row = add_share(actor, found[owner_id], found[party_id], share_bp, as_of, source)
    show({"party": party_id, "owner": owner_id, "share_bp": row.share_bp, "as_of": row.as_of.isoformat()}, form)


def _parts(text: str, separator: str, count: int, remedy: str) -> list[str]:
    parts = [part.strip() for part in text.split(separator, count - 1)]
    if len(parts) != count or not all(parts):
        raise UserError(f"{text!r}: {remedy}")
    return parts


@click.group()
def screen() -> None:
    """Screening of every party against the lists that you import."""


@screen.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--list", "code", default="us-csl", show_default=True, help="Which list the file is a version of.")
@click.option(
    "--required/--optional",
    default=None,
    help="Does a missing or old copy of this list block releases?  [a new list: required; else as it was]",
)
@click.option("--max-age", type=click.IntRange(1, 365), help="Days until it is stale.  [a new list: 7; else as it was]")
@at_desk
def import_list(actor: Actor, form: str, file: Path, code: str, required: bool | None, max_age: int | None) -> None:
    """Import a list: the US Consolidated Screening List (JSON or CSV), or a CSV with id and name.

    Get the US list from https://data.trade.gov/downloadable_consolidated_screening_list/v1/consolidated.json
    """
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.lists import read_list
    from twokey.desk.parties.screening import import_list as service

    version = service(actor, read_list(file), code, required=required, max_age_days=max_age)
    show(dump(shapes.screening_list(version.list)), form)


@screen.command("lists")
@at_desk
def lists(actor: Actor, form: str) -> None:
    """Show the lists in force."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.models import ScreeningList

    permit(actor, "screening.read")
    rows = ScreeningList.objects.select_related("current").order_by("code")
    show(
        [dump(shapes.screening_list(row)) for row in rows], form, (), "No list has been imported; releases are blocked."
    )


@screen.command("party")
@click.argument("party_id", type=int)
@click.option("--yente", metavar="URL", help="Ask this yente server instead of the imported lists.")
@at_desk
def screen_party(actor: Actor, form: str, party_id: int, yente: str | None) -> None:
    """Screen one party, with the score of every match explained."""
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.models import Organisation
    from twokey.desk.parties.screening import screen as by_lists
    from twokey.desk.parties.yente import screen as by_yente
    from twokey.desk.reasons import missing

    row = Organisation.objects.filter(pk=party_id).first()
    if row is None:
        raise missing("party", party_id)
    result = dump(shapes.screening(by_yente(actor, row, yente) if yente else by_lists(actor, row)))
    if form == "json":
        show(result, form)
        return
    click.echo(f"{row.name_latin}: {result['outcome']}")
    flat = [
        {**match, "because": f"{match['because']['method']}: {match['because']['ours']} ~ {match['because']['theirs']}"}
        for match in result["matches"]
    ]
    show(flat, form, ("score", "name", "list", "uid", "because", "same"), "No match.")


@screen.command("decide")
@click.argument("party_id", type=int)
@click.argument("entry_uid")
@click.option("--same/--different", required=True, help="Is it the listed party?")
@click.option("--reason", "why", required=True)
@at_desk
def decide(actor: Actor, form: str, party_id: int, entry_uid: str, same: bool, why: str) -> None:
    """Record your judgement of a match; it is kept and used again."""
    from twokey.desk.api import show as shapes
    from twokey.desk.parties.models import Organisation
    from twokey.desk.parties.screening import decide_match
    from twokey.desk.reasons import missing

    row = Organisation.objects.filter(pk=party_id).first()
    if row is None:
        raise missing("party", party_id)
    show(dump(shapes.screening(decide_match(actor, row, entry_uid, same, why))), form, ("outcome", "at"))
