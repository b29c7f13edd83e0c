"""What `twokey deploy place` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.deploy_shared import show_json, table
from twokey.cli.deploy_words import heads, say
from twokey.deploy.said import Said

if TYPE_CHECKING:
    from twokey.deploy.enforce.policy import Policy
    from twokey.deploy.place import Placement
    from twokey.deploy.plan import Plan

_SHOWN = 200  # lines of the assignment on a page; the whole of it is in --out and --format csv


def placement(answer: Placement, form: str, lang: str) -> None:
    """Print a placement, or why there is none."""
    if form == "json":
        show_json(finite(answer.as_json()))
        return
    if not answer.feasible:
        click.echo(click.style(f"{answer.plan}: {say('there is no plan', lang)}", bold=True))
        for sentence in answer.core:
            click.echo(f"  - {say(sentence, lang)}")
        return
    if form == "text":
        click.echo(click.style(answer.plan, bold=True))
        click.echo(
            f"  {_figure(answer.value)} {say(answer.unit, lang)}; {say('linear bound', lang)} {_figure(answer.bound)}, "
            f"{say('gap', lang)} {100 * answer.gap:.2f} %; {say('served', lang)} {100 * answer.served:.1f} % "
            f"{say('of all work', lang)}; {answer.columns:,} {say('columns', lang)}, {answer.seconds:.1f} s"
        )
        for name, share in answer.domestic_shares.items():
            if share is not None:
                click.echo(f"  {say('domestic share of', lang)} {say(name, lang)}: {100 * share:.1f} %")
        click.echo("")
    headers = heads(("workload", "phase", "site", "chip", "period", "share", "cards"), lang)
    shown = answer.assignments if form != "text" else answer.assignments[:_SHOWN]
    rows = [
        [
            a.workload,
            say(a.phase, lang),
            a.site,
            a.chip,
            say("all", lang) if a.period is None else str(a.period + 1),
            f"{100 * a.share:.1f} %",
            f"{a.cards:,.0f}",
        ]
        for a in shown
    ]
    table(headers, rows, form)
    if len(shown) < len(answer.assignments):
        more = len(answer.assignments) - len(shown)
        click.echo(_MORE[lang == "zh"].format(more=more))
    if form == "csv":
        return
    if answer.conditions:
        click.echo("")
        headers = heads(("condition", "bound", "achieved", "slack", _PRICE, "per", "binding"), lang)
        table(headers, [_condition(c, lang) for c in answer.conditions], form)
        click.echo("")
        for c in answer.conditions:
            click.echo(f"  {c.id}: {say(c.words, lang)}")
    if answer.unserved:
        click.echo("")
        headers = heads(("not served", "left out", "why"), lang)
        table(headers, [[name, f"{100 * share:.1f} %", say(why, lang)] for name, share, why in answer.unserved], form)


_PRICE = Said("price", "代价")
_MORE = (
    "… and {more:,} lines more; --out FILE.json and --format csv have them all",
    "……另有 {more:,} 行；完整结果见 --out FILE.json 或 --format csv",
)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _condition(c: Any, lang: str) -> list[str]:
    share = c.bound is not None and c.bound <= 1 and "point" in c.step

    def number(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.1f} %" if share else f"{value:,.0f}"

    price = "–" if c.price is None else f"{c.price:,.4g}"
    return [
        c.id,
        number(c.bound),
        number(c.achieved),
        number(c.slack),
        price,
        say(c.step, lang),
        say("yes" if c.binding else "no", lang),
    ]


def finite(value: Any) -> Any:
    """Return plain data in which a figure that is not there is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, list | tuple) else value


def swept(points: Sequence[tuple[float, Placement]], name: str, form: str, chart: Path | None, lang: str) -> None:
    """Print the trade-off of a sweep, and draw it."""
    unit, least = points[0][1].unit, f"{name} {say('at least', lang)}"
    if form == "json":
        show_json([_point(share, p, name) for share, p in points])
    else:
        rows = []
        for share, p in points:
            price = _price(p, name)
            why = p.core[1:2] or p.core[:1]
            rows.append(
                [
                    f"{100 * share:g} %",
                    _figure(p.value) if p.feasible else say("no plan", lang),
                    f"{100 * p.served:.1f} %" if p.feasible else "–",
                    "–" if price is None else f"{price:.3g}",
                    "; ".join(say(sentence, lang) for sentence in why),
                ]
            )
        table([least, *heads((unit, "work served", "price of a point", "why"), lang)], rows, form)
    if chart is not None:
        from twokey.deploy import charts

        data = [{"share": 100 * share, "value": p.value} for share, p in points if p.feasible]
        title = f"{name} 的代价" if lang == "zh" else f"What {name} costs"
        charts.write(charts.trade_off(data, [f"{least}, %", say(unit, lang)], title), chart)
        click.echo(f"{say('chart', lang)}: {chart}", err=True)


def _point(share: float, p: Placement, name: str) -> dict[str, Any]:
    value, served = (p.value, p.served) if p.feasible else (None, None)
    price = _price(p, name) if p.feasible else None
    return {"at_least": share, "value": value, "served": served, "price": price, "why_not": list(p.core)}


def _price(p: Placement, name: str) -> float | None:
    return next((c.price for c in p.conditions if c.id == name), None)


def enforced(policy: Policy, plan: Plan, files: Sequence[Path], placed: bool, form: str, lang: str) -> None:
    """Print what was written: files, quotas a phase, what licensed chips may run, and what quotas alone do not keep."""
    from twokey.deploy.enforce.policy import shares_when_full

    full = shares_when_full(policy, plan)
    if form == "json":
        shares = [{"condition": c.id, "at_least": c.at_least, "quotas_used_up": share} for c, share in full]
        show_json({"files": [str(path) for path in files], "policy": policy.as_json(), "shares": shares})
        return
    quotas = [
        [chip.chip, *(f"{policy.quotas[phase, chip.slug]:,.0f}" for phase in ("inference", "training"))]
        for chip in policy.chips
    ]
    table(heads(("chip", "inference", "training"), lang), quotas, form)
    if form != "text":
        return
    click.echo("")
    for entry in policy.licensed:
        uses = ", ".join(f"{use} ({say(phase, lang)})" for use, phase in entry.uses) or say("nothing", lang)
        click.echo(f"{entry.chip}: {uses}" + ("" if entry.places is None else f"; {', '.join(entry.places)}"))
    for path in files:
        click.echo(f"  {path}")
    for c, share in full:
        if not c.kept_by(share):
            click.echo(_FULL[lang == "zh"].format(id=c.id, share=100 * share, least=100 * c.at_least), err=True)
    if full and not placed:
        click.echo(_UNPLACED[lang == "zh"], err=True)


_FULL = (
    "note: {id}: with every quota used up {share:.1f} % is domestic, below {least:g} %; lower the imported quotas, or "
    "write them again as demand changes",
    "注：{id}：配额全部用满时国产份额为 {share:.1f} %，低于 {least:g} %；请降低进口配额，或随需求变化重新生成",
)
_UNPLACED = (
    "note: without a placement the quotas do not keep the domestic shares",
    "注：未经安排得出的配额不能保证国产份额",
)
