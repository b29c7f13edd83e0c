"""`twokey outlook check` and `backtest`: the record, printed."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from twokey.cli.outlook_view import Format, in_words, language, phrase, say, show
from twokey.outlook.backtest import Report, backtest
from twokey.outlook.check import Inputs, Outcome, check_file
from twokey.outlook.sources import data_folder


def check_and_show(file: Path | None, inputs_file: Path | None, form: Format) -> None:
    """Check one file, or both of the package; end with status 1 where a row differs."""
    inputs = Inputs.load(inputs_file)
    files = [file] if file else [data_folder() / n for n in ("published_outputs.csv", "epoch_nvidia_fiscal_units.csv")]
    outcomes = [outcome for one in files for outcome in check_file(one, inputs)]
    rows = [_row(outcome) for outcome in outcomes]
    show(rows, form, columns=("analysis", "output", "printed", "computed", "off by", "within", "status"))
    for outcome in outcomes:
        if outcome.computed.reason and outcome.status != "reproduced":
            published, reason = outcome.published, outcome.computed.reason
            say("reason", form, analysis=published.analysis, output=published.output, reason=reason)
    counts = Counter(outcome.status for outcome in outcomes)
    if form in ("text", "markdown"):
        told = (phrase("counted", n=n, status=in_words(status)) for status, n in counts.most_common())
        click.echo("\n" + ("，" if language() == "zh" else ", ").join(told))
    if counts["differs"]:
        sys.exit(1)


def _row(outcome: Outcome) -> dict[str, object]:
    published, computed = outcome.published, outcome.computed
    return {
        "analysis": published.analysis,
        "output": published.output,
        "printed": published.value,
        "computed": " / ".join(f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.4g}" for v in computed.values),
        "off by": f"{outcome.off_by:.2%}" if outcome.off_by is not None else "",
        "within": f"{outcome.tolerance:.1%}" if outcome.off_by is not None else "",
        "status": outcome.status,
        "working": computed.working,
        "reason": computed.reason,
        "verified": published.verified,
        "place": published.place,
    }


def backtest_and_show(file: Path | None, strict: bool, form: Format) -> None:
    """Score a file of targets and print every target, the rolling origins and the means."""
    report = backtest(file, strict=strict)
    show(target_rows(report), form, columns=(
        "id", "origin", "question", "outcome", "p10", "p50", "p90", "P", "model", "persistence", "climatology",
        "guidance", "in 80 %",
    ))  # fmt: skip
    if form in ("json", "csv"):
        return
    say("backtest_scores", form)
    say("rolling", form)
    show(rolled_rows(report), form)
    _summary(report, form)
    for scored in report.scored:
        if scored.mean is None:
            say("not_forecast", form, place=scored.target.place, target=scored.target.id, note=scored.note)


def target_rows(report: Report) -> list[dict[str, object]]:
    """Return one row for each target."""
    return [
        {
            "id": s.target.id,
            "origin": str(s.target.origin),
            "question": s.target.question,
            "kind": s.target.family,
            "outcome": s.target.outcome,
            "p10": s.p10,
            "p50": s.p50,
            "p90": s.p90,
            "P": None if s.target.continuous else s.mean,
            "mean": s.mean,
            "scale": s.scale,
            **{name: s.losses.get(name) for name in ("model", "persistence", "climatology", "guidance")},
            "pinball": s.pinball,
            "in 80 %": "" if s.covered is None else "yes" if s.covered else "no",
            "note": s.note,
        }
        for s in report.scored
    ]


def rolled_rows(report: Report) -> list[dict[str, object]]:
    """Return one row for each rolling origin."""
    return [
        {
            "origin": str(r.origin),
            "quarter": r.quarter,
            "outcome": r.outcome,
            "model": r.model,
            "persistence": r.persistence,
            "climatology": r.climatology,
            "guidance": r.guidance,
            "in 80 %": "yes" if r.covered else "no",
            "growth spread": r.settings.growth_spread,
            "rates since": str(r.settings.since),
        }
        for r in report.rolled
    ]


def _summary(report: Report, form: Format) -> None:
    """Print the means in words, with each bar and whether it holds."""
    say("mean_crps", form)
    for name in ("persistence", "climatology", "guidance"):
        beside, rival = report.mean_crps(beside=name), report.mean_crps(name)
        verdict = phrase("better" if beside < rival else "no_worse" if beside == rival else "worse")
        say("against", form, model=f"{beside:.3f}", rival=in_words(name), rivals=f"{rival:.3f}", verdict=verdict)
    say("all_targets", form, model=f"{report.mean_crps():.3f}", pinball=f"{report.mean_pinball():.3f}")
    held, of = report.coverage()
    say("coverage", form, held=held, of=of, share=f"{held / of if of else float('nan'):.0%}")
    rivals = {name: f"{report.mean_brier(name):.3f}" for name in ("persistence", "climatology")}
    say("brier", form, model=f"{report.mean_brier():.3f}", **rivals)
