"""`twokey deploy`: which work runs on which chips, what replaces what, and proof that the conditions were kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli import deploy_fleet
from twokey.cli.deploy_shared import (
    constants_option,
    find_device,
    form_option,
    lang_option,
    show_json,
    table,
    use,
)
from twokey.cli.deploy_words import heads, say
from twokey.cli.shared import write_text

if TYPE_CHECKING:
    from twokey.deploy.constants import Constants
    from twokey.deploy.search import Fixed, Work


@click.group()
def deploy() -> None:
    """Plan work on a fleet of imported and domestic chips, and show that the conditions on it are kept."""


def _work_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option(
            "--input", "input_", default="4096", show_default=True, help="Prompt, context or sequence, tokens."
        ),
        click.option("--output", default="1024", show_default=True, help="Answer, tokens (work serve)."),
        click.option("--tpot", help="Latency limit per output token, as in 50ms."),
        click.option("--ttft", help="Latency limit of the first token, as in 2s."),
        click.option("--precision", default="auto", show_default=True, help="bf16, fp8, int8, fp4, ... or auto."),
        click.option("--engine", default="own", show_default=True, help="Serving engine; own is a tuned stack."),
        click.option(
            "--draft",
            type=click.Choice(["none", "mtp", "eagle3"]),
            default="none",
            show_default=True,
            help="Speculative decoding.",
        ),
        click.option("--batch-tokens", default="4M", show_default=True, help="Global batch of training, tokens."),
    ):
        command = option(command)
    return command


def _work(kind: str, model_name: str, given: dict[str, str], constants: Constants) -> Work:
    from twokey.chips import UserError, nearest
    from twokey.deploy import units
    from twokey.deploy.search import KINDS, Work, engine, precision
    from twokey.deploy.shapes import model

    if kind not in KINDS:
        raise UserError(f"work: {kind!r} is not one of {', '.join(KINDS)}{nearest(kind, KINDS)}")
    return Work(
        kind=kind,
        shape=model(model_name),
        input=units.count(given["input_"], "--input"),
        output=units.count(given["output"], "--output"),
        tpot_ms=units.milliseconds(given["tpot"], "--tpot") if given["tpot"] else None,
        ttft_ms=units.milliseconds(given["ttft"], "--ttft") if given["ttft"] else None,
        precision=precision(given["precision"], "--precision"),
        engine=engine(given["engine"], "--engine", constants),
        draft=given["draft"],
        batch_tokens=units.count(given["batch_tokens"], "--batch-tokens"),
    )


def _fixed(tp: float | None, pp: float | None, dp: float | None, ep: float | None, batch: float | None) -> Fixed:
    from twokey.chips import UserError
    from twokey.deploy.search import Fixed

    for name, value in (("tp", tp), ("pp", pp), ("dp", dp), ("ep", ep), ("batch", batch)):
        if value is not None and value < 1:
            raise UserError(f"--{name}: must be at least 1 (got {value:g}); leave it out to have it searched")
    return Fixed(tp, pp, dp, ep, batch)


@deploy.command()
@click.option("--chip", "chips", required=True, multiple=True, help="Chip name or CHIP.toml; may be given repeatedly.")
@click.option("--model", "model_name", required=True, help="Model, as in deepseek-v3.")
@click.option("--work", "kind", required=True, help="train, prefill, decode or serve.")
@click.option("--count", help="Cards: at most for serving, exactly for training (default 1024).")
@click.option("--tp", type=float, help="Tensor parallelism, devices.")
@click.option("--pp", type=float, help="Pipeline stages.")
@click.option("--dp", type=float, help="Data-parallel (attention) ranks of a replica.")
@click.option("--ep", type=float, help="Expert parallelism, devices.")
@click.option("--batch", type=float, help="Sequences in flight in one replica.")
@_work_options
@form_option
@constants_option
@lang_option
def estimate(
    chips: tuple[str, ...],
    model_name: str,
    kind: str,
    count: str | None,
    tp: float | None,
    pp: float | None,
    dp: float | None,
    ep: float | None,
    batch: float | None,
    form: str,
    constants_file: Path | None,
    lang: str,
    **given: str,
) -> None:
    """Estimate a workload on a chip: best configuration, speed with its interval, and where the time goes.

    What is not given (TP, PP, EP, batch) is searched. Layout counts are devices: a 910C card is two.
    """
    from twokey.cli import deploy_views
    from twokey.deploy import units
    from twokey.deploy.estimate import best

    constants = use(constants_file)
    work, fixed = _work(kind, model_name, given, constants), _fixed(tp, pp, dp, ep, batch)
    cards = units.count(count, "--count") if count else None
    found = [best(find_device(chip), work, constants, cards, fixed) for chip in chips]
    if form == "json":
        show_json([e.as_json() for e in found] if len(found) > 1 else found[0].as_json())
    elif form == "text" and len(found) == 1:
        deploy_views.estimate(found[0], lang)
    else:
        deploy_views.estimates(found, form, lang)


@deploy.command()
@click.option("--from", "here", required=True, help="Chip that is replaced.")
@click.option("--count", required=True, help="How many cards of it.")
@click.option("--to", "there", required=True, help="Chip that replaces it.")
@click.option("--work", "works", required=True, multiple=True, help="KIND:MODEL, as in decode:deepseek-v3.")
@click.option("--chart", type=click.Path(path_type=Path), help="Draw work over cluster size (.png, .svg, .html).")
@_work_options
@form_option
@constants_option
@lang_option
def equivalent(
    here: str,
    count: str,
    there: str,
    works: tuple[str, ...],
    chart: Path | None,
    form: str,
    constants_file: Path | None,
    lang: str,
    **given: str,
) -> None:
    """Say how many of one chip replace so many of another, under the same latency limit."""
    from twokey.chips import UserError
    from twokey.cli import deploy_views
    from twokey.deploy import units
    from twokey.deploy.equivalence import curve, equivalent

    constants = use(constants_file)
    cards = units.count(count, "--count")
    a, b = find_device(here), find_device(there)
    answers, points = [], []
    for text in works:
        kind, colon, model_name = text.partition(":")
        if not colon:
            raise UserError(f"--work: {text!r} needs a kind and a model, as in decode:deepseek-v3")
        work = _work(kind, model_name, given, constants)
        answers.append(equivalent(a, cards, b, work, constants))
        for device in (a, b):
            for n, rate, low, high in curve(device, work, constants):
                sizes = {"cards": n, "rate": rate, "low": low, "high": high, "each": rate / n}
                points.append({**sizes, "chip": device.name, "work": text})
    if chart is not None:
        from twokey.deploy import charts

        names = ("cards in one cluster", "tokens a second", "tokens a second and card, of one cluster", "chip")
        title = f"{works[0]}: {say('work over cluster size', lang)}"
        ends = [{"cards": e.stops_helping} for e in answers[:1] if e.stops_helping is not None]
        own = [p for p in points if p["work"] == works[0]]
        charts.write(charts.growth(own, ends, heads(names, lang), title), chart)
    if form == "json":
        show_json({"equivalents": [e.as_json() for e in answers], "curve": points})
    else:
        deploy_views.equivalences(answers, form, lang)
        if chart is not None:
            deploy_views.curve(points, form, lang)
            click.echo(f"{say('chart', lang)}: {chart}", err=form != "text")


@deploy.command()
@click.option("--search", default="", help="Only models whose name contains this.")
@form_option
@lang_option
def models(search: str, form: str, lang: str) -> None:
    """List the models whose shape is known."""
    from dataclasses import asdict

    from twokey.deploy.shapes import models as known

    found = [shape for shape in known().values() if search.casefold() in shape.name.casefold()]
    if form == "json":
        show_json([asdict(shape) for shape in found])
        return
    if not found:
        click.echo(f"No model whose name contains {search!r}; without --search all are listed.")
        return
    rows = [
        [s.name, f"{s.total / 1e9:.1f}", f"{s.active / 1e9:.1f}", f"{s.layers:g}", f"{s.hidden:g}", f"{s.experts:g}"]
        for s in found
    ]
    table(heads(("model", "billion parameters", "active", "layers", "hidden", "experts"), lang), rows, form)


@deploy.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rows", "rows_file", type=click.Path(path_type=Path), help="Where the row-by-row CSV goes.")
@click.option("--chart", type=click.Path(path_type=Path), help="Where the chart goes (.png, .svg, .html).")
@form_option
@constants_option
@lang_option
def validate(
    file: Path, rows_file: Path | None, chart: Path | None, form: str, constants_file: Path | None, lang: str
) -> None:
    """Predict every measured row of FILE.csv and say how far off the predictions are.

    The file has the columns of the public measurements. Rows that were fitted are counted apart: their errors say how
    well the constants fit, not how well they predict.
    """
    from twokey.cli import deploy_views
    from twokey.deploy import charts, measurements
    from twokey.deploy.validate import row_by_row
    from twokey.deploy.validate import validate as run

    constants = use(constants_file)
    rows, refused = measurements.read_file(file)
    if not rows and not refused:
        refused = [f"{file.name}: no measurement stands below its first line"]
    done = run(rows, constants, refused)
    rows_file = rows_file or Path(f"{file.stem}.predicted.csv")
    chart = chart or Path(f"{file.stem}.predicted.png")
    write_text(row_by_row(done), rows_file)
    points = [
        {
            "kind": say(r.kind, lang),
            "measured": r.value,
            "predicted": float(p),
            "origin": say("domestic" if r.device.domestic else "imported", lang),
        }
        for r, p in zip(done.rows, done.predicted, strict=True)
        if math.isfinite(p)
    ]
    if points:
        names = (
            "Predicted against measured; the dashed line is equality",
            "measured (own unit of each row)",
            "predicted",
            "kind",
            "origin",
        )
        charts.write(charts.predicted_against_measured(points, heads(names, lang)), chart)
    deploy_views.validation(done, constants, form, lang, (str(rows_file), str(chart) if points else None))


@deploy.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), default=Path("constants.json"), show_default=True)
@click.option("--public/--no-public", default=True, show_default=True, help="Also fit the packaged measurements.")
@click.option("--folds", default=6, show_default=True, type=click.IntRange(2, 20), help="Parts left out in turn.")
def calibrate(files: tuple[Path, ...], out: Path, public: bool, folds: int) -> None:
    """Refit the constants from measurements, your site's own included, and tell the error on rows left out.

    Takes about a minute of processor time on the public rows.
    """
    from twokey.chips import UserError
    from twokey.cli import deploy_views
    from twokey.deploy import constants as keep
    from twokey.deploy import measurements
    from twokey.deploy.calibrate import calibrate as run

    rows = list(measurements.public()) if public else []
    for file in files:
        own, refused = measurements.read_file(file)
        for message in refused:
            click.echo(f"left out: {message}", err=True)
        rows += own
    if not rows:
        raise UserError("no measurements to fit; give a CSV file, or leave --no-public out")
    start = keep.packaged() if files else None
    done = run(rows, start, folds, lambda text: click.echo(f"  {text}", err=True))
    write_text(keep.to_json(done.constants), out)
    deploy_views.calibration(rows, done, str(out))


for _command in (deploy_fleet.place, deploy_fleet.enforce, deploy_fleet.report):
    deploy.add_command(_command)
