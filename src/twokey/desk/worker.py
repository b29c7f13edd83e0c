"""The worker, one round at a time.

It sends the outbox, tells people and writes to them, lets expiry happen, seals history, screens and assesses again.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, close_old_connections, connection

from twokey.desk.actors import Actor, Role
from twokey.desk.audit import outbox, sealing
from twokey.desk.cases.expiring import warn
from twokey.desk.cases.watching import reassess
from twokey.desk.ledger.states import expire_due
from twokey.desk.notices import digest, mailing
from twokey.desk.notices.telling import tell
from twokey.desk.parties.screening import rescreen

LOG: Final = logging.getLogger("twokey.worker")
WORKER: Final = Actor(0, "worker", Role.OPERATOR, "worker")


@dataclass(frozen=True, slots=True)
class Task:
    """One duty and how often it is done, in rounds."""

    name: str
    do: Callable[[], object]
    every: int = 1


TASKS: Final = (
    Task("outbox", outbox.deliver),
    Task("notices", tell),
    Task("mail", mailing.deliver, every=2),
    Task("digest", digest.send_digests, every=60),
    Task("expiry", lambda: expire_due(WORKER)),
    Task("evidence", lambda: warn(WORKER), every=60),
    Task("sealing", sealing.seal),
    Task("screening", lambda: rescreen(WORKER), every=10),
    Task("assessing", lambda: reassess(WORKER), every=30),
    Task("audit", lambda: sealing.audit(WORKER), every=720),
)


def round_of(number: int) -> list[str]:
    """Do what is due in one round; a duty that fails is logged as an alarm, tried again, and stops no other."""
    failed = []
    for task in TASKS:
        if number % task.every:
            continue
        try:
            task.do()
        except Exception:  # whatever a duty raises must stop no other; the alarm tells, and the next round tries again
            LOG.exception("ALARM %s failed", task.name)
            failed.append(task.name)
    return failed


def run(pause_s: int = 5) -> None:
    """Work until told to stop."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    number, answers = 0, True
    while not stop.is_set():
        close_old_connections()
        before, answers = answers, _database_answers(known_silent=not answers)
        if answers:
            if not before:
                LOG.warning("the database answers again")
            round_of(number)
            number += 1
        stop.wait(pause_s)


def _database_answers(*, known_silent: bool) -> bool:
    """Ask the database one thing; a silence is one line of alarm when it begins, not one for every duty and round."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        connection.close()
        if not known_silent:
            LOG.error("ALARM the database does not answer: %s", " ".join(str(error).split()))
        return False
    return True
