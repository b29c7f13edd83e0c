"""A book spread over a Dask cluster: the same function mapped over row groups, one part file each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twokey.chips.errors import UserError

if TYPE_CHECKING:
    from twokey.law.engine.law import Law


@dataclass(frozen=True, slots=True)
class Task:
    """One part of a book: which row groups of which file, and the law to ask, by the files that were laid over it."""

    source: Path
    groups: tuple[int, ...]
    out: Path
    as_of: date
    missing: bool
    changes: tuple[Path, ...]


def assess_part(task: Task) -> tuple[int, dict[str, int]]:
    """Assess one part and write it; return its number of lines and the counts of the answers that move the keys."""
    from twokey.law.book import BookLaw, assess_book

    law = _law(task.changes)
    counts: Counter[str] = Counter()
    lines = assess_book(
        BookLaw(law, task.as_of, task.missing),
        task.source,
        task.out,
        lambda answers: counts.update(count_answers(answers, law)),
        task.groups,
    )
    return lines, dict(counts)


def _law(changes: tuple[Path, ...]) -> Law:
    from twokey.law.change import amended
    from twokey.law.source import law

    result = law()
    for path in changes:
        result = amended(result, path)
    return result


def count_answers(answers: Any, law: Law) -> dict[str, int]:
    """Return how many lines have each answer to the questions that move a key, as "question = answer"."""
    counts: dict[str, int] = {}
    for pack in law.packs.values():
        for headline in pack.headlines if pack.key else ():
            for answer, count in answers[headline.question].value_counts().iter_rows():
                counts[f"{headline.question} = {answer or 'needs_information'}"] = count
    return counts


def assess_spread(tasks: list[Task], scheduler: str | None) -> Iterator[tuple[int, dict[str, int]]]:
    """Run the parts on a cluster (a local one where no scheduler is named) and yield what each one returns.

    Errors: UserError where Dask is not installed or the scheduler cannot be reached.
    """
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError:
        raise UserError("--engine dask needs the extra `twokey[dask]`: pip install 'twokey[dask]'") from None
    try:
        cluster = None if scheduler else LocalCluster(dashboard_address=None)  # type: ignore[no-untyped-call]  # distributed ships no types
        client = Client(scheduler or cluster, timeout="20s")  # type: ignore[no-untyped-call]  # distributed ships no types
    except (OSError, ValueError) as error:
        raise UserError(f"--scheduler {scheduler}: cannot be reached: {error}") from None
    with client:
        for future in as_completed(client.map(assess_part, tasks, pure=False)):  # type: ignore[no-untyped-call]  # distributed ships no types
            yield future.result()
    if cluster is not None:
        cluster.close()


def plan(source: Path, out: Path, as_of: date, missing: bool, changes: tuple[Path, ...]) -> list[Task]:
    """Return the parts of a Parquet book, one a row group; the result is a folder of part files.

    Errors: UserError where the book or the result is not Parquet, or a file stands where the folder should.
    """
    import pyarrow.parquet as pa_parquet

    if source.suffix != ".parquet" or not source.is_file():
        raise UserError(f"{source}: --engine dask reads a Parquet file, whose row groups are its parts")
    if out.suffix != ".parquet":
        raise UserError(f"{out}: --engine dask writes a folder of Parquet parts; name it with .parquet")
    if out.is_file():
        raise UserError(f"{out}: is a file; --engine dask writes a folder of parts, name another one")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("part-*.parquet"):
        old.unlink()
    groups = pa_parquet.read_metadata(source).num_row_groups
    return [
        Task(source.resolve(), (number,), out.resolve() / f"part-{number:05}.parquet", as_of, missing, changes)
        for number in range(groups)
    ]
