"""`twokey order …`: orders, their five states, and the open book."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.case_shared import read_shape
from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show
from twokey.cli.errors import UserError
from twokey.cli.shared import Day, write_text

if TYPE_CHECKING:
    from datetime import date

    from twokey.desk.actors import Actor


@click.group()
def order() -> None:
    """Orders: what a buyer wants, and the five states that stall on their own."""


@order.command("list")
@page_options
@at_desk
def list_orders(actor: Actor, form: str, limit: int, page: int) -> None:
    """List the orders that you may see."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.reviewing import orders

    rows = [dump(shapes.order(row)) for row in page_of(orders(actor), limit, page)]
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
    _show(dump(shapes.order(row, states=True)), form)


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
    write_text(text, out)
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
    _show(dump(shapes.order(drafting.create_order(actor, draft))), form)


@order.command("facts")
@click.argument("order_id", type=int)
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def state_facts(actor: Actor, form: str, order_id: int, file: Path) -> None:
    """State facts of an order from a JSON file (name to value, as `twokey law facts` names them).

    Its cases are assessed again.
    """
    from twokey.desk.api import show as shapes
    from twokey.desk.api.shapes import FactsIn
    from twokey.desk.cases.drafting import set_facts

    body = read_shape(FactsIn, file, wrapped="facts")
    _show(dump(shapes.order(set_facts(actor, order_id, dict(body.facts)))), form)


@order.command("place")
@click.argument("order_id", type=int)
@click.option("--on", type=Day(), required=True)
@click.option("--reference", required=True, help="The buyer's own number of the purchase.")
@at_desk
def place(actor: Actor, form: str, order_id: int, on: date, reference: str) -> None:
    """Record that the buyer placed the order."""
    from twokey.desk.cases.drafting import place_order

    show({"order": order_id, "placed": place_order(actor, order_id, on, reference).on.isoformat()}, form)


def _show(body: dict[str, Any], form: str) -> None:
    """Print an order; for people its lines are a table of their own, and each state that it has not reached says so."""
    if form != "text":
        show(body, form)
        return
    states = {f"{key} reached": value or "not yet" for key, value in body.pop("states").items()}
    lines = [{**each, "currency": body["currency"]} for each in body.pop("lines")]
    show({**body, **states}, form)
    show(lines, form, ("position", "chip", "units", "value_minor", "tpp"))
