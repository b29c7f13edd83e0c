"""A cap that is a share of another running total: the 50 % rule, counted in TPP over a window that a person chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, F, Func, OuterRef, Prefetch, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from twokey.chips import find
from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.cases.calendars import first_moment, local_day
from twokey.desk.ledger.models import Authorisation, Balance, HomeShipments, RatioBalance, RatioCap
from twokey.desk.parties.models import Authority
from twokey.desk.reasons import Refused, invalid, missing, reason

RULE_PUBLISHED: Final = date(2026, 1, 15)  # 91 FR 1684


def choose_cap(
    actor: Actor,
    product: str,
    *,
    destinations: Sequence[str],
    ratio_bp: int,
    window: str,
    since: date | None,
    why: str,
) -> RatioCap:
    """Choose the window of a ratio cap for one product; the rule's text names none, so a person must, with a reason.

    `window`: `since` (one total from a date on), `year` (a fresh one each calendar year), `licence` (one for each
    authorisation, from its first day on).
    """
    permit(actor, "ledger.cap")
    product = find(product).name
    if actor.authority_id is None:
        raise Refused(reason("other_authority", action="ledger.cap"), status=403)
    if window not in RatioCap.Window.values:
        raise invalid("window", "not_known", given=window, known=", ".join(RatioCap.Window.values))
    if (window == "since") != (since is not None):
        raise invalid("since", "since_only_there")
    if not 0 < ratio_bp <= 10_000 or not why.strip():
        raise invalid("ratio_bp", "share_range")
    try:
        with transaction.atomic():
            cap = RatioCap.objects.create(
                authority_id=actor.authority_id,
                product=product,
                destinations=list(destinations),
                ratio_bp=ratio_bp,
                window=window,
                since=since,
                chosen_by=actor.login,
                reason=why,
            )
            record(
                actor, "ledger.cap", "ratio_cap", cap.pk, product=product, ratio_bp=ratio_bp, window=window, reason=why
            )
    except IntegrityError:
        raise invalid("product", "cap_chosen", given=product) from None
    return cap


def caps(actor: Actor) -> QuerySet[RatioCap]:
    """Return every cap with its authority, its windows and what was stated under it, newest first."""
    permit(actor, "ledger.read")
    rows = RatioCap.objects.select_related("authority").prefetch_related("balances__balance", "balances__authorisation")
    return rows.prefetch_related(Prefetch("statements", HomeShipments.objects.order_by("-on", "-pk"))).order_by("-pk")


def state_home_shipments(actor: Actor, cap_id: int, on: date, units: int, tpp_each: int, source: str) -> HomeShipments:
    """State what was shipped to customers at home on or up to a day; the cap rises with it at once."""
    permit(actor, "ledger.statement")
    cap = RatioCap.objects.select_related("authority").filter(pk=cap_id).first()
    if cap is None:
        raise missing("ratio cap", cap_id)
    if type(units) is not int or type(tpp_each) is not int or units < 1 or tpp_each < 1:
        raise invalid("units", "amounts_not_whole")
    with transaction.atomic():
        row = HomeShipments.objects.create(
            cap=cap, on=on, units=units, tpp_each=tpp_each, source=source, stated_by=actor.login
        )
        record(actor, "ledger.home_shipments", "ratio_cap", cap.pk, on=on.isoformat(), units=units, source=source)
        for each in RatioBalance.objects.filter(cap=cap).order_by("pk"):
            refresh(each)
    return row


def balance_for(authorisation: Authorisation) -> Balance | None:
    """Return the balance of the ratio cap that an export authorisation falls under today, or None where none does.

    Made on first use. Raises `Refused` where the decision demands a cap whose window nobody chose.
    """
    authority, order = authorisation.authority, authorisation.line.order
    cap = RatioCap.objects.filter(authority=authority, product=authorisation.line.chip).first()
    if cap is None:
        if any(each.code == "volume_cap" for each in authorisation.conditions.all()):
            raise Refused(reason("no_ratio_cap", authority=authority.code, product=authorisation.line.chip))
        return None
    if order.destination not in cap.destinations:
        return None
    today = local_day(authority)
    start, end = _window(cap, authorisation, today)
    own = authorisation if cap.window == RatioCap.Window.LICENCE else None
    found = (
        RatioBalance.objects.select_related("balance").filter(cap=cap, window_start=start, authorisation=own).first()
    )
    if found is None:
        found = _make(cap, authority, start, end, own)
    return found.balance


def tpp_of(authorisation: Authorisation, units: int) -> int:
    """Return the bit-TOPS of some units; raises `Refused` where the item's TPP is unknown."""
    line = authorisation.line
    if line.tpp is None:
        raise Refused(reason("no_tpp", line=line.position, chip=line.chip, label=authorisation.number))
    return line.tpp * units


def home_total(ratio: RatioBalance) -> int:
    """Return the TPP shipped at home inside a window."""
    rows = HomeShipments.objects.filter(cap=ratio.cap, on__gte=ratio.window_start)
    if ratio.window_end is not None:
        rows = rows.filter(on__lte=ratio.window_end)
    return int(rows.aggregate(total=Sum(F("units") * F("tpp_each")))["total"] or 0)


def cap_of(ratio: RatioBalance) -> int:
    """Return the cap of a window: the share of the home total, rounded down."""
    return home_total(ratio) * ratio.cap.ratio_bp // 10_000


def share_reached(products: Iterable[str]) -> tuple[int, str] | None:
    """Return the highest share of the home total that a cap on any of these products has reached, and its window.

    The share is in basis points, rounded up; the window is the law's word for it. None where no cap was chosen, or
    nothing was stated yet. At most two queries, whatever the number of products and of windows.
    """
    wanted = list(products)
    stated = HomeShipments.objects.filter(
        cap=OuterRef("cap"),
        on__gte=OuterRef("window_start"),
        on__lte=Coalesce(OuterRef("window_end"), Value(date.max)),
    )
    whole = stated.order_by().values("cap").annotate(total=Sum(F("units") * F("tpp_each"))).values("total")
    used = F("balance__units_reserved") + F("balance__units_drawn")
    found = (
        RatioBalance.objects.filter(cap__product__in=wanted)
        .annotate(whole=Subquery(whole))
        .filter(whole__gt=0)
        .annotate(share=Func(used * 10_000 + F("whole") - 1, "whole", function="div", output_field=BigIntegerField()))
        .select_related("cap")
        .order_by("-share", "pk")
        .first()
    )
    if found is not None:
        return found.share, _word(found.cap)
    for cap in RatioCap.objects.filter(product__in=wanted, balances__isnull=True).prefetch_related("statements"):
        start = cap.since or date(timezone.now().year, 1, 1)
        if any(each.on >= start for each in cap.statements.all()):
            return 0, _word(cap)  # nothing was reserved under it yet
    return None


def _word(cap: RatioCap) -> str:
    """Return what the law room calls the window of a cap."""
    if cap.window == RatioCap.Window.SINCE:
        return "since_rule" if cap.since == RULE_PUBLISHED else "since_launch"
    return "per_year" if cap.window == RatioCap.Window.YEAR else "per_licence"


def refresh(ratio: RatioBalance) -> None:
    """Set a window's cap to what the statements now give; it only ever rises."""
    Balance.objects.select_for_update().get(pk=ratio.pk)
    Balance.objects.filter(pk=ratio.pk).update(units_cap=cap_of(ratio))


def _window(cap: RatioCap, authorisation: Authorisation, today: date) -> tuple[date, date | None]:
    if cap.window == RatioCap.Window.YEAR:
        return date(today.year, 1, 1), date(today.year, 12, 31)
    if cap.window == RatioCap.Window.LICENCE:
        return authorisation.valid_from, authorisation.valid_until
    return cap.since or today, None


def _make(
    cap: RatioCap, authority: Authority, start: date, end: date | None, own: Authorisation | None
) -> RatioBalance:
    try:
        with transaction.atomic():
            balance = Balance.objects.create(
                kind=Balance.Kind.RATIO,
                label=f"{authority.code} {cap.ratio_bp // 100} % {cap.product} {start.isoformat()}"[:100],
                opens_at=min(first_moment(authority, start), timezone.now()),
                closes_at=first_moment(authority, end + timedelta(days=1)) if end else None,
                units_cap=0,
            )
            ratio = RatioBalance.objects.create(
                balance=balance, cap=cap, window_start=start, window_end=end, authorisation=own
            )
            refresh(ratio)
    except IntegrityError:
        return RatioBalance.objects.select_related("balance").get(cap=cap, window_start=start, authorisation=own)
    ratio.balance.refresh_from_db()
    return ratio
