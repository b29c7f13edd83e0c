"""`twokey audit | outbox | usage`: what the desk has on record, and what it hands on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show
from twokey.cli.errors import UserError
from twokey.cli.shared import write_text

if TYPE_CHECKING:
    from twokey.desk.actors import Actor


@click.group()
def audit() -> None:
    """History: sealed, checked, exported, witnessed."""


@audit.command("list")
@page_options
@at_desk
def list_events(actor: Actor, form: str, limit: int, page: int) -> None:
    """List what happened, newest first: who, from which seat, through which door."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.audit.models import Event

    permit(actor, "audit.read")
    rows = [dump(shapes.event(row)) for row in page_of(Event.objects.order_by("-pk"), limit, page)]
    columns = ("id", "at", "actor", "role", "authority", "channel", "verb", "subject_kind", "subject_id")
    show(rows, form, columns, "Nothing has happened yet.")


@audit.command("verify")
@at_desk
def verify(actor: Actor, form: str) -> None:
    """Recompute every leaf and head from the rows; a broken seal blocks releases (exit status 1)."""
    from twokey.desk.actors import permit
    from twokey.desk.audit.sealing import audit as check

    permit(actor, "audit.read")
    result = check(actor)
    if form == "text":
        click.echo(f"{result.leaves:,} sealed rows under {result.seals:,} heads; {result.unsealed:,} not sealed yet.")
        for problem in result.problems:
            click.secho(f"• {problem}", fg="red")
        if not result.problems:
            click.secho("The history is whole.", fg="green")
    else:
        show(asdict(result), "json")
    if result.problems:
        raise click.exceptions.Exit(1)


@audit.command("seal")
@at_desk
def seal(actor: Actor, form: str) -> None:
    """Seal what is ready now; the worker does it by itself."""
    from twokey.desk.actors import permit
    from twokey.desk.audit.sealing import seal as service

    permit(actor, "audit.read")
    row = service()
    show({"head": row.pk, "size": row.size, "root": row.root} if row else {"head": "nothing new to seal"}, form)


@audit.command("witness")
@click.argument("head_id", type=int)
@at_desk
def witness(actor: Actor, form: str, head_id: int) -> None:
    """Sign a head with your authority's key."""
    from twokey.desk.audit.sealing import witness as service

    row = service(actor, head_id)
    show({"head": row.seal_id, "witnessed_by": row.authority}, form)


@audit.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def export_history(actor: Actor, form: str, file: Path) -> None:
    """Write the sealed history with its heads, for a check anywhere."""
    from twokey.desk.actors import permit
    from twokey.desk.audit.sealing import export as service

    permit(actor, "audit.read")
    body = service()
    write_text(json.dumps(body, ensure_ascii=False, default=str), file)
    show({"file": str(file), "rows": len(body["leaves"]), "heads": len(body["heads"])}, form)


@audit.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keys", "keyfile", type=click.Path(path_type=Path), required=True)
def check(file: Path, keyfile: Path) -> None:
    """Check an exported history from its file alone: no database (exit status 1 where it fails)."""
    from twokey.desk.audit.history import check_export
    from twokey.desk.signing.keyring import KeyRing

    rows, problems = check_export(file, KeyRing.load(keyfile))
    for problem in problems:
        click.secho(f"• {problem}", fg="red")
    if problems:
        raise click.exceptions.Exit(1)
    click.secho(f"{rows:,} rows: whole.", fg="green")


@click.group()
def outbox() -> None:
    """Messages to customs and back offices, and where each stands."""


@outbox.command("list")
@page_options
@at_desk
def list_messages(actor: Actor, form: str, limit: int, page: int) -> None:
    """List messages, newest first."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.audit.models import OutboxMessage

    permit(actor, "outbox.read")
    rows = [dump(shapes.message(row)) for row in page_of(OutboxMessage.objects.order_by("-pk"), limit, page)]
    show(rows, form, ("id", "topic", "state", "attempts", "last_error", "sent_at"), "The outbox is empty.")


@outbox.command("resend")
@click.argument("message_id", type=int)
@at_desk
def resend(actor: Actor, form: str, message_id: int) -> None:
    """Put a message back in line."""
    from twokey.desk.api import show as shapes
    from twokey.desk.audit.outbox import resend as service

    show(dump(shapes.message(service(actor, message_id))), form)


@outbox.command("deliver")
@at_desk
def deliver(actor: Actor, form: str) -> None:
    """Send what is due now; the worker does it by itself."""
    from twokey.desk.actors import permit
    from twokey.desk.audit.outbox import deliver as service

    permit(actor, "outbox.resend")
    sent, failed = service()
    show({"sent": sent, "failed": failed}, form)


@click.group()
def usage() -> None:
    """Usage reports of customs, in and out."""


@usage.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def import_usage(actor: Actor, form: str, file: Path) -> None:
    """Take a usage file in (JSON or CSV); each row is answered at once (exit status 1 where one is refused)."""
    from twokey.desk.ledger.usage import read_rows, take_in

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({error})") from None
    answers = take_in(actor, read_rows(text))
    show(
        [
            {
                "row": each.row,
                "accepted": each.why is None,
                "code": each.why.code if each.why else "",
                "reason": f"{each.why.en} / {each.why.zh}" if each.why else "",
            }
            for each in answers
        ],
        form,
    )
    if any(each.why for each in answers):
        raise click.exceptions.Exit(1)


@usage.command("export")
@at_desk
def export_usage(actor: Actor, form: str) -> None:
    """Give out what is used of every authorisation."""
    from twokey.desk.ledger.usage import give_out

    columns = ("licence", "company", "item", "state", "units_cap", "units_drawn", "currency", "value_drawn")
    show(list(give_out(actor)), form, columns, "No authorisation yet.")
