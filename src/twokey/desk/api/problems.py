"""Every error in one form, problem+json (RFC 9457), with the reasons in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from twokey.chips.errors import UserError
from twokey.desk.reasons import Reason, Refused, reason
from twokey.desk.reasons import problem as wrong


def problem(reasons: Sequence[Reason], status: int) -> JsonResponse:
    """Return an error: `reasons` is the whole list, `detail` the same in one English line."""
    response = JsonResponse(
        {
            "type": f"urn:twokey:reason:{reasons[0].code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": "; ".join(each.en for each in reasons),
            "reasons": [each.as_dict() for each in reasons],
        },
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False, "default": str},
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Give an API its error handlers."""

    @api.exception_handler(Refused)
    def refused(request: HttpRequest, error: Refused) -> HttpResponse:
        return problem(error.reasons, error.status)

    @api.exception_handler(UserError)
    def mistaken(request: HttpRequest, error: UserError) -> HttpResponse:
        return problem([_plain("request", "other", str(error))], 422)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        found = [
            _plain(".".join(str(part) for part in each["loc"]) or "body", "not_as_described", str(each["msg"]))
            for each in error.errors
        ]
        return problem(found or [_plain("body", "not_as_described", "it cannot be read")], 422)

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return problem([reason("no_token")], 401)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem([_plain("request", "other", str(error))], error.status_code)


def _plain(field: str, code: str, detail: str) -> Reason:
    return reason("invalid", field=field, problem=wrong(code, detail=detail))
