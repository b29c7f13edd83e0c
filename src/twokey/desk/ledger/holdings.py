"""A batch as its page shows it: the ceiling, what was granted under it, and by which company it is used."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from twokey.desk.actors import Actor, Role, permit
from twokey.desk.cases.batches import batches
from twokey.desk.cases.models import Batch, BatchTopUp
from twokey.desk.ledger.models import Authorisation, Balance, RatioBalance
from twokey.desk.parties.models import Organisation
from twokey.desk.reasons import missing


@dataclass(frozen=True, slots=True)
class Holding:
    """What one company has of a batch; `share` is its own ceiling, None where the batch has no shares."""

    company: Organisation
    share: Balance | None
    authorisations: int
    granted: int
    reserved: int
    drawn: int

    @property
    def used(self) -> int:
        """Units reserved and drawn."""
        return self.reserved + self.drawn


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch, its ceiling, its companies (the largest grant first), and the additions to its ceiling."""

    batch: Batch
    ceiling: Balance
    holdings: tuple[Holding, ...]
    topups: tuple[BatchTopUp, ...]


def caps_in_view(actor: Actor, limit: int = 20) -> list[RatioBalance]:
    """Return the newest windows of the ratio caps, each with its balance; its units are bit-TOPS."""
    permit(actor, "ledger.read")
    rows = RatioBalance.objects.select_related("balance", "cap__authority", "authorisation")
    return list(rows.order_by("-pk")[:limit])


def batch_view(actor: Actor, batch_id: int) -> BatchView:
    """Return a batch with what is used of it, in a constant number of queries; raises `Refused` (404).

    A party sees the ceilings, and of the companies only those of its own orders and itself.
    """
    batch = batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise missing("batch", batch_id)
    rows = list(batch.balances.all())
    ceiling = next(each.balance for each in rows if each.share_id is None)
    shares = {each.share.organisation_id: each for each in rows if each.share is not None}
    live = Q(balance__state__in=[Balance.State.IN_FORCE, Balance.State.SUSPENDED])
    used = {
        each["line__order__importer"]: each
        for each in Authorisation.objects.filter(_own(actor), batch_balance_id=ceiling.pk)
        .values("line__order__importer")
        .annotate(
            count=Count("pk"),
            granted=Sum("balance__units_cap", filter=live),
            ended=Sum("balance__units_drawn", filter=~live),  # an ended one holds what it drew, and no more
            reserved=Sum("balance__units_reserved"),
            drawn=Sum("balance__units_drawn"),
        )
    }
    if actor.role is Role.APPLICANT:
        shares = {pk: row for pk, row in shares.items() if pk in {*used, actor.organisation_id}}
    companies = Organisation.objects.in_bulk([*used, *shares])
    holdings = [
        Holding(
            company,
            shares[pk].balance if pk in shares else None,
            used[pk]["count"] if pk in used else 0,
            (used[pk]["granted"] or 0) + (used[pk]["ended"] or 0) if pk in used else 0,
            used[pk]["reserved"] if pk in used else 0,
            used[pk]["drawn"] if pk in used else 0,
        )
        for pk, company in companies.items()
    ]
    topups = batch.topups.select_related("share__organisation").order_by("-pk")
    if actor.role is Role.APPLICANT:
        topups = topups.filter(Q(share__isnull=True) | Q(share__organisation__in=[*companies]))
    return BatchView(
        batch, ceiling, tuple(sorted(holdings, key=lambda each: (-each.granted, each.company.pk))), tuple(topups)
    )


def _own(actor: Actor) -> Q:
    """Return what limits authorisations to those that the actor's company is a party of; no limit for the others."""
    if actor.role is not Role.APPLICANT:
        return Q()
    return Q(line__order__importer=actor.organisation_id) | Q(line__order__exporter=actor.organisation_id)
