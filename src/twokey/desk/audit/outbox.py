"""Messages to customs and back offices: written in the transaction that causes them, sent by the worker after it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import httpx
from django.db import transaction
from django.utils import timezone

from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.audit.models import OutboxMessage
from twokey.desk.home import home
from twokey.desk.reasons import missing

BACKOFF_SECONDS = (5, 30, 120, 600, 3600)


class Transport(Protocol):
    """Hands one message to the outside; raises where it was not taken."""

    def send(self, message: OutboxMessage) -> None:
        """Send, or raise."""
        ...


class FolderTransport:
    """Writes every message as one JSON file into the outbox folder; a name that exists is never written twice."""

    def send(self, message: OutboxMessage) -> None:
        """Write the file in one step."""
        folder = home().outbox
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{message.pk:08d}-{message.topic}.json"
        draft = target.with_suffix(".part")
        draft.write_text(json.dumps(as_json(message), ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(target)


class HttpTransport:
    """Posts every message to one address that the operator set; anything but 2xx counts as not taken."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, message: OutboxMessage) -> None:
        """Post; the message id goes along as the receiver's idempotency key."""
        headers = {"Idempotency-Key": f"twokey-{message.pk}"}
        httpx.post(
            self.url, json=as_json(message), headers=headers, timeout=20, follow_redirects=False
        ).raise_for_status()


def transport() -> Transport:
    """Return the transport that the operator chose: `TWOKEY_OUTBOX_URL`, or the outbox folder."""
    url = os.environ.get("TWOKEY_OUTBOX_URL")
    return HttpTransport(url) if url else FolderTransport()


def as_json(message: OutboxMessage) -> dict[str, Any]:
    """Return a message as it leaves."""
    return {
        "id": message.pk,
        "topic": message.topic,
        "subject": {"kind": message.subject_kind, "id": message.subject_id},
        "created_at": message.created_at.isoformat(),
        "body": message.body,
    }


def post(topic: str, subject: tuple[str, int], body: Mapping[str, Any]) -> OutboxMessage:
    """Put a message into the outbox, inside the caller's transaction: it exists exactly when its cause does."""
    return OutboxMessage.objects.create(topic=topic, subject_kind=subject[0], subject_id=subject[1], body=dict(body))


def deliver(limit: int = 100, by: Transport | None = None) -> tuple[int, int]:
    """Send what is due, each message under its own lock; returns how many were sent and how many failed."""
    sent = failed = 0
    chosen = by or transport()
    for _ in range(limit):
        with transaction.atomic():
            message = (
                OutboxMessage.objects.select_for_update(skip_locked=True)
                .exclude(state=OutboxMessage.State.SENT)
                .filter(next_attempt_at__lte=timezone.now())
                .order_by("pk")
                .first()
            )
            if message is None:
                break
            message.attempts += 1
            try:
                chosen.send(message)
            except (OSError, httpx.HTTPError) as error:
                wait = BACKOFF_SECONDS[min(message.attempts, len(BACKOFF_SECONDS)) - 1]
                message.state, message.last_error = OutboxMessage.State.FAILED, f"{type(error).__name__}: {error}"
                message.next_attempt_at = timezone.now() + timedelta(seconds=wait)
                failed += 1
            else:
                message.state, message.last_error, message.sent_at = OutboxMessage.State.SENT, "", timezone.now()
                sent += 1
            message.save()
    return sent, failed


def resend(actor: Actor, message_id: int) -> OutboxMessage:
    """Put a message back in line, whatever its state; the receiver tells a repeat by the message's id."""
    permit(actor, "outbox.resend")
    with transaction.atomic():
        message = OutboxMessage.objects.select_for_update().filter(pk=message_id).first()
        if message is None:
            raise missing("message", message_id)
        message.state, message.next_attempt_at = OutboxMessage.State.PENDING, timezone.now()
        message.save(update_fields=["state", "next_attempt_at"])
        record(actor, "outbox.resent", "message", message.pk)
    return message
