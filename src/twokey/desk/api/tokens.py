"""Scoped tokens: shown once, kept as a hash, good for a time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from twokey.desk.actors import PERMISSIONS, Actor, Role
from twokey.desk.api.models import Token
from twokey.desk.parties.services import actor_of
from twokey.desk.reasons import Refused, invalid, missing, reason

MAX_DAYS = 365


def scopes_of(role: Role) -> frozenset[str]:
    """Return every action that a role's token may carry."""
    return frozenset(action for action, roles in PERMISSIONS.items() if role in roles)


def make_token(login: str, name: str, scopes: Iterable[str] = (), days: int = 30) -> str:
    """Make a token for a person and return it, the only time that it can be seen; no scopes: all of the seat's."""
    user = User.objects.filter(username=login, is_active=True).first()
    if user is None:
        raise missing("login", login)
    allowed = scopes_of(actor_of(user, "api").role)
    wanted = frozenset(scopes) or allowed
    if wanted - allowed:
        raise invalid("scopes", "scope_not_of_seat", given=min(wanted - allowed), known=", ".join(sorted(allowed)))
    if not 1 <= days <= MAX_DAYS:
        raise invalid("days", "days_out_of_range", given=days, most=MAX_DAYS)
    secret = f"tk_{secrets.token_urlsafe(32)}"
    Token.objects.create(
        user=user,
        name=name,
        sha256=_hash(secret),
        scopes=sorted(wanted),
        expires_at=timezone.now() + timedelta(days=days),
    )
    return secret


def actor_by_token(secret: str, channel: str) -> Actor | None:
    """Return who a token speaks for, or None where it is unknown, revoked, over, or its owner has left."""
    token = Token.objects.select_related("user").filter(sha256=_hash(secret)).first()
    if token is None or token.revoked_at is not None or token.expires_at <= timezone.now() or not token.user.is_active:
        return None
    try:
        return actor_of(token.user, channel, frozenset(token.scopes))
    except Refused:
        return None


def revoke_token(token_id: int) -> Token:
    """Revoke a token at once."""
    token = Token.objects.filter(pk=token_id).first()
    if token is None:
        raise missing("token", token_id)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


def require_actor(secret: str | None, channel: str) -> Actor:
    """Return who a token speaks for; raises `Refused` (401) where it speaks for nobody."""
    actor = actor_by_token(secret, channel) if secret else None
    if actor is None:
        raise Refused(reason("no_token"), status=401)
    return actor


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
