"""`twokey chips list | show | compare`: what a chip is, on a page that a person enjoys reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

import click

from twokey.cli.examples import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from twokey.chips import Catalogue, Chip
    from twokey.chips.figures import Lang

Format = Literal["table", "json", "csv", "markdown"]

_SORTS: Final = ("tpp", "density", "memory", "bandwidth", "interconnect", "power", "price", "released", "name", "table")


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names that begin as the word on the command line does, with hyphens so that none needs quotes."""
    from click.shell_completion import CompletionItem

    from twokey.chips import catalogue
    from twokey.chips.register import fold, short_names

    start = fold(incomplete)
    items: dict[str, str] = {}
    for chip in catalogue():
        names = (*short_names(chip), chip.name) if start else (chip.name,)
        for name in names:
            typed = "-".join("".join(c if c.isalnum() or c in "-_." else " " for c in name).split())
            if fold(name).startswith(start):
                items.setdefault(typed, chip.name)
    return [CompletionItem(typed, help=name) for typed, name in items.items()]


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all three commands take."""
    for option in (
        click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language."),
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
            help="How the answer is printed; in json and csv an unknown number is null or an empty cell.",
        ),
        click.option(
            "--file", "files", multiple=True, metavar="CHIP.toml", help="A chip of your own (may be given repeatedly)."
        ),
    ):
        command = option(command)
    return command


@click.group()
def chips() -> None:
    """Look up what a chip is: dense rates, TPP, performance density, memory, power, with sources.

    TPP and density are computed as the technical notes to ECCN 3A090 say. A number that nobody has published is
    printed as unknown, never as zero.
    """


@chips.command("list")
@click.option("--vendor", help="Only chips of this vendor, as in NVIDIA or Huawei.")
@click.option("--country", help="Only chips of vendors from this country, as in US or CN.")
@click.option("--min-tpp", type=float, help="Only chips of at least this TPP.")
@click.option("--max-tpp", type=float, help="Only chips of at most this TPP.")
@click.option("--datacenter/--no-datacenter", default=None, help="Only chips (not) sold for datacenters.")
@click.option("--sort", type=click.Choice(_SORTS), default="tpp", show_default=True, help="Order; unknown comes last.")
@click.option("--ascending", is_flag=True, help="Smallest first.")
@_shared
def list_(
    vendor: str | None,
    country: str | None,
    min_tpp: float | None,
    max_tpp: float | None,
    datacenter: bool | None,
    sort: str,
    ascending: bool,
    files: Sequence[str],
    form: Format,
    lang: Lang,
) -> None:
    """List the catalogue, filtered and sorted."""
    from twokey.cli import chips_select, chips_view

    book, _ = _catalogue(files)
    chosen, hidden = chips_select.select(
        book, vendor=vendor, country=country, min_tpp=min_tpp, max_tpp=max_tpp, datacenter=datacenter
    )
    chips_view.print_list(chips_select.sort(chosen, sort, ascending), form, lang, hidden)


@chips.command()
@click.argument("names", nargs=-1, metavar="[CHIP]...", shell_complete=_complete)
@_shared
@examples(
    "twokey chips show H200",
    "twokey chips show --file examples/chips/my-chip.toml",
)
def show(names: Sequence[str], files: Sequence[str], form: Format, lang: Lang) -> None:
    """Show one chip in full: every number with unit, source and confidence, and the working of its TPP."""
    from twokey.cli import chips_view

    chips_view.print_chips(_named(names, files, at_least=1, usage="twokey chips show H200"), form, lang)


@chips.command()
@click.argument("names", nargs=-1, metavar="CHIP CHIP...", shell_complete=_complete)
@_shared
@examples(
    "twokey chips compare H200 'Ascend 910C' MI325X",
    "twokey chips compare H200 --file examples/chips/my-chip.toml",
)
def compare(names: Sequence[str], files: Sequence[str], form: Format, lang: Lang) -> None:
    """Compare chips side by side, with ratios to the first."""
    from twokey.cli import chips_view

    found = _named(names, files, at_least=2, usage="twokey chips compare H200 'Ascend 910C'")
    chips_view.print_comparison(found, form, lang)


def _catalogue(files: Sequence[str]) -> tuple[Catalogue, list[Chip]]:
    """Return the catalogue with the user's own chips, and those chips."""
    from twokey.chips import catalogue, load_chip

    own = [load_chip(path) for path in files]
    return (catalogue().with_chips(own) if own else catalogue()), own


def _named(names: Sequence[str], files: Sequence[str], at_least: int, usage: str) -> list[Chip]:
    """Return the chips that were named, then those of the files that were not, each once."""
    from twokey.chips import UserError

    book, own = _catalogue(files)
    found = list(dict.fromkeys([*map(book.find, names), *own]))
    if len(found) < at_least:
        what = "a chip" if at_least == 1 else "at least two different chips"
        raise UserError(f"name {what}, as in: {usage}")
    return found
