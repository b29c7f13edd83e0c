"""One way to declare a route: its action is its permission and its scope, and its answer has a shape."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NoReturn, cast

from django.http import HttpRequest
from ninja import NinjaAPI, Router
from ninja.parser import Parser
from ninja.responses import Status
from ninja.security import HttpBearer

from twokey.desk.actors import PERMISSIONS, Actor, permit
from twokey.desk.api import problems, shapes
from twokey.desk.api.middleware import ActorRequest
from twokey.desk.reasons import invalid

ERRORS: Final = frozenset({400, 401, 403, 404, 409, 422})


class ExactParser(Parser):
    """Reads JSON without floats: a number with a point or an exponent is refused, and so are NaN and Infinity."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Read a body."""
        return json.loads(request.body, parse_float=_refuse, parse_constant=_refuse)


class BearerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`; the middleware has read it."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Return the actor, or None where the token speaks for nobody."""
        actor: Actor | None = getattr(request, "actor", None)
        return actor


def make_api() -> NinjaAPI:
    """Return the API: authentication on every route unless it says otherwise (none does)."""
    api = NinjaAPI(
        title="Twokey desk",
        version="1",
        description="Applications, countersigned decisions, authorisations and releases. Numbers are whole; "
        "money is in minor currency. Every error is problem+json with reasons in English and Chinese. Send "
        "Idempotency-Key with a change to make it happen once however often it is sent.",
        auth=BearerToken(),
        parser=ExactParser(),
        urls_namespace="desk",
        docs_url=None,
    )
    problems.install(api)
    return api


def route(router: Router, method: str, path: str, action: str, answer: Any, status: int = 200) -> Callable[..., Any]:
    """Declare a route. The view gets the actor as its first argument; role and scope are checked before it runs."""
    if action not in PERMISSIONS:
        raise LookupError(f"{method} {path}: {action} is not in the catalogue of permissions")

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        hints = typing.get_type_hints(view, include_extras=True)
        given = inspect.signature(view)
        parameters = [
            each.replace(annotation=hints[name]) for name, each in given.parameters.items() if name != "actor"
        ]
        request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest)
        queries = frozenset(name for each in hints.values() for name in _query_fields(each))

        @wraps(view)
        def guarded(request: HttpRequest, **arguments: Any) -> Any:
            actor = cast(Actor, cast(ActorRequest, request).actor)  # a route is entered by nobody without one
            permit(actor, action)
            unknown = sorted(set(request.GET) - queries)
            if unknown:
                known = ", ".join(sorted(queries)) or "none"
                raise invalid(unknown[0][:60], "parameter_unknown", known=known)
            result = view(actor, **arguments)
            return result if status == 200 else Status(status, result)

        guarded.__annotations__ = {}
        del guarded.__wrapped__
        # Ninja reads the signature; the test that walks the routes reads the action.
        vars(guarded).update(__signature__=inspect.Signature([request, *parameters]), action=action)
        router.api_operation(
            [method],
            path,
            response={status: answer, ERRORS: shapes.Problem},
            operation_id=f"{router_name(router)}_{view.__name__}",
            summary=(view.__doc__ or view.__name__).splitlines()[0].rstrip("."),
        )(guarded)
        return view

    return declare


def router_name(router: Router) -> str:
    """Return the tag of a router, which is its part of the operation ids."""
    return str((router.tags or ["api"])[0])


def _query_fields(hint: Any) -> frozenset[str]:
    for each in typing.get_args(hint) or (hint,):
        if inspect.isclass(each) and issubclass(each, shapes.Asked):
            return frozenset(each.model_fields)
    return frozenset()


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a whole number")
