"""`twokey outlook check` and `backtest`: the record, printed."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from twokey.cli.outlook_view import Format, say, show
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
            say(f"\n{outcome.published.analysis}, {outcome.published.output}: {outcome.computed.reason}", form)
    counts = Counter(outcome.status for outcome in outcomes)
    say("\n" + ", ".join(f"{n} {status}" for status, n in counts.most_common()), form)
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
    say("\nmodel, persistence, climatology, guidance: CRPS in the target's unit; for events the Brier score.", form)
    say("\nRolling origins: controlled revenue of the next quarter, CRPS in USD bn", form)
    show(rolled_rows(report), form)
    say("\n" + summary(report), form)
    for scored in report.scored:
        if scored.mean is None:
            say(f"{scored.target.place}: {scored.target.id} was not forecast: {scored.note}", form)


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


def summary(report: Report) -> str:
    """Return the means in words, with each bar and whether it holds."""
    model = report.mean_crps()
    lines = ["Mean CRPS over targets (each divided by its scale, known at the origin):"]
    for name in ("persistence", "climatology", "guidance"):
        beside, rival = report.mean_crps(beside=name), report.mean_crps(name)
        verdict = "better" if beside < rival else "no worse" if beside == rival else "WORSE"
        lines.append(f"  model {beside:.3f} against {name} {rival:.3f}: {verdict}")
    held, of = report.coverage()
    share = held / of if of else float("nan")
    lines += [
        f"  model over all quantities: {model:.3f}; pinball {report.mean_pinball():.3f}",
        f"80 % intervals held {held} of {of} outcomes ({share:.0%}; wanted: 65-95 %)",
        f"Brier: model {report.mean_brier():.3f}, persistence {report.mean_brier('persistence'):.3f}, "
        f"climatology {report.mean_brier('climatology'):.3f}",
    ]
    return "\n".join(lines)
