"""`twokey serve`: bring everything up in order, watch it, and take it down in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from types import FrameType

import click

from twokey.chips.errors import UserError
from twokey.desk import boot
from twokey.desk.home import home
from twokey.desk.postgres import alive

START_S = 60
STOP_S = 20
RESTART_S = 2


def serve(host: str, port: int, workers: int, *, once: bool = False, browser: bool = False) -> None:
    """Migrate, start the web process and the worker, print the address, and wait for a signal.

    `once`: stop as soon as the first page answered, for a machine without a person. `browser`: open the first page.

    Raises `UserError` where the address is taken or the web process does not come up.
    """
    boot.setup()
    boot.migrate()
    _say_if_unlimited()
    _signing_keys()
    port = _free(host, port)
    # Web and worker get the desk's login alone; the owner's stays in this process.
    environment = {key: value for key, value in os.environ.items() if key != "TWOKEY_OWNER_URL"}
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("TWOKEY_HOSTS", f"localhost,127.0.0.1,[::1],{host}")
    options = {
        "config": "python:twokey.desk.web_process",
        "bind": f"{_bracket(host)}:{port}",
        "workers": workers,
        "worker-class": "gthread",
        "threads": 4,
        "log-level": "warning",
        "graceful-timeout": 15,
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "twokey.desk.wsgi", *flags], env=environment, start_new_session=True
    )
    worker = _worker(environment)
    embedded = os.environ.get("TWOKEY_EMBEDDED") == "1"
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    try:
        _wait_for(web, host, port)
        address = f"http://{_bracket(host)}:{port}/"
        if once:
            _first_page(address)
        _say_where(address)
        if browser:
            webbrowser.open(address)
        while not (stopping or once):
            if web.poll() is not None:
                raise UserError(f"the web process ended with status {web.returncode}; see the lines above")
            if embedded and not alive(home().database):
                raise UserError("the embedded PostgreSQL ended; what was acknowledged is safe: start the desk again")
            if worker.poll() is not None:
                click.echo("ALARM the worker ended; starting it again", err=True)
                time.sleep(RESTART_S)
                worker = _worker(environment)
            time.sleep(0.3)
        click.echo("Stopping.")
    finally:
        for process in (web, worker):
            _end(process)
    click.echo("Stopped.")


def _say_if_unlimited() -> None:
    """Say so where the database itself would let this login change history."""
    from django.db import connection

    from twokey.desk import roles

    connection.ensure_connection()
    if not roles.limited(connection.connection):
        click.echo(
            f"ALARM this database login could change history; let the desk run as {roles.ROLE} (docs/desk.md, "
            "A server of your own)",
            err=True,
        )


def _say_where(address: str) -> None:
    """Print the address, and on a demonstration a login for each part that is played."""
    from twokey.desk.demo.cast import logins, password

    click.echo(f"\nThe desk is open:  {address}   (API: {address}api/v1/openapi.json; data in {home().root})")
    people = logins()
    if people:
        click.echo(f"Password of everybody here:  {password()}")
        for login, part in people:
            click.echo(f"  {login:<16} {part}")
    click.echo("Ctrl-C stops it.\n")


def _first_page(address: str) -> None:
    """Ask for the first page as a browser would; raises `UserError` where the desk does not give it."""
    try:
        with urllib.request.urlopen(address, timeout=START_S) as answer:
            if answer.status == 200:
                return
    except OSError as error:
        raise UserError(f"{address}: the first page did not open ({error}); see the lines above") from None
    raise UserError(f"{address}: the first page answered with status {answer.status}")


def _worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "twokey.desk.worker_process"], env=environment, start_new_session=True
    )


def _signing_keys() -> None:
    """Make the desk's own key where there is none: it seals history. Authorities make theirs themselves."""
    from twokey.desk.proof import DESK
    from twokey.desk.signing import FileSigner

    signer = FileSigner(home().keys)
    if not any(key.authority == DESK for key in signer.ring().keys.values()):
        signer.make(DESK, "desk")


def _free(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(f"{host}:{port} cannot be used ({error.strerror}); choose another with --port") from None
        return int(probe.getsockname()[1])


def _wait_for(web: subprocess.Popen[bytes], host: str, port: int) -> None:
    reach = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, _bracket(host))
    until = time.monotonic() + START_S
    while time.monotonic() < until and web.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{reach}:{port}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:  # an answer, if only to say that it serves another host name
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise UserError(f"the web process did not answer within {START_S} s; see the lines above")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
