"""`twokey outlook`: scenarios of two keys, three answers, and how the forecasts fare against the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.outlook_view import Format, phrase, say, show

if TYPE_CHECKING:
    from twokey.outlook.scenario import Scenario


def _speak(ctx: click.Context, _param: click.Parameter, value: str) -> None:
    ctx.meta["twokey.outlook.lang"] = value


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add --format and --lang."""
    command = click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default="en",
        show_default=True,
        expose_value=False,
        callback=_speak,
        is_eager=True,
        help="Language of the answer.",
    )(command)
    return click.option(
        "--format", "form", type=click.Choice(["text", "json", "csv", "markdown"]), default="text", show_default=True
    )(command)


DEFAULT = "founding-case-2026-01-28"
QUARTER = 8  # two years ahead


def _scenario_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every command that runs the model takes."""
    for option in (
        _shared,
        click.option(
            "--paths", type=click.IntRange(1), help="Paths; more narrow the Monte-Carlo error, not the doubt."
        ),
        click.option("--seed", type=click.IntRange(0), help="Seed; the same seed gives the same numbers."),
        click.option("--quarters", type=click.IntRange(1, 80), help="Horizon."),
        click.option("--basis", type=click.Choice(["h100e-8bit", "h100e-bandwidth"]), help="What compute counts."),
        click.option("--include-smuggled", is_flag=True, help="Count smuggled compute into China's totals."),
        click.option("--set", "values", multiple=True, metavar="INPUT=VALUE", help="Fix an input (may be repeated)."),
        click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads."),
    ):
        command = option(command)
    return command


def _load(name: str, options: dict[str, Any]) -> Scenario:
    """Read a scenario and apply the options of the command line."""
    from dataclasses import replace

    from twokey.chips.errors import UserError
    from twokey.outlook.scenario import load, with_inputs

    scenario = load(name)
    changes = {k: options[k] for k in ("paths", "seed", "quarters", "basis") if options.get(k) is not None}
    if options.get("include_smuggled"):
        changes["include_smuggled"] = True
    scenario = replace(scenario, **changes)
    fixed = {}
    for text in options.get("values") or ():
        key, _, value = text.partition("=")
        try:
            fixed[key.strip()] = float(value)
        except ValueError:
            raise UserError(f"--set {text}: write INPUT=NUMBER, as in --set conversion=0.05") from None
    return with_inputs(scenario, fixed) if fixed else scenario


@click.group()
def outlook() -> None:
    """Ask what happens to supply, share and the compute gap when either key turns.

    Every number carries its basis; numbers on different bases are never combined. Smuggled compute is a line of its
    own and stays out of totals unless you ask for it.
    """


@outlook.command()
@_shared
def scenarios(form: Format) -> None:
    """List the ready scenarios."""
    from twokey.outlook.scenario import load, ready

    rows = []
    for name in ready():
        s = load(name)
        rows.append(
            {"scenario": name, "as of": str(s.as_of), "title": s.title, "title_zh": s.title_zh, "about": s.about}
        )
    show(rows, form, columns=("scenario", "as of", "title"))
    say("ready", form)


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_shared
def inputs(scenario: str, form: Format) -> None:
    """List every input of a scenario with its interval and the source rows behind it."""
    from twokey.outlook.provenance import input_row
    from twokey.outlook.scenario import load

    rows = [input_row(given) for given in load(scenario).inputs.values()]
    show(rows, form, columns=(
        "input", "what", "low", "central", "high", "interval", "unit", "confidence", "sources",
    ))  # fmt: skip


@outlook.command()
@click.argument("names", nargs=-1)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only what was known on this day.")
@click.option("--sum", "total", is_flag=True, help="Add the values up; refused where bases or units differ.")
@_shared
def series(names: Sequence[str], as_of: Any, total: bool, form: Format) -> None:
    """Show data series with basis, source and the day each value was known; without a name, list the series."""
    from twokey.outlook.basis import DEFINITIONS, one_basis
    from twokey.outlook.sources import series as read
    from twokey.outlook.sources import series_rows

    if not names:
        seen: dict[str, dict[str, Any]] = {}
        for row in series_rows():
            at = seen.setdefault(row.series, {"series": row.series, "rows": 0, "unit": row.unit, "basis": row.basis})
            at["rows"] += 1
        show(list(seen.values()), form)
        return
    rows = [row for name in names for row in read(name, as_of.date() if as_of else None)]
    if len(names) > 1 or total:
        one_basis([row.quantity for row in rows])
    show(
        [
            {"id": r.id, "value": r.value, "unit": r.unit, "low": r.low, "high": r.high, "basis": r.basis,
             "known from": str(r.as_of), "how": r.as_of_kind, "confidence": r.confidence, "source": r.source}
            for r in rows
        ],
        form, columns=("id", "value", "unit", "low", "high", "basis", "known from", "confidence"),
    )  # fmt: skip
    if total and rows:
        say("sum", form, value=f"{sum(r.value for r in rows):,.6g}", unit=rows[0].unit, basis=rows[0].basis)
    for basis in sorted({r.basis for r in rows} & set(DEFINITIONS)):
        en, zh = DEFINITIONS[basis]
        say("defined", form, basis=basis, en=en, zh=zh)


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_scenario_options
@click.option("--line", "lines", multiple=True, help="Show this line for every quarter (may be repeated).")
@click.option("--quarter", type=click.IntRange(1), help="Show this quarter (default: the last).")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write Parquet, CSV, charts and report here."
)
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option("--scheduler", default="", metavar="ADDRESS", help="Dask scheduler; without it a local cluster starts.")
@click.option("--book", type=click.Path(path_type=Path), help="An open book exported by the desk (CSV or JSON).")
def run(form: Format, scenario: str, **options: Any) -> None:
    """Run a scenario: chips, TPP, H100-equivalents on two bases, share and gap, by quarter and side."""
    from twokey.cli.outlook_run import run_and_show

    run_and_show(_load(scenario, options), form, options)


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_scenario_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the chart (.svg, .png, .html).")
def commit(form: Format, scenario: str, out: Path | None, **options: Any) -> None:
    """Say how many dies and packages a vendor should commit while either key may close."""
    from twokey.cli.outlook_run import commit_and_show

    commit_and_show(_load(scenario, options), form, out, options["workers"])


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_scenario_options
@click.option("--approved", type=click.FloatRange(1), help="Units approved for the buyer.")
@click.option("--need", type=click.FloatRange(0), help="Compute that the buyer needs, in H100e (8-bit).")
@click.option("--mandate", type=click.FloatRange(0, 1), help="Domestic share that the buyer must keep.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the chart (.svg, .png, .html).")
def arrive(form: Format, scenario: str, out: Path | None, **options: Any) -> None:
    """Say when an approved quantity arrives, and how many domestic chips to order meanwhile."""
    from twokey.cli.outlook_run import arrive_and_show

    arrive_and_show(_load(scenario, options), form, out, options)


@outlook.command()
@click.argument("names", nargs=-1, metavar="SCENARIO SCENARIO...")
@_scenario_options
@click.option("--quarter", type=click.IntRange(1), help="Which quarter (default: the eighth, or the last).")
def compare(form: Format, names: Sequence[str], quarter: int | None, **options: Any) -> None:
    """Put scenarios side by side at one quarter, with the same random numbers."""
    from twokey.outlook.compare import compare as side_by_side

    loaded = [_load(name, options) for name in names]
    quarter = quarter or min([QUARTER, *(s.quarters for s in loaded)])
    rows = side_by_side(loaded, quarter, workers=options["workers"])
    shown = ["what", "unit", "counted by", *(s.name for s in loaded)]
    if form in ("text", "markdown"):
        from twokey.cli.outlook_run import SHORT

        rows = [{**row, "counted by": SHORT.get(row["basis"], row["basis"].partition(": ")[2])} for row in rows]
    show(rows, form, columns=shown, title=phrase("compare", quarter=quarter))
    starts = {s.as_of for s in loaded}
    if len(starts) > 1:
        say("starts", form, days=", ".join(f"{s.name} {s.as_of}" for s in loaded))


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_scenario_options
@click.option("--line", default="delivered_total", show_default=True, help="The line to explain.")
@click.option("--quarter", type=click.IntRange(1), help="Which quarter (default: the eighth, or the last).")
@click.option("--below", type=float, help="What would have to be true for the line to end below this value?")
@click.option("--above", type=float, help="... or above this one (default: the best tenth of paths).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the tornado (.svg, .png, .html).")
def explain(form: Format, scenario: str, **options: Any) -> None:
    """Say what the answer turns on: tornado, Sobol indices, and what would have to be true."""
    from twokey.cli.outlook_run import explain_and_show

    loaded = _load(scenario, options)
    options["quarter"] = options["quarter"] or min(QUARTER, loaded.quarters)
    explain_and_show(loaded, form, options)


@outlook.command()
@click.argument("scenario", default=DEFAULT)
@_scenario_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the chart (.svg, .png, .html).")
def frontier(form: Format, scenario: str, out: Path | None, **options: Any) -> None:
    """Weigh the importing state's two aims: compute for developers against domestic output and learning."""
    from twokey.cli.outlook_run import frontier_and_show

    frontier_and_show(_load(scenario, options), form, out, options)


@outlook.command()
@click.argument("book", type=click.Path(path_type=Path))
@click.option("--scenario", default=DEFAULT, show_default=True)
@_scenario_options
def exposure(form: Format, book: Path, scenario: str, **options: Any) -> None:
    """Show what a turn of either key does to the orders of an open book (CSV or JSON, exported by the desk)."""
    from twokey.cli.outlook_run import exposure_and_show

    exposure_and_show(_load(scenario, options), book, form, options["workers"])


@outlook.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--inputs", "inputs_file", type=click.Path(path_type=Path), help="Published inputs other than the package's."
)
@_shared
def check(file: Path | None, inputs_file: Path | None, form: Format) -> None:
    """Reproduce published analyses row by row, within the tolerance that each row gives.

    FILE has the form of published_outputs.csv or of epoch_nvidia_fiscal_units.csv; without it both of the package are
    checked. Exit status 1 where a row differs.
    """
    from twokey.cli.outlook_record import check_and_show

    check_and_show(file, inputs_file, form)


@outlook.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Leave out figures that somebody reconstructed later.")
@_shared
def backtest(file: Path | None, strict: bool, form: Format) -> None:
    """Score the forecasts against outcomes, each with only what was known on its day.

    FILE has the form of backtest_targets.csv; without it the package's targets are scored.
    """
    from twokey.cli.outlook_record import backtest_and_show

    backtest_and_show(file, strict, form)
