"""Signing in through an organisation's OpenID Connect provider: every check of the ID token, and a nonce.

allauth walks the redirects (state, PKCE, the exchange of the code) and, as the standard lets it, trusts an ID token
that came over the connection to the provider. Here a person gets a seat by it, so it is checked as OpenID Connect Core
1.0, section 3.1.3.7, says: signature under the published keys, issuer, audience, time, and the nonce of this very
sign-in. What the user-info answer adds counts only where it speaks of the same subject.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponseBase
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

# Signatures with a public key; with a shared secret, whoever checks a token could also make one.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
LEEWAY_S: Final = 60  # two clocks


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth ships no types
    """Exchanges the code and checks what comes back."""

    nonce = ""

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **named: Any) -> Any:
        """Return the provider's person; raises `OAuth2Error` where any check of the ID token fails."""
        claims = self._checked(str(named["response"].get("id_token") or ""), app)
        data = {"id_token": claims}
        if "userinfo_endpoint" in self.openid_config:
            userinfo = self._fetch_user_info(token.token)
            if userinfo.get("sub") != claims["sub"]:
                raise OAuth2Error("the user-info answer is about another subject")
            data["userinfo"] = userinfo
        return self.get_provider().sociallogin_from_response(request, data)

    def _checked(self, id_token: str, app: SocialApp) -> dict[str, Any]:
        """Return the claims of an ID token that passes every check."""
        config = self.openid_config
        issuer = config.get("issuer", "")
        if _issuer_of(self.get_provider().server_url) not in {"", issuer.rstrip("/")}:
            raise OAuth2Error("the provider names another issuer than its address")
        with get_adapter().get_requests_session() as session:
            answer = session.get(config["jwks_uri"])
            answer.raise_for_status()
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": app.client_id},
            nonce={"essential": True, "value": self.nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(id_token, KeySet.import_key_set(answer.json()), algorithms=list(ALGORITHMS)).claims
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise OAuth2Error(f"the ID token is not accepted: {error}") from error
        if not self.nonce or not _party(claims, app.client_id):
            raise OAuth2Error("the ID token was made for another client, or for no sign-in of this desk")
        return dict(claims)


class OrganisationProvider(OpenIDConnectProvider):  # type: ignore[misc] # allauth ships no types
    """The provider of the settings; each sign-in carries a nonce of its own, kept with its state."""

    oauth2_adapter_class = Adapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **named: Any
    ) -> HttpResponseBase:
        """Send the person to the provider."""
        nonce = secrets.token_urlsafe(24)
        asked = {**(named.pop("auth_params", None) or self.get_auth_params()), "nonce": nonce}
        answer: HttpResponseBase = super().redirect(
            request, process, next_url, data, auth_params=asked, nonce=nonce, **named
        )
        return answer


class Callback(OAuth2CallbackView):  # type: ignore[misc] # allauth ships no types
    """Takes the person back, with the nonce that their sign-in began with."""

    def _get_state(self, request: HttpRequest, provider: OrganisationProvider) -> tuple[Any, Any]:
        state, answer = super()._get_state(request, provider)
        if state is not None:
            self.adapter.nonce = str(state.get("nonce", ""))
        return state, answer


@login_not_required  # type: ignore[untyped-decorator] # allauth ships no types
def login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Begin at the provider."""
    return _run(OAuth2LoginView, request, provider_id)


@login_not_required  # type: ignore[untyped-decorator] # allauth ships no types
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Come back from the provider."""
    return _run(Callback, request, provider_id)


def _run(view: Any, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        answer: HttpResponseBase = view.adapter_view(Adapter(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer


def _issuer_of(server_url: str) -> str:
    """Return the issuer that a discovery address stands for (OpenID Connect Discovery 1.0, section 4.1)."""
    return server_url.partition("/.well-known/")[0].rstrip("/")


def _party(claims: Mapping[str, Any], client_id: str) -> bool:
    """Say whether the token was given to this client: of several audiences, the authorised party must be it."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return bool(claims.get("azp", client_id if len(audience) == 1 else None) == client_id)
