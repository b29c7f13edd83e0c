"""What a person follows, what they were told, and how they want to be told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from twokey.desk.audit.models import Event
from twokey.desk.cases.models import Order


class Preference(models.Model):
    """How a person wants to be told: in which language, and whether by e-mail."""

    class Mail(models.TextChoices):
        """When an e-mail is sent."""

        AT_ONCE = "at_once"  # what happens, as it happens, and the weekly digest
        WEEKLY = "weekly"  # the digest alone
        NEVER = "never"  # nothing; the notices are in the desk

    class Language(models.TextChoices):
        """The language of e-mails; pages follow the reader's own switch."""

        EN = "en"
        ZH = "zh"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.AT_ONCE)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.EN)


class Subscription(models.Model):
    """An order that a person follows."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="subscriptions")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "order"], name="followed_once"),)


class Heard(models.Model):
    """An event that was looked at: everybody it concerns has a notice of it."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, db_constraint=False)


class Notice(models.Model):
    """One person told of one event; its words are made when it is shown, in the reader's language."""

    class Mail(models.TextChoices):
        """Where its e-mail stands."""

        NONE = "none"  # the person wants none, or has no address
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"  # tried, and tried again later

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="notices")
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="notices")
    verb = models.CharField(max_length=60)
    link_kind = models.CharField(max_length=20)
    link_id = models.BigIntegerField()
    values = models.JSONField(default=dict)
    followed = models.BooleanField(default=False)  # told as a follower, not because it is theirs to act on
    at = models.DateTimeField()  # when it happened
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=10, choices=Mail.choices, default=Mail.NONE)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "event"], name="told_once"),)
        indexes = (
            models.Index(fields=["user", "-id"], name="notice_of_user"),
            models.Index(fields=["user"], condition=models.Q(read_at__isnull=True), name="notice_unread"),
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(mail__in=["pending", "failed"]), name="notice_to_mail"
            ),
        )


class WeeklyDigest(models.Model):
    """The digest of one person and one week: sent once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    week = models.DateField()  # its Monday
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "week"], name="digest_once"),)
