"""`twokey assess`: one order, or a book of them."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from twokey.cli.errors import UserError
from twokey.cli.examples import examples
from twokey.cli.shared import change_paths, chosen_law, day_option, lang_option, overlay_option, write_text

EXIT: Final = {"clear": 0, "blocked": 1, "needs_information": 2}


@click.command(
    epilog="Exit status: 0 clear, 1 blocked, 2 needs information, 3 bad input. A book ends with 0 once it is written."
)
@click.argument("order", required=False, type=click.Path(path_type=Path))
@day_option
@overlay_option
@lang_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the answer is printed; the JSON form has a published schema (twokey law schema).",
)
@click.option("--all", "everything", is_flag=True, help="Explain every question, not only those that move a key.")
@click.option("--brief", is_flag=True, help="Only both keys at a glance, what decided them and what is missing.")
@click.option("--book", type=click.Path(path_type=Path), help="Many orders: a Parquet, Arrow or CSV file, one a line.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the result of a book is written (.parquet, .arrow, .csv)."
)
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where a book runs."
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler; without it a local cluster is started.")
@click.option(
    "--missing/--no-missing", default=True, show_default=True, help="Add the facts that a book's lines still lack."
)
@click.pass_context
@examples(
    "twokey assess examples/orders/h200-founding.toml --as-of 2026-01-28",
    "twokey assess order.toml --under safe-chips --lang zh",
    "twokey assess --book lines.parquet --out result.parquet",
)
def assess(
    ctx: click.Context,
    order: Path | None,
    as_of: date,
    overlays: tuple[Path, ...],
    amendments: tuple[str, ...],
    lang: Any,
    form: str,
    everything: bool,
    brief: bool,
    book: Path | None,
    out: Path | None,
    engine: str,
    scheduler: str | None,
    missing: bool,
) -> None:
    """Say what the law of both sides says of ORDER (a TOML or JSON file) on a day, why, and what is missing."""
    law = chosen_law(overlays, amendments)
    if book is not None:
        if order is not None or out is None:
            raise UserError("assess: a book needs --out FILE, and no ORDER beside it")
        from twokey.cli.book import run_book

        changes = change_paths(overlays, amendments)
        run_book(law, book, out, as_of, missing=missing, engine=engine, scheduler=scheduler, changes=changes)
        return
    if order is None:
        raise UserError("assess: name an order (a TOML or JSON file), or a book with --book FILE --out FILE")
    if out is not None and form == "text":
        raise UserError("assess: --out FILE takes --format json or --format markdown; the text form is for a terminal")
    from twokey.law.assessing import assessment_of, decide
    from twokey.law.order import read_order

    stated = read_order(order)
    decided = decide(stated, as_of, law=law, where=str(order))
    assessment = assessment_of(decided, as_of)
    if form == "json":
        import json

        from twokey.law.report import to_json

        write_text(json.dumps(to_json(assessment, decided, lang), ensure_ascii=False, indent=2), out)
    elif form == "markdown":
        from twokey.law.report import to_markdown

        write_text(to_markdown(assessment, decided, _title(order, lang), lang), out)
    else:
        from twokey.cli.assess_view import show

        show(assessment, decided, _title(order, lang), lang, everything=everything, brief=brief)
    sys.stdout.flush()
    ctx.exit(EXIT[assessment.status])


def _title(order: Path, lang: str) -> str:
    import json
    import tomllib

    text = order.read_text(encoding="utf-8")
    table = json.loads(text) if order.suffix == ".json" else tomllib.loads(text)
    return str(table.get(f"title_{lang}", table.get("title", order.name)))
