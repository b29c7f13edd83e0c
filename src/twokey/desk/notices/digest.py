"""The weekly digest: what waits for a person, what ends soon, and what happened on the orders that they follow."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from twokey.desk.actors import Actor, Role, permit
from twokey.desk.audit.outbox import BACKOFF_SECONDS
from twokey.desk.cases.expiring import SOON, expiring
from twokey.desk.cases.models import Advice, AdviceRequest, Application, Decision
from twokey.desk.cases.naming import day_words, evidence_words
from twokey.desk.cases.reviewing import cases
from twokey.desk.ledger.models import Balance
from twokey.desk.ledger.shipments import authorisations, shipments
from twokey.desk.notices.mailing import PATHS, Send, language_of, link_of, message, path_of
from twokey.desk.notices.models import Notice, Preference, WeeklyDigest
from twokey.desk.notices.services import OWN, sentence
from twokey.desk.parties.services import actor_of
from twokey.desk.reasons import Refused

_MOST: Final = 50  # lines of one part
_HOUR: Final = 6  # the digest of a week is sent from Monday 06:00 UTC on
_WORDS: Final = {
    "subject": {"en": "Twokey: your week from {week}", "zh": "Twokey：{week} 起一周摘要"},
    "waiting": {"en": "Waits for you", "zh": "待您处理"},
    "evidence": {"en": "Evidence that expires soon", "zh": "即将到期的证据"},
    "ending": {"en": "Authorisations that end soon", "zh": "即将到期的授权"},
    "lapsing": {"en": "Reservations that lapse soon", "zh": "即将失效的预留"},
    "happened": {"en": "What happened", "zh": "本周动态"},
    "nothing": {
        "en": "Nothing waits, nothing ends soon, nothing happened.",
        "zh": "没有待办事项、即将到期事项或新动态。",
    },
    "case": {"en": "Order {order}, {authority}: {what}", "zh": "订单 {order}，{authority}：{what}"},
    "submitted": {"en": "take up the application", "zh": "受理申请"},
    "under_review": {"en": "review and decide", "zh": "审查并决定"},
    "decided": {"en": "countersign, or say why not", "zh": "会签或说明不予会签的理由"},
    "appealed": {"en": "hear the appeal", "zh": "审理申诉"},
    "draft": {"en": "complete and file the application", "zh": "补全并提交申请"},
    "returned": {"en": "complete and file again", "zh": "补全后重新提交"},
    "information_requested": {"en": "answer the request for information", "zh": "答复补充信息要求"},
    "advice": {"en": "give the advice that was asked for", "zh": "提出被征询的意见"},
    "entry": {"en": "{number}: record the customs entry", "zh": "{number}：登记海关入境"},
    "expires": {"en": "Order {order}: {name} expires on {day}", "zh": "订单 {order}：{name}于{day}到期"},
    "ends": {"en": "{number} ends on {day}, {left} units left", "zh": "{number} 于{day}到期，剩余 {left} 单位"},
    "lapses": {"en": "{number} lapses on {day}", "zh": "{number} 于{day}失效"},
    "choose": {"en": "Choose how you are told:", "zh": "通知方式可在此更改："},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a digest and the page that it leads to."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a digest under its heading; parts without lines are left out."""

    code: str
    heading: str
    lines: tuple[Line, ...]


def digest_of(actor: Actor, lang: str, now: datetime | None = None) -> list[Part]:
    """Return the digest of the week before `now`, in a language ("en" or "zh")."""
    permit(actor, OWN)
    at = now or timezone.now()
    parts = (
        ("waiting", _waiting(actor, lang)),
        ("evidence", _evidence(actor, lang, at.date())),
        ("ending", _ending(actor, lang, at)),
        ("lapsing", _lapsing(actor, lang, at)),
        ("happened", _happened(actor, lang, at)),
    )
    return [Part(code, _say(code, lang), tuple(lines)) for code, lines in parts if lines]


def monday(at: datetime) -> date:
    """Return the Monday on which the digest that is due at a moment was due first.

    >>> from datetime import UTC
    >>> monday(datetime(2026, 11, 23, 5, tzinfo=UTC)), monday(datetime(2026, 11, 23, 6, tzinfo=UTC))
    (datetime.date(2026, 11, 16), datetime.date(2026, 11, 23))
    """
    day = (at - timedelta(hours=_HOUR)).date()
    return day - timedelta(days=day.weekday())


def send_digests(now: datetime | None = None, send: Send | None = None, limit: int = 200) -> tuple[int, int]:
    """Send this week's digest to everybody who wants one and has none yet; returns how many were sent and failed."""
    at = now or timezone.now()
    week, sent, failed = monday(at), 0, 0
    done = WeeklyDigest.objects.filter(week=week)
    never = Preference.objects.filter(mail=Preference.Mail.NEVER).values("user_id")
    people = (
        User.objects.filter(is_active=True, seat__isnull=False, date_joined__lt=at)
        .exclude(email="")
        .exclude(pk__in=never)
        .exclude(pk__in=done.filter(sent_at__isnull=False).values("user_id"))
        .exclude(pk__in=done.filter(next_attempt_at__gt=at).values("user_id"))
        .order_by("pk")[:limit]
    )
    for user in people:
        try:
            with transaction.atomic():
                row, _ = WeeklyDigest.objects.select_for_update().get_or_create(
                    user=user, week=week, defaults={"next_attempt_at": at}
                )
                if row.sent_at is not None:
                    continue
                good = _send_one(user, row, at, send)
        except IntegrityError:  # another worker writes this person's
            continue
        sent, failed = sent + good, failed + (not good)
    return sent, failed


def _send_one(user: User, row: WeeklyDigest, at: datetime, send: Send | None) -> bool:
    lang = language_of(user)
    row.attempts += 1
    try:
        parts = digest_of(actor_of(user, "worker"), lang, at)
        letter = message(
            user, _say("subject", lang, week=row.week.isoformat()), _lines(parts, lang), f"week-{row.week}"
        )
        if send is None:
            letter.send(fail_silently=False)
        else:
            send(letter)
    except (OSError, smtplib.SMTPException, Refused) as error:
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        wait = BACKOFF_SECONDS[min(row.attempts, len(BACKOFF_SECONDS)) - 1]
        row.next_attempt_at = at + timedelta(seconds=wait)
        row.save()
        return False
    row.sent_at, row.last_error = at, ""
    row.save()
    return True


def _lines(parts: Sequence[Part], lang: str) -> list[str]:
    lines: list[str] = []
    for part in parts:
        lines += [part.heading, ""]
        for each in part.lines:
            lines += [f"  {each.text}", *([f"  {link}"] if (link := link_of(each.path)) else [])]
        lines.append("")
    if not parts:
        lines += [_say("nothing", lang), ""]
    return [*lines, "-- ", " ".join(each for each in (_say("choose", lang), link_of("/notices/settings/")) if each)]


def _waiting(actor: Actor, lang: str) -> list[Line]:
    if actor.role is Role.CUSTOMS:
        rows = shipments(actor).filter(state__in=["released", "shipped"]).exclude(lines__arrivals__kind="customs_entry")
        return [
            Line(_say("entry", lang, number=each.number), PATHS["shipment"].format(id=each.pk))
            for each in rows.distinct()[:_MOST]
        ]
    return [_case(each, what, lang) for each, what in waiting_cases(actor)]


def waiting_cases(actor: Actor, most: int = _MOST) -> list[tuple[Application, str]]:
    """Return the first cases that wait for the actor, oldest first, each with what is to be done."""
    rows = cases(actor).order_by("submitted_at", "pk")
    own = rows.filter(authority_id=actor.authority_id or 0)
    if actor.role is Role.OFFICER:
        decided = Decision.objects.filter(
            application=OuterRef("pk"), countersignature__isnull=True, officer=actor.login
        )
        found = own.filter(
            Q(state__in=["submitted", "appealed"])
            | Q(state="under_review", officer=actor.login)
            | (Q(state="decided") & ~Exists(decided))
        )
    elif actor.role is Role.ADVISER:
        asked = AdviceRequest.objects.filter(application=OuterRef("pk"), reviewer=actor.login)
        given = Advice.objects.filter(application=OuterRef("pk"), reviewer=actor.login)
        found = own.filter(Exists(asked), ~Exists(given)).exclude(state__in=["approved", "refused", "withdrawn"])
        return [(each, "advice") for each in found[:most]]
    elif actor.role is Role.APPLICANT:
        mine = Application.objects.select_related("order", "authority").filter(applicant_id=actor.organisation_id or 0)
        found = mine.filter(state__in=["draft", "returned", "information_requested"]).order_by("submitted_at", "pk")
    else:
        return []
    return [(each, each.state) for each in found[:most]]


def _case(each: Application, what: str, lang: str) -> Line:
    text = _say("case", lang, order=each.order.number, authority=each.authority.code, what=_say(what, lang))
    return Line(text, PATHS["case"].format(id=each.pk))


def _evidence(actor: Actor, lang: str, today: date) -> list[Line]:
    if actor.role is not Role.APPLICANT:
        return []
    mine = Q(order__exporter_id=actor.organisation_id) | Q(order__importer_id=actor.organisation_id)
    rows = expiring(today).filter(mine, expires_on__gte=today)
    return [
        Line(
            _say(
                "expires",
                lang,
                order=each.order.number,
                name=evidence_words(each.name, lang),
                day=day_words(each.expires_on, lang),
            ),
            PATHS["order"].format(id=each.order_id),
        )
        for each in rows[:_MOST]
        if each.expires_on is not None
    ]


def _ending(actor: Actor, lang: str, at: datetime) -> list[Line]:
    rows = authorisations(actor).filter(
        balance__state__in=[Balance.State.IN_FORCE, Balance.State.SUSPENDED],
        valid_until__gte=at.date(),
        valid_until__lte=at.date() + SOON,
    )
    if actor.authority_id is not None:
        rows = rows.filter(authority_id=actor.authority_id)
    elif actor.role is not Role.APPLICANT:
        return []
    found = []
    for each in rows.order_by("valid_until", "pk")[:_MOST]:
        left = (each.balance.units_cap or 0) - each.balance.units_reserved - each.balance.units_drawn
        text = _say("ends", lang, number=each.number, day=day_words(each.valid_until, lang), left=f"{left:,}")
        found.append(Line(text, PATHS["authorisation"].format(id=each.pk)))
    return found


def _lapsing(actor: Actor, lang: str, at: datetime) -> list[Line]:
    if actor.role is not Role.APPLICANT:
        return []
    rows = shipments(actor).filter(state="reserved", reserved_until__lte=at + timedelta(days=7))
    return [
        Line(
            _say(
                "lapses",
                lang,
                number=each.number,
                day=day_words(each.reserved_until.date(), lang) if each.reserved_until else "",
            ),
            PATHS["shipment"].format(id=each.pk),
        )
        for each in rows.order_by("reserved_until", "pk")[:_MOST]
    ]


def _happened(actor: Actor, lang: str, at: datetime) -> list[Line]:
    rows = Notice.objects.filter(user_id=actor.user_id, at__gt=at - timedelta(days=7), at__lte=at).order_by("-pk")
    return [Line(sentence(each, lang), path_of(each)) for each in rows[:_MOST]]


def _say(word: str, lang: str, **values: object) -> str:
    return _WORDS[word][lang].format(**values)
