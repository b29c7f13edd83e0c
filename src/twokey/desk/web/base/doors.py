"""The one way into a page: who asks, whether their seat may, and what a refusal looks like.

A view is declared with the action of the permission catalogue that it needs:

    @page("case.read")
    def show(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse: ...

    @task("case.countersign", signs=True)
    def countersign(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse: ...

A `page` is read (GET); a `task` changes something (POST). A service's `Refused` becomes a page with its reasons, or,
for a task, messages on the page from which it was asked. `signs=True` asks for a fresh proof of presence first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import (
    did_recently_reauthenticate,
    get_reauthentication_flows,
)
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from twokey.desk.actors import PERMISSIONS, Actor, permit
from twokey.desk.parties.services import actor_of
from twokey.desk.reasons import Refused
from twokey.desk.web.base.faults import refused
from twokey.desk.web.base.saying import say

View = Callable[..., HttpResponseBase]


def page(action: str) -> Callable[[View], View]:
    """Declare a page that is read."""
    return _door(action, require_GET, signs=False)


def form(action: str, *, signs: bool = False) -> Callable[[View], View]:
    """Declare a page that shows a form (GET) and takes it (POST); the view shows its own refusals beside the fields."""
    return _door(action, require_http_methods(["GET", "POST"]), signs=signs)


def task(action: str, *, signs: bool = False) -> Callable[[View], View]:
    """Declare a change (POST); `signs`: only after a fresh proof of presence."""
    return _door(action, require_POST, signs=signs)


def back(request: HttpRequest, fallback: str, *arguments: Any) -> HttpResponseRedirect:
    """Return to the page that the form named in `next`, where it lies on this site, or else to the fallback."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(wanted)
    return redirect(fallback, *arguments)


def complain(request: HttpRequest, *asked: Form) -> None:
    """Say every problem of small forms as messages on the next page."""
    for each in asked:
        for name, problems in each.errors.items():
            label = str(each.fields[name].label) + _(": ") if name in each.fields else ""
            messages.error(request, label + str(problems[0]))


def tell(request: HttpRequest, error: Refused) -> None:
    """Show every reason of a refusal as a message on the next page."""
    for each in error.reasons:
        messages.error(request, say(each))


def _door(action: str, methods: Callable[[View], View], *, signs: bool) -> Callable[[View], View]:
    if action not in PERMISSIONS:
        raise LookupError(f"{action} is not in the catalogue of permissions")

    def declare(view: View) -> View:
        @methods
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User):
                return redirect_to_login(request.get_full_path())
            if _lacks_second_factor(request, user):
                messages.info(request, _("Set up your second factor first; then the desk opens."))
                return redirect("mfa_activate_totp")
            try:
                actor = _actor(request, user)
                permit(actor, action)
                if signs and request.method == "POST":
                    _present(request, user)
                return view(request, actor, *arguments, **named)
            except _NoFactor:
                messages.info(request, _("To sign, set up a second factor on this desk first."))
                return redirect("mfa_activate_totp")
            except Refused as error:
                if request.method == "POST" and error.status != 404 and not request.headers.get("HX-Request"):
                    tell(request, error)
                    return _where_it_came_from(request, error)
                return refused(request, error)

        guarded.action = action  # type: ignore[attr-defined] # a test reads which permission a page asks for
        guarded.signs = signs  # type: ignore[attr-defined] # and whether it asks for presence
        return guarded

    return declare


class _NoFactor(Exception):  # noqa: N818 (it reads: raise _NoFactor)
    """The person signs in elsewhere and has nothing here to prove presence with."""


def _actor(request: HttpRequest, user: User) -> Actor:
    actor = actor_of(user, "web")
    request.actor = actor  # type: ignore[attr-defined] # the frame shows who is signed in
    return actor


def _present(request: HttpRequest, user: User) -> None:
    """Ask for password or code again unless that happened within `ACCOUNT_REAUTHENTICATION_TIMEOUT`."""
    if not get_reauthentication_flows(user):
        raise _NoFactor
    if not did_recently_reauthenticate(request):
        raise ReauthenticationRequired


def _lacks_second_factor(request: HttpRequest, user: User) -> bool:
    if settings.TWOKEY_SECOND_FACTOR != "required":
        return False
    methods = {each.get("method") for each in get_authentication_records(request, user)}
    return not methods & {"mfa", "socialaccount"} and not is_mfa_enabled(user)


def _where_it_came_from(request: HttpRequest, error: Refused) -> HttpResponse:
    """Go back to the page that held the form; without one, show the reasons here."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    here = {request.get_host()}
    allowed = url_has_allowed_host_and_scheme(wanted, here, require_https=request.is_secure())
    if wanted and allowed and "/reauthenticate/" not in wanted:
        return HttpResponseRedirect(wanted)
    return refused(request, error)
