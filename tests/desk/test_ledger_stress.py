"""The ledger under load: nothing is overdrawn, nothing is lost, nothing is late. Each guard is also taken away once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from twokey.desk.ledger.models import Balance
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused

from .conftest import as_owner

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("committed")]
CONNECTIONS = 64
ATTEMPTS = 1000


def balance(label: str, **caps: int | None) -> int:
    """Make a balance that opened an hour ago."""
    row = Balance.objects.create(
        kind="authorisation", label=label, opens_at=timezone.now() - timedelta(hours=1), currency="USD", **caps
    )
    return row.pk


def many(jobs: list[Callable[[], bool]], workers: int = CONNECTIONS) -> list[bool]:
    """Run jobs from as many connections as workers, all let go at once; returns what each answered."""
    barrier = threading.Barrier(workers)
    lots = [jobs[n::workers] for n in range(workers)]

    def work(lot: list[Callable[[], bool]]) -> list[bool]:
        try:
            connection.ensure_connection()
            barrier.wait(60)
            return [job() for job in lot]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return [answer for answers in pool.map(work, lots) for answer in answers]


def reserve(key: str, amounts: list[Amount]) -> bool:
    """Try once; a refusal is an answer, anything else is a failure of the test."""
    try:
        move("reserve", key, amounts=amounts, actor="load")
    except Refused:
        return False
    return True


def totals(pk: int) -> tuple[int, int, int]:
    """Return reserved and drawn of a balance: units, value, uses."""
    row = Balance.objects.get(pk=pk)
    return (
        row.units_reserved + row.units_drawn,
        row.value_reserved + row.value_drawn,
        row.uses_reserved + row.uses_drawn,
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_cap_of_100_grants_exactly_100(seed: int) -> None:
    """Units, value, uses and the batch ceiling in turn are the one limit that binds."""
    limit = ("units_cap", "value_cap", "uses_cap", "batch")[seed % 4]
    export = balance("export", **({} if limit == "batch" else {limit: 100}))
    import_, batch = balance("import"), balance("batch", units_cap=100 if limit == "batch" else None)
    amounts = [Amount(pk, 1, 1, 1) for pk in (batch, import_, export)]
    random.Random(seed).shuffle(amounts)
    granted = many([lambda n=n: reserve(f"{seed}:{n}", amounts) for n in range(ATTEMPTS)])  # type: ignore[misc]
    assert sum(granted) == 100
    assert totals(export) == totals(import_) == totals(batch) == (100, 100, 100)
    assert verify_ledger().differences == ()


@pytest.mark.parametrize("seed", range(4))
def test_mixed_sizes_several_lines_and_voids_keep_every_cap(seed: int) -> None:
    """Shipments of several lines over shared batches, drawn and voided at random: no cap passed, no deadlock."""
    chance = random.Random(seed)
    lines = [balance(f"line {n}", units_cap=200, value_cap=5_000, uses_cap=60) for n in range(6)]
    shared = [balance(f"batch {n}", units_cap=500, value_cap=9_000) for n in range(2)]

    def job(n: int) -> Callable[[], bool]:
        mine = random.Random(f"{seed}:{n}")
        chosen = [*mine.sample(lines, mine.randint(1, 4)), mine.choice(shared)]
        amounts = [Amount(pk, mine.randint(1, 9), mine.randint(0, 300), 1) for pk in chosen]
        mine.shuffle(amounts)
        fate = mine.choice(["draw", "void", "void", "keep", "expire"])

        def run() -> bool:
            try:
                moved = move("reserve", f"{seed}:{n}", amounts=amounts, actor="load")
            except Refused:
                return False
            if fate != "keep":
                move(fate, f"{seed}:{n}:{fate}", of=moved.movement_id, actor="load")
            return True

        return run

    jobs = [job(n) for n in range(600)]
    chance.shuffle(jobs)
    answers = many(jobs)
    assert any(answers)
    assert not all(answers)
    for pk in (*lines, *shared):
        row = Balance.objects.get(pk=pk)
        units, value, uses = totals(pk)
        assert units <= (row.units_cap or 0)
        assert value <= (row.value_cap or 0)
        assert row.uses_cap is None or uses <= row.uses_cap
    assert verify_ledger().differences == ()


def test_no_capacity_is_lost_after_voids() -> None:
    """Fill, give everything back under load, and fill again: the whole cap is there the second time."""
    pk = balance("line", units_cap=100)
    first = [move("reserve", f"a{n}", amounts=[Amount(pk, 1, 0, 1)], actor="load").movement_id for n in range(100)]
    many([lambda m=m: bool(move("void", f"v{m}", of=m, actor="load")) for m in first])  # type: ignore[misc]
    assert totals(pk) == (0, 0, 0)
    again = many([lambda n=n: reserve(f"b{n}", [Amount(pk, 1, 0, 1)]) for n in range(300)])  # type: ignore[misc]
    assert sum(again) == 100


def test_a_reservation_is_resolved_once_however_many_try() -> None:
    pk = balance("line", units_cap=10)
    moved = move("reserve", "r", amounts=[Amount(pk, 10, 0, 1)], actor="load")

    def job(n: int) -> Callable[[], bool]:
        def run() -> bool:
            try:
                kind = ("draw", "void", "expire")[n % 3]
                move(kind, f"x{n}", of=moved.movement_id, actor="load")
            except Refused:
                return False
            return True

        return run

    assert sum(many([job(n) for n in range(192)])) == 1
    assert verify_ledger().differences == ()


def test_a_reservation_is_drawn_twice_only_when_the_index_that_forbids_it_is_gone() -> None:
    """Another reservation is open on the same balance, so that the counters alone would let the second draw pass."""
    pk = balance("line", units_cap=10)
    first = move("reserve", "r1", amounts=[Amount(pk, 5, 0, 1)], actor="load").movement_id
    move("reserve", "r2", amounts=[Amount(pk, 5, 0, 1)], actor="load")
    move("draw", "d1", of=first, actor="load")
    with pytest.raises(Refused) as refused:
        move("void", "d2", of=first, actor="load")
    assert [each.code for each in refused.value.reasons] == ["already_resolved"]
    assert totals(pk) == (10, 0, 2)
    with as_owner() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'reservation_resolved_once'")
        definition = cursor.fetchone()[0]
        cursor.execute("DROP INDEX reservation_resolved_once")
    try:
        move("void", "d2", of=first, actor="load")
        assert totals(pk) == (5, 0, 1)
    finally:
        with as_owner() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM ledger_movement WHERE key = 'd2'")
            cursor.execute("SET session_replication_role = origin")
            cursor.execute(definition)


@pytest.mark.parametrize("end", ["suspended", "revoked", "surrendered", "withdrawn by the other side", "expired"])
def test_no_draw_is_late(end: str) -> None:
    """From the moment at which the end of either key commits, nothing more is reserved or drawn."""
    slowest = 0.0
    for turn in range(4):
        export, import_ = balance("export"), balance("import")
        held = [
            move(
                "reserve", f"{end}{turn}h{n}", amounts=[Amount(export, 1, 0, 1), Amount(import_, 1, 0, 1)], actor="load"
            )
            for n in range(200)
        ]
        stop = threading.Event()
        refused: list[int] = []

        def writer(
            lot: list[int],
            w: int,
            turn: int,
            export: int,
            import_: int,
            stop: threading.Event,
            refused: list[int],
        ) -> None:
            try:
                for n in range(5_000):  # goes on past its draws, until the end is seen
                    if stop.is_set():
                        return
                    try:
                        if n < len(lot):
                            move("draw", f"{end}{turn}d{lot[n]}", of=lot[n], actor="load")
                        move(
                            "reserve",
                            f"{end}{turn}w{w}:{n}",
                            amounts=[Amount(export, 1, 0, 1), Amount(import_, 1, 0, 1)],
                            actor="load",
                        )
                    except Refused:
                        refused.append(n)
                        if n >= len(lot):
                            return
            finally:
                connections.close_all()

        threads = [
            threading.Thread(
                target=writer, args=([m.movement_id for m in held[w::16]], w, turn, export, import_, stop, refused)
            )
            for w in range(16)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        began = time.perf_counter()
        target = import_ if "other side" in end else export
        with connection.cursor() as cursor:
            if end == "expired":
                cursor.execute("UPDATE ledger_balance SET closes_at = clock_timestamp() WHERE id = %s", [target])
            else:
                state = "revoked" if "other side" in end else end
                cursor.execute("UPDATE ledger_balance SET state = %s WHERE id = %s", [state, target])
            slowest = max(slowest, time.perf_counter() - began)
            cursor.execute("SELECT clock_timestamp()")
            committed_at = cursor.fetchone()[0]
        for thread in threads:
            thread.join(60)
        stop.set()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM ledger_movement WHERE key LIKE %s AND at > %s AND kind IN ('reserve', 'draw')",
                [f"{end}{turn}%", committed_at],
            )
            assert cursor.fetchone()[0] == 0
        assert refused, "the writers were done before the change: the race was not run"
    print(f"slowest change of state under 16 writers ({end}): {slowest * 1000:.0f} ms")
    assert verify_ledger().differences == ()


def behind(hold: Callable[[], None], then: Callable[[], None], key: str, amounts: list[Amount]) -> bool:
    """Reserve while another connection holds the rows: it does `hold`, sees us wait, does `then`, and commits."""
    answers: list[bool] = []
    with transaction.atomic():
        hold()

        def work() -> None:
            try:
                answers.append(reserve(key, amounts))
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        waiting = 0
        while not waiting and thread.is_alive():
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                waiting = cursor.fetchone()[0]
        assert waiting, "nobody waited: the race was not run"
        then()
    thread.join(30)
    return answers[0]


def test_a_movement_that_waited_past_the_end_is_refused() -> None:
    """The rows are only locked, not changed, so nothing makes PostgreSQL look at them again."""
    first, second = balance("first"), balance("second")
    ends = timezone.now() + timedelta(seconds=1)
    Balance.objects.filter(pk=first).update(closes_at=ends)

    def until_it_ended() -> None:
        while timezone.now() <= ends:
            time.sleep(0.05)

    amounts = [Amount(first, 1, 1, 1), Amount(second, 1, 1, 1)]
    assert not behind(
        lambda: Balance.objects.select_for_update().get(pk=second) and None, until_it_ended, "late", amounts
    )
    assert totals(first) == totals(second) == (0, 0, 0)


def test_an_end_that_passed_while_capacity_came_back_is_still_seen() -> None:
    """The second look at the last balance must not forget when the first one ends."""
    first, second = balance("first"), balance("second", units_cap=10)
    held = move("reserve", "held", amounts=[Amount(second, 10, 0, 1)], actor="load").movement_id
    ends = timezone.now() + timedelta(seconds=2)
    Balance.objects.filter(pk=first).update(closes_at=ends)

    def until_it_ended() -> None:
        while timezone.now() <= ends:
            time.sleep(0.05)

    amounts = [Amount(first, 1, 1, 1), Amount(second, 1, 1, 1)]
    assert not behind(lambda: move("void", "back", of=held, actor="load") and None, until_it_ended, "late", amounts)
    assert totals(first) == totals(second) == (0, 0, 0)


def test_capacity_that_comes_back_while_one_waits_is_given_to_it() -> None:
    pk = balance("line", units_cap=10)
    held = move("reserve", "held", amounts=[Amount(pk, 10, 0, 1)], actor="load").movement_id
    assert behind(
        lambda: move("void", "back", of=held, actor="load") and None, lambda: None, "next", [Amount(pk, 10, 0, 1)]
    )
    assert totals(pk) == (10, 0, 1)


_SQL = files("twokey.desk.ledger") / "sql"
_MOVE = (_SQL / "move.sql").read_text(encoding="utf-8")
_GUARD = (_SQL / "guard.sql").read_text(encoding="utf-8")
LIMITS = _GUARD[_GUARD.index("least(NEW.") : _GUARD.index(" < 0 THEN")] + " < 0"


@contextmanager
def without(*parts: str, guard: str = "") -> Iterator[None]:
    """Take a test out of the database function (and one of the trigger behind it), and put it back."""
    weak, weak_guard = _MOVE, _GUARD
    for part in parts:
        assert part in weak
        weak = weak.replace(part, "" if part.startswith("AND") else "true")
    assert guard in weak_guard
    with as_owner() as cursor:
        cursor.execute(weak.replace("%", "%%"), [])
        cursor.execute((weak_guard.replace(guard, "false") if guard else weak_guard).replace("%", "%%"), [])
    try:
        yield
    finally:
        with as_owner() as cursor:
            cursor.execute(_MOVE.replace("%", "%%"), [])
            cursor.execute("UPDATE ledger_balance SET units_cap = NULL, value_cap = NULL, uses_cap = NULL")
            cursor.execute(_GUARD.replace("%", "%%"), [])


GUARDS = {
    "units_cap": "AND (b.units_cap IS NULL OR b.units_reserved + b.units_drawn + v_unit <= b.units_cap)",
    "value_cap": """AND (b.value_cap IS NULL OR b.value_reserved + b.value_drawn + v_value <= b.value_cap
                        + CASE WHEN b.units_cap IS NULL OR b.units_reserved + b.units_drawn < b.units_cap
                               THEN b.value_tolerance ELSE 0 END)""",
    "uses_cap": "AND (b.uses_cap IS NULL OR b.uses_reserved + b.uses_drawn + v_use <= b.uses_cap)",
}


@pytest.mark.parametrize("limit", sorted(GUARDS))
def test_these_tests_see_an_overdraw_when_the_guard_is_gone(limit: str) -> None:
    with without(GUARDS[limit], guard=LIMITS):
        pk = balance("line", **{limit: 100})
        granted = many([lambda n=n: reserve(f"{n}", [Amount(pk, 1, 1, 1)]) for n in range(300)])  # type: ignore[misc]
        assert sum(granted) == 300


@pytest.mark.parametrize("limit", sorted(GUARDS))
def test_the_guard_behind_holds_a_limit_that_the_function_forgot(limit: str) -> None:
    with without(GUARDS[limit]):
        pk = balance("line", **{limit: 2})
        assert [reserve(f"{n}", [Amount(pk, 1, 1, 1)]) for n in range(4)] == [True, True, False, False]


def test_these_tests_see_a_late_draw_when_the_state_is_not_tested() -> None:
    guard = """AND (NOT c_starts OR (b.state = 'in_force' AND b.opens_at <= clock_timestamp()
                                         AND (b.closes_at IS NULL OR clock_timestamp() < b.closes_at)))"""
    pk = balance("line", units_cap=10)
    held = move("reserve", "held", amounts=[Amount(pk, 1, 0, 1)], actor="load").movement_id
    Balance.objects.filter(pk=pk).update(state="suspended")
    assert not reserve("a", [Amount(pk, 1, 0, 1)])
    with pytest.raises(Refused):
        move("draw", "d", of=held, actor="load")
    assert _MOVE.count(guard) == 2  # of what is reserved, and of what is drawn
    with without(guard):
        assert reserve("b", [Amount(pk, 1, 0, 1)])
        move("draw", "d", of=held, actor="load")
    assert totals(pk) == (2, 0, 2)
