"""`twokey notice …`: what you were told, the orders that you follow, and how you are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from twokey.cli.desk_door import at_desk, show

if TYPE_CHECKING:
    from twokey.desk.actors import Actor

_LANG = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)


@click.group()
def notice() -> None:
    """Notices: what happened that concerns you."""


@notice.command("list")
@click.option("--unread", is_flag=True, help="Only what you have not read.")
@_LANG
@at_desk
def list_notices(actor: Actor, form: str, unread: bool, lang: Literal["en", "zh"]) -> None:
    """List what you were told, newest first."""
    from twokey.desk.notices.services import notices, sentence

    rows = [
        {
            "id": each.pk,
            "at": each.at.isoformat(timespec="seconds"),
            "read": each.read_at is not None,
            "what": sentence(each, lang),
        }
        for each in notices(actor, unread=unread)[:200]
    ]
    show(rows, form, (), "Nothing yet; the worker tells you what happens (`twokey serve`).")


@notice.command("read")
@click.argument("notice_ids", type=int, nargs=-1)
@at_desk
def read(actor: Actor, form: str, notice_ids: tuple[int, ...]) -> None:
    """Mark notices as read; without an id, all of them."""
    from twokey.desk.notices.services import mark_read

    show({"marked": mark_read(actor, notice_ids or None)}, form)


@notice.command("follow")
@click.argument("order_id", type=int)
@at_desk
def follow(actor: Actor, form: str, order_id: int) -> None:
    """Follow an order: you hear of all that happens to it that you may see."""
    from twokey.desk.notices.services import follow as service

    show({"following": service(actor, order_id).order.number}, form)


@notice.command("unfollow")
@click.argument("order_id", type=int)
@at_desk
def unfollow(actor: Actor, form: str, order_id: int) -> None:
    """Follow an order no more."""
    from twokey.desk.notices.services import unfollow as service

    service(actor, order_id)
    show({"unfollowed": order_id}, form)


@notice.command("settings")
@click.option("--mail", type=click.Choice(["at_once", "weekly", "never"]), help="When an e-mail is sent.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="The language of e-mails.")
@click.option("--address", help="Your e-mail address; an empty one removes it.")
@at_desk
def settings(actor: Actor, form: str, mail: str | None, language: str | None, address: str | None) -> None:
    """Show, or change, how you are told."""
    from dataclasses import asdict

    from twokey.desk.notices.services import choice, choose

    now = choice(actor)
    if mail or language or address is not None:
        now = choose(actor, mail=mail or now.mail, language=language or now.language, address=address)
    show(asdict(now), form)


@notice.command("digest")
@_LANG
@at_desk
def digest(actor: Actor, form: str, lang: Literal["en", "zh"]) -> None:
    """Show the digest of the past week as it is written to you."""
    from twokey.desk.notices.digest import digest_of

    rows = [{"part": part.heading, "what": line.text} for part in digest_of(actor, lang) for line in part.lines]
    show(rows, form, (), "Nothing waits, nothing ends soon, nothing happened.")
