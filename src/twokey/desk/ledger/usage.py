"""Usage reports of customs, in and out: every row is taken in or refused at once, with a reason code."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.audit.outbox import post
from twokey.desk.ledger.models import Arrival, Authorisation, Shipment, UsageRow
from twokey.desk.ledger.shipments import arrive
from twokey.desk.reasons import Reason, Refused, invalid, reason

UNIT: Final = "pcs"  # what every authorisation counts in
GIVEN: Final = (
    "licence",
    "authority",
    "company",
    "item",
    "unit",
    "state",
    "valid_until",
    "units_cap",
    "units_reserved",
    "units_drawn",
    "currency",
    "value_cap",
    "value_drawn",
)
FIELDS: Final = ("licence", "shipment", "quantity", "unit", "currency", "entry", "on", "place")


@dataclass(frozen=True, slots=True)
class Usage:
    """One row: this many pieces of this shipment were entered under this licence by this customs entry."""

    licence: str
    shipment: str
    quantity: int
    unit: str
    entry: str
    on: date
    place: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one row; `why` is None where it was taken in."""

    row: int
    why: Reason | None


def take_in(actor: Actor, rows: Sequence[Usage]) -> list[Taken]:
    """Take a usage report in, row by row. A refused row changes nothing and is kept with its reason code."""
    permit(actor, "usage.import")
    whole = json.dumps([_json(each) for each in rows], sort_keys=True, ensure_ascii=False)
    file_sha256 = hashlib.sha256(whole.encode()).hexdigest()
    answers = []
    with transaction.atomic():
        for number, row in enumerate(rows, 1):
            why = _take(actor, row)
            UsageRow.objects.create(
                file_sha256=file_sha256,
                row=number,
                accepted=why is None,
                code=why.code if why else "",
                body=_json(row),
                by=actor.login,
            )
            answers.append(Taken(number, why))
        refused = [each for each in answers if each.why]
        record(actor, "usage.taken_in", "usage", 0, sha256=file_sha256, rows=len(rows), refused=len(refused))
        post(
            "usage_answer",
            ("usage", 0),
            {
                "sha256": file_sha256,
                "refused": [{"row": each.row, "code": each.why.code} for each in refused if each.why],
            },
        )
    return answers


def taken_in(actor: Actor) -> QuerySet[UsageRow]:
    """Return every row that was ever reported, accepted or refused, newest first."""
    permit(actor, "usage.read")
    return UsageRow.objects.order_by("-pk")


def read_rows(text: str) -> list[Usage]:
    """Read a usage file, JSON (a list) or CSV; raises `Refused` naming the row and field of what cannot be read."""
    if text.lstrip().startswith("["):
        try:
            body = json.loads(text, parse_float=_no_float)
        except ValueError as error:
            raise invalid("file", "broken_json", detail=error) from None
    else:
        reader = csv.DictReader(io.StringIO(text))
        lacking = set(FIELDS) - {"currency"} - set(reader.fieldnames or ())
        if lacking:
            raise invalid("file", "no_column", lacking=", ".join(sorted(lacking)), known=", ".join(FIELDS))
        body = list(reader)
    return [_row(number, each) for number, each in enumerate(body, 1)]


def give_out(actor: Actor, start: int = 0, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the balance of every authorisation, for the other side's system, a few thousand in memory at a time.

    `start` passes over rows, `limit` stops after as many.
    """
    permit(actor, "usage.read")
    rows = Authorisation.objects.select_related("authority", "balance", "line__order__importer").order_by("pk")
    asked = rows[start : None if limit is None else start + limit]
    return map(_given, asked.iterator(chunk_size=2000))


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> Iterator[str]:
    """Yield rows as lines of CSV under a head; a cell that a spreadsheet would run as a formula is defused.

    `columns` are the head; without them it is the first row's, and no row gives no line.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    if columns:
        writer.writeheader()
    for row in rows:
        if not writer.fieldnames:
            writer.fieldnames = list(row)
            writer.writeheader()
        writer.writerow({key: defuse(value) for key, value in row.items()})
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    if out.tell():  # a head alone
        yield out.getvalue()


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as one text of CSV."""
    return "".join(csv_lines(rows))


def defuse(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula.

    >>> defuse("=1+1"), defuse(-3), defuse("BIS-1")
    ("'=1+1", -3, 'BIS-1')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _given(each: Authorisation) -> dict[str, Any]:
    cells = (
        each.number,
        each.authority.code,
        each.line.order.importer.name_latin,
        each.line.chip,
        UNIT,
        each.balance.state,
        each.valid_until.isoformat(),
        each.balance.units_cap,
        each.balance.units_reserved,
        each.balance.units_drawn,
        each.balance.currency,
        each.balance.value_cap,
        each.balance.value_drawn,
    )
    return dict(zip(GIVEN, cells, strict=True))


def _take(actor: Actor, row: Usage) -> Reason | None:
    authorisation = Authorisation.objects.select_related("authority").filter(number=row.licence).first()
    if authorisation is None:
        return reason("unknown_licence", number=row.licence)
    if row.unit != UNIT:
        return reason("wrong_unit", unit=row.unit, expected=UNIT)
    if row.quantity < 1:
        return reason("zero_quantity")
    shipment = Shipment.objects.filter(number=row.shipment, state__in=["released", "shipped", "delivered"]).first()
    field = f"{authorisation.authority.side}_authorisation"
    line = shipment.lines.select_related("line").filter(**{field: authorisation}).first() if shipment else None
    if shipment is None or line is None:
        return reason("unknown_shipment", number=row.shipment)
    if row.currency and row.currency != line.currency:
        return reason("wrong_currency", currency=row.currency, expected=line.currency)
    try:
        with transaction.atomic():
            position = line.line.position
            arrive(
                actor,
                shipment.pk,
                position,
                Arrival.Kind.CUSTOMS_ENTRY.value,
                row.entry,
                row.on,
                row.place,
                row.quantity,
            )
    except Refused as refused:
        return refused.reasons[0]
    return None


def _row(number: int, each: Mapping[str, Any]) -> Usage:
    if not isinstance(each, Mapping) or not set(each) <= set(FIELDS):
        raise invalid(f"row {number}", "fields_unknown", known=", ".join(FIELDS))
    lacking = [name for name in FIELDS if name != "currency" and each.get(name) is None]
    if lacking:
        raise invalid(f"row {number}", "field_missing", given=lacking[0], known=", ".join(FIELDS))
    quantity, on = str(each["quantity"]), str(each["on"])
    try:
        units = int(quantity)
    except ValueError:
        raise invalid(f"row {number}", "not_whole", given=quantity[:60]) from None
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise invalid(f"row {number}", "not_a_date", given=on[:60]) from None
    return Usage(
        licence=str(each["licence"]),
        shipment=str(each["shipment"]),
        quantity=units,
        unit=str(each["unit"]),
        currency=str(each.get("currency") or ""),
        entry=str(each["entry"]),
        on=day,
        place=str(each["place"]),
    )


def _json(row: Usage) -> dict[str, Any]:
    return {**asdict(row), "on": row.on.isoformat()}


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is not a whole number")
