"""`twokey case …` and `twokey order …`: orders, applications, decisions, at the command line."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.desk_door import at_desk, dump, show, show_reasons
from twokey.cli.errors import UserError
from twokey.cli.paper import paper_options, write_paper

if TYPE_CHECKING:
    from twokey.desk.actors import Actor
    from twokey.desk.cases.deciding import Terms
    from twokey.desk.papers.record import Lang

_QUEUE = ("id", "order", "authority", "state", "applicant", "officer", "attention", "submitted_at")


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

    body = _read(OrderIn, file)
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


@click.group()
def case() -> None:
    """Applications to the two authorities: draft, submit, review, decide, countersign."""


@case.command("list")
@click.option("--state", default="", help="Only this state.")
@click.option("--attention", is_flag=True, help="Only what came back because law, facts or lists changed.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@at_desk
def list_cases(actor: Actor, form: str, state: str, attention: bool, limit: int) -> None:
    """Show your queue, oldest first."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.reviewing import queue

    rows = [dump(shapes.case(row)) for row in queue(actor, state=state, attention=attention)[:limit]]
    show(rows, form, _QUEUE, "The queue is empty.")


@case.command("show")
@click.argument("case_id", type=int)
@at_desk
def show_case(actor: Actor, form: str, case_id: int) -> None:
    """Show an application with its papers."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.reviewing import case as find

    body = dump(shapes.case_file(actor, find(actor, case_id)))
    if form == "text":
        body["documents"] = ", ".join(f"{x['kind']} ({x['scan']})" for x in body["documents"])
        body["assessments"] = "; ".join(f"{x['as_of']}: {x['status']} {x['answer']}" for x in body["assessments"])
        body["decisions"] = "; ".join(
            f"{x['outcome']} by {x['officer']}, countersigned by {x['countersigned_by'] or 'nobody yet'}"
            for x in body["decisions"]
        )
    show(body, form)


@case.command("draft")
@click.argument("order_id", type=int)
@click.argument("authority")
@click.option("--use", "use_statement", default="", help="The use statement.")
@at_desk
def draft(actor: Actor, form: str, order_id: int, authority: str, use_statement: str) -> None:
    """Open a draft to one authority."""
    from twokey.desk.cases.drafting import draft_application

    _done(form, draft_application(actor, order_id, authority, use_statement))


@case.command("save")
@click.argument("case_id", type=int)
@click.option("--use", "use_statement", required=True, help="The use statement.")
@at_desk
def save(actor: Actor, form: str, case_id: int, use_statement: str) -> None:
    """Save the use statement of a draft."""
    from twokey.desk.cases.drafting import save_draft

    _done(form, save_draft(actor, case_id, use_statement))


@case.command("gaps")
@click.argument("case_id", type=int)
@at_desk
def gaps(actor: Actor, form: str, case_id: int) -> None:
    """Say what an application still lacks before it can be submitted."""
    from twokey.desk.cases.completeness import gaps as find
    from twokey.desk.cases.reviewing import case as load

    found = find(load(actor, case_id))
    if form == "text":
        show_reasons(found, good="Nothing is missing; submit it.")
    else:
        show([each.as_dict() for each in found], form)


@case.command("document")
@click.argument("case_id", type=int)
@click.argument("kind")
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def document(actor: Actor, form: str, case_id: int, kind: str, file: Path) -> None:
    """Add a document; its type is what its content shows."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.papers import add_document

    show(dump(shapes.document(add_document(actor, case_id, kind, file.name, _bytes(file)))), form)


@case.command("evidence")
@click.argument("order_id", type=int)
@click.argument("name")
@click.argument("document_id", type=int)
@click.option("--issuer", required=True)
@click.option("--issued-on", required=True, metavar="YYYY-MM-DD")
@click.option("--expires-on", metavar="YYYY-MM-DD")
@click.option("--shipment", type=int, help="It shows something of this shipment only.")
@at_desk
def evidence(
    actor: Actor,
    form: str,
    order_id: int,
    name: str,
    document_id: int,
    issuer: str,
    issued_on: str,
    expires_on: str | None,
    shipment: int | None,
) -> None:
    """Record evidence for a certification or a condition of an order."""
    from twokey.desk.cases.papers import add_evidence

    row = add_evidence(
        actor,
        order_id,
        name,
        document_id,
        issuer=issuer,
        issued_on=_day(issued_on),
        expires_on=_day(expires_on) if expires_on else None,
        shipment_id=shipment,
    )
    show({"id": row.pk, "name": row.name, "expires_on": str(row.expires_on or "")}, form)


@case.command("submit")
@click.argument("case_id", type=int)
@at_desk
def submit(actor: Actor, form: str, case_id: int) -> None:
    """Submit a complete application."""
    from twokey.desk.cases.drafting import submit as service

    _done(form, service(actor, case_id))


@case.command("withdraw")
@click.argument("case_id", type=int)
@at_desk
def withdraw(actor: Actor, form: str, case_id: int) -> None:
    """Withdraw an application that is not decided."""
    from twokey.desk.cases.drafting import withdraw as service

    _done(form, service(actor, case_id))


@case.command("amend")
@click.argument("case_id", type=int)
@at_desk
def amend(actor: Actor, form: str, case_id: int) -> None:
    """Open a draft that asks to replace what an approved application permits."""
    from twokey.desk.cases.drafting import amend as service

    _done(form, service(actor, case_id))


@case.command("appeal")
@click.argument("case_id", type=int)
@click.option("--grounds", required=True)
@at_desk
def appeal(actor: Actor, form: str, case_id: int, grounds: str) -> None:
    """Appeal against a refusal."""
    from twokey.desk.cases.drafting import appeal as service

    show({"appeal": service(actor, case_id, grounds).pk}, form)


@case.command("answer")
@click.argument("case_id", type=int)
@click.option("--text", required=True)
@at_desk
def answer(actor: Actor, form: str, case_id: int, text: str) -> None:
    """Answer the open request for information."""
    from twokey.desk.cases.drafting import answer_question

    _done(form, answer_question(actor, case_id, text))


@case.command("take")
@click.argument("case_id", type=int)
@at_desk
def take(actor: Actor, form: str, case_id: int) -> None:
    """Take a submitted application onto your desk."""
    from twokey.desk.cases.reviewing import take as service

    _done(form, service(actor, case_id))


@case.command("return")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def give_back(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Return an application without action."""
    from twokey.desk.cases.reviewing import give_back as service

    _done(form, service(actor, case_id, why))


@case.command("ask")
@click.argument("case_id", type=int)
@click.option("--question", required=True)
@at_desk
def ask(actor: Actor, form: str, case_id: int, question: str) -> None:
    """Ask the applicant for information; the clock stands still until the answer."""
    from twokey.desk.cases.reviewing import ask as service

    row = service(actor, case_id, question)
    show({"question": row.pk, "due_on": row.due_on.isoformat()}, form)


@case.command("advise")
@click.argument("case_id", type=int)
@click.argument("recommendation")
@click.option("--text", required=True)
@at_desk
def advise(actor: Actor, form: str, case_id: int, recommendation: str, text: str) -> None:
    """Give advice: approve, approve_with_conditions, refuse or no_objection."""
    from twokey.desk.cases.reviewing import advise as service

    show({"advice": service(actor, case_id, recommendation, text).pk}, form)


@case.command("note")
@click.argument("case_id", type=int)
@click.option("--text", help="Write this note; without it, the notes are shown.")
@at_desk
def note(actor: Actor, form: str, case_id: int, text: str | None) -> None:
    """Write or read the internal notes of your own authority."""
    from twokey.desk.cases import reviewing

    if text:
        reviewing.write_note(actor, case_id, text)
    rows = reviewing.notes(actor, case_id)
    show([{"at": row.at.isoformat(timespec="minutes"), "author": row.author, "text": row.text} for row in rows], form)


@case.command("judge")
@click.argument("case_id", type=int)
@click.option("--necessary/--not-necessary", required=True)
@click.option("--criterion", "criteria", multiple=True, metavar="NAME=FINDING", help="What was found under it.")
@at_desk
def judge(actor: Actor, form: str, case_id: int, necessary: bool, criteria: tuple[str, ...]) -> None:
    """Record your judgement of necessity, criterion by criterion."""
    from twokey.desk.cases.reviewing import judge_necessity

    findings = dict(each.partition("=")[::2] for each in criteria)
    show({"judgement": judge_necessity(actor, case_id, necessary, findings).pk, "necessary": necessary}, form)


@case.command("assess")
@click.argument("case_id", type=int)
@at_desk
def assess(actor: Actor, form: str, case_id: int) -> None:
    """Assess a case on the law of today and keep the answer."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.assessing import assess_case
    from twokey.desk.cases.reviewing import case as load

    permit(actor, "case.assess")
    show(dump(shapes.assessment(assess_case(actor, load(actor, case_id), "asked"))), form)


@case.command("decide")
@click.argument("case_id", type=int)
@click.argument("outcome", type=click.Choice(["approve", "refuse"]))
@click.option("--reasons", required=True)
@click.option("--terms", type=click.Path(path_type=Path), help="JSON file with lines and conditions (as in the API).")
@click.option("--batch", "batch_id", type=int, help="Decide under this batch.")
@click.option("--despite", default="", help="Why you decide although the law of the day is not clear.")
@at_desk
def decide(
    actor: Actor,
    form: str,
    case_id: int,
    outcome: str,
    reasons: str,
    terms: Path | None,
    batch_id: int | None,
    despite: str,
) -> None:
    """Decide a case; another officer countersigns."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.deciding import decide as service

    row = service(
        actor, case_id, outcome, reasons, _terms(terms) if terms else None, batch_id=batch_id, despite=despite
    )
    show(dump(shapes.decision(row)), form)


@case.command("countersign")
@click.argument("case_ids", type=int, nargs=-1, required=True)
@at_desk
def countersign(actor: Actor, form: str, case_ids: tuple[int, ...]) -> None:
    """Give the second signature, to one decision or to many (all or none)."""
    from twokey.desk.cases.deciding import countersign_many

    rows = countersign_many(actor, case_ids)
    show(
        [{"case": row.decision.application_id, "outcome": row.decision.outcome, "by": row.officer} for row in rows],
        form,
    )


@case.command("paper")
@click.argument("case_id", type=int)
@paper_options
@at_desk
def paper(actor: Actor, form: str, case_id: int, lang: Lang, out: Path | None) -> None:
    """Write a countersigned decision as PDF: a licence, or a refusal with the way to appeal."""
    from twokey.desk.papers.services import decision_paper

    write_paper(decision_paper(actor, case_id, lang), out, form)


@case.command("reject")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def reject(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Withhold the second signature; the case goes back to review."""
    from twokey.desk.cases.deciding import reject as service

    show({"countersignature": service(actor, case_id, why).pk, "signed": False}, form)


@case.command("hear")
@click.argument("case_id", type=int)
@click.option("--allow/--dismiss", required=True)
@click.option("--reason", "why", required=True)
@at_desk
def hear(actor: Actor, form: str, case_id: int, allow: bool, why: str) -> None:
    """Hear an appeal."""
    from twokey.desk.cases.deciding import hear_appeal

    show({"appeal": hear_appeal(actor, case_id, allow, why).pk, "allowed": allow}, form)


@case.command("reconfirm")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def reconfirm(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Let a decision stand under the law of today."""
    from twokey.desk.cases.deciding import reconfirm as service

    show({"reconfirmation": service(actor, case_id, why).pk}, form)


@case.command("import")
@click.argument("what", type=click.Choice(["orders", "authorisations"]))
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def bulk(actor: Actor, form: str, what: str, file: Path) -> None:
    """Enter orders, or decide applications, from CSV or XLSX: the whole file or nothing."""
    from twokey.desk import bulk as door

    service = door.import_orders if what == "orders" else door.import_authorisations
    report = service(actor, file.name, _bytes(file))
    if not report.done:
        for line, problem in report.errors:
            click.echo(f"line {line}: {problem}", err=True)
        raise UserError(f"{file}: {len(report.errors)} errors in {report.rows} rows; nothing was entered")
    show({"rows": report.rows, "made": list(report.made)}, form)


def _done(form: str, row: Any) -> None:
    from twokey.desk.api import show as shapes

    show(dump(shapes.case(row)), form, _QUEUE)


def _terms(path: Path) -> Terms | None:
    from twokey.desk.api.cases_routes import terms_of
    from twokey.desk.api.shapes import DecisionIn

    return terms_of(_read(DecisionIn, path, outcome="approve", reasons=""))


def _read(shape: Any, path: Path, **more: Any) -> Any:
    """Read a JSON file into a shape of the API; an error names the field."""
    import json

    from pydantic import ValidationError

    try:
        return shape.model_validate_json(json.dumps({**json.loads(_bytes(path)), **more}))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a JSON object ({error})") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a day; write YYYY-MM-DD") from None
