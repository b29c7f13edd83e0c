"""E-mails: what a person was told since the last one, in one letter, in their language; tried again where it fails."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from twokey.desk.audit.outbox import BACKOFF_SECONDS
from twokey.desk.notices.catalogue import catalogue
from twokey.desk.notices.models import Notice, Preference
from twokey.desk.notices.services import sentence

Send = Callable[[EmailMessage], object]
_MOST: Final = 50  # notices in one letter
PATHS: Final = {
    "case": "/cases/{id}/",
    "order": "/orders/{id}/",
    "authorisation": "/ledger/authorisations/{id}/",
    "balance": "/ledger/authorisations/{id}/",
    "shipment": "/ledger/shipments/{id}/",
    "batch": "/ledger/batches/{id}/",
}
_WORDS: Final = {
    "subject": {"en": "Twokey: {count} things happened", "zh": "Twokey：{count} 条新通知"},
    "prefix": {"en": "Twokey: {text}", "zh": "Twokey：{text}"},
    "why": {
        "en": "You are told because it is yours to act on, or because you follow the order. Choose how you are told:",
        "zh": "您收到本邮件，是因为有关事项由您处理，或您已关注该订单。通知方式可在此更改：",
    },
}


def deliver(limit: int = 100, send: Send | None = None) -> tuple[int, int]:
    """Send what waits, one letter a person; returns how many letters were sent and how many failed.

    Each person's letter is one transaction. A letter that was sent in the moment of a crash may be sent again; its
    Message-ID is then the same, so that a mailbox can tell.
    """
    sent = failed = 0
    for user_id in _waiting(limit):
        with transaction.atomic():
            rows = list(
                Notice.objects.select_for_update(skip_locked=True)
                .filter(user_id=user_id, mail__in=_OPEN, next_attempt_at__lte=timezone.now())
                .order_by("pk")[:_MOST]
            )
            if not rows:
                continue
            user = User.objects.get(pk=user_id)
            if not user.email or not user.is_active:
                _mark(rows, Notice.Mail.NONE, "")
                continue
            try:
                (send or _send)(letter(user, rows))
            except (OSError, smtplib.SMTPException) as error:
                _mark(rows, Notice.Mail.FAILED, f"{type(error).__name__}: {error}"[:500])
                failed += 1
            else:
                _mark(rows, Notice.Mail.SENT, "")
                sent += 1
    return sent, failed


_OPEN: Final = (Notice.Mail.PENDING, Notice.Mail.FAILED)


def letter(user: User, rows: Sequence[Notice]) -> EmailMessage:
    """Return the e-mail that tells a person of some notices."""
    lang = language_of(user)
    texts = [sentence(each, lang) for each in rows]
    subject = (
        _WORDS["prefix"][lang].format(text=texts[0])
        if len(rows) == 1
        else _WORDS["subject"][lang].format(count=len(rows))
    )
    lines = []
    for text, each in zip(texts, rows, strict=True):
        lines += [text, *([link] if (link := link_of(path_of(each))) else []), ""]
    lines += ["-- ", " ".join(part for part in (_WORDS["why"][lang], link_of("/notices/settings/")) if part)]
    return message(user, subject, lines, f"notice-{rows[-1].pk}")


def message(user: User, subject: str, lines: Sequence[str], name: str) -> EmailMessage:
    """Return an e-mail to one person; `name` makes its Message-ID, the same however often it is sent."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    return EmailMessage(
        subject=" ".join(subject.split())[:200],
        body="\n".join(lines),
        to=[user.email],
        headers={"Message-ID": f"<twokey-{name}-{user.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )


def language_of(user: User) -> str:
    """Return the language in which a person is written to: "en" or "zh"."""
    found = Preference.objects.filter(pk=user.pk).values_list("language", flat=True).first()
    return found or Preference.Language.EN.value


def path_of(notice: Notice) -> str:
    """Return the page that a notice leads to."""
    telling = catalogue().get(notice.verb)
    kind = telling.link if telling else notice.link_kind
    return PATHS[kind].format(id=notice.link_id) if kind in PATHS and notice.link_id else "/notices/"


def link_of(path: str) -> str:
    """Return the whole address of a page, or nothing where the operator did not say where the desk stands."""
    base = os.environ.get("TWOKEY_URL", "").rstrip("/")
    return f"{base}{path}" if base else ""


def _waiting(limit: int) -> list[int]:
    rows = Notice.objects.filter(mail__in=_OPEN, next_attempt_at__lte=timezone.now())
    return list(rows.order_by("user_id").values_list("user_id", flat=True).distinct()[:limit])


def _send(letter: EmailMessage) -> None:
    letter.send(fail_silently=False)


def _mark(rows: Sequence[Notice], state: str, error: str) -> None:
    for each in rows:
        each.mail, each.last_error, each.attempts = state, error, each.attempts + 1
        wait = BACKOFF_SECONDS[min(each.attempts, len(BACKOFF_SECONDS)) - 1]
        each.next_attempt_at = timezone.now() + timedelta(seconds=wait)
    Notice.objects.bulk_update(rows, ["mail", "last_error", "attempts", "next_attempt_at"])
