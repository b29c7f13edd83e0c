"""Turn events into notices: whom an event concerns is looked up once, by the worker, after it was committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q

from twokey.desk.actors import Role
from twokey.desk.audit.models import Event, Received
from twokey.desk.cases.models import Application, Batch, Evidence, Order
from twokey.desk.ledger.models import Authorisation, BatchBalance, Release, Shipment
from twokey.desk.notices.catalogue import Telling, catalogue
from twokey.desk.notices.models import Heard, Notice, Preference, Subscription
from twokey.desk.parties.models import Authority
from twokey.desk.proof import RELEASE

WINDOW: Final = 2_000  # a smaller id may commit later than a larger one: the last events are looked at again
_LOCK: Final = 7_240_131  # advisory lock: one teller at a time


@dataclass(slots=True)
class Subject:
    """What an event is about, as far as telling needs it."""

    order: Order | None = None
    authority_ids: set[int] = field(default_factory=set)
    applicant_id: int | None = None
    link_id: int = 0
    values: dict[str, Any] = field(default_factory=dict)


def tell(limit: int = 500) -> int:
    """Write the notices of every event that was not looked at yet; returns how many notices were written.

    An event is looked at exactly once: what marks it and its notices commit together.
    """
    written = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        top = Heard.objects.aggregate(top=Max("event_id"))["top"] or Event.objects.aggregate(top=Max("id"))["top"] or 0
        fresh = list(
            Event.objects.filter(~Exists(Heard.objects.filter(event=OuterRef("pk"))), pk__gt=top - WINDOW).order_by(
                "pk"
            )[:limit]
        )
        people = _People()
        for event in fresh:
            telling = catalogue().get(event.verb)
            if telling is not None:
                written += len(Notice.objects.bulk_create(_notices(event, telling, people), ignore_conflicts=True))
        Heard.objects.bulk_create(Heard(event=each) for each in fresh)
        Heard.objects.filter(event_id__lte=top - 2 * WINDOW).delete()
    return written


def _notices(event: Event, telling: Telling, people: _People) -> list[Notice]:
    subject = _subject(event, telling.link)
    own = {user for audience in telling.to for user in people.of(audience, event, subject)}
    followers = people.followers(subject.order) if telling.followers and subject.order else set()
    rows = []
    for user in sorted(own | followers, key=lambda each: each.pk):
        if user.username == event.actor:
            continue
        rows.append(
            Notice(
                user=user,
                event=event,
                order=subject.order,
                verb=event.verb,
                link_kind=telling.link,
                link_id=subject.link_id or event.subject_id,
                values=subject.values,
                followed=user not in own,
                at=event.at,
                mail=Notice.Mail.PENDING if people.wants_mail(user) else Notice.Mail.NONE,
            )
        )
    return rows


def _subject(event: Event, link: str) -> Subject:
    """Look up what an event is about; what cannot be found is told to nobody but those it names."""
    subject = Subject(values={key: value for key, value in event.payload.items() if isinstance(value, str | int)})
    look = _LOOK.get(event.subject_kind)
    if look is not None:
        look(event, subject)
    if subject.order is not None:
        subject.values["order"] = subject.order.number
        if link == "order":
            subject.link_id = subject.order.pk
    return subject


def _of_application(event: Event, subject: Subject) -> None:
    found = Application.objects.select_related("order", "authority").filter(pk=event.subject_id).first()
    if found is not None:
        subject.order, subject.applicant_id = found.order, found.applicant_id
        subject.authority_ids = {found.authority_id}
        subject.values["authority"] = found.authority.code


def _of_order(event: Event, subject: Subject) -> None:
    subject.order = Order.objects.filter(pk=event.subject_id).first()


def _of_evidence(event: Event, subject: Subject) -> None:
    found = Evidence.objects.select_related("order").filter(pk=event.subject_id).first()
    subject.order = found.order if found else None


def _of_authorisation(event: Event, subject: Subject) -> None:
    _authorised(Authorisation.objects.filter(pk=event.subject_id), subject)


def _authorised(rows: Any, subject: Subject) -> None:
    found = rows.select_related("line__order", "authority").first()
    if found is not None:
        subject.order, subject.authority_ids = found.line.order, {found.authority_id}
        subject.link_id = found.pk
        subject.values |= {"number": found.number, "authority": found.authority.code}


def _of_balance(event: Event, subject: Subject) -> None:
    _authorised(Authorisation.objects.filter(balance_id=event.subject_id), subject)
    subject.values.setdefault("number", event.payload.get("label", ""))
    if subject.order is None:
        batch = BatchBalance.objects.select_related("batch").filter(pk=event.subject_id).first()
        if batch is not None:
            subject.authority_ids, subject.link_id = {batch.batch.authority_id}, 0


def _of_shipment(event: Event, subject: Subject) -> None:
    found = Shipment.objects.select_related("order").filter(pk=event.subject_id).first()
    if found is not None:
        subject.order = found.order
        subject.values["number"] = found.number
        if event.verb.startswith("release."):
            release = Release.objects.filter(shipment=found).first()
            subject.values["number"] = release.number if release else found.number


def _of_batch(event: Event, subject: Subject) -> None:
    found = Batch.objects.filter(pk=event.subject_id).first()
    if found is not None:
        subject.authority_ids = {found.authority_id}
        subject.values["number"] = found.code


def _of_received(event: Event, subject: Subject) -> None:
    """Look up the order that a document of another desk names, and the authorities here whose signature it lacks."""
    found = Received.objects.filter(pk=event.subject_id).first()
    if found is None:
        return
    number = found.order or _order_of(found.number)
    subject.values |= {"number": found.number, "authority": found.authority, "order": number}
    subject.order = Order.objects.filter(number=number).first()
    if found.kind == RELEASE:
        asked = {key["authority"] for key in found.body["keys"].values()} - set(found.signed_by.split())
        subject.authority_ids = set(Authority.objects.filter(code__in=sorted(asked)).values_list("pk", flat=True))


def _order_of(authorisation: str) -> str:
    """Return the order of another desk's authorisation: a change of state names none, the statement before it does."""
    row = Received.objects.filter(number=authorisation).exclude(order="").order_by("-pk").first()
    return row.order if row else "–"


_LOOK: Final = {
    "application": _of_application,
    "order": _of_order,
    "evidence": _of_evidence,
    "authorisation": _of_authorisation,
    "balance": _of_balance,
    "shipment": _of_shipment,
    "batch": _of_batch,
    "received": _of_received,
}


class _People:
    """Who sits where, and who follows what, looked up once for one round."""

    def __init__(self) -> None:
        self._users = User.objects.filter(is_active=True).select_related("seat__authority")
        self._found: dict[str, set[User]] = {}
        self._mail = dict(Preference.objects.values_list("user_id", "mail"))

    def of(self, audience: str, event: Event, subject: Subject) -> set[User]:
        """Return the people of one audience of one event."""
        if audience == "officers":
            return self._officers(subject.authority_ids)
        if audience == "keys":
            return self._officers(self._keys(subject.order))
        if audience == "reviewers":
            return self._where(Q(username__in=event.payload.get("reviewers", [])))
        if audience == "customs":
            return self._where(Q(seat__role=Role.CUSTOMS.value))
        if audience == "applicant":
            return self._where(Q(seat__organisation_id=subject.applicant_id or 0))
        order = subject.order
        return self._where(Q(seat__organisation_id__in=[order.exporter_id, order.importer_id])) if order else set()

    def followers(self, order: Order) -> set[User]:
        """Return who follows an order and may still see it."""
        found = self._where(Q(pk__in=Subscription.objects.filter(order=order).values("user_id")))
        parties = {order.exporter_id, order.importer_id}
        return {
            each for each in found if each.seat.role != Role.APPLICANT.value or each.seat.organisation_id in parties
        }

    def wants_mail(self, user: User) -> bool:
        """Say whether a person has an address and wants an e-mail at once."""
        return bool(user.email) and self._mail.get(user.pk, Preference.Mail.AT_ONCE) == Preference.Mail.AT_ONCE

    def _officers(self, authority_ids: set[int]) -> set[User]:
        return self._where(Q(seat__role=Role.OFFICER.value, seat__authority_id__in=sorted(authority_ids)))

    def _keys(self, order: Order | None) -> set[int]:
        if order is None:
            return set()
        rows = Application.objects.filter(order=order).exclude(state="draft")
        return set(rows.values_list("authority_id", flat=True))

    def _where(self, condition: Q) -> set[User]:
        key = str(condition)
        if key not in self._found:
            self._found[key] = set(self._users.filter(condition, seat__isnull=False))
        return self._found[key]
