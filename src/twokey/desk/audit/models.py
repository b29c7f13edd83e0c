"""Rows that are written once: events, signed documents, seals; and the outbox, whose state moves."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """One thing that happened: who did what to which subject, through which door."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    role = models.CharField(max_length=20)
    authority = models.CharField(max_length=20, blank=True)
    channel = models.CharField(max_length=10)
    verb = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    payload = models.JSONField(default=dict)

    class Meta:
        indexes = (
            models.Index(fields=["subject_kind", "subject_id"]),
            # What the last check of history found is asked at every release; few of the events are checks.
            models.Index(
                fields=["-id"], condition=models.Q(verb__in=["audit.broken", "audit.verified"]), name="event_check"
            ),
        )


class SignedDocument(models.Model):
    """A canonical JSON document and the signatures on it, as they left the signer."""

    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    jws = models.JSONField()

    class Meta:
        indexes = (models.Index(fields=["subject_kind", "subject_id"]),)


class Seal(models.Model):
    """A tree head: the RFC 6962 root over every leaf so far, signed by the desk's own key."""

    at = models.DateTimeField(auto_now_add=True)
    size = models.BigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    jws = models.JSONField()


class Leaf(models.Model):
    """The sealed place of one row: its position in the tree and the hash of what it said."""

    position = models.BigIntegerField(primary_key=True)
    stream = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    leaf_hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["stream", "row_id"], name="leaf_once"),)


class Witness(models.Model):
    """An authority's own signature on a tree head: what makes the seal proof against the desk itself."""

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT)
    authority = models.CharField(max_length=20)
    at = models.DateTimeField(auto_now_add=True)
    jws = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["seal", "authority"], name="witness_once"),)


class Received(models.Model):
    """A signed document of an authority at another desk, as it was verified and taken in."""

    kind = models.CharField(max_length=40)
    authority = models.CharField(max_length=20)
    number = models.CharField(max_length=40)  # of the authorisation or the release that it is about
    order = models.CharField(max_length=60, blank=True)
    said_at = models.DateTimeField()  # the time that the document itself names
    sha256 = models.CharField(max_length=64)
    signed_by = models.CharField(max_length=60)
    body = models.JSONField()
    jws = models.JSONField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=["kind", "number"], name="received_number"),
            models.Index(fields=["kind", "order"], name="received_order"),
        )
        constraints = (models.UniqueConstraint(fields=["sha256", "signed_by"], name="received_once"),)


class OutboxMessage(models.Model):
    """A message to customs or a back office: written with what caused it, sent after, its state in the open."""

    class State(models.TextChoices):
        """Where a message stands."""

        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    topic = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    body = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    next_attempt_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
