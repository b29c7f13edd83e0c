"""What `twokey deploy report` does: reads, adds up, judges, writes."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from twokey.chips import UserError, nearest
from twokey.cli.deploy_shared import show_json, table
from twokey.cli.paper import write_pdf
from twokey.cli.shared import write_text
from twokey.deploy.plan import Plan, read
from twokey.deploy.report import readings, slurm, statement
from twokey.deploy.report.shares import Finding, Share, judge, shares
from twokey.deploy.report.usage import Usage, add_up, filled
from twokey.deploy.said import Lang


@dataclass(frozen=True, slots=True)
class Sources:
    """What a report is made from: files by site, the time in parts, and what namespaces run."""

    plan_file: Path | None
    telemetry: tuple[str, ...]
    sacct: tuple[str, ...]
    start: str
    end: str
    periods: int
    zone: str
    phases: tuple[str, ...]
    measure: str | None


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a report goes: Markdown, PDF, breaches, and the desk's case that a breach opens, as whom."""

    statement: Path | None = None
    pdf: Path | None = None
    breaches: Path | None = None
    case: int | None = None
    login: str | None = None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UserError(f"--zone: {name!r} is not a time zone; write it as Asia/Shanghai or UTC") from None


def _time(text: str, option: str, zone: tzinfo) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"{option}: {text!r} is not a date or time; write it as 2026-11-01 or 2026-11-01T12:00"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()


def _pairs(items: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    found = []
    for item in items:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise UserError(f"{option}: {item!r} must be NAME=VALUE")
        found.append((name, value))
    return found


def run(given: Sources, to: Targets, form: str, lang: Lang) -> bool:
    """Make the report; return whether a condition was breached. Errors: UserError for what cannot be read."""
    zone = _zone(given.zone)
    start, end = _time(given.start, "--from", zone), _time(given.end, "--to", zone)
    if not start < end:
        raise UserError(f"--from and --to: the end must come after the begin (got {given.start} and {given.end})")
    if not given.telemetry and not given.sacct:
        raise UserError("nothing to report on: give --telemetry SITE=FOLDER or --sacct SITE=FILE")
    edges = [start + (end - start) * i / given.periods for i in range(given.periods + 1)]
    known = dict(_pairs(given.phases, "--phase"))
    for name, phase in known.items():
        if phase not in ("inference", "training"):
            raise UserError(f"--phase: {name}={phase}: a phase is inference or training")
    if to.case is not None and given.plan_file is None:
        raise UserError("--case: without --plan there are no conditions that could be breached")
    plan = read(given.plan_file) if given.plan_file else None
    telemetry, sacct = _pairs(given.telemetry, "--telemetry"), _pairs(given.sacct, "--sacct")
    if plan is not None:
        _known_sites(plan, telemetry, sacct)
    usage, evidence = _gathered(telemetry, sacct, plan, edges, known, zone)
    if given.plan_file is not None:
        evidence.append((given.plan_file.name, statement.digest(given.plan_file.read_bytes())))
    measured = shares(usage.amounts, given.periods)
    findings = judge(usage.amounts, plan.conditions if plan else (), given.measure, given.periods)
    name = plan.name if plan else "fleet"
    broken = statement.breaches(name, edges, findings, evidence)
    text = statement.markdown(name, edges, measured, findings, usage.flags, evidence, lang)
    _write(text, to.statement)
    _write(json.dumps(broken, indent=1, ensure_ascii=False), to.breaches)
    if to.pdf is not None:
        _pdf(to.pdf, name, edges, measured, findings, usage, evidence, lang)
    if form == "json":
        show_json(
            {
                "shares": [asdict(s) for s in measured],
                "findings": [f.as_json() for f in findings],
                "flags": [asdict(f) for f in usage.flags],
                "breaches": broken,
            }
        )
    elif form == "csv":
        rows = [
            [
                s.phase,
                s.measure,
                s.site,
                str(s.period),
                *(("" if v is None else f"{v:.6f}") for v in (s.share, s.low, s.high)),
            ]
            for s in measured
        ]
        table(["phase", "measure", "site", "period", "share", "low", "high"], rows, form)
    elif form == "markdown":
        click.echo(text, nl=False)
    else:
        _text(measured, findings, usage, lang)
    if to.case is not None and broken:
        _open_case(to.case, to.login, broken)
    return bool(broken)


def _open_case(case: int, login: str | None, broken: list[dict[str, Any]]) -> None:
    """Open a case of the desk again. Errors: UserError where the desk is not installed, or refuses."""
    try:
        from twokey.desk import boot
    except ModuleNotFoundError as error:
        raise UserError(f"--case needs {error.name}, which comes with `pip install 'twokey[desk]'`") from None
    boot.ready()
    from twokey.cli.case_breach import open_case
    from twokey.cli.desk_door import actor

    open_case(actor(login), case, broken)


def _known_sites(plan: Plan, *given: list[tuple[str, str]]) -> None:
    names = [site.name for site in plan.sites]
    for site, _ in itertools.chain(*given):
        if site not in names:
            raise UserError(f"{site}: the plan has no site of this name{nearest(site, names)}")


def _gathered(
    telemetry: list[tuple[str, str]],
    sacct: list[tuple[str, str]],
    plan: Plan | None,
    edges: list[float],
    known: dict[str, str],
    zone: tzinfo,
) -> tuple[Usage, list[tuple[str, str]]]:
    """Read every site's telemetry and job records; return what was used, and each file's name and digest.

    A site of the plan that gave neither is a gap as large as its fleets.
    """
    found: list[readings.Reading] = []
    flags: list[readings.Flag] = []
    evidence: list[tuple[str, str]] = []
    for site, folder in telemetry:
        path = Path(folder)
        if not path.exists():
            raise UserError(f"--telemetry: {folder}: no such file or folder")
        more, odd = readings.read_folder(path, site)
        found += more
        flags += odd
        for file in readings.files_of(path):
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            evidence.append((f"{site}/{name}", statement.digest(file.read_bytes())))
    accounted = {site for site, _ in sacct}
    fleets = [(f.site, f.device, f.cards) for f in plan.fleets if f.site not in accounted] if plan else []
    counted = add_up(found, edges, known, fleets)
    amounts = list(counted.amounts)
    for site, name in sacct:
        path = Path(name)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--sacct: {name}: cannot be read ({error})") from error
        jobs, odd = slurm.read(text, path.name, site, edges, known, zone)
        amounts += jobs
        flags += odd
        evidence.append((f"{site}/{path.name}", statement.digest(path.read_bytes())))
    whole, odd = filled(amounts)
    return Usage(tuple(whole), (*flags, *counted.flags, *odd), tuple(edges)), evidence


def _write(text: str, path: Path | None) -> None:
    if path is not None:
        write_text(text.rstrip("\n") + "\n", path)


def _pdf(
    path: Path,
    name: str,
    edges: list[float],
    measured: list[Share],
    findings: list[Finding],
    usage: Usage,
    evidence: list[tuple[str, str]],
    lang: Lang,
) -> None:
    """Write the statement as PDF. Errors: UserError where the typesetter is not installed, or the file not writable."""
    try:
        from twokey.desk.papers.typesetting import pdf
        from twokey.desk.papers.use import record_of
    except ModuleNotFoundError as error:
        raise UserError(f"--pdf needs {error.name}, which comes with `pip install 'twokey[desk]'`") from None
    write_pdf(path, pdf(record_of(name, edges, measured, findings, usage.flags, evidence, lang)))


def _text(measured: list[Share], findings: list[Finding], usage: Usage, lang: Lang) -> None:
    say = statement.say
    if findings:
        heads = [
            say(h, lang) for h in ("condition", "site", "period", "measure", "bound", "measured", "between", "verdict")
        ]
        table(heads, [statement.finding_row(f, usage.edges, lang) for f in findings], "text")
        click.echo("")
    if measured:
        heads = [say(h, lang) for h in ("phase", "measure", "site", "period", "measured", "between")]
        table(heads, [statement.share_row(s, usage.edges, lang) for s in measured], "text")
    if not measured:
        click.echo(say("nothing", lang))
    for flag in usage.flags:
        click.echo(f"  {statement.flagged(flag, lang)}", err=True)
