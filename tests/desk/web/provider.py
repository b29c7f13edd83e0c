"""A small OpenID Connect provider: discovery, authorisation code with PKCE, ID tokens, user info, keys (joserfc).

It runs on a port of its own, asks for a login on a page, and can be told to lie: `lies` changes the ID token's claims,
its key, its algorithm, or the user-info answer, one thing at a time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

CLIENT, SECRET = "twokey-desk", "a-client-secret-of-the-tests-and-of-nothing-else"
PAGE = """<!doctype html><html lang="en"><title>Invented provider</title><h1>Invented provider</h1>
<form method="post"><label>Login <input name="sub"></label><button>Sign in</button></form></html>"""


@dataclass
class Provider:
    """Who is known to it, the codes that it gave out, and what it lies about."""

    people: dict[str, dict[str, Any]]
    address: str = ""
    lies: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"}))

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environment["PATH_INFO"]
        self.seen.append(path)
        query = {name: values[0] for name, values in parse_qs(environment.get("QUERY_STRING", "")).items()}
        length = int(environment.get("CONTENT_LENGTH") or 0)
        body = {name: values[0] for name, values in parse_qs(environment["wsgi.input"].read(length).decode()).items()}
        post = environment["REQUEST_METHOD"] == "POST"
        match path:
            case "/.well-known/openid-configuration":
                status, answer = "200 OK", self._discovery()
            case "/keys":
                status, answer = "200 OK", KeySet([self.key]).as_dict(private=False)
            case "/authorize" if not post:
                start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
                return [PAGE.encode()]
            case "/authorize":
                start("302 Found", [("Location", self._back(query, body["sub"]))])
                return [b""]
            case "/token" if post:
                status, answer = self._token(body)
            case "/userinfo":
                token = environment.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
                person = self.tokens.get(token, "")
                known = {"sub": person, **self.people.get(person, {}), **self.lies.get("userinfo", {})}
                status, answer = ("200 OK", known) if person else ("401 Unauthorized", {})
            case _:
                status, answer = "404 Not Found", {}
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.lies.get("issuer", self.address),
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _back(self, asked: dict[str, str], person: str) -> str:
        if person not in self.people:
            return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "person": person}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _token(self, body: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """Exchange a code once, for the client that it was given to, with the verifier of its challenge."""
        asked = self.codes.pop(body.get("code", ""), None)
        digest = hashlib.sha256(body.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = (
            asked is not None
            and (body.get("client_id"), body.get("client_secret")) == (CLIENT, SECRET)
            and body.get("redirect_uri") == asked["redirect_uri"]
            and asked.get("code_challenge_method") == "S256"
            and challenge == asked.get("code_challenge")
        )
        if asked is None or not right:
            return "400 Bad Request", {"error": "invalid_grant"}
        token = secrets.token_urlsafe(16)
        self.tokens[token] = asked["person"]
        return "200 OK", {"access_token": token, "token_type": "Bearer", "id_token": self._id_token(asked)}

    def _id_token(self, asked: dict[str, Any]) -> str:
        now = int(time.time())
        person = asked["person"]
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": person,
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce"),
            **self.people[person],
            **self.lies.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        match self.lies.get("signature"):
            case "other key":
                other = ECKey.generate_key("P-256", {"kid": "k1"})
                return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, other)
            case "secret":  # signed with what the client knows, as though that were a key
                return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(SECRET))
            case "none":
                return f"{_part({'alg': 'none', 'kid': 'k1'})}.{_part(claims)}."
            case "altered":
                head, _claims, signature = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key).split(".")
                return f"{head}.{_part({**claims, 'sub': 'mallory'})}.{signature}"
            case _:
                return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key)


def _part(body: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def running(people: dict[str, dict[str, Any]]) -> Iterator[Provider]:
    """Serve a provider on a free port."""
    provider = Provider(people)
    httpd = make_server("localhost", 0, provider, _Server, _Quiet)  # type: ignore[arg-type]
    provider.address = f"http://localhost:{httpd.server_port}"
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        httpd.shutdown()
        httpd.server_close()
