"""What an operator meets: a directory or an address that is wrong, a killed `twokey serve`, a database that is gone."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from twokey.desk import postgres, worker

SCRIPT = "import sys; from twokey.cli.main import run; sys.argv = ['twokey', *sys.argv[1:]]; run()"


def _command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TWOKEY_")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TWOKEY_DATABASE_URL": "postgresql://x:hush@127.0.0.1:9/none"}, "TWOKEY_DATABASE_URL: the database does not"),
        ({"TWOKEY_DATABASE_URL": "mysql://x:hush@there/none"}, "postgresql://LOGIN:PASSWORD@HOST:PORT/DATABASE"),
    ],
)
def test_an_address_that_leads_nowhere_is_named_without_its_password(
    environment: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = _command("token", "list", TWOKEY_HOME=str(tmp_path), **environment)
    assert (done.returncode, said in done.stderr) == (3, True), done.stderr
    assert "hush" not in done.stderr


def test_a_directory_that_cannot_hold_a_desk_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = _command("token", "list", TWOKEY_HOME=str(tmp_path / "file"))
    assert done.returncode == 3
    assert "file cannot hold a desk" in done.stderr
    assert "TWOKEY_HOME" in done.stderr


def test_the_lock_of_the_embedded_server_lies_where_no_other_user_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    postgres._make_runtime()
    own = tmp_path / f"twokey-{os.geteuid()}"
    assert (own / "python_PostgresServer").is_dir()
    assert own.stat().st_mode & 0o077 == 0


def test_a_killed_serve_leaves_no_process_behind_and_a_new_one_starts() -> None:
    home = Path(tempfile.mkdtemp(prefix="twokey-killed-"))
    home.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TWOKEY_", "DJANGO_"))}
    command = [sys.executable, "-c", SCRIPT, "serve", "--port", "0", "--workers", "1"]
    serve = subprocess.Popen(
        command,
        env={**environment, "TWOKEY_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.STDOUT,
    )
    try:
        assert serve.stdout is not None
        assert any(line.startswith("The desk is open:") for line in serve.stdout)
        family = psutil.Process(serve.pid).children(recursive=True)
        python = [each for each in family if "postgres" not in each.name()]
        assert len(python) >= 3  # gunicorn, its worker, the desk's worker
        os.kill(serve.pid, signal.SIGKILL)
        serve.wait()
        _, alive = psutil.wait_procs(python, timeout=30)
        assert [each.cmdline() for each in alive] == []
        again = _command("serve", "--port", "0", "--workers", "1", "--once", TWOKEY_HOME=str(home))
        assert again.returncode == 0, again.stderr
    finally:
        serve.kill()
        serve.wait()
        serve.stdout.close() if serve.stdout else None


def test_serve_stops_and_says_so_where_its_database_ends() -> None:
    home = Path(tempfile.mkdtemp(prefix="twokey-ended-"))
    home.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TWOKEY_", "DJANGO_"))}
    command = [sys.executable, "-c", SCRIPT, "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(
        command,
        env={**environment, "TWOKEY_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.STDOUT,
    ) as serve:
        assert serve.stdout is not None
        assert any(line.startswith("The desk is open:") for line in serve.stdout)
        os.kill(int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
        rest = serve.stdout.read()
        assert "the embedded PostgreSQL ended" in rest
        assert serve.wait(30) == 3


def test_a_silent_database_is_one_line_of_alarm(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def cursor(self) -> object:
            raise worker.DatabaseError("connection\n refused")

        def close(self) -> None:
            pass

    monkeypatch.setattr(worker, "connection", Silent())
    with caplog.at_level(logging.ERROR, "twokey.worker"):
        assert worker._database_answers(known_silent=False) is False
        assert worker._database_answers(known_silent=True) is False
    assert [record.getMessage() for record in caplog.records] == [
        "ALARM the database does not answer: connection refused"
    ]
    assert caplog.records[0].exc_info is None
