"""`twokey law …`: the law itself, its history, its checks and its proofs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twokey.cli.errors import UserError
from twokey.cli.shared import Day, chosen_law, day_option, lang_option, overlay_option, write_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from twokey.law.engine.define import Provision
    from twokey.law.engine.law import Instrument, Law

_FORM: Final = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


def _complete_provision(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from twokey.law.source import law as installed

    provisions = installed().provisions.values()
    return [CompletionItem(one.name, help=one.paragraph) for one in provisions if one.name.startswith(incomplete)]


@click.group()
def law() -> None:
    """Read the law as it is encoded: dated, with its instruments and the confidence in each."""


@law.command()
@click.option("--regime", help="Only one regime, such as us-export or cn-import.")
@click.option("--from", "start", type=Day(), help="From this day on.")
@click.option("--to", "end", type=Day(), help="Up to this day.")
@_FORM
@lang_option
def timeline(regime: str | None, start: date | None, end: date | None, form: str, lang: Any) -> None:
    """List the instruments of both sides by the day on which they take effect."""
    chosen = _instruments(chosen_law((), ()), regime)
    rows = [
        (where, one)
        for where, one in chosen
        if (not start or one.effective >= start) and (not end or one.effective <= end)
    ]
    rows.sort(key=lambda row: (row[1].effective, row[1].id))
    if form == "json":
        write_text(
            json.dumps([_instrument_json(where, one) for where, one in rows], ensure_ascii=False, indent=2), None
        )
        return
    from twokey.cli.law_view import show_timeline

    show_timeline(rows, lang)


def _instruments(law: Law, regime: str | None) -> list[tuple[str, Instrument]]:
    if regime is not None and regime not in law.packs:
        from twokey.chips.errors import nearest

        raise UserError(f"--regime {regime}: no such regime{nearest(regime, law.packs)}")
    seen: dict[str, tuple[str, Instrument]] = {}
    for pack in law.packs.values():
        for one in pack.instruments.values():
            if regime in (None, pack.regime):
                seen.setdefault(one.id, (pack.regime, one))
    return list(seen.values())


def _instrument_json(regime: str, one: Instrument) -> dict[str, Any]:
    return {
        "id": one.id, "regime": regime, "title": one.title, "title_zh": one.title_zh, "kind": one.kind,
        "citation": one.citation, "published": _iso(one.published), "effective": _iso(one.effective),
        "ended": _iso(one.ended),
        "confidence": one.confidence, "authority": one.authority, "addressee": one.addressee, "url": one.url,
        "row": one.row,
        "note": one.note,
    }  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@law.command()
@click.argument("provision", shell_complete=_complete_provision)
@day_option
@overlay_option
@_FORM
@lang_option
def show(
    provision: str, as_of: date, overlays: tuple[Path, ...], amendments: tuple[str, ...], form: str, lang: Any
) -> None:
    """Show one PROVISION (by name, key or paragraph): its words, its Python, the values by date, what rests on it."""
    from twokey.cli.law_view import provision_json, show_provision

    chosen = chosen_law(overlays, amendments)
    found = _find(chosen, provision)
    if form == "json":
        write_text(
            json.dumps([provision_json(one, chosen, as_of) for one in found], ensure_ascii=False, indent=2), None
        )
    else:
        for one in found:
            show_provision(one, chosen, as_of, lang)


def _find(law: Law, name: str) -> list[Provision]:
    wanted = name.casefold()
    every = list(law.provisions.values())
    found = [one for one in every if wanted in (one.key.casefold(), one.name.casefold(), one.paragraph.casefold())]
    if found:
        return found
    from twokey.chips.errors import nearest

    names = [one.name for one in every] + [one.paragraph for one in every]
    raise UserError(f"{name}: no such provision{nearest(name, names)}")


@law.command()
@click.argument("first", type=Day())
@click.argument("second", type=Day())
@click.option("--regime", help="Only one regime.")
@overlay_option
@_FORM
@lang_option
def diff(
    first: date,
    second: date,
    regime: str | None,
    overlays: tuple[Path, ...],
    amendments: tuple[str, ...],
    form: str,
    lang: Any,
) -> None:
    """Say what changed between two days: provisions that began or ended, and values that became others."""
    from twokey.cli.law_view import change_json, show_changes
    from twokey.law.history import changes_between

    chosen = chosen_law(overlays, amendments)
    _instruments(chosen, regime)
    changes = [one for one in changes_between(chosen, first, second) if regime in (None, one.regime)]
    if form == "json":
        write_text(json.dumps([change_json(one) for one in changes], ensure_ascii=False, indent=2), None)
    else:
        show_changes(changes, first, second, chosen, lang)


@law.command()
@click.argument("file", type=click.Path(path_type=Path))
@overlay_option
@click.option("--failures", is_flag=True, help="Print only the rows that fail.")
@_FORM
@click.pass_context
def check(
    ctx: click.Context, file: Path, overlays: tuple[Path, ...], amendments: tuple[str, ...], failures: bool, form: str
) -> None:
    """Run the determinations of FILE (CSV: id, regime, as_of, question, facts, expected) and report row by row.

    Exit status: 0 every row passes, 1 some fail, 3 the file cannot be read.
    """
    from twokey.law.determinations import Checker, read_determinations

    checker = Checker(chosen_law(overlays, amendments))
    checked = [checker.check(row) for row in read_determinations(file)]
    failed = sum(not one.passed for one in checked)
    if form == "json":
        rows = [
            {
                "id": one.row.id,
                "line": one.row.line,
                "passed": one.passed,
                "expected": one.row.expected,
                "given": one.given,
            }
            for one in checked
        ]
        write_text(
            json.dumps({"rows": rows, "passed": len(checked) - failed, "failed": failed}, ensure_ascii=False, indent=2),
            None,
        )
    else:
        for one in checked:
            if not (failures and one.passed):
                sign = click.style("pass", fg="green") if one.passed else click.style("FAIL", fg="red", bold=True)
                detail = "" if one.passed else f"  expected {one.row.expected}, got {one.given}"
                click.echo(f"{sign}  {one.row.id:<8} {one.row.as_of}  {one.row.regime}:{one.row.question}{detail}")
        click.echo(f"{len(checked)} determinations: {len(checked) - failed} pass, {failed} fail")
    ctx.exit(1 if failed else 0)


@law.command()
@click.option("--open", "only_open", is_flag=True, help="Only what is not encoded.")
@_FORM
def coverage(only_open: bool, form: str) -> None:
    """Say which part of what was read is encoded by which provision, and which is not and why."""
    from twokey.law.coverage import coverage as rows_of

    rows = [row for row in rows_of(chosen_law((), ())) if not (only_open and row.provisions)]
    if form == "json":
        table = [
            {"row": row.row, "what": row.what, "provisions": list(row.provisions), "reason": row.reason} for row in rows
        ]
        write_text(json.dumps(table, ensure_ascii=False, indent=2), None)
        return
    for row in rows:
        sign = click.style("✓", fg="green") if row.provisions else click.style("–", fg="yellow")
        click.echo(f"{sign} {row.row:<28} {row.what}")
        why = ", ".join(row.provisions) or f"not encoded: {row.reason or 'no provision rests on it'}"
        click.echo(click.style(f"  {'':<28} {why}", dim=True))
    encoded = sum(bool(row.provisions) for row in rows)
    click.echo(f"{len(rows)} rows: {encoded} encoded, {len(rows) - encoded} not, each with its reason")


@law.command()
@day_option
@overlay_option
@_FORM
@click.pass_context
def prove(ctx: click.Context, as_of: date, overlays: tuple[Path, ...], amendments: tuple[str, ...], form: str) -> None:
    """Prove what holds for every order that the law of a day can tell apart.

    Exit status: 0 every statement holds, 1 one does not (an order that breaks it is printed).
    """
    from twokey.law.prove import prove as proofs_of

    failed, rows = False, []
    for one in proofs_of(chosen_law(overlays, amendments), as_of):
        failed |= not one.holds
        if form == "json":
            broken = (
                None if one.counterexample is None else {name: str(value) for name, value in one.counterexample.items()}
            )
            rows.append({"name": one.name, "holds": one.holds, "detail": one.detail, "counterexample": broken})
            continue
        sign = click.style("✓", fg="green") if one.holds else click.style("✗", fg="red", bold=True)
        click.echo(f"{sign} {one.name}: {one.detail}")
        if one.counterexample is not None:
            for name, value in one.counterexample.items():
                click.echo(f"    {name} = {value}")
    if form == "json":
        write_text(json.dumps(rows, ensure_ascii=False, indent=2), None)
    ctx.exit(1 if failed else 0)


@law.command()
def schema() -> None:
    """Print the JSON schema of `twokey assess --format json`."""
    from importlib import resources

    click.echo(resources.files("twokey.law").joinpath("assessment.schema.json").read_text(encoding="utf-8"), nl=False)


@law.command()
@click.argument("word", required=False)
@_FORM
@lang_option
def facts(word: str | None, form: str, lang: Any) -> None:
    """List the facts that an order may state, with type, unit and choices; WORD narrows the list."""
    from twokey.law.engine.facts import dictionary

    chosen = [
        fact
        for fact in dictionary().values()
        if word is None or word.casefold() in f"{fact.name} {fact.en} {fact.zh}".casefold()
    ]
    if form == "json":
        table = [
            {"name": fact.name, "type": fact.type, "unit": fact.unit, "en": fact.en, "zh": fact.zh, "max": fact.max,
             "choices": list(fact.choices)}
            for fact in chosen
        ]  # fmt: skip
        write_text(json.dumps(table, ensure_ascii=False, indent=2), None)
        return
    from twokey.cli.law_view import show_facts

    show_facts(chosen, word or "", lang)


@law.command()
@_FORM
@lang_option
def questions(form: str, lang: Any) -> None:
    """List the questions that each regime answers, and the answers that each can have."""
    chosen = chosen_law((), ())
    rows = [(key, one, chosen.packs[one.regime]) for key, one in chosen.questions.items()]
    if form == "json":
        table = [{"question": key, "words": one.text, "answers": list(one.answers)} for key, one, _ in rows]
        write_text(json.dumps(table, ensure_ascii=False, indent=2), None)
        return
    from twokey.cli.law_words import word
    from twokey.law.engine.words import question_of

    for key, one, pack in rows:
        click.echo(f"{click.style(key, bold=True)}  {question_of(one, chosen, lang)}")
        answers = [
            f"{answer} ({pack.answers[answer][lang]})" if answer in pack.answers else answer for answer in one.answers
        ]
        click.echo(click.style(f"    {'; '.join(answers) or word('a_value', lang)}", dim=True))
