"""What the commands that write a PDF share: the language, the file, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.desk_door import show
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.papers.services import Paper

Command = Callable[..., Any]


def paper_options(command: Command) -> Command:
    """Add --lang and --out."""
    command = click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default="en",
        show_default=True,
        help="The language in which the paper is set.",
    )(command)
    return click.option(
        "--out", type=click.Path(path_type=Path), help="The file; its number and language name it where none is given."
    )(command)


def write_paper(paper: Paper, out: Path | None, form: str) -> None:
    """Write a PDF and say how it is checked. Errors: UserError where the file cannot be written."""
    path = out or Path(paper.filename)
    write_pdf(path, paper.content)
    if form == "text":
        click.echo(f"{path}: written; check it with `twokey verify {path} --keys KEYS.json`")
    else:
        show({"file": str(path), "bytes": len(paper.content)}, form)


def write_pdf(path: Path, content: bytes) -> None:
    """Write the bytes of a PDF. Errors: UserError where the file cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
