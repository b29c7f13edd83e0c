"""What the deploy commands share: options, the constants in use, how an answer is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twokey.deploy.constants import Constants
    from twokey.deploy.devices import Hardware


def form_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--format`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "csv", "markdown"]),
        default="text",
        show_default=True,
        help="How the answer is printed.",
    )(command)


def constants_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--constants`."""
    return click.option(
        "--constants",
        "constants_file",
        type=click.Path(path_type=Path),
        metavar="FILE.json",
        help="Constants of your own, as `twokey deploy calibrate` writes them.",
    )(command)


def lang_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--lang`."""
    return click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language.")(
        command
    )


def use(constants_file: Path | None) -> Constants:
    """Return the constants of a file, or the packaged ones."""
    from twokey.deploy import constants

    return constants.packaged() if constants_file is None else constants.read_file(constants_file)


def find_device(name: str) -> Hardware:
    """Return the device of a chip name, or of a chip file of the user's own."""
    from twokey.deploy.devices import hardware, of_chip

    if name.endswith(".toml"):
        from twokey.chips import load_chip

        return of_chip(load_chip(Path(name)))
    return hardware(name)


def show_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], form: str) -> None:
    """Print rows as aligned text, CSV or Markdown; numbers align right."""
    if form == "csv":
        import csv
        import sys

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([headers, *rows])
        return
    if form == "markdown":
        click.echo("| " + " | ".join(headers) + " |")
        click.echo("|" + "|".join("---" for _ in headers) + "|")
        for row in rows:
            click.echo("| " + " | ".join(row) + " |")
        return
    widths = [max(_width(str(row[i])) for row in [headers, *rows]) for i in range(len(headers))]
    for row in [headers, *rows]:
        cells = [_pad(str(cell), width, i > 0) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def pad(text: str, width: int) -> str:
    """Return a text filled up to a width, in which a Chinese character counts twice.

    >>> pad("站点", 6) + "|"
    '站点  |'
    """
    return text + " " * max(width - _width(text), 1)


def write_or_explain(path: Path, write: Callable[[], object]) -> None:
    """Call what writes a file. Errors: UserError with the file, where it cannot be written."""
    from twokey.chips import UserError

    try:
        write()
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if (right and any(c.isdigit() for c in text)) or text == "–" else text + space
