"""`twokey serve | demo | token | keys | backup`: what the operator of a desk does on its machine."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.desk_door import format_option, show
from twokey.cli.errors import UserError
from twokey.cli.shared import Day, write_text

if TYPE_CHECKING:
    from datetime import date

    from twokey.desk.signing import FileSigner


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

    click.echo("Writing the founding case; half a minute …", err=True)
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


@token.command("holiday")
@click.argument("authority")
@click.argument("day", type=Day())
@click.argument("name")
@click.option("--works", is_flag=True, help="A Saturday or Sunday on which the authority does work.")
def holiday(authority: str, day: date, name: str, works: bool) -> None:
    """Enter a day on which an authority does not work; its clocks pass over it."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.parties.services import add_holiday

    row = add_holiday(authority, day, name, works=works)
    click.echo(f"{authority} {'works' if row.works else 'does not work'} on {row.on}: {row.name}")


@click.group()
def keys() -> None:
    """Signing keys: private ones in files on this machine, public ones for everybody."""


@keys.command("make")
@click.argument("authority")
@click.option("--side", type=click.Choice(["export", "import", "desk"]), required=True)
def make(authority: str, side: str) -> None:
    """Make a new key for an authority (or DESK, which seals history); the one before it ends now."""
    from twokey.desk import boot

    boot.ready()
    from twokey.desk.parties.services import check_key_side

    check_key_side(authority, side)
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
    write_text(json.dumps(_signer().ring().dump(), indent=1), file)
    if file is not None:
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
