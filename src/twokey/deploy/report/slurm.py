"""Slurm accounting: device-seconds per typed GRES from `sacct -X -P`."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from twokey.chips import UserError
from twokey.deploy.report.readings import Flag, chip_of
from twokey.deploy.report.usage import Amount, phase_of

_NEEDED = ("JobIDRaw", "QOS", "Partition", "AllocTRES", "ElapsedRaw", "State")
_GRES = re.compile(r"^gres/([a-z]+):([\w.-]+)=(\d+)$")


def read(
    text: str, source: str, site: str, edges: Sequence[float], phases: Mapping[str, str]
) -> tuple[list[Amount], list[Flag]]:
    """Return the allocated amounts of jobs; with `Start` (or `End`) the jobs are put into their periods.

    UserError where a column is missing. A job whose GRES has no type is counted as of unknown origin and flagged.
    """
    rows = list(csv.DictReader(text.splitlines(), delimiter="|"))
    missing = [name for name in _NEEDED if rows and name not in rows[0]]
    if not rows or missing:
        raise UserError(
            f"{source}: no column {', '.join(missing or _NEEDED)}; run sacct -X -P "
            f"--format={','.join(_NEEDED)},Start,End"
        )
    amounts: list[Amount] = []
    flags: list[Flag] = []
    done: set[str] = set()
    for number, row in enumerate(rows, 2):
        job = row["JobIDRaw"]
        if job in done:
            flags.append(Flag(source, "duplicate", f"job {job} is listed twice"))
            continue
        done.add(job)
        try:
            elapsed = float(row["ElapsedRaw"])
        except ValueError:
            flags.append(Flag(source, "bad-sample", f"line {number}: ElapsedRaw {row['ElapsedRaw']!r} is not a number"))
            continue
        if elapsed < 0:
            flags.append(Flag(source, "clock", f"job {job}: negative run time"))
            continue
        shares = _periods(row, elapsed, edges, flags, job, source)
        phase = phase_of(row["QOS"], phases)
        phase = phase if phase != "unknown" else phase_of(row["Partition"], phases)
        for item in row["AllocTRES"].split(","):
            typed = _GRES.match(item)
            if typed is None:
                continue
            device = chip_of(typed.group(2).replace("_", "-"))
            if device is None:
                flags.append(
                    Flag(
                        source, "unknown-chip", f"GRES type {typed.group(2)!r}: origin cannot be told, it may be either"
                    )
                )
            rate = device.tflops16 if device else 1.0
            for period, seconds in shares:
                amounts.append(
                    Amount(
                        site,
                        period,
                        phase,
                        device.name if device else typed.group(2),
                        device.domestic if device else None,
                        "allocated",
                        float(typed.group(3)) * seconds * rate,
                    )
                )
        if "gres/" in row["AllocTRES"] and not any(_GRES.match(i) for i in row["AllocTRES"].split(",")):
            flags.append(
                Flag(source, "unknown-chip", "jobs whose GRES has no type: AccountingStorageTRES must name the types")
            )
    return amounts, flags


def _time(text: str | None) -> float | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _periods(
    row: Mapping[str, str], elapsed: float, edges: Sequence[float], flags: list[Flag], job: str, source: str
) -> list[tuple[int, float]]:
    start, end = _time(row.get("Start")), _time(row.get("End"))
    if start is None and end is not None:
        start = end - elapsed
    if start is None:
        if len(edges) > 2:
            flags.append(Flag(source, "gap", "jobs without Start: counted in the first period"))
        return [(0, elapsed)]
    found = []
    for period, (low, high) in enumerate(itertools.pairwise(edges)):
        seconds = min(start + elapsed, high) - max(start, low)
        if seconds > 0:
            found.append((period, seconds))
    return found
