"""Django settings of the desk, read from the environment; nothing here needs editing to run.

| variable | meaning |
|---|---|
| `TWOKEY_HOME` | data directory (documents, keys, embedded database) |
| `TWOKEY_DATABASE_URL` | PostgreSQL to use; without it the embedded one starts |
| `TWOKEY_OWNER_URL` | the same database as its owner, for migrations; without it the desk's own login migrates |
| `TWOKEY_SECRET_KEY_FILE` | file with Django's secret key; made in the data directory where absent |
| `TWOKEY_HOSTS` | host names that the site answers to, separated by commas |
| `TWOKEY_SCAN_COMMAND` | virus scanner, e.g. `clamdscan --no-summary {path}`; without it no document passes |
| `TWOKEY_HTTPS` | `1` where the site is reached over TLS: secure cookies, HSTS, redirect from plain HTTP |
| `TWOKEY_SECOND_FACTOR` | `required` (default), or `optional`: a desk that holds only the demonstration |
| `TWOKEY_OIDC_URL`, `TWOKEY_OIDC_CLIENT`, `TWOKEY_OIDC_SECRET_FILE` | an OpenID Connect provider to sign in with |
| `TWOKEY_OIDC_CLAIM` | the claim that holds a person's login here; `preferred_username` where absent |
| `TWOKEY_URL` | where the desk stands, for links in e-mails: `https://desk.example.org` |
| `TWOKEY_MAIL_URL`, `TWOKEY_MAIL_FROM` | how e-mail leaves, and from whom; see `notices/mail.py` |
| `TWOKEY_DEBUG` | `1` for a developer's machine only |
"""

from __future__ import annotations

import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
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


def _text_of(path: str) -> str:
    """Return the text of a file that holds a secret; nothing where none is named."""
    return Path(path).read_text(encoding="utf-8").strip() if path else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


DEBUG = os.environ.get("TWOKEY_DEBUG") == "1"
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = [host for host in os.environ.get("TWOKEY_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if host]
_DESK_URL = os.environ.get("TWOKEY_DATABASE_URL", "postgresql:///twokey")
DATABASES = {
    "default": _database(_DESK_URL),
    "owner": _database(os.environ.get("TWOKEY_OWNER_URL") or _DESK_URL),  # for migrations and a restore, nothing else
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "twokey.desk.audit",
    "twokey.desk.parties",
    "twokey.desk.cases",
    "twokey.desk.ledger",
    "twokey.desk.api",
    "twokey.desk.papers",
    "twokey.desk.notices",
    "twokey.desk.web.base",  # before the apps whose templates it replaces
    "twokey.desk.web.account",
    "twokey.desk.web.orders",
    "twokey.desk.web.cases",
    "twokey.desk.web.parties",
    "twokey.desk.web.charts",
    "twokey.desk.web.law",
    "twokey.desk.web.outlook",
    "twokey.desk.web.ledger",
    "twokey.desk.web.notices",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "twokey.desk.web.base.headers.HeadersMiddleware",
    "twokey.desk.api.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: a lock-out is asked before a password
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
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
                "twokey.desk.web.base.context.desk",
            ]
        },
    }
]
ROOT_URLCONF = "twokey.desk.urls"
WSGI_APPLICATION = "twokey.desk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "twokey.desk.web.account.passwords.LongEnough", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "twokey.desk.web.base.files.VersionedFiles"},
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "twokey.desk.web.charts.bundle.BundleFinder",  # the library that draws charts
]
WHITENOISE_USE_FINDERS = True  # files are served from where packages keep them: nothing to collect before a start
WHITENOISE_MAX_AGE = 365 * 24 * 3600  # an address carries the digest of its file

_HTTPS = os.environ.get("TWOKEY_HTTPS") == "1"
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 10
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 10 * 3600  # a working day
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # the page carries the token; no script reads the cookie
CSRF_FAILURE_VIEW = "twokey.desk.web.base.faults.csrf"
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
# `twokey demo` writes the file; a desk on a server of the user's own is never the demonstration.
TWOKEY_DEMO = (home().root / "demonstration").exists() and os.environ.get("TWOKEY_EMBEDDED") == "1"
TWOKEY_SECOND_FACTOR = os.environ.get("TWOKEY_SECOND_FACTOR", "optional" if TWOKEY_DEMO else "required")
ACCOUNT_ADAPTER = "twokey.desk.web.account.adapters.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60  # a signature needs a proof of presence no older than this
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # changing a second factor is asked for again too
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": False, "reauthenticate": "20/m/user"}  # axes locks out
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Twokey"
MFA_ADAPTER = "twokey.desk.web.account.adapters.SecondFactors"
SOCIALACCOUNT_ADAPTER = "twokey.desk.web.account.adapters.Providers"
SOCIALACCOUNT_AUTO_SIGNUP = False
TWOKEY_OIDC_CLAIM = os.environ.get("TWOKEY_OIDC_CLAIM", "preferred_username")
_OIDC_URL = os.environ.get("TWOKEY_OIDC_URL", "")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "twokey.desk.web.account.oidc.OrganisationProvider",
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "organisation",
                "name": "OpenID Connect",
                "client_id": os.environ.get("TWOKEY_OIDC_CLIENT", ""),
                "secret": _text_of(os.environ.get("TWOKEY_OIDC_SECRET_FILE", "")),
                "settings": {"server_url": _OIDC_URL},
            }
        ]
        if _OIDC_URL
        else [],
    }
}

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "twokey.desk.web.account.adapters.login_of"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the QR code of a second factor
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *([_origin(_OIDC_URL)] if _OIDC_URL else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}


# The demonstration has no scanner to ask; any other desk without one passes no document.
TWOKEY_SCAN_COMMAND = os.environ.get("TWOKEY_SCAN_COMMAND", f"{sys.executable} -c pass" if TWOKEY_DEMO else "")
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
