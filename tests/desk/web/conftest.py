"""A desk with the founding case behind a real server, a real Chromium, and people who are signed in to it.

| fixture | what it is |
|---|---|
| `desk` | the founding case, committed, for one module; swept afterwards |
| `client_of` | `client_of("seller", "zh")`: Django's test client, signed in, language set |
| `server` | the desk behind a threaded server; its address |
| `browser` | Chromium, or a loud skip |
| `open_as` | `open_as("officer.bis.1", "zh", width=360, dark=True)`: a page of that person |

`check_page(page)` asserts what must hold for every page: axe finds nothing, nothing scrolls sideways.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's synchronous door runs a loop in this thread

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from ..conftest import sweep

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
LANGUAGES = {"en": "en", "zh": "zh-hans"}


@pytest.fixture(scope="session", autouse=True)
def _light_settings() -> None:
    """Hash quickly, and ask for no second factor; the tests of signing in set their own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TWOKEY_SECOND_FACTOR = "optional"
    settings.TWOKEY_DEMO = True


@pytest.fixture(scope="module")
def desk() -> Iterator[Any]:
    """Load the founding case for one module of tests, numbered from 1 whatever ran before."""
    from twokey.desk.demo.story import load

    sweep()
    story = load()
    yield story
    sweep()


def sign_in(login: str, lang: str = "en", *, present: bool = True) -> Client:
    """Return a client of a person; `present`: they have just proved their presence, so that they may sign."""
    client = Client(headers={"accept-language": LANGUAGES[lang]})
    client.force_login(User.objects.get(username=login), "django.contrib.auth.backends.ModelBackend")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = LANGUAGES[lang]
    if present:
        session = client.session
        session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = client.session["_auth_user_id"]
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [
            {"method": "password", "at": time.time(), "username": login, "reauthenticated": True}
        ]
        session.save()
    return client


@pytest.fixture
def client_of(desk: Any) -> Callable[..., Client]:
    """Sign people in to Django's test client."""
    return sign_in


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Serve the desk on a free port, each request on a connection of its own that is closed after it."""
    from twokey.desk.wsgi import application

    def serve(environment: Any, start: Any) -> Any:
        try:
            return list(application(environment, start))
        finally:
            connections.close_all()

    httpd = make_server("localhost", 0, serve, _Server, _Quiet)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://localhost:{httpd.server_port}"
    httpd.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return Chromium as the system has it."""
    if not CHROMIUM:
        pytest.skip("NO CHROMIUM ON THIS MACHINE: the pages were NOT tested in a browser (install `chromium`)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_as(browser: Any, server: str, desk: Any) -> Iterator[Callable[..., Any]]:
    """Open pages as people; `page.goto("/…")` is relative to the server."""
    contexts = []

    def open_page(
        login: str = "",
        lang: str = "en",
        *,
        width: int = 1280,
        dark: bool = False,
        present: bool = True,
        script: bool = True,
    ) -> Any:
        context = browser.new_context(
            base_url=server,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            locale="zh-CN" if lang == "zh" else "en-GB",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        cookies = sign_in(login, lang, present=present).cookies if login else {}
        kept = [{"name": each.key, "value": each.value, "url": server} for each in cookies.values()]
        if not login:
            kept = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": LANGUAGES[lang], "url": server}]
        context.add_cookies(kept)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()


def axe(page: Any) -> list[str]:
    """Return what axe finds wrong with a page, one line each, for WCAG 2.2 AA."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    return [
        f"{each['id']}: {each['help']} {[node['html'][:120] for node in each['nodes'][:3]]}"
        for each in found.response["violations"]
    ]


def sideways(page: Any) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def check_page(page: Any) -> None:
    """Assert what must hold for every page that a person sees."""
    assert axe(page) == []
    assert sideways(page) <= 0, f"{page.url} is {sideways(page)} px too wide"
    assert page.problems == []
