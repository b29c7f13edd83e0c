"""One file that holds a desk: every table as PostgreSQL's own text, the documents, the public keys."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from twokey import __version__
from twokey.chips.errors import UserError
from twokey.desk import boot
from twokey.desk.home import home

_IN_MEMORY: Final = 8 * 1024 * 1024  # bytes of a table that are held at once
_SKIP: Final = frozenset({"django_migrations"})


def make(path: Path) -> int:
    """Write a backup taken in one snapshot; returns its size in bytes. Private keys are not in it.

    Errors: UserError where the file cannot be written.
    """
    try:
        file = path.open("wb")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that exists") from None
    with (
        file,
        tarfile.open(fileobj=file, mode="w:gz") as archive,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tables = list(_tables())
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        about = {"twokey": "backup/1", "version": __version__, "tables": tables, "migrations": cursor.fetchall()}
        _add(archive, "about.json", io.BytesIO(json.dumps(about, indent=1).encode()))
        for table in tables:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:  # an archive asks for the size before the content
                for block in _copy_out(table):
                    body.write(block)
                _add(archive, f"tables/{table}", body)
        for folder, source in (("documents", home().documents), ("keys", home().keys)):
            for each in sorted(source.glob("*" if folder == "documents" else "public.json")):
                archive.add(each, f"{folder}/{each.name}")
    return path.stat().st_size


def restore(path: Path) -> int:
    """Restore a backup into an empty desk; returns how many differences the ledger's check then finds (0 is right).

    Raises `UserError` where the file is no backup, is of another schema, or the desk is not empty.
    """
    about = _about(path)
    boot.setup()
    boot.migrate()
    owner = connections["owner"]  # only the owner can put history back
    with tarfile.open(path) as archive, transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        if [list(row) for row in cursor.fetchall()] != about["migrations"]:
            raise UserError(f"{path}: made by Twokey {about['version']} with another schema; restore with that version")
        cursor.execute("SELECT EXISTS (SELECT 1 FROM audit_event) OR EXISTS (SELECT 1 FROM auth_user)")
        if cursor.fetchone()[0]:
            raise UserError("this desk is not empty; restore into a new one (another TWOKEY_HOME, an empty database)")
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET'), current_user")
        allowed, login = cursor.fetchone()
        if not allowed:
            raise UserError(
                f"{login} may not put history back; name an owner in TWOKEY_OWNER_URL that may, or run once, as a "
                f'superuser: GRANT SET ON PARAMETER session_replication_role TO "{login}"'
            )
        # Rows come back as they were, in any order: the triggers that keep history and the foreign keys rest meanwhile.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in about["tables"]:
            cursor.execute(f'DELETE FROM "{table}"')
            _copy_in(owner, table, _open(archive, f"tables/{table}"))
            _set_sequence(owner, table)
        cursor.execute("SET LOCAL session_replication_role = origin")
        for member in archive.getmembers():
            folder, _, name = member.name.partition("/")
            if folder == "documents" and name and "/" not in name and member.isfile():
                (home().documents / name).write_bytes(_read(archive, member.name))
            if member.name == "keys/public.json" and not (home().keys / "public.json").exists():
                (home().keys / "public.json").write_bytes(_read(archive, member.name))
    owner.close()
    from twokey.desk.ledger.verify import verify_ledger

    return len(verify_ledger().differences)


def _about(path: Path) -> dict[str, Any]:
    """Return what a backup says of itself. Errors: UserError where the file is none."""
    try:
        with tarfile.open(path) as archive:
            about: dict[str, Any] = json.loads(_read(archive, "about.json"))
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        said = str(error).partition(":")[0]  # tarfile goes on with what each of its readers says
        raise UserError(f"{path}: not a backup of a desk ({said})") from None
    return about


def _tables() -> Iterator[str]:
    rows = connection.introspection.table_names()
    yield from sorted(name for name in rows if name not in _SKIP)


def _copy_out(table: str) -> Iterator[bytes]:
    with _raw().cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        for block in copy:
            yield bytes(block)


def _copy_in(owner: BaseDatabaseWrapper, table: str, body: IO[bytes]) -> None:
    with owner.connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        while block := body.read(_IN_MEMORY):
            copy.write(block)


def _set_sequence(owner: BaseDatabaseWrapper, table: str) -> None:
    with owner.cursor() as own:
        own.execute(
            "SELECT a.attname, pg_get_serial_sequence(quote_ident(%s), a.attname) FROM pg_attribute a "
            "WHERE a.attrelid = quote_ident(%s)::regclass AND a.attidentity <> ''",
            [table, table],
        )
        for column, sequence in own.fetchall():
            own.execute(
                f'SELECT setval(%s, coalesce((SELECT max("{column}") FROM "{table}"), 0) + 1, false)', [sequence]
            )


def _raw() -> psycopg.Connection[object]:
    raw: psycopg.Connection[object] = connection.connection
    return raw


def _add(archive: tarfile.TarFile, name: str, body: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = body.seek(0, io.SEEK_END), 0o600
    body.seek(0)
    archive.addfile(member, body)


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    return _open(archive, name).read()


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file
