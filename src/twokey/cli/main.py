"""The root command and its groups, each imported only when it is called."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Final

import click

from twokey import __version__
from twokey.cli.errors import UserError

# name -> (module, attribute, one line of help). The help is here so that `twokey --help` imports no room.
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "assess": ("twokey.cli.assess", "assess", "What both governments' rules say of an order, or of a book of orders."),
    "law": ("twokey.cli.law", "law", "The law itself: time line, provisions, differences, checks and proofs."),
    "impact": ("twokey.cli.impact", "impact", "What a draft rule changes, over a book of orders and over all orders."),
    "case": ("twokey.cli.case_review", "case", "Applications: draft, submit, review, decide, countersign."),
    "order": ("twokey.cli.order", "order", "Orders, and the five states that stall on their own."),
    "ledger": ("twokey.cli.ledger", "ledger", "What is left of every authorisation, and the check of every balance."),
    "batch": ("twokey.cli.ledger", "batch", "Decisions issued together under one ceiling."),
    "release": ("twokey.cli.release", "release", "Reserve, ask the gate, release: both keys, one signed answer."),
    "verify": ("twokey.cli.verify", "verify", "Check a release, its PDF or its QR code, offline."),
    "notice": ("twokey.cli.notice", "notice", "What happened that concerns you, and how you are told."),
    "party": ("twokey.cli.party", "party", "Who takes part, in both scripts."),
    "screen": ("twokey.cli.party", "screen", "Screen every party against the lists that you import."),
    "exchange": ("twokey.cli.exchange", "exchange", "Signed documents to and from a desk that shares no database."),
    "serve": ("twokey.cli.desk_admin", "serve", "Start the desk: database, web process, worker."),
    "demo": ("twokey.cli.desk_admin", "demo", "Load the founding case of 28 January 2026 into an empty desk."),
    "usage": ("twokey.cli.desk_records", "usage", "Usage reports of customs, in and out."),
    "outbox": ("twokey.cli.desk_records", "outbox", "Messages to customs and back offices, and where each stands."),
    "token": ("twokey.cli.desk_admin", "token", "People, their seats, and their scoped tokens."),
    "keys": ("twokey.cli.desk_admin", "keys", "Signing keys: make, list, export, revoke."),
    "audit": ("twokey.cli.desk_records", "audit", "History: sealed, checked, exported, witnessed."),
    "backup": ("twokey.cli.desk_admin", "backup", "Back a desk up, and restore it."),
    "chips": ("twokey.cli.chips", "chips", "What a chip is: list, show and compare the catalogue."),
    "outlook": ("twokey.cli.outlook", "outlook", "What may happen to supply, share and the gap when either key turns."),
    "deploy": ("twokey.cli.deploy", "deploy", "Where work may run: estimate, equivalent, place, enforce, report."),
}


class LazyGroup(click.Group):
    """A click group whose commands are imported when they are looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, _, help_text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="twokey")
def twokey() -> None:
    """Run the trade in controlled AI accelerators: a chip moves only when two governments agree."""


def run() -> None:
    """Run the command; a user's mistake ends in one clear message and exit status 3, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter gets "?" in its place
            stream.reconfigure(errors="replace")
    try:
        code = twokey.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = 3
    except UserError as error:
        _say(error)
        code = 3
    except BrokenPipeError:
        code = 0
    except Exception as error:  # whatever is left is a fault of ours; only who asks is shown a traceback
        if os.environ.get("TWOKEY_DEBUG"):
            raise
        click.echo(f"internal error: {type(error).__name__}: {error}", err=True)
        click.echo(
            "This is a fault of Twokey, not of your input; set TWOKEY_DEBUG=1 to see where it happened.", err=True
        )
        code = 70
    sys.exit(code if isinstance(code, int) else 0)


def _say(error: UserError) -> None:
    """Print what is wrong; of several reasons each has a line of its own."""
    reasons = getattr(error, "reasons", ())
    if len(reasons) > 1:
        click.echo("error: refused, for these reasons:", err=True)
        for each in reasons:
            click.echo(f"• {each.en}", err=True)
    else:
        click.echo(f"error: {error}", err=True)
