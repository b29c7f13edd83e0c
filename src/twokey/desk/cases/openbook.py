"""The open book: cases that are open, or approved and so still bound by the law, with the facts last assessed.

Read only. It is read in portions, by key, so that a book of any size costs the same a portion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from django.db.models import F, Func, JSONField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from twokey.desk.actors import Actor
from twokey.desk.cases import reviewing
from twokey.desk.cases.assessing import with_numbers
from twokey.desk.cases.models import Application, OrderLine, StoredAssessment
from twokey.desk.cases.states import OPEN

PORTION: Final = 40


@dataclass(frozen=True, slots=True)
class OpenCase:
    """One application of the book: its order, the key that it asks for, its size, and the facts of each item."""

    application_id: int
    order_id: int
    number: str
    side: Literal["export", "import"]
    authority: str
    state: str
    units: int
    value_minor: int
    currency: str
    items: tuple[Mapping[str, Any], ...]


def portion(actor: Actor, after: int = 0, most: int = PORTION) -> list[OpenCase]:
    """Return the next applications of the book that the actor may see, in one query; `after`: the last one seen.

    An application that was never assessed has no items: nothing is known of it.
    """
    latest = StoredAssessment.objects.filter(application=OuterRef("pk")).order_by("-pk")
    units = OrderLine.objects.filter(order=OuterRef("order")).order_by().values("order")
    rows = (
        _open(actor)
        .filter(pk__gt=after)
        .annotate(
            facts=Subquery(latest.values(items=_facts("body"))[:1], output_field=JSONField()),
            units=Coalesce(Subquery(units.annotate(all=Sum("units")).values("all")), 0),
            value=Coalesce(Subquery(units.annotate(all=Sum("value_minor")).values("all")), 0),
            number=F("order__number"),
            side=F("authority__side"),
            code=F("authority__code"),
            currency=F("order__currency"),
        )
        .order_by("pk")
        .values("pk", "order_id", "number", "side", "code", "state", "units", "value", "currency", "facts")[:most]
    )
    return [_case(row) for row in rows]


def count(actor: Actor) -> int:
    """Return how many applications of the book the actor may see."""
    return _open(actor).count()


def _open(actor: Actor) -> QuerySet[Application]:
    return reviewing.cases(actor).filter(state__in=[*sorted(OPEN), "approved"]).order_by()


def _facts(field: str) -> Func:
    """Take the facts out of a stored assessment where it lies; the rest of it is large and is not needed."""
    return Func(F(field), Value("$.items[*].facts"), function="jsonb_path_query_array", output_field=JSONField(),
                template="%(function)s(%(expressions)s::jsonpath)")  # fmt: skip


def _case(row: Mapping[str, Any]) -> OpenCase:
    facts = cast(Sequence[Mapping[str, object]], row["facts"] or ())
    return OpenCase(
        row["pk"],
        row["order_id"],
        row["number"],
        row["side"],
        row["code"],
        row["state"],
        int(row["units"]),
        int(row["value"]),
        row["currency"],
        tuple(with_numbers(each) for each in facts),
    )
