"""Movements a second beside bare UPDATEs on the same server, and the queue of 100,000 cases.

    python benchmarks/ledger.py [--seconds 2] [--rounds 7] [--writers 16] [--cases 100000]

All sides run in one process, from as many connections, for as long, in turns, and start to count when their connections
are warm; a figure is the median of its rounds, and a ratio the median of the ratios within a round. A movement is what
the desk really does: every limit tested on every key, a movement with its entries written. `2 keys` moves two lines,
`1 key` one. The peers do nothing else than to update and commit, in one round trip of the same driver:

- `bare`: one row, `UPDATE t SET n = n + 1 WHERE id = X`, prepared as a movement's statement is;
- `bare x2`: the rows of two lines in one transaction, what two keys come to without anything tested or written.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

Line = tuple[int, ...]
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


def bare(lines: int, keys: int) -> Work:
    """Return a peer: as many rows updated and committed as a movement moves lines, and nothing else."""
    import psycopg
    from django.db import connection

    one = "UPDATE bench_bare SET n = n + 1 WHERE id = %s"

    def work(number: int, going: Callable[[], bool], times: list[tuple[float, float]]) -> None:
        connection.ensure_connection()
        turn = number * 7919
        with psycopg.Cursor(connection.connection) as prepared, psycopg.ClientCursor(connection.connection) as several:
            while going():
                first = turn % lines * 2
                began = time.perf_counter()
                if keys == 1:
                    prepared.execute(one, [first], prepare=True)
                else:  # several statements of one message are one transaction
                    several.execute("; ".join([one] * keys), [first + n for n in range(keys)])
                times.append((began, time.perf_counter()))
                turn += 1

    return work


def reserve(lines: list[Line]) -> Work:
    """Return a reservation on every key of a line."""
    from twokey.desk.ledger.movements import Amount, move

    def work(number: int, going: Callable[[], bool], times: list[tuple[float, float]]) -> None:
        turn = number * 7919
        while going():
            amounts = [Amount(pk, 1, 100, 1) for pk in lines[turn % len(lines)]]
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


def make_lines(count: int) -> list[Line]:
    """Make lines with two keys each."""
    from datetime import timedelta

    from django.utils import timezone

    from twokey.desk.ledger.models import Balance

    opened = timezone.now() - timedelta(hours=1)
    caps = {"units_cap": 10**12, "value_cap": 10**14, "uses_cap": 10**12}
    fixed = {"kind": "authorisation", "opens_at": opened, "currency": "USD", **caps}
    rows = Balance.objects.bulk_create(Balance(label=f"line {n}", **fixed) for n in range(2 * count))
    return [(rows[2 * n].pk, rows[2 * n + 1].pk) for n in range(count)]


def reserve_for_draws(lines: list[Line], writers: int, each: int) -> list[list[int]]:
    """Reserve what is to be drawn, each by itself as in life; not timed, and therefore not waited for on the disk."""
    from django.db import connection

    from twokey.desk.ledger.movements import Amount, move

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    done = [
        move(
            "reserve",
            uuid.uuid4().hex,
            amounts=[Amount(pk, 1, 100, 1) for pk in lines[n % len(lines)]],
            actor="bench",
        ).movement_id
        for n in range(writers * each)
    ]
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
    return [done[number::writers] for number in range(writers)]


def ledger(seconds: float, writers: int, rounds: int) -> None:
    """Measure all sides in turns, and print rates, percentiles and ratios."""
    from django.db import connections

    from twokey.desk.roles import ROLE

    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (id int PRIMARY KEY, n bigint NOT NULL)")
        cursor.execute("INSERT INTO bench_bare SELECT n, 0 FROM generate_series(0, 1999) n")
        cursor.execute(f"GRANT ALL ON bench_bare TO {ROLE}")
        cursor.execute("SHOW fsync")
        fsync = cursor.fetchone()[0]
    print(f"{writers} connections, {rounds} rounds of {seconds:g} s each side in turns, medians, fsync {fsync}")
    print(f"{'':16}{'a second':>10}{'p99 ms':>9}{'of bare':>9}{'of bare x2':>12}")
    for name, count in (("one hot line", 1), ("1,000 lines", 1000)):
        both = make_lines(count)
        lines: dict[int, list[Line]] = {1: [line[:1] for line in both], 2: both}
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(rounds):
            for keys in (1, 2):
                found[f"bare{' x2' * (keys - 1)}"].append(hammer(writers, seconds, bare(count, keys)))
                found[f"reserve, {keys} key"].append(hammer(writers, seconds, reserve(lines[keys])))
                enough = int(1.5 * found["bare"][-1][0] * (seconds + WARM_S) / writers)
                lots = reserve_for_draws(lines[keys], writers, enough)
                found[f"draw, {keys} key"].append(hammer(writers, seconds, draw(lots)))
        print(f"{name}")
        for side, runs in found.items():
            ratios = [
                median(run[0] / peer[0] for run, peer in zip(runs, found[peers], strict=True))
                for peers in ("bare", "bare x2")
            ]
            rate, p99 = (median(run[place] for run in runs) for place in (0, 1))
            print(f"  {side:14}{rate:10,.0f}{p99:9.1f}{ratios[0]:9.2f}{ratios[1]:12.2f}")
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
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
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
