"""One embedded PostgreSQL for the whole run; every test starts from an empty desk."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo

_ROOT = Path(tempfile.mkdtemp(prefix="twokey-test-"))
_ROOT.chmod(0o755)
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)
os.environ["TWOKEY_HOME"] = str(_ROOT / "home")
os.environ["TWOKEY_HOSTS"] = "localhost,testserver"
os.environ["TWOKEY_SCAN_COMMAND"] = (
    "true {path}"  # a scanner that passes everything; tests of the scanner set their own
)

from twokey.desk import boot, postgres, roles
from twokey.desk.home import home

home().make()
_OWNER = postgres.start(home().database, "twokey")
with psycopg.connect(_OWNER, autocommit=True) as _connection:
    roles.make_role(_connection)
    # Flushing every commit to disk is not what most tests are about; the crash tests start a server of their own.
    _connection.execute("ALTER SYSTEM SET fsync = off")
    _connection.execute("SELECT pg_reload_conf()")
# Every test runs with the rights of the desk's role. The login behind it is the owner's, so that a test that plays the
# owner (`as_owner`) can do so inside its own transaction.
os.environ["TWOKEY_OWNER_URL"] = _OWNER
os.environ["TWOKEY_DATABASE_URL"] = make_conninfo(_OWNER, options=f"-crole={roles.ROLE}")
boot.setup()
os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # else a worker of pytest-xdist would set Django up on our server

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from twokey.desk.signing import FileSigner

from .world import World

for _code, _side in (("BIS", "export"), ("MIIT", "import"), ("NDRC", "import"), ("DESK", "desk")):
    FileSigner(home().keys).make(_code, _side)


@pytest.fixture(scope="session", autouse=True)
def _database_open(django_db_blocker: object) -> None:
    """Let tests reach the database, and bring its schema up; isolation is done below."""
    getattr(django_db_blocker, "unblock", lambda: None)()
    boot.migrate()


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


@contextmanager
def as_owner() -> Iterator[CursorWrapper]:
    """Do what only the owner of the database can, in the test's own transaction where it has one."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET ROLE postgres")
        try:
            yield cursor
        finally:
            if not connection.needs_rollback:
                cursor.execute("RESET ROLE")


def sweep() -> None:
    """Empty every table, past the triggers that keep history (only a superuser can)."""
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'django_migrations'"
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = origin")
    from django.core.management import call_command

    call_command("migrate", database="owner", verbosity=0)  # content types and permissions


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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a call of the command line, as somebody where a login is given."""
    monkeypatch.setattr("twokey.desk.boot.ready", lambda: None)

    def call(*arguments: str, login: str = "") -> Result:
        from twokey.cli.main import twokey
        from twokey.desk.api.tokens import make_token

        monkeypatch.setenv("TWOKEY_TOKEN", make_token(login, "test") if login else "")
        return CliRunner().invoke(twokey, arguments)

    return call
