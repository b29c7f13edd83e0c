"""`twokey release …`: plan, reserve, ask the gate, release, and what follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show, show_reasons
from twokey.cli.errors import UserError
from twokey.cli.paper import paper_options, write_paper
from twokey.cli.shared import Day, write_text

if TYPE_CHECKING:
    from datetime import date

    from twokey.desk.actors import Actor
    from twokey.desk.papers.record import Lang


@click.group()
def release() -> None:
    """Shipments and their releases: both keys, every condition, one signed answer."""


@release.command("list")
@page_options
@at_desk
def list_shipments(actor: Actor, form: str, limit: int, page: int) -> None:
    """List shipments and where each stands."""
    from twokey.desk.api import show as shapes
    from twokey.desk.ledger.shipments import shipments

    rows = [dump(shapes.shipment(row)) for row in page_of(shipments(actor), limit, page)]
    if form == "text":
        rows = [{**row, "items": "; ".join(f"{x['units']:,} × {x['item']}" for x in row["lines"])} for row in rows]
    show(rows, form, ("id", "number", "state", "items", "place", "reserved_until"), "No shipment is planned yet.")


@release.command("plan")
@click.argument("order_id", type=int)
@click.argument("number")
@click.option("--place", required=True)
@click.option("--line", "lines", multiple=True, required=True, metavar="POSITION:UNITS:VALUE_MINOR:CURRENCY")
@at_desk
def plan(actor: Actor, form: str, order_id: int, number: str, place: str, lines: tuple[str, ...]) -> None:
    """Plan a shipment under an order."""
    from twokey.desk.ledger.shipments import Part
    from twokey.desk.ledger.shipments import plan as service

    try:
        parts = [Part(int(a), int(b), int(c), d) for a, b, c, d in (each.split(":") for each in lines)]
    except ValueError:
        raise UserError("--line takes POSITION:UNITS:VALUE_MINOR:CURRENCY, such as 1:500:1350000000:USD") from None
    row = service(actor, order_id, number, place, parts)
    show({"shipment": row.pk, "number": row.number, "state": row.state}, form)


@release.command("reserve")
@click.argument("shipment_id", type=int)
@click.option("--key", default="1", show_default=True, help="The same key reserves once however often it is sent.")
@at_desk
def reserve(actor: Actor, form: str, shipment_id: int, key: str) -> None:
    """Reserve a shipment on both keys."""
    from twokey.desk.ledger.shipments import reserve as service

    moved = service(actor, shipment_id, key)
    show({"movement": moved.movement_id, "repeated": moved.repeated}, form)


@release.command("void")
@click.argument("shipment_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def void(actor: Actor, form: str, shipment_id: int, why: str) -> None:
    """Give a reservation back."""
    from twokey.desk.ledger.shipments import void as service

    show({"movement": service(actor, shipment_id, why).movement_id}, form)


@release.command("gate")
@click.argument("shipment_id", type=int)
@at_desk
def gate(actor: Actor, form: str, shipment_id: int) -> None:
    """Ask the gate: open, or every reason that blocks, in both languages (then exit status 1)."""
    from twokey.desk.ledger.releasing import check

    found = check(actor, shipment_id)
    if form == "text":
        show_reasons(found, good="Open: a release would be signed today. / 可放行。")
    else:
        show([each.as_dict() for each in found], form)
    if found:
        raise click.exceptions.Exit(1)


@release.command("sign")
@click.argument("shipment_id", type=int)
@click.option("--out", type=click.Path(path_type=Path), help="Write the signed release to this file.")
@at_desk
def sign(actor: Actor, form: str, shipment_id: int, out: Path | None) -> None:
    """Release a shipment: signed by both sides, or refused with every reason (then exit status 1)."""
    from twokey.desk.ledger.releasing import release as service
    from twokey.desk.reasons import Refused

    try:
        row = service(actor, shipment_id)
    except Refused as refused:
        if form == "text" and refused.status == 409:
            show_reasons(refused.reasons, good="")
            raise click.exceptions.Exit(1) from None
        raise
    if out:
        write_text(json.dumps(row.document.jws, indent=1), out)
    show(
        {"number": row.number, "shipment": row.shipment.number, "sha256": row.document.sha256, "file": str(out or "")},
        form,
    )


@release.command("show")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path), help="Write the signed release to this file.")
@at_desk
def show_release(actor: Actor, form: str, number: str, out: Path | None) -> None:
    """Show a release, or write its file for `twokey verify`."""
    from twokey.desk.ledger.releasing import releases
    from twokey.desk.reasons import missing
    from twokey.desk.signing.envelope import read_unchecked

    row = releases(actor).filter(number=number).first()
    if row is None:
        raise missing("release", number)
    if out:
        write_text(json.dumps(row.document.jws, indent=1), out)
        click.echo(f"{out}: written; check it with `twokey verify {out} --keys KEYS.json`")
        return
    show(row.document.jws if form == "json" else read_unchecked(row.document.jws), form)


@release.command("ship")
@click.argument("shipment_id", type=int)
@click.option("--serials", type=click.Path(path_type=Path), help='JSON file: {"1": ["SN-1", …]}, by position.')
@at_desk
def ship(actor: Actor, form: str, shipment_id: int, serials: Path | None) -> None:
    """Record that a released shipment left, with the serial number of each unit."""
    from twokey.desk.ledger.shipments import ship as service

    try:
        body = json.loads(serials.read_text(encoding="utf-8")) if serials else {}
        given = {int(position): [str(each) for each in numbers] for position, numbers in body.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f'{serials}: not serial numbers by position ({error}); write {{"1": ["SN-1", "SN-2"]}}'
        ) from None
    row = service(actor, shipment_id, given)
    show({"shipment": row.number, "state": row.state, "serials": sum(map(len, given.values()))}, form)


@release.command("return")
@click.argument("shipment_id", type=int)
@click.option("--units", "parts", multiple=True, required=True, metavar="POSITION:UNITS")
@click.option("--key", required=True, help="The same key takes back once however often it is sent.")
@click.option("--reason", "why", required=True)
@at_desk
def give_back(actor: Actor, form: str, shipment_id: int, parts: tuple[str, ...], key: str, why: str) -> None:
    """Take goods back: their units and value are free again, the use stays used."""
    from twokey.desk.ledger.shipments import take_back

    try:
        units = {int(position): int(count) for position, count in (each.split(":") for each in parts)}
    except ValueError:
        raise UserError("--units takes POSITION:UNITS, such as 1:40") from None
    moved = take_back(actor, shipment_id, key, units, why)
    show({"movement": moved.movement_id, "repeated": moved.repeated}, form)


@release.command("paper")
@click.argument("number")
@paper_options
@at_desk
def paper(actor: Actor, form: str, number: str, lang: Lang, out: Path | None) -> None:
    """Write a release as PDF: its signed document is inside, and in its QR code."""
    from twokey.desk.papers.services import release_paper

    write_paper(release_paper(actor, number, lang), out, form)


@release.command("arrive")
@click.argument("shipment_id", type=int)
@click.argument("kind", type=click.Choice(["delivery", "customs_entry"]))
@click.argument("number")
@click.option("--position", type=int, default=1, show_default=True)
@click.option("--units", type=int, required=True)
@click.option("--on", type=Day(), required=True)
@click.option("--place", required=True)
@at_desk
def arrive(
    actor: Actor, form: str, shipment_id: int, kind: str, number: str, position: int, units: int, on: date, place: str
) -> None:
    """Record a delivery (the importer) or a customs entry (customs)."""
    from twokey.desk.ledger.shipments import arrive as service

    row = service(actor, shipment_id, position, kind, number, on, place, units)
    show({"arrival": row.pk, "kind": row.kind, "units": row.units}, form)
