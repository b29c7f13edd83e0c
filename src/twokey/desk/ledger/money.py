"""Whole minor currency, converted by a rate of two integers with its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction

from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.codes import check_currency
from twokey.desk.ledger.models import ExchangeRate
from twokey.desk.reasons import Refused, invalid, reason


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in another currency, with the rate that was used."""

    from_minor: int
    from_currency: str
    to_minor: int
    to_currency: str
    rate_id: int


def add_rate(
    actor: Actor, base: str, quote: str, numerator: int, denominator: int, source: str, on: date
) -> ExchangeRate:
    """Record that 1 minor unit of `base` is `numerator / denominator` minor units of `quote` from a day on."""
    permit(actor, "ledger.rate")
    if type(numerator) is not int or type(denominator) is not int or numerator < 1 or denominator < 1:
        raise invalid("rate", "rate_parts")
    check_currency(base, "base")
    check_currency(quote, "quote")
    try:
        with transaction.atomic():
            rate = ExchangeRate.objects.create(
                base=base, quote=quote, numerator=numerator, denominator=denominator, source=source, on=on
            )
            record(actor, "ledger.rate", "rate", rate.pk, base=base, quote=quote, numerator=numerator, source=source)
    except IntegrityError:
        raise invalid("on", "rate_exists", pair=f"{base}/{quote}", on=on) from None
    return rate


def convert(amount_minor: int, base: str, quote: str, on: date) -> Converted | None:
    """Convert by the newest rate on or before a day, rounded up so that no cap is passed by rounding.

    Returns None where no conversion is needed; raises `Refused` where there is no rate.
    """
    if base == quote:
        return None
    rate = ExchangeRate.objects.filter(base=base, quote=quote, on__lte=on).order_by("-on").first()
    if rate is None:
        raise Refused(reason("no_rate", base=base, quote=quote, on=on.isoformat()))
    to_minor = -(-amount_minor * rate.numerator // rate.denominator)
    return Converted(amount_minor, base, to_minor, quote, rate.pk)
