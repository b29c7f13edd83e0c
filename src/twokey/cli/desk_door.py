"""What the desk's commands share: who calls, how an answer is printed, and how a refusal reads."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.actors import Actor

Command = Callable[..., Any]
Row = Mapping[str, Any]
_SHORT = 24  # a column no wider than this is never folded
_PIPE_WIDTH = 140
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")


def format_option(command: Command) -> Command:
    """Add --format."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "csv"]),
        default="text",
        show_default=True,
        help="How the answer is printed.",
    )(command)


def at_desk(command: Command) -> Command:
    """Let a command act for a person: adds --as and --format, brings the desk up, and hands over the actor.

    The person is named by a token in TWOKEY_TOKEN, or by --as where this machine keeps a token of theirs
    (`twokey token create LOGIN --keep`). The token's scopes hold here as they do over HTTP.
    """

    @click.option("--as", "login", metavar="LOGIN", help="Act as this person, by the token kept on this machine.")
    @format_option
    @wraps(command)
    def run(*arguments: Any, login: str | None, form: str, **options: Any) -> Any:
        from twokey.desk import boot

        boot.ready()
        return command(*arguments, actor=actor(login), form=form, **options)

    return run


def actor(login: str | None) -> Actor:
    """Return who calls; raises `UserError` saying how to name oneself."""
    from twokey.desk.api.tokens import actor_by_token
    from twokey.desk.home import home

    secret = os.environ.get("TWOKEY_TOKEN", "")
    if login is not None:
        path = home().tokens / login
        if not path.is_file() or path.parent != home().tokens:
            kept = ", ".join(sorted(each.name for each in home().tokens.glob("*"))) or "none"
            raise UserError(
                f"no token of {login} is kept on this machine (kept: {kept}); "
                f"make one with `twokey token create {login} --keep`"
            )
        secret = path.read_text().strip()
    if not secret:
        raise UserError("who are you? Give --as LOGIN, or a token in TWOKEY_TOKEN (`twokey token create LOGIN`)")
    found = actor_by_token(secret, "cli")
    if found is None:
        raise UserError("the token is unknown, revoked or over; make a new one with `twokey token create LOGIN`")
    return found


def show(rows: Sequence[Row] | Row, form: str, columns: Sequence[str] = (), empty: str = "Nothing here yet.") -> None:
    """Print one record or many: a table for people (`columns` of it), or everything as JSON or CSV.

    Programs get numbers, moments and money as they are kept; people get groups of digits, minutes, and money in the
    currency's own unit.
    """
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    many = [rows] if isinstance(rows, Mapping) else list(rows)
    if form == "csv":
        from twokey.desk.ledger.usage import as_csv

        click.echo(as_csv([{key: _plain(value) for key, value in row.items()} for row in many]), nl=False)
        return
    if not many:
        click.echo(empty)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if isinstance(rows, Mapping):
        table.show_header = False
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for key in rows:
            if not columns or key in columns:
                table.add_row(_label(key), _cell(rows, key))
    else:
        for name in list(columns) or list(many[0]):
            cells = [_cell(row, name) for row in many]
            number = all(isinstance(row.get(name), int) or row.get(name) is None for row in many)
            short = max(map(len, cells)) <= _SHORT
            table.add_column(_label(name), justify="right" if number else "left", no_wrap=short, overflow="fold")
        for row in many:
            table.add_row(*(_cell(row, name) for name in list(columns) or list(many[0])))
    # A pipe has no width of its own; a table in it is read later, by something wider than 80 columns.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def page_options(command: Command) -> Command:
    """Add --limit and --page to a command that lists; it hands them to `page_of`."""
    command = click.option(
        "--page", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Which page of them."
    )(command)
    return click.option(
        "--limit", type=click.IntRange(1, 1_000), default=200, show_default=True, help="How many at most."
    )(command)


def page_of(rows: Any, limit: int, page: int) -> list[Any]:
    """Return one page of the rows, and say on standard error where there are more."""
    start = (page - 1) * limit
    found = list(rows[start : start + limit + 1])
    if len(found) > limit:
        click.echo(f"There are more: --page {page + 1}", err=True)
    return found[:limit]


def show_reasons(reasons: Sequence[Any], *, good: str) -> None:
    """Print every reason in both languages, or one good word where there is none."""
    if not reasons:
        click.secho(good, fg="green")
        return
    for each in reasons:
        click.echo(f"• {each.en}\n  {each.zh}   [{each.code}]")


def dump(shape: Any) -> dict[str, Any]:
    """Return a shape of the API as plain JSON."""
    body: dict[str, Any] = shape.model_dump(mode="json", by_alias=True)
    return body


def _label(name: str) -> str:
    return name.removesuffix("_minor").replace("_", " ")


def _plain(value: Any) -> Any:
    """Return a cell of a CSV: nothing is empty, and what has parts is JSON."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def _cell(row: Row, name: str) -> str:
    """Return a cell of a table for people; an amount is told by its name and by the currency in its row."""
    value = row.get(name)
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return money(value, str(row["currency"])) if name.startswith("value") and row.get("currency") else f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if all(isinstance(each, str) for each in value) else _plain(value)
    if isinstance(value, dict):
        return "\n".join(f"{key} = {json.dumps(each, ensure_ascii=False, default=str)}" for key, each in value.items())
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value[:16].replace("T", " ")
    return str(value)


def money(minor: int, currency: str) -> str:
    """Return minor currency in the currency's own unit.

    >>> money(1_350_000_000, "USD")
    'USD 13,500,000.00'
    """
    from twokey.desk.papers.say import Say

    return Say("en").money(minor, currency)
