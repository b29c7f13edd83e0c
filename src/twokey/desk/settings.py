"""Django settings of the desk, read from the environment; nothing here needs editing to run.

| variable | meaning |
|---|---|
| `TWOKEY_HOME` | data directory (documents, keys, embedded database) |
| `TWOKEY_DATABASE_URL` | PostgreSQL to use; without it the embedded one starts |
| `TWOKEY_SECRET_KEY_FILE` | file with Django's secret key; made in the data directory where absent |
| `TWOKEY_HOSTS` | host names that the site answers to, separated by commas |
| `TWOKEY_SCAN_COMMAND` | virus scanner, e.g. `clamdscan --no-summary {path}`; without it no document passes |
| `TWOKEY_URL` | where the desk stands, for links in e-mails: `https://desk.example.org` |
| `TWOKEY_MAIL_URL`, `TWOKEY_MAIL_FROM` | how e-mail leaves, and from whom; see `notices/mail.py` |
| `TWOKEY_DEBUG` | `1` for a developer's machine only |
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from twokey.desk.home import home
from twokey.desk.notices.mail import mail_route


def _database(url: str) -> dict[str, Any]:
    """Turn a PostgreSQL URL into Django's form."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    options: dict[str, Any] = {
        key: value for key, value in parts.items() if key not in {"dbname", "user", "password", "host", "port"}
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "twokey"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _secret_key() -> str:
    """Read the secret key from its file, or make one that outlives a restart."""
    path = Path(os.environ.get("TWOKEY_SECRET_KEY_FILE") or home().root / "secret-key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


DEBUG = os.environ.get("TWOKEY_DEBUG") == "1"
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = [host for host in os.environ.get("TWOKEY_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if host]
DATABASES = {"default": _database(os.environ.get("TWOKEY_DATABASE_URL", "postgresql:///twokey"))}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "twokey.desk.audit",
    "twokey.desk.parties",
    "twokey.desk.cases",
    "twokey.desk.ledger",
    "twokey.desk.notices",
    "twokey.desk.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "twokey.desk.api.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "twokey.desk.urls"
WSGI_APPLICATION = "twokey.desk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_TZ = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

TWOKEY_SCAN_COMMAND = os.environ.get("TWOKEY_SCAN_COMMAND", "")
TWOKEY_DOCUMENT_MAX_BYTES = 25 * 1024 * 1024
TWOKEY_DOCUMENTS_PER_APPLICATION = 100

MAIL = mail_route(os.environ.get("TWOKEY_MAIL_URL", ""), home().root / "mail")
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.starttls, MAIL.tls, 20
EMAIL_FILE_PATH = MAIL.folder or None
DEFAULT_FROM_EMAIL = os.environ.get("TWOKEY_MAIL_FROM", "twokey@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "twokey": {"handlers": ["stderr"], "level": "INFO"},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
