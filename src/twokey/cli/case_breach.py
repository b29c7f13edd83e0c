"""`twokey case breach|breaches|find`: breaches of conditions, as use reports find them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.case import case
from twokey.cli.case_shared import bytes_of
from twokey.cli.desk_door import at_desk, dump, page_of, page_options, show
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.actors import Actor

_COLUMNS = ("id", "case", "condition", "state", "at_least_bp", "measured_bp", "high_bp", "reported_by", "found_by")


@case.command("breach")
@click.argument("case_id", type=int)
@click.argument("file", type=click.Path(path_type=Path))
@at_desk
def breach(actor: Actor, form: str, case_id: int, file: Path) -> None:
    """Take the breaches of a use report (`twokey deploy report --breaches FILE`) into an approved case."""
    try:
        records = json.loads(bytes_of(file))
    except ValueError as error:
        raise UserError(f"{file}: is not JSON ({error})") from None
    if not isinstance(records, list):
        raise UserError(f"{file}: is not a list of breaches; give what `twokey deploy report --breaches` wrote")
    show(_rows(open_case(actor, case_id, records)), form, _COLUMNS)


def open_case(actor: Actor, case_id: int, records: list[dict[str, Any]]) -> list[Any]:
    """Take breaches into a case and say on the error stream how many were new; returns its breaches of this report."""
    from twokey.desk.cases.breaches import take_in

    taken = take_in(actor, case_id, records)
    known = len(taken.breaches) - taken.opened
    again = f"; {known} known before" if known else ""
    click.echo(f"case {case_id}: {taken.opened} breaches opened{again}", err=True)
    return list(taken.breaches)


@case.command("breaches")
@click.argument("case_id", type=int, required=False)
@page_options
@at_desk
def breaches(actor: Actor, form: str, case_id: int | None, limit: int, page: int) -> None:
    """Show reported breaches, newest first: of one case, or of all that you may see."""
    from twokey.desk.cases.breaches import breaches as found

    show(_rows(page_of(found(actor, case_id), limit, page)), form, _COLUMNS, "No breach was reported.")


@case.command("find")
@click.argument("breach_id", type=int)
@click.option("--finding", required=True, help="What your authority found.")
@at_desk
def find(actor: Actor, form: str, breach_id: int, finding: str) -> None:
    """Close a breach with what your authority found."""
    from twokey.desk.cases.breaches import find as service

    show(_rows([service(actor, breach_id, finding)]), form, _COLUMNS)


def _rows(found: list[Any]) -> list[dict[str, Any]]:
    from twokey.desk.api.shapes import BreachOut

    return [dump(BreachOut.of(row)) for row in found]
