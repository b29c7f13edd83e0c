"""`twokey serve | demo | token | keys | audit | outbox | usage | backup`: what the operator of a desk does."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import at_desk, dump, format_option, show
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.actors import Actor


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--once", is_flag=True, help="Stop as soon as the first page answered.")
@click.option("--open", "browser", is_flag=True, help="Open the first page in the browser.")
def serve(host: str, port: int, workers: int, once: bool, browser: bool) -> None:
    """Start the desk: database, schema, web process and worker; Ctrl-C stops all of them."""
    from twokey.desk.serving import serve as run

    run(host, port, workers, once=once, browser=browser)


@click.command()
@format_option
def demo(form: str) -> None:
    """Load the founding case: the first batch, one order released, one blocked, one waiting for its papers."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.demo.story import load

    story = load()
    if form != "text":
        show(asdict(story), "json")
        return
    for line in story.lines:
        click.echo(line)


@click.group()
def token() -> None:
    """Scoped tokens for the API and for this command line."""


@token.command("create")
@click.argument("login")
@click.option("--name", default="cli", show_default=True)
@click.option("--scope", "scopes", multiple=True, help="An action that it may do; without any, all of the seat's.")
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True)
@click.option("--keep", is_flag=True, help="Keep it on this machine, for --as LOGIN.")
def create(login: str, name: str, scopes: tuple[str, ...], days: int, keep: bool) -> None:
    """Make a token; it is shown once. Whoever can run this owns the database already."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.api.tokens import make_token

    secret = make_token(login, name, scopes, days)
    if keep:
        keep_token(login, secret)
        click.echo(f"kept; use --as {login}")
    else:
        click.echo(secret)


@token.command("revoke")
@click.argument("token_id", type=int)
def revoke(token_id: int) -> None:
    """Revoke a token at once."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.api.tokens import revoke_token

    click.echo(f"token {revoke_token(token_id).pk} is revoked")


@token.command("list")
@format_option
def list_tokens(form: str) -> None:
    """List tokens; none can be read back."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.api.models import Token

    rows = Token.objects.select_related("user").order_by("pk")
    show(
        [
            {
                "id": row.pk,
                "login": row.user.username,
                "name": row.name,
                "scopes": len(row.scopes),
                "expires_at": row.expires_at.isoformat(timespec="minutes"),
                "revoked": row.revoked_at is not None,
            }
            for row in rows
        ],
        form,
        (),
        "No token yet.",
    )


@token.command("person")
@click.argument("login")
@click.argument("role", type=click.Choice(["applicant", "officer", "adviser", "customs", "auditor", "operator"]))
@click.option("--authority", help="Code of the authority at which they sit.")
@click.option("--party", "party_id", type=int, help="Id of the organisation at which they sit.")
def person(login: str, role: str, authority: str | None, party_id: int | None) -> None:
    """Give a person a login and a seat."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.actors import Role
    from twokey.desk.parties.models import Authority, Organisation
    from twokey.desk.parties.services import add_person
    from twokey.desk.reasons import missing

    body = Authority.objects.filter(code=authority).first() if authority else None
    firm = Organisation.objects.filter(pk=party_id).first() if party_id else None
    if authority and body is None:
        raise missing("authority", authority)
    if party_id and firm is None:
        raise missing("party", party_id)
    add_person(login, Role(role), authority=body, organisation=firm)
    click.echo(f"{login} sits as {role}")


@token.command("password")
@click.argument("login")
@click.password_option(help="Asked for where it is not given; a command line is readable by others.")
def password(login: str, password: str) -> None:
    """Give a person a password for the pages. At their first sign-in they set up a second factor."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.parties.services import set_password

    set_password(login, password)
    click.echo(f"{login} has a new password.")


@token.command("authority")
@click.argument("code")
@click.option("--side", type=click.Choice(["export", "import"]), required=True)
@click.option("--name-en", required=True)
@click.option("--name-zh", required=True)
@click.option("--country", required=True)
@click.option("--time-zone", required=True, help="Such as Asia/Shanghai: an authorisation ends at its midnight.")
@click.option("--tolerance-bp", type=int, default=0, show_default=True, help="Value tolerance in basis points.")
def authority(
    code: str, side: str, name_en: str, name_zh: str, country: str, time_zone: str, tolerance_bp: int
) -> None:
    """Enter an authority."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.parties.services import add_authority

    row = add_authority(code, side, name_en, name_zh, country, time_zone, tolerance_bp)
    click.echo(f"{row.code} turns the {row.side} key")


@click.group()
def keys() -> None:
    """Signing keys: private ones in files on this machine, public ones for everybody."""


@keys.command("make")
@click.argument("authority")
@click.option("--side", type=click.Choice(["export", "import", "desk"]), required=True)
def make(authority: str, side: str) -> None:
    """Make a new key for an authority (or DESK, which seals history); the one before it ends now."""
    key = _signer().make(authority, side)
    click.echo(f"{key.kid}: made, valid from {key.valid_from}")


@keys.command("list")
@format_option
def list_keys(form: str) -> None:
    """List the public keys."""
    rows = _signer().ring().dump()["keys"]
    show(rows, form, ("kid", "authority", "side", "valid_from", "valid_until", "revoked_at"), "No key yet.")


@keys.command("export")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def export(file: Path | None) -> None:
    """Write the public keys, for `twokey verify`."""
    body = json.dumps(_signer().ring().dump(), indent=1)
    if file is None:
        click.echo(body)
    else:
        file.write_text(body)
        click.echo(f"{file}: written")


@keys.command("trust")
@click.argument("file", type=click.Path(path_type=Path))
def trust(file: Path) -> None:
    """Trust the public keys of another desk, so that what its authorities sign can be taken in."""
    from twokey.desk import boot

    boot.setup()
    from twokey.desk.ledger.exchange import trust as service

    rows = service(file).dump()["keys"]
    show(rows, "text", ("kid", "authority", "side", "valid_from", "revoked_at"), "No key of another desk is trusted.")


@keys.command("revoke")
@click.argument("kid")
@click.option("--reason", "why", required=True)
def revoke_key(kid: str, why: str) -> None:
    """Revoke a key: nothing that it ever signed verifies any more."""
    click.echo(f"{_signer().revoke(kid, why).kid}: revoked; export the public keys again and send them out")


@click.group()
def audit() -> None:
    """History: sealed, checked, exported, witnessed."""


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
    file.write_text(json.dumps(body, ensure_ascii=False, default=str))
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
@at_desk
def list_messages(actor: Actor, form: str) -> None:
    """List messages, newest first."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.audit.models import OutboxMessage

    permit(actor, "outbox.read")
    rows = [dump(shapes.message(row)) for row in OutboxMessage.objects.order_by("-pk")[:200]]
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
    show(give_out(actor), form, columns, "No authorisation yet.")


@click.group()
def backup() -> None:
    """One file with the database, documents and public keys; private keys stay where they are."""


@backup.command("make")
@click.argument("file", type=click.Path(path_type=Path))
def make_backup(file: Path) -> None:
    """Write a backup."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.backup import make as service

    size = service(file)
    click.echo(
        f"{file}: {size:,} bytes. Keep the keys folder apart, and try `twokey backup restore` before you need it."
    )


@backup.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Restore a backup into an empty desk (TWOKEY_HOME or TWOKEY_DATABASE_URL of a new one), then verify it."""
    from twokey.desk.backup import restore as service

    differences = service(file)
    if differences:
        raise UserError(f"{file}: restored, and the ledger differs in {differences} places; do not use it")
    click.secho("Restored; the ledger verifies with 0 differences.", fg="green")


def keep_token(login: str, secret: str) -> None:
    """Keep a token for --as, readable by its owner only."""
    from twokey.desk.home import home

    home().make()
    descriptor = os.open(home().tokens / login, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)


def _signer() -> FileSigner:
    from twokey.desk.home import home
    from twokey.desk.signing import FileSigner

    home().make()
    return FileSigner(home().keys)


if TYPE_CHECKING:
    from twokey.desk.signing import FileSigner
