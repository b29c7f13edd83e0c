"""What the deploy commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from twokey.cli.deploy_shared import pad, show_json, table
from twokey.cli.deploy_words import heads, say

if TYPE_CHECKING:
    from twokey.deploy.calibrate import Calibration
    from twokey.deploy.constants import Constants
    from twokey.deploy.equivalence import Equivalence, Side
    from twokey.deploy.estimate import Estimate
    from twokey.deploy.measurements import Measurement
    from twokey.deploy.validate import Score, Validation


def _line(name: str, value: str, lang: str) -> None:
    click.echo(f"  {pad(say(name, lang), 28)}{value}")


def _layout(e: Estimate) -> str:
    parts = [f"TP{e.tp:g}", f"PP{e.pp:g}", f"DP{e.dp:g}", f"EP{e.ep:g}"]
    return " ".join(p for p in parts if not p.endswith("P1")) or "1 device"


def estimate(e: Estimate, lang: str) -> None:
    """Print one estimate on a page."""
    title = f"{e.chip} 上的 {e.model}:{say(e.kind, lang)}" if lang == "zh" else f"{e.kind} of {e.model} on {e.chip}"
    click.echo(click.style(title, bold=True))
    _line("tokens a second and card", f"{e.rate:,.0f}", lang)
    _line("80 % interval", f"{e.low:,.0f} – {e.high:,.0f}", lang)
    if e.tpot_ms is not None:
        _line("time per token", f"{e.tpot_ms:.1f} ms", lang)
    if e.ttft_ms is not None:
        _line("time to first token", f"{e.ttft_ms:,.0f} ms", lang)
    if e.mfu is not None:
        _line("model FLOPs utilisation", f"{100 * e.mfu:.1f} %", lang)
    devices = "" if e.devices == e.cards else f" ({e.devices:g} {say('devices', lang)})"
    cards = f"{e.cards:g} 卡" if lang == "zh" else f"{e.cards:g} card{'' if e.cards == 1 else 's'}"
    _line("replica", f"{cards}{devices}, {say(_layout(e), lang)}", lang)
    _line("in flight", f"{e.in_flight:,.0f}", lang)
    _line("precision", f"{e.precision}, {say('engine', lang)} {e.engine}", lang)
    _line("memory used", f"{100 * e.memory_share:.0f} %", lang)
    _line("power of a replica", say("unknown", lang) if e.power_kw is None else f"{e.power_kw:,.1f} kW", lang)
    _line("configurations tried", f"{e.tried:,}", lang)
    click.echo(f"  {say('where the time goes', lang)}")
    for name, share in e.parts:
        click.echo(f"    {pad(say(name, lang), 28)}{100 * share:5.1f} %  {'█' * round(share * 40)}".rstrip())
    for note in e.notes:
        click.echo(f"  {say('note', lang)}: {say(note, lang)}")


def estimates(found: Sequence[Estimate], form: str, lang: str) -> None:
    """Print several estimates as a table, with what must be known of each below it."""
    rows = [
        [
            e.chip,
            f"{e.rate:.0f}",
            f"{e.low:.0f}",
            f"{e.high:.0f}",
            "–" if e.tpot_ms is None else f"{e.tpot_ms:.1f}",
            f"{e.cards:g}",
            say(_layout(e), lang),
            "–" if e.power_kw is None else f"{e.power_kw:.1f}",
            say("yes" if e.calibrated else "no", lang),
        ]
        for e in found
    ]
    names = ("chip", "tok/s/card", "low", "high", "TPOT ms", "cards", "layout", "kW", "calibrated")
    table(heads(names, lang), rows, form)
    if form == "text":
        for note in dict.fromkeys(note for e in found for note in e.notes):
            click.echo(f"{say('note', lang)}: {say(note, lang)}")


def _side(side: Side, lang: str) -> str:
    shape = f"{side.clusters:,.0f} × {side.cards_per_cluster:,.0f}, {say(side.layout, lang)}"
    power = say("unknown", lang) if side.power_mw is None else f"{side.power_mw:,.2f} MW"
    price = say("unknown", lang) if side.price_usd is None else f"US${side.price_usd / 1e6:,.1f} M"
    return f"{shape}; {say('power', lang)} {power}; {say('price', lang)} {price}; {say(side.network, lang)}"


def equivalences(answers: Sequence[Equivalence], form: str, lang: str) -> None:
    """Print how many of one chip replace the other, one block or line per work."""
    if form != "text":
        rows = [
            [
                say(e.work, lang),
                e.here.chip,
                f"{e.here.cards:g}",
                e.there.chip,
                f"{e.exact:.1f}",
                f"{e.there.cards:g}",
                f"{e.low:.0f}",
                f"{e.high:.0f}",
                say(e.there.layout, lang),
                "" if e.there.power_mw is None else f"{e.there.power_mw:.2f}",
                "" if e.there.price_usd is None else f"{e.there.price_usd:.0f}",
            ]
            for e in answers
        ]
        names = ("work", "from", "cards", "to", "exact", "whole clusters", "low", "high", "layout", "MW", "USD")
        table(heads(names, lang), rows, form)
        return
    for e in answers:
        click.echo(click.style(say(e.work, lang), bold=True))
        click.echo(f"  {e.here.cards:,.0f} × {e.here.chip}: {_side(e.here, lang)}")
        click.echo(f"  {say('replaced by', lang)}")
        click.echo(click.style(f"  {e.there.cards:,.0f} × {e.there.chip}", bold=True) + f": {_side(e.there, lang)}")
        _line(
            "80 % interval",
            f"{e.low:,.0f} – {e.high:,.0f} ({say('before whole clusters', lang)}: {e.exact:,.1f})",
            lang,
        )
        if e.stops_helping is not None:
            _line("more cards stop helping beyond", f"{e.stops_helping:,.0f} × {e.there.chip}", lang)
        for note in e.notes:
            click.echo(f"  {say('note', lang)}: {say(note, lang)}")


def curve(points: Sequence[Mapping[str, Any]], form: str, lang: str) -> None:
    """Print the table beside the chart of work over cluster size."""
    rows = [
        [
            str(p["chip"]),
            *(f"{p[name]:.0f}" for name in ("cards", "rate", "each", "low", "high")),
            str(p["work"]),
        ]
        for p in points
    ]
    table(heads(("chip", "cards", "tok/s", "tok/s/card", "low", "high", "work"), lang), rows, form)


def validation(done: Validation, constants: Constants, form: str, lang: str, files: tuple[str, str | None]) -> None:
    """Print the tables of a validation, and last the one line that sums it up. `files`: the rows, the chart."""
    from dataclasses import asdict

    from twokey.deploy import measurements
    from twokey.deploy.validate import pairs, scores

    tables = list(scores(done))
    ratio = pairs(done)
    fitted = {row.id for row in measurements.public()}
    seen = sum(row.id in fitted for row in done.rows)
    rows_file, chart = files
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
        click.echo(f"{_VALIDATION['refused'][lang == 'zh']}: {message}", err=True)
    if form in {"csv", "markdown"}:
        names = heads(("kind", "rows", "median", "90th", "bias", "inside 80 %"), lang)
        table(names, [_score(s, lang) for _, each in tables for s in each], form)
        return
    if not tables:
        click.echo(_VALIDATION["none"][lang == "zh"])
    for name, each in tables:
        table(
            heads((name, "rows", "median", "90th", "bias", "inside 80 %"), lang),
            [_score(s, lang) for s in each],
            "text",
        )
        click.echo("")
    if ratio.pairs:
        said = _VALIDATION["pairs"][lang == "zh"]
        click.echo(said.format(pairs=ratio.pairs, median=100 * ratio.median, sign=100 * ratio.sign))
    if seen:
        click.echo(_VALIDATION["seen"][lang == "zh"].format(seen=seen))
    if "held_out_median_error" in constants.fit:
        said = _VALIDATION["held out"][lang == "zh"]
        median, p90 = constants.fit["held_out_median_error"], constants.fit["held_out_p90_error"]
        click.echo(said.format(rows=constants.fit["rows"], median=100 * median, p90=100 * p90))
    click.echo(f"{say('rows', lang)}: {rows_file}" + (f"   {say('chart', lang)}: {chart}" if chart else ""))
    click.echo(done.last_line())


_VALIDATION = {
    "refused": ("not answered", "未作答"),
    "none": ("No row could be answered; the messages above say why.", "没有一行可以作答；原因见上。"),
    "pairs": (
        "chip against chip: {pairs} pairs, median error of the ratio {median:.1f} %, "
        "faster chip named rightly {sign:.0f} %",
        "芯片对芯片：{pairs} 对，比值误差中位 {median:.1f} %，判对较快者 {sign:.0f} %",
    ),
    "seen": (
        "{seen} of these rows were fitted: their errors show the fit, not a prediction.",
        "其中 {seen} 行曾用于拟合：其误差反映拟合优度，而非预测能力。",
    ),
    "held out": (
        "Of the {rows} fitted rows, by fits that did not see the row's group: median {median:.1f} %, "
        "90th percentile {p90:.1f} %.",
        "在 {rows} 行拟合数据上，以未见该行所属组的拟合预测：误差中位 {median:.1f} %,90 分位 {p90:.1f} %。",
    ),
}


def _score(s: Score, lang: str) -> list[str]:
    covered = "–" if s.coverage is None else f"{100 * s.coverage:.0f} %"
    shares = [f"{100 * s.median:.1f} %", f"{100 * s.p90:.1f} %", f"{100 * s.bias:+.1f} %", covered]
    return [say(s.name, lang), str(s.rows), *shares]


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
