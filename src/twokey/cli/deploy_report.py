"""What `twokey deploy report` does: reads, adds up, judges, writes."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

import click

from twokey.chips import UserError
from twokey.cli.deploy_shared import show_json, table
from twokey.cli.paper import write_pdf
from twokey.cli.shared import write_text
from twokey.deploy.plan import Plan, read
from twokey.deploy.report import readings, slurm, statement
from twokey.deploy.report.shares import Finding, Share, judge, shares
from twokey.deploy.report.usage import Usage, add_up


def _time(text: str, option: str) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"{option}: {text!r} is not a date or time; write it as 2026-11-01 or 2026-11-01T12:00"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _pairs(items: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    found = []
    for item in items:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise UserError(f"{option}: {item!r} must be NAME=VALUE")
        found.append((name, value))
    return found


def run(
    plan_file: Path | None,
    telemetry: tuple[str, ...],
    sacct: tuple[str, ...],
    when: tuple[str, str, int],
    phases: tuple[str, ...],
    measure: str | None,
    files: tuple[Path | None, Path | None, Path | None],
    form: str,
    lang: str,
) -> bool:
    """Make the report; return whether a condition was breached. `files`: the Markdown, the PDF, the breaches.

    Errors: UserError for a file or a time that cannot be read.
    """
    start, end = _time(when[0], "--from"), _time(when[1], "--to")
    if not start < end:
        raise UserError(f"--from and --to: the end must come after the begin (got {when[0]} and {when[1]})")
    if not telemetry and not sacct:
        raise UserError("nothing to report on: give --telemetry SITE=FOLDER or --sacct SITE=FILE")
    edges = [start + (end - start) * i / when[2] for i in range(when[2] + 1)]
    known = dict(_pairs(phases, "--phase"))
    for name, phase in known.items():
        if phase not in ("inference", "training"):
            raise UserError(f"--phase: {name}={phase}: a phase is inference or training")
    plan = read(plan_file) if plan_file else None
    usage, evidence = _gathered(_pairs(telemetry, "--telemetry"), _pairs(sacct, "--sacct"), plan, edges, known)
    measured = shares(usage.amounts, when[2])
    findings = judge(usage.amounts, plan.conditions if plan else (), measure, when[2])
    name = plan.name if plan else "fleet"
    language = cast(Literal["en", "zh"], lang)
    text = statement.markdown(name, edges, measured, findings, usage.flags, evidence, language)
    broken = statement.breaches(name, edges, findings, evidence)
    out, pdf_file, breach_file = files
    _write(text, out)
    _write(json.dumps(broken, indent=1, ensure_ascii=False), breach_file)
    if pdf_file is not None:
        _pdf(pdf_file, name, edges, measured, findings, usage, evidence, language)
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
        _text(measured, findings, usage, language)
    if not measured and form == "text":
        click.echo("Nothing was measured in this time; the flags above say why.")
    return bool(broken)


def _gathered(
    telemetry: list[tuple[str, str]],
    sacct: list[tuple[str, str]],
    plan: Plan | None,
    edges: list[float],
    known: dict[str, str],
) -> tuple[Usage, list[tuple[str, str]]]:
    """Read every site's telemetry and job records; return what was used, and each file's name and digest."""
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
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            evidence.append((f"{site}/{file.name}", statement.digest(file.read_bytes())))
    metered = {site for site, _ in telemetry}
    fleets = [(f.site, f.device, f.cards) for f in plan.fleets if f.site in metered] if plan else []
    counted = add_up(found, edges, known, fleets)
    amounts = list(counted.amounts)
    for site, name in sacct:
        path = Path(name)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--sacct: {name}: cannot be read ({error})") from error
        jobs, odd = slurm.read(text, path.name, site, edges, known)
        amounts += jobs
        flags += odd
        evidence.append((f"{site}/{path.name}", statement.digest(path.read_bytes())))
    return Usage(tuple(amounts), (*flags, *counted.flags), tuple(edges)), evidence


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
    lang: statement.Lang,
) -> None:
    """Write the statement as PDF. Errors: UserError where the typesetter is not installed, or the file not writable."""
    try:
        from twokey.desk.papers.typesetting import pdf
        from twokey.desk.papers.use import record_of
    except ModuleNotFoundError as error:
        raise UserError(f"--pdf needs {error.name}, which comes with `pip install 'twokey[desk]'`") from None
    write_pdf(path, pdf(record_of(name, edges, measured, findings, usage.flags, evidence, lang)))


def _text(measured: list[Share], findings: list[Finding], usage: Usage, lang: statement.Lang) -> None:
    say = statement.say
    if findings:
        heads = [
            say(h, lang) for h in ("condition", "site", "period", "measure", "bound", "measured", "between", "verdict")
        ]
        table(heads, [statement._finding(f, usage.edges, lang) for f in findings], "text")
        click.echo("")
    if measured:
        heads = [say(h, lang) for h in ("phase", "measure", "site", "period", "measured", "between")]
        table(heads, [statement._share(s, usage.edges, lang) for s in measured], "text")
    for flag in usage.flags:
        click.echo(f"  {flag.kind}: {flag.words}" + (f" × {flag.count}" if flag.count > 1 else ""), err=True)
