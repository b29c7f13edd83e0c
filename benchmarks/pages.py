"""How long the desk's pages take with 100,000 cases: p50 and p95 of each, its processor time, and its queries.

    .venv/bin/python benchmarks/pages.py [--cases 100000] [--times 40] [--keep DIR] [--only WORD]

A fresh desk in a temporary folder is filled with the founding case and then with invented rows in every table
(`desk_pages/filling.py`). Then every page of the URL tables (`desk_pages/walk.py`) is asked for in this process,
through all middleware, signed in, each time about another thing: first on the founding case alone, then on the whole.
Before that the process is brought to where `twokey serve` brings its web processes (`twokey.desk.warming`).

`cpu` is the processor time of this process and of the server process behind it: what remains of p95 when nothing else
runs. The last column is p50 over that of the small desk. The bar is a p95 of 200 ms; a page that asks a varying number
of queries is named too. `--keep` uses (and leaves) a desk in a folder, so that filling it is waited for once; `--only`
times the pages whose name holds a word.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desk_pages.walk import Known, Stop
    from django.test import Client

BAR_MS = 200


@dataclass(frozen=True, slots=True)
class Timed:
    """One page: its times in ms (`cpu`: the 95th of a hundred, this process and the server's), its queries."""

    name: str
    p50: float
    p95: float
    cpu50: float
    cpu95: float
    queries: tuple[int, int]


def main() -> int:
    """Fill, measure, print; the status is 1 where a page misses the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="twokey-pages-"))
    os.environ |= {"TWOKEY_HOME": str(folder), "TWOKEY_HOSTS": "testserver", "TWOKEY_SECOND_FACTOR": "optional"}
    os.environ.pop("TWOKEY_DATABASE_URL", None)
    try:
        return run(options.cases, options.times, options.only)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(cases: int, times: int, only: str) -> int:
    """Measure the small desk, fill it, measure again; a desk that is filled already is measured as it is."""
    from twokey.desk import boot

    boot.ready()
    from desk_pages.filling import fill

    from twokey.desk.cases.models import Application
    from twokey.desk.demo.story import load
    from twokey.desk.parties.models import Organisation
    from twokey.desk.warming import warm

    if not Organisation.objects.exists():
        load()
    warm()
    small: dict[str, float] = {}
    if Application.objects.count() < cases:
        small = {each.name: each.p50 for each in measure(times, only)}
        started = time.perf_counter()
        fill(cases)
        print(f"filled in {time.perf_counter() - started:.0f} s")
    print(f"{Application.objects.count():,} cases")
    full = measure(times, only)
    show(full, small)
    return verdict(full)


def measure(times: int, only: str) -> list[Timed]:
    """Time every page `times` times; a page about something that this desk has none of is left out."""
    from desk_pages.walk import STOPS, known, sign_in

    found, things = [], known()
    people: dict[str, Client] = {}
    for stop in STOPS:
        if only not in str(stop):
            continue
        if stop.login not in people:
            people[stop.login] = sign_in(stop.login)
        try:
            addresses = _addresses(stop, things, times + 4)
        except (IndexError, KeyError):
            continue
        found.append(_time(stop, people[stop.login], addresses))
    return found


def _addresses(stop: Stop, things: Known, count: int) -> list[str]:
    chance = random.Random(20260128)
    return [stop.address(stop.name, things, chance) for _ in range(count)]


def _time(stop: Stop, client: Client, addresses: Sequence[str]) -> Timed:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    headers = {"HX-Request": "true"} if stop.part else {}
    connection.ensure_connection()
    server = connection.connection.info.backend_pid
    first, *rest = addresses
    client.get(first, headers=headers)
    took, spent, counts = [], [], []
    for address in rest[:-3]:
        started, used = time.perf_counter(), _cpu(server)
        answer = client.get(address, headers=headers)
        took.append((time.perf_counter() - started) * 1000)
        spent.append((_cpu(server) - used) * 1000)
        if answer.status_code != 200:
            sys.exit(f"{stop}: {address} answered {answer.status_code}")
    for address in rest[-3:]:
        with CaptureQueriesContext(connection) as captured:
            client.get(address, headers=headers)
        counts.append(len(captured))
    return Timed(
        str(stop), _share(took, 50), _share(took, 95), _share(spent, 50), _share(spent, 95), (min(counts), max(counts))
    )


def _cpu(server: int) -> float:
    """Return the processor seconds of this process and of the server's that answers it (on Linux; else of this one)."""
    try:
        return time.process_time() + int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return time.process_time()


def _share(times: Sequence[float], percent: int) -> float:
    """Return the time that so many per cent of the requests stayed within."""
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def show(full: Sequence[Timed], small: dict[str, float]) -> None:
    """Print one line a page."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'page':<62}{'p50 ms':>8}{'p95 ms':>8}{'cpu p50':>9}{'cpu p95':>9}{'queries':>10}{'× small':>9}")
    for each in full:
        least, most = each.queries
        queries = str(least) if least == most else f"{least}–{most}"
        ratio = f"{each.p50 / small[each.name]:.2f}" if each.name in small else "–"
        mark = "" if each.p95 <= BAR_MS else "  over the bar"
        numbers = f"{each.p50:>8.0f}{each.p95:>8.0f}{each.cpu50:>9.0f}{each.cpu95:>9.0f}"
        print(f"{each.name:<62}{numbers}{queries:>10}{ratio:>9}{mark}")


def verdict(full: Sequence[Timed]) -> int:
    """Print whether every page stays within the bar; return the status."""
    over = [each.name for each in full if each.p95 > BAR_MS]
    worst, heaviest = max(full, key=lambda each: each.p95), max(full, key=lambda each: each.cpu95)
    print(f"\n{len(full)} pages; worst p95 {worst.p95:.0f} ms ({worst.name}); bar {BAR_MS} ms")
    print(f"most processor time, p95: {heaviest.cpu95:.0f} ms ({heaviest.name})")
    print("HOLDS: every page within the bar" if not over else f"MISSES: {len(over)} over the bar: {', '.join(over)}")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
