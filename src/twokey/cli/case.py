"""`twokey case …` for the applicant, and what everybody reads; the authority's commands are in `case_review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.case_shared import QUEUE, bytes_of, day_of, done
from twokey.cli.desk_door import at_desk, dump, show, show_reasons
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.actors import Actor


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
    show(rows, form, QUEUE, "The queue is empty.")


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

    done(form, draft_application(actor, order_id, authority, use_statement))


@case.command("save")
@click.argument("case_id", type=int)
@click.option("--use", "use_statement", required=True, help="The use statement.")
@at_desk
def save(actor: Actor, form: str, case_id: int, use_statement: str) -> None:
    """Save the use statement of a draft."""
    from twokey.desk.cases.drafting import save_draft

    done(form, save_draft(actor, case_id, use_statement))


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

    show(dump(shapes.document(add_document(actor, case_id, kind, file.name, bytes_of(file)))), form)


@case.command("withdraw-document")
@click.argument("document_id", type=int)
@click.option("--reason", "why", default="")
@at_desk
def withdraw_document(actor: Actor, form: str, document_id: int, why: str) -> None:
    """Take a document back: one that no scanner passed, or any of a draft."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.papers import withdraw_document as service

    show(dump(shapes.document(service(actor, document_id, why))), form)


@case.command("withdraw-evidence")
@click.argument("evidence_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def withdraw_evidence(actor: Actor, form: str, evidence_id: int, why: str) -> None:
    """Take back evidence that no longer shows what it did."""
    from twokey.desk.cases.papers import withdraw_evidence as service

    row = service(actor, evidence_id, why)
    show({"id": row.pk, "name": row.name, "withdrawn_at": str(row.withdrawn_at or "")}, form)


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
        issued_on=day_of(issued_on),
        expires_on=day_of(expires_on) if expires_on else None,
        shipment_id=shipment,
    )
    show({"id": row.pk, "name": row.name, "expires_on": str(row.expires_on or "")}, form)


@case.command("submit")
@click.argument("case_id", type=int)
@at_desk
def submit(actor: Actor, form: str, case_id: int) -> None:
    """Submit a complete application."""
    from twokey.desk.cases.drafting import submit as service

    done(form, service(actor, case_id))


@case.command("withdraw")
@click.argument("case_id", type=int)
@at_desk
def withdraw(actor: Actor, form: str, case_id: int) -> None:
    """Withdraw an application that is not decided."""
    from twokey.desk.cases.drafting import withdraw as service

    done(form, service(actor, case_id))


@case.command("amend")
@click.argument("case_id", type=int)
@at_desk
def amend(actor: Actor, form: str, case_id: int) -> None:
    """Open a draft that asks to replace what an approved application permits."""
    from twokey.desk.cases.drafting import amend as service

    done(form, service(actor, case_id))


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

    done(form, answer_question(actor, case_id, text))


@case.command("import")
@click.argument("what", type=click.Choice(["orders", "authorisations"]))
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def bulk(actor: Actor, form: str, what: str, file: Path) -> None:
    """Enter orders, or decide applications, from CSV or XLSX: the whole file or nothing."""
    from twokey.desk import bulk as door

    service = door.import_orders if what == "orders" else door.import_authorisations
    report = service(actor, file.name, bytes_of(file))
    if not report.done:
        for line, problem in report.errors:
            click.echo(f"line {line}: {problem}", err=True)
        raise UserError(f"{file}: {len(report.errors)} errors in {report.rows} rows; nothing was entered")
    show({"rows": report.rows, "made": list(report.made)}, form)
