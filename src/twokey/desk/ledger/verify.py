"""Recompute every balance from its entries, and every ceiling from what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from django.db import connection
from django.db.models import Sum

from twokey.desk.cases.models import BatchTopUp
from twokey.desk.ledger.models import Authorisation, Balance, BatchBalance, RatioBalance
from twokey.desk.ledger.ratio import cap_of

_COUNTERS = ("units_reserved", "units_drawn", "value_reserved", "value_drawn", "uses_reserved", "uses_drawn")


@dataclass(frozen=True, slots=True)
class Difference:
    """One number of one balance that is not what history makes it."""

    balance_id: int
    label: str
    counter: str
    stored: int
    recomputed: int


@dataclass(frozen=True, slots=True)
class Verified:
    """How many balances and entries were read, and every difference."""

    balances: int
    entries: int
    differences: tuple[Difference, ...]


def verify_ledger() -> Verified:
    """Recompute everything in one snapshot; returns what differs (nothing, in a sound ledger)."""
    sql = (files("twokey.desk.ledger") / "sql" / "verify.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_balance), "
            "(SELECT coalesce(sum(cardinality(balances)), 0) FROM ledger_movement)"
        )
        balances, entries = cursor.fetchone()
    found = [
        Difference(row[0], row[1], counter, int(row[2 + 2 * n]), int(row[3 + 2 * n]))
        for row in rows
        for n, counter in enumerate(_COUNTERS)
        if row[2 + 2 * n] != row[3 + 2 * n]
    ]
    return Verified(int(balances), int(entries), (*found, *_caps()))


def _caps() -> list[Difference]:
    found = []
    for ratio in RatioBalance.objects.select_related("balance", "cap"):
        want = cap_of(ratio)
        if ratio.balance.units_cap != want:
            found.append(Difference(ratio.pk, ratio.balance.label, "units_cap", ratio.balance.units_cap or 0, want))
    for authorisation in Authorisation.objects.select_related("balance", "decision", "line").iterator(chunk_size=1000):
        term = next(
            each for each in authorisation.decision.terms["lines"] if each["position"] == authorisation.line.position
        )
        stored: Balance = authorisation.balance
        pairs = (
            ("units_cap", stored.units_cap, term["units"]),
            ("value_cap", stored.value_cap, term["value_minor"]),
            ("uses_cap", stored.uses_cap, term["uses"]),
        )
        found += [Difference(stored.pk, stored.label, name, a or 0, b or 0) for name, a, b in pairs if a != b]
    return [*found, *_batch_caps()]


def _batch_caps() -> list[Difference]:
    """Compare the ceilings of batches with what they were opened with (in the event) and their signed top-ups."""
    from twokey.desk.audit.models import Event

    opened = {
        event.subject_id: event.payload
        for event in Event.objects.filter(subject_kind="batch", verb="batch.opened").only("subject_id", "payload")
    }
    found = []
    for row in BatchBalance.objects.filter(share=None).select_related("balance"):
        raised = (
            BatchTopUp.objects.filter(batch_id=row.batch_id, share=None)
            .exclude(countersigned_by="")
            .aggregate(units=Sum("units"), value=Sum("value_minor"))
        )
        start = opened.get(row.batch_id)
        if start is None:
            continue
        pairs = (
            ("units_cap", row.balance.units_cap, start["units"] + (raised["units"] or 0)),
            ("value_cap", row.balance.value_cap, start["value_minor"] + (raised["value"] or 0)),
        )
        found += [Difference(row.pk, row.balance.label, name, a or 0, int(b)) for name, a, b in pairs if a != b]
    return found
