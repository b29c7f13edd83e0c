"""How e-mail leaves: Django's own backends, chosen by one variable of the environment.

| `TWOKEY_MAIL_URL` | what happens |
|---|---|
| (unset) | every e-mail is a file in `TWOKEY_HOME/mail` |
| `smtp://host:25` | plain SMTP, for a relay on this machine |
| `smtp+starttls://user:password@host:587` | SMTP, encrypted after the greeting |
| `smtps://user:password@host:465` | SMTP, encrypted from the first byte |
| `console:` | e-mails are printed, for a developer |

A user name or a password with special characters is written percent-encoded. `TWOKEY_MAIL_FROM` is the sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from twokey.chips.errors import UserError

_BACKENDS: Final = "django.core.mail.backends"
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The settings of Django's mail, by the names that Django gives them (without `EMAIL_`)."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    folder: str = ""


def mail_route(url: str, folder: Path) -> MailRoute:
    """Read `TWOKEY_MAIL_URL`; raises `UserError` naming what is wrong with it.

    >>> mail_route("smtp+starttls://desk:s%40fe@mail.example.org", Path("/x")).password
    's@fe'
    >>> mail_route("", Path("/x")).folder
    '/x'
    """
    if not url:
        return MailRoute(f"{_BACKENDS}.filebased.EmailBackend", folder=str(folder))
    if url == "console:":
        return MailRoute(f"{_BACKENDS}.console.EmailBackend")
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise UserError("TWOKEY_MAIL_URL: the port is no number; write smtp+starttls://HOST:587") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UserError(
            "TWOKEY_MAIL_URL must be smtp://HOST:PORT, smtp+starttls://USER:PASSWORD@HOST:PORT, "
            "smtps://USER:PASSWORD@HOST:PORT, or console:"
        )
    return MailRoute(
        backend=f"{_BACKENDS}.smtp.EmailBackend",
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+starttls",
        tls=parts.scheme == "smtps",
    )
