"""What the commands that run the model print."""

from __future__ import annotations

import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import click

from twokey.cli.outlook_view import Format, language, number, phrase, say, show
from twokey.outlook import basis, charts
from twokey.outlook.arrive import arrive
from twokey.outlook.commit import commit
from twokey.outlook.compare import frontier
from twokey.outlook.explain import box, sobol, tornado
from twokey.outlook.exposure import Exposure, exposure, read_book
from twokey.outlook.lines import find_line
from twokey.outlook.run import run
from twokey.outlook.scenario import Scenario
from twokey.outlook.sources import snapshot_hash

_SLOW_PATHS = 50_000
SHORT = {
    basis.H100E_8BIT: "8-bit", basis.H100E_BANDWIDTH: "bandwidth", basis.TPP: "TPP", basis.UNITS: "packages",
    basis.H100E_8BIT + ", smuggled": "8-bit", "share of paths": "paths",
}  # fmt: skip


def run_and_show(scenario: Scenario, form: Format, options: dict[str, Any]) -> None:
    """Run, print one quarter or one line over all quarters, and write files where asked."""
    from twokey.outlook.explain import check_line

    quarter = options["quarter"] or scenario.quarters
    for name in options["lines"] or ("gap_8bit",):
        check_line(name, quarter, scenario)
    result = run(
        scenario, workers=options["workers"], engine=options["engine"], scheduler=options["scheduler"],
        progress=_progress if scenario.paths >= _SLOW_PATHS else None,
    )  # fmt: skip
    rows = result.rows(options["lines"] or None)
    if form in ("json", "csv"):
        rows = [{**row, "seed": scenario.seed, "data_sha256": snapshot_hash()} for row in rows]
    elif not options["lines"]:
        rows = [row for row in rows if row["quarter"] == quarter]
    told = phrase("run", title=_title(scenario), start=scenario.as_of, quarter=quarter, end=result.ends[quarter])
    columns = ["side", "what", "unit", "counted by", "p10", "p50", "p90", "mean"]
    if form in ("text", "markdown"):
        rows = [{**row, "counted by": SHORT.get(row["basis"], row["basis"].partition(": ")[2])} for row in rows]
    if options["lines"]:
        told = phrase("run_lines", title=_title(scenario), start=scenario.as_of)
        columns = ["end", *columns]
    show(rows, form, title=told, columns=columns)
    smuggled = phrase("smuggled_in" if scenario.include_smuggled else "smuggled_out")
    say("paths", form, paths=f"{scenario.paths:,}", seed=scenario.seed, smuggled=smuggled, bases=phrase("bases"))
    if options["out"]:
        from twokey.outlook.report import write_all

        for file in write_all(result, options["out"], _drawing):
            click.echo(phrase("wrote", file=file), err=True)
    if options["book"]:
        if form in ("text", "markdown"):
            click.echo()
        exposure_and_show(scenario, options["book"], form, options["workers"])


def commit_and_show(scenario: Scenario, form: Format, out: Path | None, workers: int) -> None:
    """Print the vendor's answer."""
    answer = commit(scenario, workers)
    row = {field.name: getattr(answer, field.name) for field in fields(answer) if field.name != "scenario"}
    row["stages"] = tuple(asdict(stage) for stage in answer.stages)
    if form in ("json", "csv"):
        show([row if form == "json" else {k: v for k, v in row.items() if not isinstance(v, tuple)}], form)
    else:
        low, middle, high = answer.sellable
        show(
            [
                {"what": "a unit sold earns (Cu), USD", "value": answer.underage},
                {"what": "a unit unsold loses (Co), USD", "value": answer.overage},
                {"what": "critical fractile Cu / (Cu + Co)", "value": answer.fractile},
                {"what": "break-even probability of a sale", "value": answer.break_even},
                {"what": "probability that anything sells", "value": answer.p_any},
                {"what": "sellable units, 10th percentile", "value": low},
                {"what": "sellable units, median", "value": middle},
                {"what": "sellable units, 90th percentile", "value": high},
                {"what": "commit in one stage, units", "value": answer.quantity},
                {"what": "expected profit, USD", "value": answer.profit},
                {"what": "CVaR 10 %, USD", "value": answer.cvar},
                {"what": "units with the best CVaR", "value": answer.quantity_cvar},
                {"what": "commit in two stages: dies", "value": answer.dies},
                {"what": "expected profit in two stages, USD", "value": answer.profit_two_stage},
                {"what": "CVaR 10 % in two stages, USD", "value": answer.cvar_two_stage},
            ],
            form,
            title=phrase("vendor", title=_title(scenario), quarters=scenario.vendor.window_quarters),
        )
        say("stages", form, week=scenario.vendor.decide_week)
        show(
            [
                {"export key": _open(s.export_open), "import key": _open(s.import_open), "P": s.probability,
                 "packages": s.packages}
                for s in answer.stages
            ],
            form,
        )  # fmt: skip
        if answer.turns_on:
            say("turns_on", form)
            show([{"input": n, "correlation": c, **_what(scenario, n)} for n, c in answer.turns_on], form, columns=(
                "input", "correlation", "what it is",
            ))  # fmt: skip
        else:
            say("turns_on_nothing", form, paths=f"{scenario.paths:,}")
        say("costs", form)
    _chart(charts.commitment(answer, language()), out)


def arrive_and_show(scenario: Scenario, form: Format, out: Path | None, options: dict[str, Any]) -> None:
    """Print the buyer's answer."""
    changes = {"approved": options["approved"], "need_h100e": options["need"], "mandate": options["mandate"]}
    buyer = replace(scenario.buyer, **{k: v for k, v in changes.items() if v is not None})
    answer = arrive(replace(scenario, buyer=buyer), options["workers"])
    rows: list[dict[str, Any]] = []
    for n, day in enumerate(answer.days):
        row: dict[str, Any] = {"by": str(day), "expected units": float(answer.expected[n])}
        row |= {f"P(>= {q:,.0f})": float(answer.probability[i, n]) for i, q in enumerate(answer.quantities)}
        rows.append(row)
    if form == "json":
        show(
            [{"arrival": rows, "chosen": asdict(answer.chosen), "cautious": asdict(answer.cautious),
              "choices": [asdict(c) for c in answer.choices], "least_order": answer.least_order}],
            form,
        )  # fmt: skip
    else:
        show(rows, form, title=phrase("buyer", title=_title(scenario), units=f"{buyer.approved:,.0f}"))
        named = (("least expected cost", answer.chosen), ("least worst regret", answer.cautious))
        say("buyer_order", form, least=f"{answer.least_order:,.0f}")
        if form != "csv":
            show(
                [
                    {"choice": name, "packages": c.order, "expected cost, USD": c.cost,
                     "if the chips never come": c.regret_never, "if half come": c.regret_late,
                     "if all come in time": c.regret_on_time}
                    for name, c in named
                ],
                form,
            )  # fmt: skip
    _chart(charts.arrival(answer, language()), out)


def explain_and_show(scenario: Scenario, form: Format, options: dict[str, Any]) -> None:
    """Print tornado, Sobol indices and the box."""
    line, quarter = options["line"], options["quarter"]
    swings = tornado(scenario, line, quarter)
    shares = sobol(scenario, line, quarter)
    found = box(scenario, line, quarter, below=options["below"], above=options["above"], workers=options["workers"])
    told = find_line(line)
    called = f"{told.zh}（{line}）" if language() == "zh" else f"{told.en} ({line})"
    if form == "json":
        show(
            [{"tornado": [asdict(s) for s in swings], "sobol": [asdict(s) for s in shares], "box": asdict(found)}], form
        )
    else:
        rows = [
            {"input": s.name, "from": s.low_input, "to": s.high_input, "line at low": s.low, "line at high": s.high,
             **_what(scenario, s.name)}
            for s in swings[:12]
        ]  # fmt: skip
        show(rows, form, title=phrase("tornado", line=called, quarter=quarter, base=number(swings[0].base)), columns=(
            "input", "from", "to", "line at low", "line at high", "what it is",
        ))  # fmt: skip
        say("sobol", form)
        show(
            [
                {"input": s.name, "alone": s.first, "+-": s.first_conf,
                 "with interactions": s.total, "+- ": s.total_conf}
                for s in shares
            ],
            form,
        )  # fmt: skip
        say(
            "box", form, asked=found.asked.replace(line, called), base=f"{found.base_rate:.1%}",
            density=f"{found.density:.1%}", coverage=f"{found.coverage:.1%}",
        )  # fmt: skip
        show(
            [
                {"input": b.name if b.name in scenario.inputs else "", "at least": _end(b.low), "at most": _end(b.high),
                 **_what(scenario, b.name)}
                for b in found.limits
            ],
            form, columns=("input", "at least", "at most", "what it is"),
        )  # fmt: skip
    names = {n: given.what_zh if language() == "zh" else given.what for n, given in scenario.inputs.items()}
    _chart(charts.tornado(swings, called, language(), names), options["out"])


def _what(scenario: Scenario, name: str) -> dict[str, str]:
    """Return what an input, or what the keys did, is: in both languages."""
    given = scenario.inputs.get(name)
    return {"what it is": given.what if given else name, **({"what it is_zh": given.what_zh} if given else {})}


def frontier_and_show(scenario: Scenario, form: Format, out: Path | None, options: dict[str, Any]) -> None:
    """Print the frontier of the two aims."""
    points = frontier(scenario, paths=options["paths"] or 2_000)
    rows = [
        {
            "policy": "present" if p.present else "",
            "cap, units a year": p.cap,
            "mandate": p.mandate,
            "compute, H100e": p.compute,
            "of it imported": p.foreign,
            "domestic packages": p.domestic_made,
            "die yield": p.die_yield,
            "on the frontier": p.best,
        }
        for p in points
    ]
    told = phrase("frontier", title=_title(scenario), quarters=scenario.quarters, basis=scenario.basis)
    show(rows, form, title=told)
    say("choice", form)
    _chart(charts.aims(points, language()), out)


def exposure_and_show(scenario: Scenario, book: Path, form: Format, workers: int) -> None:
    """Print what a turn of either key does to each order."""
    found = exposure(scenario, read_book(book), workers=workers)
    rows = [_exposed(e) for e in found]
    show(rows, form, title=phrase("exposure", title=_title(scenario)), columns=(
        "order", "party", "chip", "units", "due", "P(export key closes)", "P(import key closes)", "P(moves in time)",
        "units at risk", "value at risk",
    ))  # fmt: skip
    total: dict[str, int] = {}
    for e in found:
        total[e.order.currency] = total.get(e.order.currency, 0) + e.value_at_risk_minor
    told = ", ".join(f"{value / 100:,.0f} {currency}" for currency, value in total.items())
    say("at_risk", form, units=f"{sum(e.units_at_risk for e in found):,.0f}", money=told)


def _exposed(e: Exposure) -> dict[str, Any]:
    return {
        "order": e.order.order,
        "party": e.order.party,
        "chip": e.order.chip,
        "units": e.order.units,
        "due": str(e.order.due),
        "P(export key closes)": e.p_export_closes,
        "P(import key closes)": e.p_import_closes,
        "P(both open when due)": e.p_both_open_at_due,
        "P(moves in time)": e.p_moves,
        "units at risk": e.units_at_risk,
        "value at risk": f"{e.value_at_risk_minor / 100:,.0f} {e.order.currency}",
    }


def _chart(spec: dict[str, Any], out: Path | None) -> None:
    if out:
        click.echo(phrase("wrote", file=charts.save(spec, out)), err=True)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo("\r" + phrase("blocks", done=done, of=of), nl=done == of, err=True)


def _drawing(done: int, of: int, name: str) -> None:
    """Say on a terminal which file is being written."""
    if sys.stderr.isatty():
        click.echo("\r\033[K" + phrase("files", done=done, of=of, name=name), nl=done == of, err=True)


def _title(scenario: Scenario) -> str:
    return scenario.title_zh if language() == "zh" else scenario.title


def _open(flag: bool) -> str:
    return "open" if flag else "closed"


def _end(value: float) -> str:
    return "" if abs(value) == float("inf") else number(value)
