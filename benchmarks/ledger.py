"""Movements a second beside bare single-row UPDATEs on the same server, and the queue of 100,000 cases.

    python benchmarks/ledger.py [--seconds 5] [--writers 16] [--cases 100000]

Both sides run in one process, from as many connections, for as long, in turns; the ratio is what counts. Both call
Django's cursor over psycopg in autocommit, one statement and one round trip an operation, and both start to count when
their connections are warm. A movement is what the desk really does: two keys, every limit tested, a movement with two
entries written. The peer is `UPDATE t SET n = n + 1 WHERE id = X` on one narrow row and its commit, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

Work = Callable[[int, Callable[[], bool], list[tuple[float, float]]], None]
WARM_S = 0.5


def hammer(writers: int, seconds: float, work: Work) -> tuple[float, float]:
    """Run `work` from many threads for a time; returns operations a second and the 99th percentile in milliseconds.

    The first half second opens connections and fills their caches, and is not counted.
    """
    from django.db import connections

    until = 0.0
    times: list[list[tuple[float, float]]] = [[] for _ in range(writers)]
    barrier = threading.Barrier(writers + 1)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number, lambda: time.perf_counter() < until, times[number])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    warm = time.perf_counter() + WARM_S
    until = warm + seconds
    barrier.wait()
    for thread in threads:
        thread.join()
    done = [(began, ended) for lot in times for began, ended in lot if began >= warm]
    elapsed = max(ended for _, ended in done) - warm  # shorter than asked where the work ran out
    return len(done) / elapsed, quantiles([ended - began for began, ended in done], n=100)[98] * 1000


def bare(lines: int) -> Work:
    """Return the peer: one row updated and committed, and nothing else."""
    from django.db import connection

    def work(number: int, going: Callable[[], bool], times: list[tuple[float, float]]) -> None:
        turn = number * 7919
        while going():
            began = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute("UPDATE bench_bare SET n = n + 1 WHERE id = %s", [turn % lines])
            times.append((began, time.perf_counter()))
            turn += 1

    return work


def reserve(pairs: list[tuple[int, int]]) -> Work:
    """Return a reservation on both keys of a line."""
    from twokey.desk.ledger.movements import Amount, move

    def work(number: int, going: Callable[[], bool], times: list[tuple[float, float]]) -> None:
        turn = number * 7919
        while going():
            amounts = [Amount(pk, 1, 100, 1) for pk in pairs[turn % len(pairs)]]
            began = time.perf_counter()
            move("reserve", uuid.uuid4().hex, amounts=amounts, actor="bench")
            times.append((began, time.perf_counter()))
            turn += 1

    return work


def draw(lots: list[list[int]]) -> Work:
    """Return the draw of reservations that were made before."""
    from twokey.desk.ledger.movements import move

    def work(number: int, going: Callable[[], bool], times: list[tuple[float, float]]) -> None:
        for movement in lots[number]:
            if not going():
                return
            began = time.perf_counter()
            move("draw", f"draw:{movement}", of=movement, actor="bench")
            times.append((began, time.perf_counter()))

    return work


def make_lines(count: int) -> list[tuple[int, int]]:
    """Make lines with two keys each."""
    from datetime import timedelta

    from django.utils import timezone

    from twokey.desk.ledger.models import Balance

    opened = timezone.now() - timedelta(hours=1)
    caps = {"units_cap": 10**12, "value_cap": 10**14, "uses_cap": 10**12}
    fixed = {"kind": "authorisation", "opens_at": opened, "currency": "USD", **caps}
    rows = Balance.objects.bulk_create(Balance(label=f"line {n}", **fixed) for n in range(2 * count))
    return [(rows[2 * n].pk, rows[2 * n + 1].pk) for n in range(count)]


def reserve_for_draws(pairs: list[tuple[int, int]], writers: int, each: int) -> list[list[int]]:
    """Reserve in bulk so that there is something to draw; not timed."""
    from django.db import transaction

    from twokey.desk.ledger.movements import Amount, move

    with transaction.atomic():
        done = [
            move(
                "reserve",
                uuid.uuid4().hex,
                amounts=[Amount(pk, 1, 100, 1) for pk in pairs[n % len(pairs)]],
                actor="bench",
            ).movement_id
            for n in range(writers * each)
        ]
    return [done[number::writers] for number in range(writers)]


def ledger(seconds: float, writers: int, rounds: int) -> None:
    """Measure both sides in turns, and print rates, percentiles and the ratio."""
    from django.db import connections

    from twokey.desk.roles import ROLE

    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (id int PRIMARY KEY, n bigint NOT NULL)")
        cursor.execute("INSERT INTO bench_bare SELECT n, 0 FROM generate_series(0, 999) n")
        cursor.execute(f"GRANT ALL ON bench_bare TO {ROLE}")
        cursor.execute("SHOW fsync")
        fsync = cursor.fetchone()[0]
    print(f"{writers} connections, {rounds} rounds of {seconds:g} s each side, fsync {fsync}, 2 keys a movement")
    print(f"{'':24}{'bare/s':>9}{'p99 ms':>9}{'ours/s':>9}{'p99 ms':>9}{'ratio':>8}")
    for name, lines in (("one hot line", 1), ("1,000 lines", 1000)):
        pairs = make_lines(lines)
        for kind in ("reserve", "draw"):
            sums = [0.0, 0.0, 0.0, 0.0]
            for _ in range(rounds):
                lots = (
                    reserve_for_draws(pairs, writers, int(1500 * (seconds + WARM_S) / writers))
                    if kind == "draw"
                    else []
                )
                for place, work in ((0, bare(lines)), (2, draw(lots) if kind == "draw" else reserve(pairs))):
                    rate, p99 = hammer(writers, seconds, work)
                    sums[place] += rate / rounds
                    sums[place + 1] = max(sums[place + 1], p99)
            figures = f"{sums[0]:9,.0f}{sums[1]:9.1f}{sums[2]:9,.0f}{sums[3]:9.1f}{sums[2] / sums[0]:8.2f}"
            print(f"{kind + ', ' + name:24}{figures}")
    from twokey.desk.ledger.verify import verify_ledger

    result = verify_ledger()
    print(f"ledger verify: {result.entries:,} entries, {len(result.differences)} differences")


def queue(count: int) -> None:
    """Fill the queue and show a page of it, at its head and in its middle."""
    from django.db import connection, connections
    from django.test.utils import CaptureQueriesContext

    from twokey.desk.actors import Actor, Role
    from twokey.desk.api import show
    from twokey.desk.cases.reviewing import queue as rows
    from twokey.desk.parties.services import add_authority

    authority = add_authority("BENCH", "export", "Bench", "基准", "US", "UTC")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO parties_organisation (name, name_latin, kind, country, hq_country, provenance, created_at)"
            " VALUES ('甲', 'A', 'private', 'CN', 'CN', '', now()) RETURNING id"
        )
        party = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO cases_order (number, exporter_id, importer_id, currency, destination, place, facts,"
            " created_at, created_by) SELECT 'B' || n, %s, %s, 'USD', 'CN', 'mainland', '{}', now(), 'bench'"
            " FROM generate_series(1, %s) n",
            [party, party, count],
        )
        cursor.execute(
            "INSERT INTO cases_application (order_id, authority_id, applicant_id, state, use_statement, officer,"
            " attention, created_at, submitted_at) SELECT id, %s, %s, 'submitted', '', '', '', now(),"
            " now() - id * interval '1 min' FROM cases_order WHERE number LIKE 'B%%'",
            [authority.pk, party],
        )
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    officer = Actor(0, "bench", Role.OFFICER, "cli", authority.pk, "BENCH", "export")
    print(f"queue of {count:,} cases")
    for name, start in (("first page", 0), ("middle page", count // 2)):
        for _ in range(3):
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                shown = [show.case(row) for row in rows(officer, state="submitted")[start : start + 50]]
            taken = (time.perf_counter() - began) * 1000
        print(f"  {name:12} {taken:7.1f} ms, {len(shown)} rows, {len(queries)} query")


def main() -> None:
    """Start a server of its own, migrate, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ["TWOKEY_HOME"] = folder
        from twokey.desk import boot
        from twokey.desk.postgres import stop

        boot.ready()
        ledger(chosen.seconds, chosen.writers, chosen.rounds)
        queue(chosen.cases)
        from django.db import connections

        connections.close_all()
        stop(Path(folder) / "postgres")


if __name__ == "__main__":
    main()
