"""`twokey deploy place | enforce | report`: the commands that take a whole fleet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli.deploy_shared import constants_option, find_device, form_option, lang_option, use
from twokey.cli.shared import write_text

if TYPE_CHECKING:
    from twokey.deploy.said import Lang


@click.command()
@click.argument("plan_file", metavar="PLAN.toml", type=click.Path(path_type=Path))
@click.option(
    "--conditions", "overlays", multiple=True, type=click.Path(path_type=Path), help="Conditions to add or replace."
)
@click.option("--objective", type=click.Choice(["served", "cost", "imported"]), help="Instead of the plan's own.")
@click.option("--service", type=float, help="Share of the demand to serve at least, for cost and imported.")
@click.option("--sweep", "swept", metavar="CONDITION", help="Vary this domestic-share condition.")
@click.option("--from", "first", type=float, default=0.0, show_default=True, help="First share of the sweep.")
@click.option("--to", "last", type=float, default=1.0, show_default=True, help="Last share of the sweep.")
@click.option("--steps", type=click.IntRange(2, 101), default=11, show_default=True)
@click.option("--chart", type=click.Path(path_type=Path), help="Draw the trade-off of a sweep (.png, .svg, .html).")
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="Time for one solve.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the answer as JSON.")
@form_option
@constants_option
@lang_option
def place(
    plan_file: Path,
    overlays: tuple[Path, ...],
    objective: str | None,
    service: float | None,
    swept: str | None,
    first: float,
    last: float,
    steps: int,
    chart: Path | None,
    seconds: float,
    out: Path | None,
    form: str,
    constants_file: Path | None,
    lang: str,
) -> None:
    """Place the workloads of PLAN.toml on its sites and chips, within its conditions.

    Shows the assignment, the linear bound, and the slack and price of each condition; where there is no plan, what
    stands in the way. Ends with status 1 where there is no plan.
    """
    import json

    from twokey.chips import UserError
    from twokey.cli import deploy_place
    from twokey.deploy import place as placing
    from twokey.deploy.plan import read

    plan, constants = read(plan_file, overlays, objective, service), use(constants_file)

    def progress(text: str) -> None:
        click.echo(f"  {text}", err=True)

    if swept is not None:
        if not 0 <= first < last <= 1:
            raise UserError(f"--from and --to: must be shares with 0 <= from < to <= 1 (got {first:g} and {last:g})")
        shares = [first + (last - first) * i / (steps - 1) for i in range(steps)]
        points = placing.sweep(plan, constants, swept, shares, progress)
        deploy_place.swept(points, swept, form, chart, lang)
        return
    answer = placing.place(plan, constants, progress, seconds)
    if out is not None:
        write_text(json.dumps(deploy_place.finite(answer.as_json()), indent=1, ensure_ascii=False) + "\n", out)
    deploy_place.placement(answer, form, lang)
    if not answer.feasible:
        raise SystemExit(1)


@click.command()
@click.argument("plan_file", metavar="PLAN.toml", type=click.Path(path_type=Path))
@click.option(
    "--conditions", "overlays", multiple=True, type=click.Path(path_type=Path), help="Conditions to add or replace."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder that the files go to.")
@click.option("--node", "nodes", multiple=True, metavar="NODE=CHIP", help="A licensed node; may be given repeatedly.")
@click.option("--place/--no-place", "placed", default=True, show_default=True, help="Take quotas from the placement.")
@form_option
@constants_option
@lang_option
def enforce(
    plan_file: Path,
    overlays: tuple[Path, ...],
    out: Path,
    nodes: tuple[str, ...],
    placed: bool,
    form: str,
    constants_file: Path | None,
    lang: str,
) -> None:
    """Write what keeps the plan's conditions: Kubernetes admission, Kueue, DRA and Slurm, from one source of truth."""
    from twokey.chips import UserError
    from twokey.cli import deploy_place
    from twokey.deploy.enforce import policy as one_truth
    from twokey.deploy.enforce.write import write
    from twokey.deploy.place import place as placing
    from twokey.deploy.plan import read

    plan = read(plan_file, overlays)
    placement = placing(plan, use(constants_file), prices=False) if placed else None
    if placement is not None and not placement.feasible:
        raise UserError(f"{plan_file.name}: there is no placement to take quotas from: " + "; ".join(placement.core))
    policy = one_truth.build(plan, placement)
    known = {chip.slug for chip in policy.chips}
    named = {}
    for text in nodes:
        node, equals, chip = text.partition("=")
        slug = one_truth.slug(find_device(chip).name) if equals else ""
        if slug not in known:
            raise UserError(f"--node: {text!r} must be NODE=CHIP with a chip of the plan")
        named[node] = slug
    deploy_place.enforced(policy, plan, write(policy, out, named), placement is not None, form, lang)


@click.command()
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help="PLAN.toml: fleets (silent cards are gaps), conditions.",
)
@click.option("--telemetry", multiple=True, metavar="SITE=FOLDER", help="Exposition files of a site; repeat per site.")
@click.option("--sacct", multiple=True, metavar="SITE=FILE", help="Output of sacct -X -P; repeat per site.")
@click.option("--from", "start", required=True, help="Begin, as in 2026-11-01.")
@click.option("--to", "end", required=True, help="End, not included.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of these and of sacct's times.")
@click.option("--periods", type=click.IntRange(1, 366), default=1, show_default=True, help="Equal parts of that time.")
@click.option(
    "--phase", "phases", multiple=True, metavar="NAMESPACE=PHASE", help="What a namespace, queue or QOS runs."
)
@click.option(
    "--measure", type=click.Choice(["allocated", "used", "delivered"]), help="What conditions are checked against."
)
@click.option("--out", type=click.Path(path_type=Path), help="Statement as Markdown.")
@click.option("--pdf", "pdf_file", type=click.Path(path_type=Path), help="Statement as PDF, its figures inside.")
@click.option("--breaches", "breach_file", type=click.Path(path_type=Path), help="Breaches as JSON, for a case desk.")
@click.option("--case", "case_id", type=int, help="A breach opens this case of the desk on this machine again.")
@click.option("--as", "login", metavar="LOGIN", help="With --case: act as this person, by the token kept here.")
@form_option
@lang_option
def report(
    plan_file: Path | None,
    telemetry: tuple[str, ...],
    sacct: tuple[str, ...],
    start: str,
    end: str,
    zone: str,
    periods: int,
    phases: tuple[str, ...],
    measure: str | None,
    out: Path | None,
    pdf_file: Path | None,
    breach_file: Path | None,
    case_id: int | None,
    login: str | None,
    form: str,
    lang: Lang,
) -> None:
    """Report the domestic share of inference and training that was measured, with gaps bounded, against the conditions.

    Ends with status 1 where a condition was breached.
    """
    from twokey.cli import deploy_report

    given = deploy_report.Sources(plan_file, telemetry, sacct, start, end, periods, zone, phases, measure)
    to = deploy_report.Targets(out, pdf_file, breach_file, case_id, login)
    breached = deploy_report.run(given, to, form, lang)
    if breached:
        raise SystemExit(1)
