"""Corrections: of what was drawn, with two signatures; of a condition, by the authority that set it, with two."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from twokey.desk.actors import Actor, permit_authority
from twokey.desk.audit.events import issue, record
from twokey.desk.ledger.models import Adjustment, Authorisation, Condition
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.shipments import tell_posture
from twokey.desk.reasons import Refused, invalid, missing, reason


def propose(actor: Actor, authorisation_id: int, units: int, value_minor: int, uses: int, why: str) -> Adjustment:
    """Propose to correct what was drawn, up or down, by whole units, minor currency and uses."""
    authorisation = Authorisation.objects.filter(pk=authorisation_id).first()
    if authorisation is None:
        raise missing("authorisation", authorisation_id)
    permit_authority(actor, "ledger.adjust", authorisation.authority_id)
    if not (units or value_minor or uses) or not why.strip():
        raise invalid("units", "corrects_nothing")
    with transaction.atomic():
        row = Adjustment.objects.create(
            authorisation=authorisation,
            units=units,
            value_minor=value_minor,
            uses=uses,
            reason=why,
            proposed_by=actor.login,
        )
        record(actor, "ledger.adjust_proposed", "authorisation", authorisation.pk, adjustment=row.pk, units=units)
    return row


def sign(actor: Actor, adjustment_id: int) -> Adjustment:
    """Sign a correction as the second officer; the counter-movement is written at once, on the batch as well."""
    with transaction.atomic():
        row = (
            Adjustment.objects.select_for_update(of=("self",))
            .select_related("authorisation__authority")
            .filter(pk=adjustment_id)
            .first()
        )
        if row is None:
            raise missing("adjustment", adjustment_id)
        authorisation = row.authorisation
        permit_authority(actor, "ledger.adjust", authorisation.authority_id)
        if actor.login == row.proposed_by:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
        if row.signed_by:
            raise Refused(
                reason(
                    "wrong_state", what=f"adjustment {adjustment_id}", state="signed", task="sign", allowed="proposed"
                )
            )
        body = {
            "authority": authorisation.authority.code,
            "authorisation": authorisation.number,
            "units": row.units,
            "value_minor": row.value_minor,
            "uses": row.uses,
            "reason": row.reason,
            "proposed_by": row.proposed_by,
            "signed_by": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        touched = [authorisation.balance_id, authorisation.batch_balance_id, authorisation.share_balance_id]
        amounts = [Amount(pk, row.units, row.value_minor, row.uses) for pk in touched if pk is not None]
        moved = move("adjust", f"adjust:{row.pk}", amounts=amounts, actor=actor.login, why=row.reason)
        row.document = issue(
            "twokey.adjustment/1", body, (authorisation.authority.code,), ("authorisation", authorisation.pk)
        )
        row.signed_by, row.movement_id = actor.login, moved.movement_id
        row.save(update_fields=["signed_by", "movement", "document"])
        record(actor, "ledger.adjusted", "authorisation", authorisation.pk, adjustment=row.pk)
        tell_posture(actor, moved)
    return row


def change_condition(
    actor: Actor, condition_id: int, *, text_en: str, text_zh: str, why: str, lift: bool = False
) -> Condition:
    """Replace or lift a condition; only an officer of the authority that set it can, other than the one who set it.

    The condition before stays as history and points to the one that replaced it.
    """
    with transaction.atomic():
        before = (
            Condition.objects.select_for_update(of=("self",))
            .select_related("authorisation__authority")
            .filter(pk=condition_id)
            .first()
        )
        if before is None:
            raise missing("condition", condition_id)
        authorisation = before.authorisation
        try:
            permit_authority(actor, "condition.change", authorisation.authority_id)
        except Refused as refused:
            if actor.authority_id not in {None, authorisation.authority_id}:
                raise Refused(reason("changed_elsewhere"), status=403) from None
            raise refused
        if before.set_by == actor.login:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
        if before.replaced_by_id is not None:
            raise Refused(
                reason(
                    "wrong_state", what=f"condition {condition_id}", state="replaced", task="change", allowed="standing"
                )
            )
        body = {
            "authority": authorisation.authority.code,
            "authorisation": authorisation.number,
            "code": before.code,
            "kind": before.kind,
            "before": {"en": before.text_en, "zh": before.text_zh},
            "after": {"en": text_en, "zh": text_zh},
            "lifted": lift,
            "reason": why,
            "officer": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        document = issue(
            "twokey.condition/1", body, (authorisation.authority.code,), ("authorisation", authorisation.pk)
        )
        after = Condition.objects.create(
            authorisation=authorisation,
            code=before.code,
            kind=before.kind,
            text_en=text_en,
            text_zh=text_zh,
            set_by=actor.login,
            lifted=lift,
            document=document,
        )
        before.replaced_by = after
        before.save(update_fields=["replaced_by"])
        record(actor, "condition.changed", "authorisation", authorisation.pk, code=before.code, lifted=lift, reason=why)
    return after
