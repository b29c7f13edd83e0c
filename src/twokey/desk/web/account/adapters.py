"""How signing in behaves here: nobody signs up by themselves, and a provider's person is a login that exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest


def login_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the login that somebody tries: for axes, under one name before and after a failure.

    allauth's form calls it `login` and its backends `username`; were the two counted apart, a lock would not hold.
    """
    given = credentials or {}
    return str(given.get("username") or given.get("login") or request.POST.get("login", "")).strip().casefold()


class Accounts(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    """People are entered by the operator (`twokey token person`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return no."""
        return False


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc] # allauth ships no types
    """A second factor is named by the login: people here may have no e-mail address."""

    def _get_user_identifier(self, user: User) -> str:
        return str(user.get_username())


class Providers(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth ships no types
    """An OpenID Connect provider vouches for a login that the operator entered; it makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return no."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Tie the provider's person to the login of the same name that has a seat here, the first time they come."""
        if sociallogin.is_existing:
            return
        data: dict[str, Any] = sociallogin.account.extra_data
        claims = {**data, **data.get("id_token", {}), **data.get("userinfo", {})}
        login = str(claims.get(settings.TWOKEY_OIDC_CLAIM, ""))
        user = User.objects.filter(username=login, is_active=True, seat__isnull=False).first() if login else None
        if user is not None:
            sociallogin.connect(request, user)
