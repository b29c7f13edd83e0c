"""How fast the law answers: `make bench-law`, or `python benchmarks/law.py` with the peers that are installed.

Part one: one common set of twenty conditions, our engine beside its peers, which are checked to agree on random orders
first. Part two: the full packs by themselves, against the bars that the project holds itself to.

Times are CPU time of this process on one thread, medians of several repeats, because on a machine that others use too
the clock on the wall says little; commands are timed by the wall, as their users are.
"""

from __future__ import annotations

import os

from twokey.law.memory import keep_pages

keep_pages()  # as the command does it; before Polars is imported
for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_MAX_THREADS"):
    os.environ[name] = "1"

import argparse
import itertools
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from twenty import ANSWERS, CONDITIONS, COUNTRIES, D5, FACTS, FLAGS, NUMBERS, WORDS
from twenty.peers import PEERS
from twenty.rules import twenty

from twokey.law import amended, assess, facts_of_order, find_amendment, law, read_order
from twokey.law.book import BookLaw, assess_book
from twokey.law.engine.cells import Ordered, Words, atoms_of, classes_of
from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import Folded, fold
from twokey.law.engine.many import ManyLaw
from twokey.law.engine.one import compile_one
from twokey.law.engine.tree import Const
from twokey.law.explaining import explain, explain_key
from twokey.law.impact import Difference
from twokey.law.state import state_of

DAY = date(2026, 1, 28)
AMENDED_DAY = date(2027, 6, 1)
ASKED = "us-export:licence_required"
ORDER = Path(__file__).parent.parent / "examples" / "orders" / "h200-founding.toml"
TPP_EDGES = (1599.0, 1600.0, 2399.0, 2400.0, 4799.0, 4800.0, 15832.0, 20999.0, 21000.0)
EDGES = {"tpp": TPP_EDGES, "density": (1.5, 1.6, 3.1, 3.2, 5.9, 5.92, 19.4), "dram": (4800.0, 6499.0, 6500.0),
         "ratio": (0.2, 0.5, 0.51), "days": (24.0, 25.0, 40.0)}  # fmt: skip


def cpu(call: Callable[[], Any], repeat: int = 5) -> float:
    """Return the median CPU time of a call in seconds, after one to warm up."""
    call()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def micro(call: Callable[[], Any], least_s: float = 0.05) -> float:
    """Return the median CPU time of a short call in microseconds, over batches of calls."""
    number = 1
    while (taken := _loop(call, number)) < least_s / 5:
        number *= 4
    return statistics.median(_loop(call, number) for _ in range(7 if taken < 1 else 3)) / number * 1e6


def _loop(call: Callable[[], Any], number: int) -> float:
    start = time.process_time()
    for _ in range(number):
        call()
    return time.process_time() - start


# -- twenty conditions ------------------------------------------------------------------------------------------------


def draw(lines: int) -> dict[str, np.ndarray]:
    """Return random orders as arrays, with values on both sides of every threshold."""
    random = np.random.default_rng(20)
    arrays: dict[str, np.ndarray] = {}
    for name in FACTS.values():
        if name in NUMBERS.values():
            arrays[name] = random.choice(EDGES[name], lines)
        elif name in FLAGS.values():
            arrays[name] = random.random(lines) < (0.1 if name in ("entity_list", "military") else 0.6)
        else:
            arrays[name] = random.integers(0, len(COUNTRIES), lines).astype(np.int16)
    return arrays


def as_frame(arrays: dict[str, np.ndarray]) -> pl.DataFrame:
    """Return arrays as a frame of facts."""
    countries = pl.Series(COUNTRIES, dtype=pl.Enum(COUNTRIES))
    return pl.DataFrame(
        [
            countries.gather(arrays[short]).alias(name) if name in WORDS else pl.Series(name, arrays[short])
            for name, short in FACTS.items()
        ]
    )


def as_orders(arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return arrays as orders one by one, by the peers' short names."""
    columns = {
        name: [COUNTRIES[code] for code in values] if name in WORDS.values() else values.tolist()
        for name, values in arrays.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def common_set(lines: int, slow_lines: int) -> None:
    """Check that all engines agree on the twenty conditions, then time them."""
    folded = fold(twenty())
    compiled, many = compile_one(folded), ManyLaw(folded)
    arrays = draw(lines)
    sample = as_orders({name: values[:slow_lines] for name, values in arrays.items()})
    orders = [{name: one[short] for name, short in FACTS.items()} for one in sample]
    expected = [compiled.decide(one.get) for one in orders]
    frame = as_frame(arrays)
    ours = many.evaluate(frame)
    for number, row in enumerate(ours.head(slow_lines).iter_rows()):
        assert (row[: len(CONDITIONS)], row[len(CONDITIONS) :]) == expected[number], "one order and many differ"

    print(f"\n{len(CONDITIONS)} conditions, {len(FACTS)} facts, {len(D5)} of {len(COUNTRIES)} countries named; "
          f"{lines:,} random orders ({slow_lines:,} where one by one)")  # fmt: skip
    print(f"  {'engine':34} {'one order':>12} {'orders/s per core':>19}   ratio to Twokey (one, many)")
    base = micro(lambda: compiled.decide(orders[0].get))
    rate = lines / cpu(lambda: many.evaluate(frame))
    print(f"  {'Twokey':34} {base:9.2f} µs {rate / 1e6:17.3f} M")
    unknown = pl.int_range(pl.len()) % 7
    gaps = frame.select(pl.when(unknown != at % 7).then(name).alias(name) for at, name in enumerate(frame.columns))
    with_missing = lines / cpu(lambda: many.evaluate(gaps, missing=True))
    print(f"  {'  with unknown facts and lists':34} {'':12} {with_missing / 1e6:17.3f} M")
    for kind in PEERS:
        try:
            peer = kind()
        except ImportError as error:
            print(f"  {kind.name:34} not installed ({error.name}); `make bench-law` installs it")
            continue
        for one, answer in zip(sample, expected, strict=True):
            assert peer.one(one) == (answer[0], answer[1][0]), f"{peer.name} differs on {one}"
        one_us = micro(partial(peer.one, sample[0]))
        if peer.many is None:
            peer_rate = len(sample) / cpu(partial(_each, peer, sample))
        else:
            found, answers = peer.many(arrays)
            for key in CONDITIONS:
                assert (np.asarray(found[key]) == ours[f"twenty:{key}"].to_numpy()).all(), f"{peer.name} differs: {key}"
            assert (np.array(ANSWERS)[answers] == ours["twenty:outcome"].cast(pl.String).to_numpy()).all()
            peer_rate = lines / cpu(partial(peer.many, arrays))
        label = f"{peer.name} {peer.version}".strip()
        print(
            f"  {label:34} {one_us:9.2f} µs {peer_rate / 1e6:17.3f} M   ×{one_us / base:.1f}, ×{peer_rate / rate:.3g}"
        )


def _each(peer: Any, orders: Sequence[Any]) -> None:
    for one in orders:
        peer.one(one)


# -- the full packs ---------------------------------------------------------------------------------------------------


def book_of(folded: Folded, facts: Sequence[str], lines: int) -> pl.DataFrame:
    """Return a book with every one of these facts known: a value of each class that the law tells apart."""
    random = np.random.default_rng(60)
    trees = [*folded.provisions.values(), *(b.condition for one in folded.questions.values() for b in one)]
    classes, columns = classes_of(atoms_of(trees)), []
    for name in facts:
        kind, one = dictionary()[name].type, classes.get(name)
        if kind == "list":
            continue
        if isinstance(one, Words):
            named = {word if isinstance(word, str) else "ZZ" for group in one.classes for word in group}
            words = sorted(dictionary()[name].choices or named)
            if name == "item.kind":
                words.remove("computer")  # its circuits would be one more unknown: here every fact is known
            column = pl.Series(words, dtype=pl.Enum(words)).gather(random.integers(0, len(words), lines))
        elif kind == "boolean":
            column = pl.Series(random.random(lines) < 0.5)
        elif kind == "date":
            column = pl.Series(random.integers(19_000, 20_500, lines).astype(np.int32)).cast(pl.Date)
        else:
            samples = [one.sample(at) for at in range(one.size)] if isinstance(one, Ordered) else [0, 90, 100, 120]
            drawn = random.choice(np.array(samples, float), lines)
            column = pl.Series(np.floor(drawn) if kind == "integer" else drawn)
        columns.append(column.alias(name))
    return pl.DataFrame(columns)


def with_gaps(book: pl.DataFrame) -> pl.DataFrame:
    """Return a book as books are: two columns in five absent in whole, one value in fifty of the others unknown."""
    random = np.random.default_rng(61)
    kept = [name for at, name in enumerate(book.columns) if at % 5 < 3]
    return book.select(
        pl.when(pl.Series(random.random(book.height) < 0.02)).then(None).otherwise(pl.col(name)).alias(name)
        for name in kept
    )


def line(what: str, value: float, unit: str, bar: float | None = None, *, least: bool = False) -> None:
    """Print one figure, beside its bar where it has one."""
    if bar is None:
        print(f"  {what:62} {value:10.2f} {unit}")
        return
    held = value >= bar if least else value <= bar
    ratio = value / bar if least else bar / value
    bound = f"bar {'≥' if least else '≤'} {bar:<6g} {'holds' if held else 'MISSED'}"
    print(f"  {what:62} {value:10.2f} {unit:10} {bound}  ×{ratio:.2f}")


def one_order() -> None:
    """Time one order on the full packs: every provision, its explanation, the exact answers."""
    state = state_of(law(), DAY)
    facts = facts_of_order(read_order(ORDER))
    get = facts.get
    counts = f"{len(state.compiled.provisions)} provisions, {len(state.compiled.questions)} questions"
    print(f"\nOne order, full packs: {counts}")
    line("every provision and question", micro(lambda: state.compiled.decide(get)), "µs", 25)

    def explained() -> None:
        decided = state.decide(facts)
        explain_key(decided, "export")
        explain_key(decided, "import")

    line(
        "  and its licence requirement explained in words",
        micro(lambda: explain(state.decide(facts), ASKED)),
        "µs",
        100,
    )
    line("  in Chinese", micro(lambda: explain(state.decide(facts), ASKED, "zh")), "µs", 100)
    print(f"  {'  every question that moves either key explained':62} {micro(explained):10.2f} µs")
    headlines = [one.question for pack in law().packs.values() if pack.key for one in pack.headlines]
    roots = [state.diagrams.question(key) for key in headlines]
    names = [name for name in facts if name in set(ManyLaw(state.folded, questions=tuple(headlines)).facts)]
    times = []
    for lost in list(itertools.combinations(names, 3))[:: max(1, len(names) ** 3 // 6 // 60)]:
        known = {name: value for name, value in facts.items() if name not in lost}

        def exact(known: dict[str, Any] = known) -> None:
            state.decide(known)
            for root in roots:
                left = state.diagrams.given(root, known)
                state.diagrams.values(left)
                state.diagrams.support(left)

        times.append(micro(exact, 0.004) / 1e3)
    line(f"exact answers, three facts missing ({len(times)} triples), median", statistics.median(times), "ms", 1)
    line("  the slowest of them", max(times), "ms", 1)
    whole = micro(lambda: assess(facts, DAY)) / 1e3
    print(f"  {'a whole assessment as a record (assess), nothing missing':62} {whole:10.2f} ms")


def many_orders(lines: int) -> None:
    """Time books on the full packs, in memory and from Parquet to Parquet."""
    folded = state_of(law(), DAY).folded
    open_ = [key for key, tree in folded.provisions.items() if not isinstance(tree, Const)]
    sixty = tuple(key for key in open_ if key.startswith("us-export:"))[:60]
    asked = ("us-export:classification", "us-export:licence_required")
    everything, some = ManyLaw(folded), ManyLaw(folded, asked, sixty)
    only = ManyLaw(folded, provisions=sixty)
    book = book_of(folded, everything.facts, lines)
    gaps = with_gaps(book)
    read = [name for name in book.columns if name in some.facts]
    million = lines / 1e6
    print(f"\nMany orders, {lines:,} lines; sixty provisions read {len(only.facts)} facts, all {len(open_)} "
          f"and {len(everything.questions)} questions read {len(everything.facts)}")  # fmt: skip
    line("sixty provisions, every fact known", million / cpu(lambda: only.evaluate(book)), "M lines/s", 20, least=True)
    line("sixty provisions, unknown facts", million / cpu(lambda: only.evaluate(gaps)), "M lines/s", 20, least=True)
    line(
        f"  and {len(asked)} questions, missing lists",
        million / cpu(lambda: some.evaluate(gaps, missing=True)),
        "M lines/s",
        10,
        least=True,
    )
    added = some.evaluate(gaps, missing=True).estimated_size() / lines
    line("  added for it", added, "bytes/line", 32)
    for label, call in (
        ("every provision and question, every fact known", lambda: everything.evaluate(book)),
        ("  with unknown facts and missing lists", lambda: everything.evaluate(gaps, missing=True)),
    ):
        print(f"  {label:62} {million / cpu(call, 3):10.2f} M lines/s")
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "book.parquet"), Path(folder, "result.parquet")
        for label, frame, missing, questions, bar in (
            ("Parquet to Parquet, sixty provisions", book.select(n for n in read if n in only.facts), False, (), 5),
            ("  and two questions", book.select(read), False, asked, None),
            (
                "  with unknown facts and missing lists",
                gaps.select(n for n in gaps.columns if n in read),
                True,
                asked,
                None,
            ),
        ):
            task = BookLaw(law(), DAY, missing, questions, sixty)
            answers = task.assess(frame)
            for writer, write in _WRITERS.items():
                write(frame, source)
                seconds = cpu(partial(assess_book, task, source, out), 3)
                line(f"{label}; {writer}", million / seconds, "M lines/s", bar, least=True)
                codec = cpu(lambda: pl.read_parquet(source), 3) + cpu(partial(_written, answers, out), 3)
                print(f"  {'  the same files read and written, no rule asked':62} {million / codec:10.2f} M lines/s")
    for name in ("ai-overwatch", "safe-chips", "scale", "domestic-share-decree"):
        difference = Difference(law(), amended(law(), find_amendment(name)), AMENDED_DAY)
        line(f"difference of {name}", cpu(partial(difference.compare, book)) * 1e3 / million, "ms/M lines", 150)


# How books come: as PyArrow and pandas write them, with words in classes or as plain text; as Polars does, with Snappy.
_WRITERS: Final[dict[str, Callable[[pl.DataFrame, Path], object]]] = {
    "PyArrow's form": lambda frame, path: pq.write_table(frame.to_arrow(), path),
    "words as text": lambda frame, path: pq.write_table(
        frame.with_columns(pl.selectors.enum().cast(pl.String)).to_arrow(), path
    ),
    "Polars' form": lambda frame, path: frame.write_parquet(path, row_group_size=500_000, compression="snappy"),
}


def _written(answers: pl.DataFrame, out: Path) -> None:
    answers.write_parquet(out, compression="lz4", statistics=False)


def commands() -> None:
    """Time commands by the wall, each a new process."""
    twokey = str(Path(sysconfig.get_path("scripts"), "twokey"))
    print("\nCommands, by the wall (best of seven new processes)")
    for label, arguments, bar in (
        ("python -c pass", [sys.executable, "-c", "pass"], None),
        ("twokey --help", [twokey, "--help"], 0.3),
        ("twokey assess ORDER", [twokey, "assess", str(ORDER), "--as-of", DAY.isoformat()], 0.6),
    ):
        times = []
        for _ in range(7):
            start = time.perf_counter()
            subprocess.run(arguments, check=False, capture_output=True)
            times.append(time.perf_counter() - start)
        if bar is None:
            print(f"  {label:62} {min(times):10.2f} s")
        else:
            line(label, min(times), "s", bar)


def main() -> None:
    """Print every figure beside its bar or its peers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--part", choices=("twenty", "one", "many", "commands"))
    chosen = parser.parse_args()
    pa.set_cpu_count(1)
    print(f"Python {sys.version.split()[0]}, Polars {pl.__version__}, NumPy {np.__version__}; "
          f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    parts: dict[str, Callable[[], None]] = {
        "twenty": lambda: common_set(chosen.lines, 2_000),
        "one": one_order,
        "many": lambda: many_orders(chosen.lines),
        "commands": commands,
    }
    for name, part in parts.items():
        if chosen.part in (None, name):
            part()
    print(f"\nload {os.getloadavg()[0]:.1f}; with other work on the machine caches are shared and figures are floors")


if __name__ == "__main__":
    main()
