"""What a person does with notices: read them, follow an order, say how to be told. Everything here is one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils import timezone

from twokey.desk.actors import Actor, permit
from twokey.desk.cases.models import Order
from twokey.desk.cases.reviewing import orders
from twokey.desk.notices.catalogue import catalogue
from twokey.desk.notices.models import Notice, Preference, Subscription
from twokey.desk.reasons import invalid, missing

OWN = "notice.own"


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person is told: `mail` is at_once, weekly or never; `language` is en or zh."""

    address: str
    mail: str
    language: str


def notices(actor: Actor, *, unread: bool = False) -> QuerySet[Notice]:
    """Return what the actor was told, newest first."""
    permit(actor, OWN)
    rows = Notice.objects.filter(user_id=actor.user_id).select_related("order").order_by("-pk")
    return rows.filter(read_at__isnull=True) if unread else rows


def unread_count(actor: Actor) -> int:
    """Return how many notices the actor has not read; one query."""
    return notices(actor, unread=True).count()


def sentence(notice: Notice, lang: str) -> str:
    """Return what a notice says in a language ("en" or "zh")."""
    telling = catalogue().get(notice.verb)
    return notice.verb if telling is None else telling.words(lang, notice.values)


def mark_read(actor: Actor, notice_ids: Sequence[int] | None = None) -> int:
    """Mark some notices as read, or all of them; returns how many were not read before."""
    rows = notices(actor, unread=True).order_by()
    if notice_ids is not None:
        rows = rows.filter(pk__in=list(notice_ids))
    return rows.update(read_at=timezone.now())


def follow(actor: Actor, order_id: int) -> Subscription:
    """Follow an order that the actor may see; asking again changes nothing."""
    permit(actor, OWN)
    order = orders(actor).filter(pk=order_id).first()
    if order is None:
        raise missing("order", order_id)
    row, _ = Subscription.objects.get_or_create(user_id=actor.user_id, order=order)
    return row


def unfollow(actor: Actor, order_id: int) -> None:
    """Follow an order no more; asking again changes nothing."""
    permit(actor, OWN)
    Subscription.objects.filter(user_id=actor.user_id, order_id=order_id).delete()


def follows(actor: Actor, order_id: int) -> bool:
    """Say whether the actor follows an order."""
    return Subscription.objects.filter(user_id=actor.user_id, order_id=order_id).exists()


def followed(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor follows and may see."""
    permit(actor, OWN)
    return orders(actor).filter(pk__in=Subscription.objects.filter(user_id=actor.user_id).values("order_id"))


def choice(actor: Actor) -> Choice:
    """Return how the actor is told; what was never chosen is the default."""
    permit(actor, OWN)
    row = Preference.objects.filter(pk=actor.user_id).first() or Preference(user_id=actor.user_id)
    return Choice(User.objects.values_list("email", flat=True).get(pk=actor.user_id), row.mail, row.language)


def choose(actor: Actor, *, mail: str, language: str, address: str | None = None) -> Choice:
    """Choose how to be told; `address` None leaves the e-mail address as it is.

    Raises `Refused` (422) for an unknown choice, or an address that is none.
    """
    permit(actor, OWN)
    if mail not in Preference.Mail.values:
        raise invalid("mail", "not_known", given=mail, known=", ".join(Preference.Mail.values))
    if language not in Preference.Language.values:
        raise invalid("language", "not_known", given=language, known=", ".join(Preference.Language.values))
    if address is not None:
        if address:
            try:
                validate_email(address)
            except ValidationError:
                raise invalid("address", "not_mail", given=address) from None
        User.objects.filter(pk=actor.user_id).update(email=address)
    Preference.objects.update_or_create(user_id=actor.user_id, defaults={"mail": mail, "language": language})
    return choice(actor)
