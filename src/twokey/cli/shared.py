"""What several commands share: options for the day and the language, and the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem
    from rich.console import Console

    from twokey.law.engine.law import Law

Command = Callable[..., None]


class Day(click.ParamType[date]):
    """A calendar day as YYYY-MM-DD, or `today`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day. Errors: a clear message naming the option."""
        if isinstance(value, date):
            return value
        if value == "today":
            return date.today()
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day as YYYY-MM-DD", param, ctx)


def lang_option(command: Command) -> Command:
    """Add --lang."""
    choice = click.Choice(["en", "zh"])
    return click.option("--lang", type=choice, default="en", show_default=True, help="Language of the answer.")(command)


def day_option(command: Command) -> Command:
    """Add --as-of."""
    return click.option(
        "--as-of", "as_of", type=Day(), default="today", show_default=True, help="The day whose law answers."
    )(command)


def overlay_option(command: Command) -> Command:
    """Add --overlay and --under."""
    command = click.option(
        "--overlay",
        "overlays",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Your own overlay over the packs: a TOML file, or the folder of a whole pack. May be given repeatedly.",
    )(command)
    return click.option(
        "--under",
        "amendments",
        multiple=True,
        metavar="AMENDMENT",
        shell_complete=complete_amendment,
        help="A draft change: a ready one by name, or a TOML file. May be given repeatedly.",
    )(command)


def complete_amendment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the ready amendments that begin with a word."""
    from click.shell_completion import CompletionItem

    from twokey.law.change import ready_amendments

    return [CompletionItem(name) for name in ready_amendments() if name.startswith(incomplete)]


def chosen_law(overlays: tuple[Path, ...], amendments: tuple[str, ...]) -> Law:
    """Return the installed law with overlays and amendments put in."""
    from twokey.law.source import law

    result = law()
    if overlays or amendments:
        from twokey.law.change import amended

        for path in change_paths(overlays, amendments):
            result = amended(result, path)
    return result


def change_paths(overlays: tuple[Path, ...], amendments: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that --overlay and --under name, in order."""
    if not amendments:
        return overlays
    from twokey.law.change import find_amendment

    return (*overlays, *(find_amendment(name) for name in amendments))


def console(*, width: int | None = None) -> Console:
    """Return the console that everything is printed on; without a terminal lines are as wide as they need to be."""
    from rich.console import Console

    made = Console(highlight=False, width=width, soft_wrap=False)
    if width is None and not made.is_terminal:
        made = Console(highlight=False, width=110, soft_wrap=False)
    return made


def write_text(text: str, out: Path | None) -> None:
    """Write to a file, or to standard output. Errors: UserError where the file cannot be written."""
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from None
