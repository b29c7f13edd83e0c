"""What `twokey deploy place` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.deploy_shared import show_json, table

if TYPE_CHECKING:
    from twokey.deploy.place import Placement

_ZH = {
    "workload": "任务",
    "phase": "阶段",
    "site": "站点",
    "chip": "芯片",
    "period": "时段",
    "share": "份额",
    "cards": "卡数",
    "all": "全部",
    "condition": "条件",
    "bound": "界限",
    "achieved": "实际",
    "slack": "余量",
    "price": "代价",
    "per": "每",
    "binding": "起作用",
    "yes": "是",
    "no": "否",
    "not served": "未满足",
    "left out": "缺口",
    "why": "原因",
    "there is no plan": "无可行方案",
    "served": "已满足",
    "linear bound": "线性上界",
    "gap": "差距",
    "domestic share of": "国产份额",
    "of all work": "占全部工作",
    "inference": "推理",
    "training": "训练",
}


def _say(word: str, lang: str) -> str:
    return _ZH.get(word, word) if lang == "zh" else word


def placement(answer: Placement, form: str, lang: str) -> None:
    """Print a placement, or why there is none."""
    if form == "json":
        show_json(_finite(answer.as_json()))
        return
    if not answer.feasible:
        click.echo(click.style(f"{answer.plan}: {_say('there is no plan', lang)}", bold=True))
        for sentence in answer.core:
            click.echo(f"  - {sentence}")
        return
    if form == "text":
        click.echo(click.style(answer.plan, bold=True))
        click.echo(
            f"  {answer.value:,.4g} {answer.unit}; {_say('linear bound', lang)} {answer.bound:,.4g}, "
            f"{_say('gap', lang)} {100 * answer.gap:.2f} %; {_say('served', lang)} {100 * answer.served:.1f} % "
            f"{_say('of all work', lang)}; {answer.columns:,} columns, {answer.seconds:.1f} s"
        )
        for name, share in answer.domestic_shares.items():
            if share is not None:
                click.echo(f"  {_say('domestic share of', lang)} {name}: {100 * share:.1f} %")
        click.echo("")
    headers = [_say(h, lang) for h in ("workload", "phase", "site", "chip", "period", "share", "cards")]
    rows = [
        [
            a.workload,
            _say(a.phase, lang),
            a.site,
            a.chip,
            _say("all", lang) if a.period is None else str(a.period + 1),
            f"{100 * a.share:.1f} %",
            f"{a.cards:,.0f}",
        ]
        for a in answer.assignments
    ]
    table(headers, rows, form)
    if form == "csv":
        return
    if answer.conditions:
        click.echo("")
        headers = [_say(h, lang) for h in ("condition", "bound", "achieved", "slack", "price", "per", "binding")]
        table(headers, [_condition(c, lang) for c in answer.conditions], form)
        click.echo("")
        for c in answer.conditions:
            click.echo(f"  {c.id}: {c.words}")
    if answer.unserved:
        click.echo("")
        headers = [_say(h, lang) for h in ("not served", "left out", "why")]
        table(headers, [[name, f"{100 * share:.1f} %", why] for name, share, why in answer.unserved], form)


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
        c.step,
        _say("yes" if c.binding else "no", lang),
    ]


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list | tuple) else value


def swept(points: Sequence[tuple[float, Placement]], name: str, form: str, chart: Path | None) -> None:
    """Print the trade-off of a sweep, and draw it."""
    unit = points[0][1].unit
    if form == "json":
        show_json(
            [
                {
                    "at_least": share,
                    "value": p.value,
                    "served": p.served,
                    "price": _price(p, name),
                    "why_not": list(p.core),
                }
                if p.feasible
                else {"at_least": share, "value": None, "served": None, "price": None, "why_not": list(p.core)}
                for share, p in points
            ]
        )
    else:
        rows = []
        for share, p in points:
            price = _price(p, name)
            rows.append(
                [
                    f"{100 * share:.0f} %",
                    f"{p.value:,.5g}" if p.feasible else "no plan",
                    f"{100 * p.served:.1f} %" if p.feasible else "–",
                    "–" if price is None else f"{price:.3g}",
                    "; ".join(p.core[1:2] or p.core[:1]),
                ]
            )
        table([f"{name} at least", unit, "work served", "price of a point", "why not"], rows, form)
    if chart is not None:
        from twokey.deploy import charts

        data = [{"share": 100 * share, "value": p.value, "objective": p.objective} for share, p in points if p.feasible]
        titles = {"share": f"{name}: at least, %", "value": unit, "objective": "objective"}
        charts.write(charts.lines(data, "share", "value", "objective", titles, f"What {name} costs"), chart)
        click.echo(f"chart: {chart}", err=True)


def _price(p: Placement, name: str) -> float | None:
    return next((c.price for c in p.conditions if c.id == name), None)
