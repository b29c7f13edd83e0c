"""What the deploy commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.deploy_shared import show_json, table

if TYPE_CHECKING:
    from twokey.deploy.calibrate import Calibration
    from twokey.deploy.constants import Constants
    from twokey.deploy.equivalence import Equivalence, Side
    from twokey.deploy.estimate import Estimate
    from twokey.deploy.measurements import Measurement
    from twokey.deploy.validate import Validation

_ZH = {
    "tokens a second and card": "每卡每秒 token",
    "80 % interval": "80 % 区间",
    "time per token": "每 token 时延",
    "time to first token": "首 token 时延",
    "model FLOPs utilisation": "算力利用率 MFU",
    "replica": "副本",
    "in flight": "并发序列",
    "memory used": "显存占用",
    "power of a replica": "副本功率",
    "where the time goes": "时间去向",
    "unknown": "未知",
    "replaced by": "可由下列替代",
    "clusters": "集群",
    "layout": "并行方式",
    "power": "功率",
    "price": "价格",
    "network": "网络",
    "more cards stop helping beyond": "超过此规模后增卡收效甚微",
    "note": "注",
    "precision": "精度",
    "configurations tried": "已试配置",
}


def _say(word: str, lang: str) -> str:
    return _ZH.get(word, word) if lang == "zh" else word


def _line(name: str, value: str, lang: str) -> None:
    label = _say(name, lang)
    wide = sum(2 if ord(c) > 0x2E7F else 1 for c in label)
    click.echo(f"  {label}{' ' * max(28 - wide, 1)}{value}")


def _layout(e: Estimate) -> str:
    parts = [f"TP{e.tp:g}", f"PP{e.pp:g}", f"DP{e.dp:g}", f"EP{e.ep:g}"]
    return " ".join(p for p in parts if not p.endswith("P1")) or "1 device"


def estimate(e: Estimate, lang: str) -> None:
    """Print one estimate on a page."""
    click.echo(click.style(f"{e.kind} of {e.model} on {e.chip}", bold=True))
    _line("tokens a second and card", f"{e.rate:,.0f}", lang)
    _line("80 % interval", f"{e.low:,.0f} – {e.high:,.0f}", lang)
    if e.tpot_ms is not None:
        _line("time per token", f"{e.tpot_ms:.1f} ms", lang)
    if e.ttft_ms is not None:
        _line("time to first token", f"{e.ttft_ms:,.0f} ms", lang)
    if e.mfu is not None:
        _line("model FLOPs utilisation", f"{100 * e.mfu:.1f} %", lang)
    devices = "" if e.devices == e.cards else f" ({e.devices:g} devices)"
    _line("replica", f"{e.cards:g} cards{devices}, {_layout(e)}", lang)
    _line("in flight", f"{e.in_flight:,.0f}", lang)
    _line("precision", f"{e.precision}, engine {e.engine}", lang)
    _line("memory used", f"{100 * e.memory_share:.0f} %", lang)
    _line("power of a replica", _say("unknown", lang) if e.power_kw is None else f"{e.power_kw:,.1f} kW", lang)
    _line("configurations tried", f"{e.tried:,}", lang)
    click.echo(f"  {_say('where the time goes', lang)}")
    for name, share in e.parts:
        click.echo(f"    {name:28}{100 * share:5.1f} %  {'█' * round(share * 40)}")
    for note in e.notes:
        click.echo(f"  {_say('note', lang)}: {note}")


def estimates(found: Sequence[Estimate], form: str) -> None:
    """Print several estimates as a table."""
    rows = [
        [
            e.chip,
            f"{e.rate:.0f}",
            f"{e.low:.0f}",
            f"{e.high:.0f}",
            "–" if e.tpot_ms is None else f"{e.tpot_ms:.1f}",
            f"{e.cards:g}",
            _layout(e),
            "–" if e.power_kw is None else f"{e.power_kw:.1f}",
            "yes" if e.calibrated else "no",
        ]
        for e in found
    ]
    table(["chip", "tok/s/card", "low", "high", "TPOT ms", "cards", "layout", "kW", "calibrated"], rows, form)


def _side(side: Side, lang: str) -> str:
    shape = f"{side.clusters:,.0f} × {side.cards_per_cluster:,.0f}, {side.layout}"
    power = _say("unknown", lang) if side.power_mw is None else f"{side.power_mw:,.2f} MW"
    price = _say("unknown", lang) if side.price_usd is None else f"US${side.price_usd / 1e6:,.1f} M"
    return f"{shape}; {_say('power', lang)} {power}; {_say('price', lang)} {price}; {side.network}"


def equivalences(answers: Sequence[Equivalence], form: str, lang: str) -> None:
    """Print how many of one chip replace the other, one block or line per work."""
    if form != "text":
        rows = [
            [
                e.work,
                e.here.chip,
                f"{e.here.cards:g}",
                e.there.chip,
                f"{e.exact:.1f}",
                f"{e.there.cards:g}",
                f"{e.low:.0f}",
                f"{e.high:.0f}",
                e.there.layout,
                "" if e.there.power_mw is None else f"{e.there.power_mw:.2f}",
                "" if e.there.price_usd is None else f"{e.there.price_usd:.0f}",
            ]
            for e in answers
        ]
        headers = ["work", "from", "cards", "to", "exact", "whole clusters", "low", "high", "layout", "MW", "USD"]
        table(headers, rows, form)
        return
    for e in answers:
        click.echo(click.style(e.work, bold=True))
        click.echo(f"  {e.here.cards:,.0f} × {e.here.chip}: {_side(e.here, lang)}")
        click.echo(f"  {_say('replaced by', lang)}")
        click.echo(click.style(f"  {e.there.cards:,.0f} × {e.there.chip}", bold=True) + f": {_side(e.there, lang)}")
        _line("80 % interval", f"{e.low:,.0f} – {e.high:,.0f} (before whole clusters: {e.exact:,.1f})", lang)
        if e.stops_helping is not None:
            _line("more cards stop helping beyond", f"{e.stops_helping:,.0f} × {e.there.chip}", lang)
        for note in e.notes:
            click.echo(f"  {_say('note', lang)}: {note}")


def curve(points: Sequence[Mapping[str, Any]], form: str) -> None:
    """Print the table beside the chart of work over cluster size."""
    rows = [
        [str(p["chip"]), f"{p['cards']:g}", f"{p['rate']:.0f}", f"{p['low']:.0f}", f"{p['high']:.0f}", str(p["work"])]
        for p in points
    ]
    table(["chip", "cards", "tok/s", "low", "high", "work"], rows, form)


def validation(done: Validation, constants: Constants, form: str, rows_file: str, chart: str | None) -> None:
    """Print the tables of a validation, and last the one line that sums it up."""
    from dataclasses import asdict

    from twokey.deploy import measurements
    from twokey.deploy.validate import pairs, scores

    tables = list(scores(done))
    ratio = pairs(done)
    fitted = {row.id for row in measurements.public()}
    seen = sum(row.id in fitted for row in done.rows)
    if form == "json":
        show_json(
            {
                "scores": {name: [asdict(s) for s in each] for name, each in tables},
                "pairs": asdict(ratio) if ratio.pairs else None,
                "rows_fitted": seen,
                "held_out": dict(constants.fit),
                "refused": list(done.refused),
                "rows_file": rows_file,
                "chart": chart,
                "summary": done.last_line(),
            }
        )
        return
    for message in done.refused:
        click.echo(f"not answered: {message}", err=True)
    if not tables:
        click.echo("No row could be answered; the messages above say why.")
    for name, each in tables:
        click.echo(f"{name:28} {'rows':>5} {'median':>9} {'90th':>9} {'bias':>9} inside 80 %")
        for s in each:
            click.echo(s.words())
        click.echo("")
    if ratio.pairs:
        click.echo(
            f"chip against chip: {ratio.pairs} pairs, median error of the ratio {100 * ratio.median:.1f} %, "
            f"faster chip named rightly {100 * ratio.sign:.0f} %"
        )
    if seen:
        click.echo(f"{seen} of these rows were fitted: their errors show the fit, not a prediction.")
    if "held_out_median_error" in constants.fit:
        click.echo(
            f"Of the {constants.fit['rows']} fitted rows, by fits that did not see the row's group: "
            f"median {100 * constants.fit['held_out_median_error']:.1f} %, "
            f"90th percentile {100 * constants.fit['held_out_p90_error']:.1f} %."
        )
    click.echo(f"rows: {rows_file}" + (f"   chart: {chart}" if chart else ""))
    click.echo(done.last_line())


def calibration(rows: Sequence[Measurement], done: Calibration, out: str) -> None:
    """Print the held-out and the fitted errors of a calibration."""
    from twokey.deploy.validate import pairs, scores, with_intervals

    left_out, final = "groups left out of the fit", "the final fit"
    for title, predicted, both in ((left_out, done.held_out, done.paired), (final, done.fitted, done.fitted)):
        of = with_intervals(rows, predicted, done.constants)
        click.echo(click.style(title, bold=True))
        for name, each in scores(of):
            click.echo(f"  {name:26} {'rows':>5} {'median':>9} {'90th':>9} {'bias':>9} inside 80 %")
            for s in each:
                click.echo(f"  {s.words()}")
        ratio = pairs(replace(of, predicted=both))
        if ratio.pairs:
            click.echo(
                f"  chip against chip: {ratio.pairs} pairs, median error {100 * ratio.median:.1f} %, "
                f"sign right {100 * ratio.sign:.0f} %"
            )
    click.echo(f"constants: {out}")
