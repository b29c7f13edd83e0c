"""`twokey order …`: orders, their five states, and the open book."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.case_shared import read_shape
from twokey.cli.desk_door import at_desk, dump, show
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.actors import Actor


@click.group()
def order() -> None:
    """Orders: what a buyer wants, and the five states that stall on their own."""


@order.command("list")
@at_desk
def list_orders(actor: Actor, form: str) -> None:
    """List the orders that you may see."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.reviewing import orders

    rows = [dump(shapes.order(row)) for row in orders(actor)[:200]]
    brief = [{**row, "items": "; ".join(f"{x['units']:,} × {x['chip']}" for x in row["lines"])} for row in rows]
    show(brief if form == "text" else rows, form, ("id", "number", "items", "currency", "destination", "place"))


@order.command("show")
@click.argument("order_id", type=int)
@at_desk
def show_order(actor: Actor, form: str, order_id: int) -> None:
    """Show an order and its five states: approval, conditions met, order, licence, customs release."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.reviewing import orders
    from twokey.desk.reasons import missing

    row = orders(actor).filter(pk=order_id).first()
    if row is None:
        raise missing("order", order_id)
    body = dump(shapes.order(row, states=True))
    if form == "text":
        states = {f"{key} reached": value or "not yet" for key, value in body.pop("states").items()}
        items = "; ".join(f"{x['units']:,} × {x['chip']}" for x in body.pop("lines"))
        body = {**body, "items": items, **states}
    show(body, form)


@order.command("book")
@click.option(
    "--due", type=click.DateTime(["%Y-%m-%d"]), help="Day for lines without authorisation (default: a year on)."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the book here: .csv or .json.")
@at_desk
def open_book(actor: Actor, form: str, due: datetime | None, out: Path | None) -> None:
    """List what is still to move of every open order, and how each key stands.

    `twokey outlook exposure FILE` says what a turn of either key does to these orders.
    """
    from dataclasses import asdict, fields

    from django.utils import timezone

    from twokey.desk.ledger.remaining import OpenLine, open_lines
    from twokey.desk.ledger.usage import as_csv

    today = timezone.now().date()
    lines = open_lines(actor, today, due.date() if due else today + timedelta(days=364))
    rows = [{**asdict(line), "due": str(line.due)} for line in lines]
    if out is None and form != "csv":
        show(rows, form, empty="No order is open.")
        return
    if out and out.suffix.casefold() not in (".csv", ".json"):
        raise UserError(f"{out}: a book is written as .csv or .json")
    if out and out.suffix.casefold() == ".json":
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    else:
        text = as_csv(rows) or ",".join(field.name for field in fields(OpenLine)) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({type(error).__name__})") from None
    click.echo(f"wrote {len(rows):,} lines to {out}; see `twokey outlook exposure {out}`", err=True)


@order.command("create")
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def create_order(actor: Actor, form: str, file: Path) -> None:
    """Enter an order from a JSON file (the API's body of POST /orders)."""
    from twokey.desk.api import show as shapes
    from twokey.desk.api.shapes import OrderIn
    from twokey.desk.cases import drafting

    body = read_shape(OrderIn, file)
    draft = drafting.OrderDraft(
        number=body.number,
        exporter_id=body.exporter_id,
        importer_id=body.importer_id,
        currency=body.currency,
        destination=body.destination,
        place=body.place,
        lines=[drafting.LineDraft(each.chip, each.units, each.value_minor, each.tpp) for each in body.lines],
        parties=[(each.party_id, each.role) for each in body.parties],
        facts=dict(body.facts),
    )
    show(dump(shapes.order(drafting.create_order(actor, draft))), form)
