"""Slurm accounting: device-seconds per typed GRES from `sacct -X -P`."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from twokey.chips import UserError
from twokey.deploy.report.readings import Flag, chip_of, largest_rate
from twokey.deploy.report.sums import Amount, phase_of
from twokey.deploy.said import Said

_NEEDED = ("JobIDRaw", "QOS", "Partition", "AllocTRES", "ElapsedRaw", "State")
_UNTYPED = re.compile(r"^gres/[a-z]+=(\d+)$")
_GRES = re.compile(r"^gres/([a-z]+):([\w.-]+)=(\d+)$")


def read(
    text: str, source: str, site: str, edges: Sequence[float], phases: Mapping[str, str], zone: tzinfo = UTC
) -> tuple[list[Amount], list[Flag]]:
    """Return the allocated amounts of jobs; with `Start` (or `End`) the jobs are put into their periods.

    `zone` is the one that sacct wrote its times in. UserError where a column is missing. A job whose GRES has no type
    is flagged, and its devices are of unknown origin.
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
            flags.append(Flag(source, "duplicate", Said(f"job {job} is listed twice", f"作业 {job} 列出两次")))
            continue
        done.add(job)
        try:
            elapsed = float(row["ElapsedRaw"])
        except ValueError:
            given = row["ElapsedRaw"]
            words = Said(
                f"line {number}: ElapsedRaw {given!r} is not a number", f"第 {number} 行：ElapsedRaw {given!r} 不是数"
            )
            flags.append(Flag(source, "bad-sample", words))
            continue
        begun, ended = _time(row.get("Start"), zone), _time(row.get("End"), zone)
        if elapsed < 0 or (begun is not None and ended is not None and ended < begun):
            flags.append(Flag(source, "clock", Said(f"job {job}: ends before it begins", f"作业 {job}：结束早于开始")))
            continue
        shares = _periods(begun, ended, elapsed, edges, flags, source)
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
                        source,
                        "unknown-chip",
                        Said(
                            f"GRES type {typed.group(2)!r}: origin cannot be told, it may be either",
                            f"GRES 类型 {typed.group(2)!r}：无法判定国产或进口，两者皆有可能",
                        ),
                    )
                )
            rate = device.tflops16 if device else largest_rate()
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
        if not any(_GRES.match(i) for i in row["AllocTRES"].split(",")):
            untyped = sum(float(found.group(1)) for i in row["AllocTRES"].split(",") if (found := _UNTYPED.match(i)))
            if not untyped:
                continue
            words = Said(
                "jobs whose GRES has no type may be on either: AccountingStorageTRES must name the types",
                "作业的 GRES 未注明类型，国产或进口皆有可能：请在 AccountingStorageTRES 中列出类型",
            )
            flags.append(Flag(source, "unknown-chip", words))
            for period, seconds in shares:
                most = untyped * seconds * largest_rate()
                amounts.append(Amount(site, period, phase, "(no type)", None, "allocated", 0.0, most))
    return amounts, flags


def _time(text: str | None, zone: tzinfo) -> float | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=zone).timestamp()
    except ValueError:
        return None


def _periods(
    start: float | None, end: float | None, elapsed: float, edges: Sequence[float], flags: list[Flag], source: str
) -> list[tuple[int, float]]:
    """Return how many seconds of a job lie in each period."""
    if start is None and end is not None:
        start = end - elapsed
    if start is None:
        if len(edges) > 2:
            words = Said("jobs without Start: counted in the first period", "作业无 Start：计入首个时段")
            flags.append(Flag(source, "gap", words))
        return [(0, elapsed)]
    found = []
    for period, (low, high) in enumerate(itertools.pairwise(edges)):
        seconds = min(start + elapsed, high) - max(start, low)
        if seconds > 0:
            found.append((period, seconds))
    return found
