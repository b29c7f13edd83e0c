"""`twokey exchange …`: signed documents to and from a desk that shares no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show, show_reasons
from twokey.cli.errors import UserError
from twokey.cli.shared import write_text

if TYPE_CHECKING:
    from twokey.desk.actors import Actor
    from twokey.desk.audit.models import SignedDocument

_OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="Write the signed document here.")


@click.group()
def exchange() -> None:
    """Signed documents to and from a desk that shares no database (trust its keys first: `twokey keys trust`)."""


@exchange.command("export")
@click.argument("authorisation_id", type=int)
@click.option("--change", is_flag=True, help="The newest change of state, in place of the whole authorisation.")
@_OUT
@at_desk
def export(actor: Actor, form: str, authorisation_id: int, change: bool, out: Path) -> None:
    """Sign an authorisation as it stands now, or its newest change of state, for the other desk."""
    from twokey.desk.ledger import exchange as service

    row = service.latest_change(actor, authorisation_id) if change else service.state(actor, authorisation_id)
    _write(row, out, form)


@exchange.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def take_in(actor: Actor, form: str, file: Path) -> None:
    """Take in a document of the other desk: an authorisation, a change of state, or a release."""
    from twokey.desk.api import show as shapes
    from twokey.desk.ledger.exchange import receive

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{file}: not a signed document ({error}); `twokey exchange export` writes one") from None
    show(dump(shapes.received(receive(actor, document))), form)


@exchange.command("list")
@page_options
@at_desk
def list_received(actor: Actor, form: str, limit: int, page: int) -> None:
    """List what was taken in from other desks."""
    from twokey.desk.api import show as shapes
    from twokey.desk.ledger.exchange import received

    rows = [dump(shapes.received(row)) for row in page_of(received(actor), limit, page)]
    columns = ("id", "kind", "authority", "number", "order", "signed_by", "said_at")
    show(rows, form, columns, "Nothing was taken in from another desk yet.")


@exchange.command("complete")
@click.argument("received_id", type=int)
@_OUT
@at_desk
def complete(actor: Actor, form: str, received_id: int, out: Path) -> None:
    """Complete a half-signed release: this side's gate, draw and signature (exit status 1 with every reason)."""
    from twokey.desk.ledger.exchange import complete as service
    from twokey.desk.reasons import Refused

    try:
        row = service(actor, received_id)
    except Refused as refused:
        if form == "text" and refused.status == 409:
            show_reasons(refused.reasons, good="")
            raise click.exceptions.Exit(1) from None
        raise
    _write(row, out, form)


def _write(row: SignedDocument, out: Path, form: str) -> None:
    write_text(json.dumps(row.jws, indent=1), out)
    show({"kind": row.kind, "sha256": row.sha256, "file": str(out)}, form)
