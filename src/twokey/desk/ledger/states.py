"""Suspend, revoke, reinstate, surrender, supersede, expire: one UPDATE each, with a signed document.

The state is tested inside every draw, so from the moment at which the change commits no draw does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from twokey.desk.actors import Actor, Role, permit_authority, permit_organisation
from twokey.desk.audit.events import issue, record
from twokey.desk.audit.outbox import post
from twokey.desk.cases.batches import give_back_to_batch, hold_batch
from twokey.desk.cases.models import Application
from twokey.desk.ledger.models import Authorisation, Balance, Movement, StateChange
from twokey.desk.reasons import Refused, missing, reason


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the states it starts from and the one it ends in."""

    starts: tuple[str, ...]
    ends: str
    final: bool


CHANGES: Final = {
    "suspend": Change(("in_force",), "suspended", False),
    "reinstate": Change(("suspended",), "in_force", False),
    "revoke": Change(("in_force", "suspended"), "revoked", True),
    "surrender": Change(("in_force", "suspended"), "surrendered", True),
    "supersede": Change(("in_force", "suspended"), "superseded", True),
    "expire": Change(("in_force", "suspended"), "expired", True),
}


def change_state(actor: Actor, authorisation_id: int, change: str, why: str) -> StateChange:
    """Suspend, reinstate or revoke (the authority), or surrender (the holder).

    A reinstatement is signed by another officer than the suspension. Raises `Refused` from any other state.
    """
    authorisation = _get(authorisation_id)
    if change == "surrender":
        order = authorisation.line.order
        holder = order.exporter_id if authorisation.authority.side == "export" else order.importer_id
        permit_organisation(actor, "ledger.surrender", holder)
    elif change in {"suspend", "reinstate", "revoke"}:
        permit_authority(actor, "ledger.state", authorisation.authority_id)
    else:
        raise missing("change", change)
    if change == "reinstate":
        last = authorisation.balance.changes.order_by("-pk").first()
        if last is not None and last.by == actor.login:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
    return _apply(actor, authorisation, change, why)


def supersede(actor: Actor, application: Application) -> None:
    """End what an amended application permitted; open reservations must be drawn or voided first."""
    rows = Authorisation.objects.filter(decision__application=application).select_related("balance").order_by("pk")
    for authorisation in rows:
        if authorisation.balance.state in CHANGES["supersede"].starts:
            if authorisation.balance.units_reserved:
                raise Refused(
                    reason(
                        "wrong_state",
                        what=authorisation.number,
                        state="holding open reservations",
                        task="supersede",
                        allowed="a state without reservations",
                    )
                )
            _apply(actor, authorisation, "supersede", "amended")


def expire_due(actor: Actor, limit: int = 500) -> tuple[int, int]:
    """Let expiry happen: authorisations past their last day, and reservations past their time. Returns both counts."""
    from twokey.desk.ledger.movements import move

    now, ended = timezone.now(), 0
    due = (
        Authorisation.objects.filter(balance__state__in=CHANGES["expire"].starts, balance__closes_at__lte=now)
        .select_related("balance", "authority", "line__order")
        .order_by("pk")[:limit]
    )
    for authorisation in due:
        _apply(actor, authorisation, "expire", "the last day has passed")
        ended += 1
    released = 0
    late = Movement.objects.filter(
        kind="reserve",
        shipment__state="reserved",
        followed_by__isnull=True,
        shipment__reserved_until__lte=now,
    ).order_by("pk")[:limit]
    for movement in late:
        with transaction.atomic():
            move("expire", f"expire:{movement.pk}", of=movement.pk, shipment_id=movement.shipment_id, actor=actor.login)
            shipment = movement.shipment
            if shipment is not None:
                shipment.state = "planned"
                shipment.save(update_fields=["state"])
        released += 1
    return ended, released


def _apply(actor: Actor, authorisation: Authorisation, change: str, why: str) -> StateChange:
    rule = CHANGES[change]
    with transaction.atomic():
        if rule.final and authorisation.batch_balance_id is not None:
            hold_batch(authorisation.batch_balance_id)  # before the balance: the order in which a grant takes them
        before = _update(authorisation, change)
        if rule.final and authorisation.batch_balance_id is not None:
            left = Balance.objects.get(pk=authorisation.balance_id)
            give_back_to_batch(authorisation.batch_balance_id, authorisation.share_balance_id, left)
        document = None
        if actor.role is Role.OFFICER:
            body = {
                "authority": authorisation.authority.code,
                "authorisation": authorisation.number,
                "before": before,
                "after": rule.ends,
                "reason": why,
                "officer": actor.login,
                "at": timezone.now().isoformat(),  # to the microsecond: another desk orders by it
            }
            subject = ("authorisation", authorisation.pk)
            document = issue("twokey.state/1", body, (authorisation.authority.code,), subject)
        row = StateChange.objects.create(
            balance_id=authorisation.balance_id,
            before=before,
            after=rule.ends,
            reason=why,
            by=actor.login,
            document=document,
        )
        record(
            actor,
            f"ledger.{change}",
            "authorisation",
            authorisation.pk,
            number=authorisation.number,
            before=before,
            after=rule.ends,
            reason=why,
        )
        post(
            "state",
            ("authorisation", authorisation.pk),
            {"number": authorisation.number, "state": rule.ends, "reason": why},
        )
    return row


def _update(authorisation: Authorisation, change: str) -> str:
    """Change the state in one statement; it waits for movements under way and goes before those to come."""
    rule = CHANGES[change]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_balance b SET state = %s "
            "FROM (SELECT id, state FROM ledger_balance WHERE id = %s FOR UPDATE) o "
            "WHERE b.id = o.id AND b.state = ANY (%s) RETURNING o.state",
            [rule.ends, authorisation.balance_id, list(rule.starts)],
        )
        row = cursor.fetchone()
    if row is None:
        state = Balance.objects.values_list("state", flat=True).get(pk=authorisation.balance_id)
        raise Refused(
            reason(
                "wrong_state",
                what=authorisation.number,
                state=state,
                task=change,
                allowed=", ".join(rule.starts),
            )
        )
    return str(row[0])


def _get(authorisation_id: int) -> Authorisation:
    found = (
        Authorisation.objects.select_related("authority", "balance", "line__order").filter(pk=authorisation_id).first()
    )
    if found is None:
        raise missing("authorisation", authorisation_id)
    return found
