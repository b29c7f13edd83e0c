"""Bulk doors: orders, and decisions that become authorisations, from CSV or XLSX; the whole file or nothing.

The rows go through the same services as everybody else's requests: four eyes, states and limits hold here too. A file
of authorisations is one of decisions; each still needs another officer's countersignature.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import PurePath
from typing import Any, Final
from zipfile import BadZipFile

from django.db import transaction

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.cases.deciding import LineTerm, Terms, decide
from twokey.desk.cases.drafting import LineDraft, OrderDraft, create_order
from twokey.desk.cases.models import Batch
from twokey.desk.parties.models import Organisation
from twokey.desk.reasons import Refused, invalid, missing, problem, reason

MAX_ROWS: Final = 20_000
ORDER_COLUMNS: Final = (
    "number",
    "exporter_id",
    "importer_id",
    "currency",
    "destination",
    "place",
    "chip",
    "units",
    "value_minor",
)
AUTHORISATION_COLUMNS: Final = (
    "application",
    "position",
    "units",
    "value_minor",
    "currency",
    "uses",
    "valid_from",
    "valid_until",
    "places",
    "batch",
    "reasons",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a file did: `done` says all of it or nothing; `errors` are (line of the file, what is wrong)."""

    done: bool
    rows: int
    made: tuple[str, ...]
    errors: tuple[tuple[int, str], ...]


def import_orders(actor: Actor, filename: str, content: bytes) -> Report:
    """Enter one order for each number in the file; rows of one number are its lines."""
    permit(actor, "order.create")
    rows = list(_rows(filename, content, ORDER_COLUMNS))
    groups: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for line, row in rows:
        groups.setdefault(row["number"], []).append((line, row))

    def enter(group: list[tuple[int, Mapping[str, str]]]) -> str:
        first = group[0][1]
        importer = _whole(first, "importer_id")
        for _, row in group[1:]:
            if any(row[name] != first[name] for name in ORDER_COLUMNS[1:6]):
                raise invalid("number", "rows_disagree", given=first["number"])
        order = create_order(
            actor,
            OrderDraft(
                number=first["number"],
                exporter_id=_whole(first, "exporter_id"),
                importer_id=importer,
                currency=first["currency"],
                destination=first["destination"],
                place=first["place"],
                lines=[LineDraft(row["chip"], _whole(row, "units"), _whole(row, "value_minor")) for _, row in group],
                parties=[(importer, role) for role in ("purchaser", "ultimate_consignee", "end_user")],
            ),
        )
        return order.number

    return _all_or_nothing(
        actor,
        filename,
        "orders",
        len(rows),
        [(group[0][0], partial(enter, group)) for group in groups.values()],
    )


def import_authorisations(actor: Actor, filename: str, content: bytes) -> Report:
    """Decide each application in the file with the terms of its rows; each then waits for its countersigner."""
    permit(actor, "case.decide")
    rows = list(_rows(filename, content, AUTHORISATION_COLUMNS))
    groups: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for line, row in rows:
        groups.setdefault(row["application"], []).append((line, row))

    def enter(group: list[tuple[int, Mapping[str, str]]]) -> str:
        first = group[0][1]
        batch_id = None
        if first["batch"]:
            batch = Batch.objects.filter(code=first["batch"], authority_id=actor.authority_id or 0).first()
            if batch is None:
                raise missing("batch", first["batch"])
            batch_id = batch.pk
        terms = Terms(tuple(_term(row) for _, row in group))
        decision = decide(actor, _whole(first, "application"), "approve", first["reasons"], terms, batch_id=batch_id)
        return str(decision.pk)

    return _all_or_nothing(
        actor,
        filename,
        "authorisations",
        len(rows),
        [(group[0][0], partial(enter, group)) for group in groups.values()],
    )


def party_ids(names: list[str]) -> dict[str, int]:
    """Return party ids by Latin name, for people who prepare a file by hand."""
    return dict(Organisation.objects.filter(name_latin__in=names).values_list("name_latin", "pk"))


def _all_or_nothing(
    actor: Actor, filename: str, what: str, rows: int, jobs: list[tuple[int, Callable[[], str]]]
) -> Report:
    """Run every job, each under its own savepoint so that all errors are found; keep the whole only if none failed."""
    made: list[str] = []
    errors: list[tuple[int, str]] = []
    bulk_actor = actor.through("bulk")
    with transaction.atomic():
        for line, job in jobs:
            try:
                with transaction.atomic():
                    made.append(job())
            except UserError as error:
                errors.append((line, str(error)))
        if errors:
            transaction.set_rollback(True)
        else:
            record(bulk_actor, f"bulk.{what}", "bulk", 0, file=PurePath(filename).name, rows=rows, made=len(made))
    if errors:
        return Report(False, rows, (), tuple(errors))
    return Report(True, rows, tuple(made), ())


def _rows(filename: str, content: bytes, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (line of the file, row); raises `Refused` for another head than the columns, or a file that is neither."""
    table = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    head = next(table, None)
    if head is None or [cell.strip() for cell in head[1]] != list(columns):
        raise invalid(filename, "head_unexpected", known=", ".join(columns))
    count = 0
    for line, cells in table:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise invalid(filename, "too_many_rows", most=MAX_ROWS)
        if len(cells) != len(columns):
            cells_wrong = problem("row_cells", given=len(cells), expected=len(columns))
            raise Refused(reason("row", row=line, problem=cells_wrong), status=422)
        yield line, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    if not count:
        raise invalid(filename, "no_row")


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("file", "not_utf8", detail=error) from None
    reader = csv.reader(io.StringIO(text))
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise invalid("file", "not_csv", detail=error) from None


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield line, [_cell(cell) for cell in cells]
    except (BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
        raise invalid("file", "not_xlsx", detail=error) from None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    # A spreadsheet keeps whole numbers as floats; a fraction stays visible, and is refused where it is read.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _whole(row: Mapping[str, str], name: str) -> int:
    with suppress(ValueError):
        if row[name].isascii():
            return int(row[name])
    raise invalid(name, "not_whole", given=row[name])


def _term(row: Mapping[str, str]) -> LineTerm:
    try:
        valid_from, valid_until = date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_until"])
    except ValueError as error:
        raise invalid("valid_from", "not_a_date", given=str(error).rsplit(" ", 1)[-1].strip("'")) from None
    return LineTerm(
        position=_whole(row, "position"),
        units=_whole(row, "units"),
        value_minor=_whole(row, "value_minor"),
        currency=row["currency"],
        valid_from=valid_from,
        valid_until=valid_until,
        places=tuple(part.strip() for part in row["places"].split(";") if part.strip()),
        uses=_whole(row, "uses") if row["uses"] else None,
    )
