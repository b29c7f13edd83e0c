"""`twokey ledger …` and `twokey batch …`: what is left, and who changed it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, format_option, page_of, page_options, show
from twokey.cli.errors import UserError
from twokey.cli.paper import paper_options, write_paper
from twokey.cli.shared import Day

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from twokey.desk.actors import Actor
    from twokey.desk.papers.record import Lang


@click.group()
def ledger() -> None:
    """Authorisations: balances, states, corrections; and the check of every balance."""


@ledger.command("list")
@page_options
@at_desk
def list_authorisations(actor: Actor, form: str, limit: int, page: int) -> None:
    """List authorisations with what is left of each."""
    from twokey.desk.api import show as shapes
    from twokey.desk.ledger.shipments import authorisations

    rows = [dump(shapes.authorisation(row)) for row in page_of(authorisations(actor), limit, page)]
    if form != "json":
        rows = [
            {**{k: v for k, v in row.items() if k not in {"balance", "conditions"}}, **_brief(row["balance"])}
            for row in rows
        ]
    show(
        rows,
        form,
        (
            "id",
            "number",
            "company",
            "item",
            "state",
            "units_cap",
            "units_left",
            "value_left",
            "uses_left",
            "used",
        ),
        "No authorisation is in force yet.",
    )


@ledger.command("show")
@click.argument("authorisation_id", type=int)
@at_desk
def show_authorisation(actor: Actor, form: str, authorisation_id: int) -> None:
    """Show one authorisation: its balance, its conditions, its movements."""
    from twokey.desk.api import show as shapes
    from twokey.desk.ledger.models import Movement
    from twokey.desk.ledger.shipments import authorisations
    from twokey.desk.reasons import missing

    row = authorisations(actor).filter(pk=authorisation_id).first()
    if row is None:
        raise missing("authorisation", authorisation_id)
    body = dump(shapes.authorisation(row))
    touched = Movement.objects.filter(balances__contains=[row.balance_id]).select_related("shipment").order_by("pk")
    moves = [
        {
            "at": each.at.isoformat(timespec="seconds"),
            "movement": each.kind,
            "units": entry.units,
            "value_minor": entry.value_minor,
            "currency": body["balance"]["currency"],
            "shipment": each.shipment.number if each.shipment else "",
            "actor": each.actor,
        }
        for each in touched
        for entry in each.entries
        if entry.balance_id == row.balance_id
    ]
    if form == "json":
        show({**body, "movements": moves}, form)
        return
    balance, conditions = body.pop("balance"), body.pop("conditions")
    show({**body, **{name: value for name, value in balance.items() if name != "id"}}, form)
    show(conditions, form, ("id", "code", "kind", "text_en", "text_zh"), "No condition stands.")
    columns = ("at", "movement", "units", "value_minor", "shipment", "actor")
    show(moves, form, columns, "Nothing has moved yet.")


@ledger.command("paper")
@click.argument("authorisation_id", type=int)
@paper_options
@at_desk
def paper(actor: Actor, form: str, authorisation_id: int, lang: Lang, out: Path | None) -> None:
    """Write the licence behind an authorisation as PDF, with what stands of it today."""
    from twokey.desk.papers.services import licence_paper

    write_paper(licence_paper(actor, authorisation_id, lang), out, form)


@ledger.command("state")
@click.argument("authorisation_id", type=int)
@click.argument("change", type=click.Choice(["suspend", "reinstate", "revoke", "surrender"]))
@click.option("--reason", "why", required=True)
@at_desk
def state(actor: Actor, form: str, authorisation_id: int, change: str, why: str) -> None:
    """Suspend, reinstate or revoke (its authority), or surrender (its holder)."""
    from twokey.desk.ledger.states import change_state

    row = change_state(actor, authorisation_id, change, why)
    show({"before": row.before, "after": row.after, "by": row.by, "reason": row.reason}, form)


@ledger.command("adjust")
@click.argument("authorisation_id", type=int)
@click.option("--units", type=int, default=0)
@click.option("--value-minor", type=int, default=0)
@click.option("--uses", type=int, default=0)
@click.option("--reason", "why", required=True)
@at_desk
def adjust(actor: Actor, form: str, authorisation_id: int, units: int, value_minor: int, uses: int, why: str) -> None:
    """Propose to correct what was drawn; another officer signs."""
    from twokey.desk.ledger.adjusting import propose

    show({"adjustment": propose(actor, authorisation_id, units, value_minor, uses, why).pk}, form)


@ledger.command("sign")
@click.argument("adjustment_id", type=int)
@at_desk
def sign(actor: Actor, form: str, adjustment_id: int) -> None:
    """Sign a correction as the second officer."""
    from twokey.desk.ledger.adjusting import sign as service

    row = service(actor, adjustment_id)
    show({"adjustment": row.pk, "signed_by": row.signed_by, "movement": row.movement_id}, form)


@ledger.command("flows")
@at_desk
def flows(actor: Actor, form: str) -> None:
    """Show what was approved against what arrived."""
    from twokey.desk.ledger.progress import flows as service

    columns = ("number", "company", "approved", "reserved", "drawn", "delivered", "entered")
    show([asdict(each) for each in service(actor)], form, columns, "Nothing has been approved yet.")


@ledger.command("condition")
@click.argument("condition_id", type=int)
@click.option("--text-en", required=True)
@click.option("--text-zh", required=True)
@click.option("--reason", "why", required=True)
@click.option("--lift", is_flag=True, help="Lift it instead of saying it anew.")
@at_desk
def condition(actor: Actor, form: str, condition_id: int, text_en: str, text_zh: str, why: str, lift: bool) -> None:
    """Say a condition anew, or lift it; only another officer of the authority that set it can."""
    from twokey.desk.ledger.adjusting import change_condition

    row = change_condition(actor, condition_id, text_en=text_en, text_zh=text_zh, why=why, lift=lift)
    show({"id": row.pk, "code": row.code, "kind": row.kind, "lifted": row.lifted, "text_en": row.text_en}, form)


@ledger.command("rate")
@click.argument("base")
@click.argument("quote")
@click.argument("numerator", type=int)
@click.argument("denominator", type=int)
@click.option("--source", required=True)
@click.option("--on", type=Day(), required=True)
@at_desk
def rate(
    actor: Actor, form: str, base: str, quote: str, numerator: int, denominator: int, source: str, on: date
) -> None:
    """Enter an exchange rate as two whole numbers, such as USD CNY 71234 10000, with its source and day."""
    from twokey.desk.ledger.money import add_rate

    row = add_rate(actor, base, quote, numerator, denominator, source, on)
    show({"rate": row.pk, "base": base, "quote": quote, "on": on.isoformat(), "source": source}, form)


@ledger.command("cap")
@click.argument("product")
@click.option("--destination", "destinations", multiple=True, default=("CN", "MO"), show_default=True)
@click.option("--ratio-bp", type=int, default=5000, show_default=True, help="Basis points; 50 % is 5000.")
@click.option("--window", type=click.Choice(["since", "year", "licence"]), required=True)
@click.option("--since", type=Day())
@click.option("--reason", "why", required=True, help="Why this window; the rule's text names none.")
@at_desk
def cap(
    actor: Actor,
    form: str,
    product: str,
    destinations: tuple[str, ...],
    ratio_bp: int,
    window: str,
    since: date | None,
    why: str,
) -> None:
    """Choose the window of a ratio cap for one product."""
    from twokey.desk.ledger.ratio import choose_cap

    row = choose_cap(actor, product, destinations=destinations, ratio_bp=ratio_bp, window=window, since=since, why=why)
    show({"cap": row.pk, "product": row.product, "window": row.window}, form)


@ledger.command("home")
@click.argument("cap_id", type=int)
@click.option("--on", type=Day(), required=True)
@click.option("--units", type=int, required=True)
@click.option("--tpp", "tpp_each", type=int, required=True, help="Bit-TOPS of one unit, rounded up.")
@click.option("--source", required=True)
@at_desk
def home(actor: Actor, form: str, cap_id: int, on: date, units: int, tpp_each: int, source: str) -> None:
    """State what was shipped to customers at home; the ratio cap rises with it."""
    from twokey.desk.ledger.ratio import state_home_shipments

    row = state_home_shipments(actor, cap_id, on, units, tpp_each, source)
    show({"statement": row.pk}, form)


@ledger.command("verify")
@format_option
def verify(form: str) -> None:
    """Recompute every balance from its entries; any difference is an alarm and exit status 1."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.ledger.verify import verify_ledger

    result = verify_ledger()
    if form == "text":
        click.echo(f"{result.balances:,} balances recomputed from {result.entries:,} entries.")
        if not result.differences:
            click.secho("0 differences.", fg="green")
    if form != "text":
        show(asdict(result), "json")
    elif result.differences:
        show([asdict(each) for each in result.differences], form)
    if result.differences:
        raise click.exceptions.Exit(1)


@click.group()
def batch() -> None:
    """Batches: one ceiling of units and value for many decisions."""


@batch.command("list")
@page_options
@at_desk
def list_batches(actor: Actor, form: str, limit: int, page: int) -> None:
    """List batches with what is left under each ceiling."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.batches import batches

    rows = [dump(shapes.batch(row)) for row in page_of(batches(actor), limit, page)]
    if form != "json":
        rows = [
            {"id": row["id"], "authority": row["authority"], "ceiling": each["label"], **_brief(each)}
            for row in rows
            for each in row["ceilings"]
        ]
    show(
        rows,
        form,
        (
            "id",
            "authority",
            "ceiling",
            "units_cap",
            "units_left",
            "value_cap",
            "value_left",
            "used",
        ),
        "No batch yet.",
    )


@batch.command("open")
@click.argument("code")
@click.option("--units", type=int, required=True)
@click.option("--value-minor", type=int, required=True)
@click.option("--currency", required=True)
@click.option("--company", "companies", multiple=True, metavar="PARTY_ID:UNITS:VALUE_MINOR")
@click.option("--oversubscription", is_flag=True, help="Grants together may pass the ceiling; draws never do.")
@at_desk
def open_batch(
    actor: Actor,
    form: str,
    code: str,
    units: int,
    value_minor: int,
    currency: str,
    companies: tuple[str, ...],
    oversubscription: bool,
) -> None:
    """Open a batch; another officer countersigns it."""
    from twokey.desk.cases.batches import open_batch as service

    try:
        shares = {int(a): (int(b), int(c)) for a, b, c in (each.split(":") for each in companies)}
    except ValueError:
        raise UserError("--company takes PARTY_ID:UNITS:VALUE_MINOR, three whole numbers") from None
    row = service(
        actor,
        code,
        units=units,
        value_minor=value_minor,
        currency=currency,
        companies=shares,
        oversubscription=oversubscription,
    )
    show({"batch": row.pk, "code": row.code, "opened_by": row.opened_by}, form)


@batch.command("countersign")
@click.argument("batch_id", type=int)
@at_desk
def countersign(actor: Actor, form: str, batch_id: int) -> None:
    """Countersign a batch."""
    from twokey.desk.cases.batches import countersign_batch

    show({"batch": batch_id, "countersigned_by": countersign_batch(actor, batch_id).countersigned_by}, form)


@batch.command("topup")
@click.argument("batch_id", type=int)
@click.option("--units", type=int, default=0)
@click.option("--value-minor", type=int, default=0)
@click.option("--reason", "why", required=True)
@at_desk
def topup(actor: Actor, form: str, batch_id: int, units: int, value_minor: int, why: str) -> None:
    """Propose to raise a ceiling; another officer countersigns."""
    from twokey.desk.cases.batches import propose_topup

    show({"topup": propose_topup(actor, batch_id, units, value_minor, why).pk}, form)


@batch.command("countersign-topup")
@click.argument("topup_id", type=int)
@at_desk
def sign_topup(actor: Actor, form: str, topup_id: int) -> None:
    """Countersign a top-up; the ceiling rises."""
    from twokey.desk.cases.batches import countersign_topup

    row = countersign_topup(actor, topup_id)
    show({"topup": row.pk, "countersigned_by": row.countersigned_by}, form)


def _brief(balance: dict[str, object]) -> dict[str, object]:
    return {
        "state": balance["state"],
        "units_cap": balance["units_cap"],
        "drawn": balance["units_drawn"],
        "reserved": balance["units_reserved"],
        "units_left": balance["units_left"],
        "currency": balance["currency"],
        "value_cap": balance["value_cap"],
        "value_left": balance["value_left"],
        "uses_left": balance["uses_left"],
        "used": f"≥ {balance['posture']} %" if balance["posture"] else "< 80 %",
    }
