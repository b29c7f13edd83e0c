"""Batches: one ceiling of units and value for many decisions, with a ceiling for each company inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor, permit, permit_authority
from twokey.desk.audit.events import issue, record
from twokey.desk.cases.models import Batch, BatchShare, BatchTopUp
from twokey.desk.codes import check_currency
from twokey.desk.parties.models import Organisation
from twokey.desk.reasons import Refused, invalid, missing, reason

if TYPE_CHECKING:
    from twokey.desk.cases.deciding import LineTerm
    from twokey.desk.ledger.models import Balance


def open_batch(
    actor: Actor,
    code: str,
    *,
    units: int,
    value_minor: int,
    currency: str,
    companies: Mapping[int, tuple[int, int]] | None = None,
    oversubscription: bool = False,
) -> Batch:
    """Open a batch under a ceiling of units and value, and of each company where given (id -> units, value).

    With `oversubscription` the grants together may pass the ceiling; the draws never do. The batch takes no decision
    until a second officer countersigns it.
    """
    from twokey.desk.ledger.models import Balance, BatchBalance

    permit(actor, "batch.open")
    if actor.authority_id is None:
        raise Refused(reason("other_authority", action="batch.open"), status=403)
    _positive("units", units)
    _positive("value_minor", value_minor)
    check_currency(currency)
    try:
        with transaction.atomic():
            batch = Batch.objects.create(
                authority_id=actor.authority_id,
                code=code,
                currency=currency,
                oversubscription=oversubscription,
                opened_by=actor.login,
            )
            ceilings: list[tuple[BatchShare | None, int, int]] = [(None, units, value_minor)]
            for organisation_id, (share_units, share_value) in sorted((companies or {}).items()):
                _positive("companies.units", share_units)
                _positive("companies.value_minor", share_value)
                if not Organisation.objects.filter(pk=organisation_id).exists():
                    raise missing("party", organisation_id)
                share = BatchShare.objects.create(batch=batch, organisation_id=organisation_id)
                ceilings.append((share, share_units, share_value))
            for each, units_cap, value_cap in ceilings:
                balance = Balance.objects.create(
                    kind=Balance.Kind.BATCH if each is None else Balance.Kind.SHARE,
                    label=code if each is None else f"{code}/{each.organisation.name_latin}"[:100],
                    opens_at=timezone.now(),
                    currency=currency,
                    units_cap=units_cap,
                    value_cap=value_cap,
                )
                BatchBalance.objects.create(balance=balance, batch=batch, share=each)
            record(actor, "batch.opened", "batch", batch.pk, code=code, units=units, value_minor=value_minor)
    except IntegrityError:
        raise invalid("code", "exists", given=code) from None
    return batch


def countersign_batch(actor: Actor, batch_id: int) -> Batch:
    """Give a batch its second signature."""
    with transaction.atomic():
        batch = _locked(batch_id)
        permit_authority(actor, "batch.open", batch.authority_id)
        if actor.login == batch.opened_by:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
        if not batch.countersigned_by:
            batch.countersigned_by = actor.login
            batch.save(update_fields=["countersigned_by"])
            record(actor, "batch.countersigned", "batch", batch.pk)
    return batch


def propose_topup(
    actor: Actor, batch_id: int, units: int, value_minor: int, why: str, share_id: int | None = None
) -> BatchTopUp:
    """Propose to raise the ceiling of a batch, or of one company in it."""
    with transaction.atomic():
        batch = _locked(batch_id)
        permit_authority(actor, "batch.topup", batch.authority_id)
        if units < 0 or value_minor < 0 or units + value_minor == 0:
            raise invalid("units", "adds_nothing")
        if share_id is not None and not batch.shares.filter(pk=share_id).exists():
            raise missing("share", share_id)
        row = BatchTopUp.objects.create(
            batch=batch, share_id=share_id, units=units, value_minor=value_minor, reason=why, proposed_by=actor.login
        )
        record(actor, "batch.topup_proposed", "batch", batch.pk, topup=row.pk, units=units, value_minor=value_minor)
    return row


def countersign_topup(actor: Actor, topup_id: int) -> BatchTopUp:
    """Countersign a top-up; the ceiling rises at once."""
    from twokey.desk.ledger.models import Balance, BatchBalance

    with transaction.atomic():
        row = (
            BatchTopUp.objects.select_for_update(of=("self",))
            .select_related("batch__authority")
            .filter(pk=topup_id)
            .first()
        )
        if row is None:
            raise missing("top-up", topup_id)
        batch = row.batch
        permit_authority(actor, "batch.topup", batch.authority_id)
        if actor.login == row.proposed_by:
            raise Refused(reason("four_eyes", login=actor.login), status=403)
        if row.countersigned_by:
            raise Refused(
                reason(
                    "wrong_state",
                    what=f"top-up {topup_id}",
                    state="countersigned",
                    task="countersign",
                    allowed="proposed",
                )
            )
        body = {
            "authority": batch.authority.code,
            "batch": batch.code,
            "share": row.share.organisation.name_latin if row.share else "",
            "units": row.units,
            "value_minor": row.value_minor,
            "currency": batch.currency,
            "reason": row.reason,
            "proposed_by": row.proposed_by,
            "countersigned_by": actor.login,
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        row.document = issue("twokey.topup/1", body, (batch.authority.code,), ("batch", batch.pk))
        row.countersigned_by = actor.login
        row.save(update_fields=["countersigned_by", "document"])
        target = BatchBalance.objects.get(batch=batch, share=row.share)
        Balance.objects.filter(pk=target.pk).update(
            units_cap=F("units_cap") + row.units, value_cap=F("value_cap") + row.value_minor
        )
        record(actor, "batch.topup", "batch", batch.pk, topup=row.pk)
    return row


def batches(actor: Actor) -> QuerySet[Batch]:
    """Return all batches; ceilings and what is left of them are shown to both sides and to the holders."""
    permit(actor, "batch.read")
    return (
        Batch.objects.select_related("authority")
        .prefetch_related("balances__balance", "balances__share__organisation")
        .order_by("pk")
    )


def batches_for(actor: Actor, company_id: int, currency: str) -> QuerySet[Batch]:
    """Return the signed batches of the actor's authority from which a company may take: its currency, and its share.

    The rule is that of `take_from_batch`; what is left of a ceiling is asked only there.
    """
    own_share = Q(shares__isnull=True) | Q(shares__organisation_id=company_id)
    rows = batches(actor).filter(own_share, authority_id=actor.authority_id or 0, currency=currency)
    return rows.exclude(countersigned_by="")


def take_from_batch(batch: Batch, company: Organisation, term: LineTerm) -> BatchShare | None:
    """Count a grant against the ceilings, in all and of the company; returns the company's share where it has one.

    Locks the batch, so grants of one batch are counted one after the other. Raises `Refused` with every ceiling that
    does not hold it. A company without a share may take from a batch that has no shares at all, and not otherwise.
    """
    from twokey.desk.ledger.models import BatchBalance

    held = _locked(batch.pk)
    if term.currency != held.currency:
        raise Refused(reason("batch_currency", batch=held.code, currency=held.currency, other=term.currency))
    shares = {each.organisation_id: each for each in held.shares.select_for_update().order_by("pk")}
    share = shares.get(company.pk)
    found = []
    if shares and share is None:
        found.append(
            reason("batch_units", batch=held.code, asked=term.units, left=0, company=f" ({company.name_latin})")
        )
    targets: list[Batch | BatchShare] = [held, *([share] if share else [])]
    for target in targets:
        of_share = target if isinstance(target, BatchShare) else None
        balance = BatchBalance.objects.select_related("balance").get(batch=held, share=of_share).balance
        whose = f" ({company.name_latin})" if of_share else ""
        granted = (0, 0) if held.oversubscription else (target.units_granted, target.value_granted)
        units_left, value_left = (balance.units_cap or 0) - granted[0], (balance.value_cap or 0) - granted[1]
        if term.units > units_left:
            found.append(reason("batch_units", batch=held.code, asked=term.units, left=units_left, company=whose))
        if term.value_minor > value_left:
            found.append(reason("batch_value", batch=held.code, asked=term.value_minor, left=value_left, company=whose))
    if found:
        raise Refused(*found)
    for target in targets:
        target.units_granted += term.units
        target.value_granted += term.value_minor
        target.save(update_fields=["units_granted", "value_granted"])
    return share


def hold_batch(batch_balance_id: int) -> Batch:
    """Lock the batch behind a balance."""
    from twokey.desk.ledger.models import BatchBalance

    return _locked(BatchBalance.objects.get(pk=batch_balance_id).batch_id)


def give_back_to_batch(batch_balance_id: int, share_balance_id: int | None, left: Balance) -> None:
    """Return to the ceiling what an ended authorisation never drew; `left` is its balance, read under its lock."""
    held = hold_batch(batch_balance_id)
    units, value = (left.units_cap or 0) - left.units_drawn, (left.value_cap or 0) - left.value_drawn
    held.units_granted -= units
    held.value_granted -= value
    held.save(update_fields=["units_granted", "value_granted"])
    if share_balance_id is not None:
        share = BatchShare.objects.select_for_update().get(balance_of=share_balance_id)
        share.units_granted -= units
        share.value_granted -= value
        share.save(update_fields=["units_granted", "value_granted"])


def _locked(batch_id: int) -> Batch:
    batch = Batch.objects.select_for_update(of=("self",)).select_related("authority").filter(pk=batch_id).first()
    if batch is None:
        raise missing("batch", batch_id)
    return batch


def _positive(field: str, value: int) -> None:
    if type(value) is not int or value < 1:
        raise invalid(field, "not_whole", given=value)
