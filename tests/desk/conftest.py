"""One embedded PostgreSQL for the whole run; every test starts from an empty desk."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

_ROOT = Path(tempfile.mkdtemp(prefix="twokey-test-"))
_ROOT.chmod(0o755)
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)
os.environ["TWOKEY_HOME"] = str(_ROOT / "home")
os.environ["TWOKEY_HOSTS"] = "localhost,testserver"
os.environ["TWOKEY_SCAN_COMMAND"] = (
    "true {path}"  # a scanner that passes everything; tests of the scanner set their own
)
os.environ.pop("TWOKEY_DATABASE_URL", None)

from twokey.desk import boot  # noqa: E402
from twokey.desk.home import home  # noqa: E402

boot.setup()
with psycopg.connect(os.environ["TWOKEY_DATABASE_URL"], autocommit=True) as _connection:
    # Flushing every commit to disk is not what most tests are about; the crash tests start a server of their own.
    _connection.execute("ALTER SYSTEM SET fsync = off")
    _connection.execute("SELECT pg_reload_conf()")
boot.migrate()

from django.db import connection, transaction  # noqa: E402

from twokey.desk.signing import FileSigner  # noqa: E402

from .world import World  # noqa: E402

for _code, _side in (("BIS", "export"), ("MIIT", "import"), ("NDRC", "import"), ("DESK", "desk")):
    FileSigner(home().keys).make(_code, _side)


@pytest.fixture(scope="session", autouse=True)
def _database_open(django_db_blocker: object) -> None:
    """Let tests reach the database; isolation is done below."""
    getattr(django_db_blocker, "unblock", lambda: None)()


@pytest.fixture(autouse=True)
def _isolated(request: pytest.FixtureRequest) -> Iterator[None]:
    """Roll every test back; tests that need real commits ask for `committed` and are swept afterwards."""
    if "committed" in request.fixturenames or not {"world", "database"} & set(request.fixturenames):
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def database() -> None:
    """Say that a test uses the database without a world."""


@pytest.fixture
def committed() -> Iterator[None]:
    """Commit for real, for tests with several connections; sweep every table afterwards."""
    yield
    sweep()


def sweep() -> None:
    """Empty every table, past the triggers that keep history (only a superuser can)."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'django_migrations'"
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = origin")
    from django.core.management import call_command

    call_command("migrate", verbosity=0)  # content types and permissions


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> object:
    """Put a law at the desk's edge that a test can change under the cases."""
    from .law import PlainLaw

    plain = PlainLaw()
    monkeypatch.setattr("twokey.desk.cases.assessing.assess", plain.assess)
    monkeypatch.setattr("twokey.desk.cases.assessing.law_digest", plain.law_digest)
    return plain


@pytest.fixture
def world(law: object) -> World:
    """Return two authorities with their officers, an exporter, two importers, and a clean screening list."""
    return World.make()
