"""Who asks, and whether the same question was answered before: both settled before a route runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, cast

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from twokey.desk.actors import Actor
from twokey.desk.api.models import KeptAnswer
from twokey.desk.api.problems import problem
from twokey.desk.api.tokens import actor_by_token
from twokey.desk.reasons import problem as wrong
from twokey.desk.reasons import reason

PREFIX: Final = "/api/"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_KEY: Final = 100
_PREFIX_LENGTH: Final = len("Bearer ")


class ActorRequest(HttpRequest):
    """What Django's request carries here: who asks, and Django's own mark that no cookie has to be distrusted."""

    actor: Actor | None
    csrf_processing_done: bool


class ApiMiddleware:
    """Reads the token once, and gives the answer of before to a repeated request with the same idempotency key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        actor = _actor(request)
        carrier = cast(ActorRequest, request)
        carrier.actor = actor
        carrier.csrf_processing_done = True  # a request with a token carries no cookie that another site could abuse
        key = request.headers.get("Idempotency-Key")
        if request.method in _SAFE or actor is None or key is None:
            return self.get_response(request)
        if not key.isascii() or not key.isprintable() or not 0 < len(key) <= _MAX_KEY:
            return problem(
                [
                    reason(
                        "invalid",
                        field="Idempotency-Key",
                        problem=wrong("key_malformed", most=_MAX_KEY),
                    )
                ],
                422,
            )
        return self._once(request, actor, key)

    def _once(self, request: HttpRequest, actor: Actor, key: str) -> HttpResponseBase:
        """Run the request and keep its answer in one transaction; a repeat waits, and is given the same answer."""
        digest = _digest(request)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    kept = KeptAnswer.objects.create(user_id=actor.user_id, key=key, request_sha256=digest)
            except IntegrityError:
                return _repeat(KeptAnswer.objects.get(user_id=actor.user_id, key=key), digest)
            response = self.get_response(request)
            if response.status_code >= 500 or not isinstance(response, HttpResponse):
                transaction.set_rollback(True)
                return response
            kept.status, kept.body = response.status_code, response.content.decode()
            kept.content_type = str(response.headers["Content-Type"])
            kept.save(update_fields=["status", "body", "content_type"])
        return response


def _repeat(kept: KeptAnswer, digest: str) -> HttpResponse:
    if kept.request_sha256 != digest:
        return problem([reason("key_reused")], 409)
    if kept.status is None:
        return problem([reason("busy")], 409)
    response = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _digest(request: HttpRequest) -> str:
    whole = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        for name, value in sorted(request.POST.items()):
            whole.update(f"{name}={value}\n".encode("utf-8", "replace"))
        files: Any = request.FILES
        for name, file in sorted(files.items()):
            whole.update(f"{name}={file.name}\n".encode("utf-8", "replace"))
            for chunk in file.chunks():
                whole.update(chunk)
            file.seek(0)
    else:
        whole.update(request.body)
    return whole.hexdigest()


def _actor(request: HttpRequest) -> Actor | None:
    header = request.headers.get("Authorization", "")
    if header[:_PREFIX_LENGTH].casefold() != "bearer ":
        return None
    return actor_by_token(header[_PREFIX_LENGTH:].strip(), "api")
