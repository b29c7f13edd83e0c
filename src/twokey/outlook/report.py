"""A report in one HTML file, in English and Chinese: charts with tables, sources of every input, sliders."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from twokey.chips.errors import UserError
from twokey.outlook import charts
from twokey.outlook.arrive import arrive
from twokey.outlook.basis import DEFINITIONS, basis_in
from twokey.outlook.commit import commit
from twokey.outlook.compare import frontier
from twokey.outlook.events import ACTS
from twokey.outlook.explain import tornado
from twokey.outlook.lines import find_line, headline
from twokey.outlook.provenance import input_row, provenance, source_rows, write
from twokey.outlook.run import Result
from twokey.outlook.sliders import grid

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "as_of": ("as known on", "所知截至"),
    "paths": ("paths, seed", "条路径，种子"),
    "events": ("What is fixed", "已确定的事件"),
    "answer": ("The answer", "结果"),
    "keys": ("Both keys", "两把钥匙"),
    "turns": ("What it turns on", "取决于什么"),
    "play": ("Try other settings", "改变设定"),
    "vendor": ("The vendor: how much to commit", "供应商：承诺多少"),
    "buyer": ("The buyer: when it arrives", "买家：何时到货"),
    "aims": ("The importing state: two aims", "进口国：两个目标"),
    "compute": ("compute, H100e", "算力（H100e）"),
    "made": ("domestic packages", "国产件数"),
    "yield": ("die yield", "良率"),
    "inputs": ("Every input and where it comes from", "全部输入及来源"),
    "basis": ("What the numbers count", "数字口径"),
    "care": ("Read with care", "使用须知"),
    "date": ("date", "日期"), "key": ("key", "钥匙"), "act": ("act", "行为"), "numbers": ("numbers", "数值"),
    "source": ("source", "来源"), "end": ("quarter end", "季度末"), "mean": ("mean", "均值"),
    "input": ("input", "输入"),
    "low": ("low", "下限"), "central": ("central", "中值"), "high": ("high", "上限"), "interval": ("interval", "区间"),
    "unit": ("unit", "单位"), "confidence": ("confidence", "可信度"), "at_low": ("line at low", "取下限时"),
    "at_high": ("line at high", "取上限时"), "what": ("what it is", "含义"), "value": ("value", "数值"),
}  # fmt: skip
_CARE: Final = (
    (
        "An approval is a ceiling, not a flow: 5 % of the first batch had arrived 203 days later. The share that "
        "converts decides most of the fan of deliveries, and it rests on two reopenings.",
        "批准是上限而非流量：首批获批 203 天后仅到货 5 %。转化比例决定交货扇形图的大部分，而其依据只有两次重开。",
    ),
    (
        "The dates on which a key turned are read from the press; two or three spells in each state cannot tell one "
        "law of waiting from another.",
        "钥匙转动的日期取自报道；每种状态仅有两三段，无法区分等待时间的分布。",
    ),
    (
        "In quiet quarters the last value forecasts as well as this model: see the back-test in the documentation.",
        "在平静的季度，上期数值的预测并不逊于本模型：见文档中的回测。",
    ),
    (
        "Inputs marked `assumption` have no source. Smuggled compute is a line of its own.",
        "标为 assumption 的输入没有来源。走私算力单列。",
    ),
)


def two(en: str, zh: str) -> str:
    """Return a text in both languages; the page shows one of them."""
    return f'<span lang="en">{html.escape(en)}</span><span lang="zh">{html.escape(zh)}</span>'


def word(name: str) -> str:
    """Return a word of the page in both languages."""
    return two(*_WORDS[name])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table; cells are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _n(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return html.escape(str(value if value is not None else ""))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def figure(spec_en: Mapping[str, Any], spec_zh: Mapping[str, Any], beside: str) -> str:
    """Return a chart in both languages with a table beside it."""
    en, zh = (charts.svg(dict(spec)) for spec in (spec_en, spec_zh))
    return f'<figure><div lang="en">{en}</div><div lang="zh">{zh}</div><figcaption>{beside}</figcaption></figure>'


def _counted(basis: str) -> str:
    return two(basis, basis_in(basis, "zh"))


def _fan(result: Result, name: str) -> str:
    rows = result.rows([name])
    line = find_line(name)

    def told(value: float) -> str:
        return f"{value:.1%}" if line.unit == "share" else _n(value)

    ends = ("p10", "p50", "p90")
    beside = table([word("end"), "10 %", "50 %", "90 %"], [[r["end"], *(told(r[p]) for p in ends)] for r in rows])
    heading = f"<h3>{two(line.en, line.zh)} <small>{_counted(line.basis)}</small></h3>"
    return heading + figure(charts.fan(result, name), charts.fan(result, name, "zh"), beside)


def html_report(result: Result) -> str:
    """Return the report of one run as one HTML page that loads nothing."""
    scenario = result.scenario
    compute, gap = headline(scenario)
    lines = ["delivered_total", "domestic_made", compute, gap, "foreign_share_8bit"]
    keys = result.rows(["both_open"])
    swings = tornado(scenario, "delivered_total", min(8, scenario.quarters))[:12]
    known, delivered = scenario.inputs, find_line("delivered_total")
    told = provenance(scenario)
    parts = [
        f"<h1>{two(scenario.title, scenario.title_zh)}</h1>",
        f"<p>{two(scenario.about, scenario.about_zh)}</p>",
        f'<p class="meta">{word("as_of")} {scenario.as_of} · {scenario.paths:,} {word("paths")} {scenario.seed} · '
        f'Twokey {told["twokey"]} · data {told["data_sha256"][:16]}</p>',
        f'<h2>{word("events")}</h2>',
        table(
            [word(w) for w in ("date", "key", "act", "numbers", "source")],
            [
                [str(e.date), two(e.key, _KEYS_ZH[e.key]), two(ACTS[e.act].says, ACTS[e.act].says_zh),
                 html.escape(", ".join(f"{k} {v:g}" for k, v in e.numbers.items())), _links(e.sources)]
                for e in scenario.events
            ],
        ),
        f'<h2>{word("answer")}</h2>',
        *(_fan(result, name) for name in lines),
        f'<h2>{word("keys")}</h2>',
        figure(
            charts.keys(result), charts.keys(result, "zh"),
            table([word("end"), two("both open", "均打开")], [[r["end"], f"{r['mean']:.0%}"] for r in keys]),
        ),
        f'<h2>{word("turns")}</h2>',
        figure(
            charts.tornado(swings, delivered.en, "en", {name: given.what for name, given in known.items()}),
            charts.tornado(swings, delivered.zh, "zh", {name: given.what_zh for name, given in known.items()}),
            table(
                [word("what"), word("at_low"), word("at_high")],
                [[two(known[s.name].what, known[s.name].what_zh), _n(s.low), _n(s.high)] for s in swings],
            ),
        ),
        *_answers(result),
        f'<h2>{word("play")}</h2><div id="sliders"></div>',
        f'<script type="application/json" id="grid">{json.dumps(grid(scenario), separators=(",", ":"))}</script>',
        f'<h2>{word("care")}</h2><ul>{"".join(f"<li>{two(*text)}</li>" for text in _CARE)}</ul>',
        f'<h2>{word("basis")}</h2><ul>',
        *(f"<li><b>{_counted(name)}</b>: {two(*DEFINITIONS[name])}</li>" for name in DEFINITIONS),
        f'</ul><h2>{word("inputs")}</h2>',
        _inputs(result),
    ]  # fmt: skip
    folder = files("twokey.outlook") / "data"
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return (
        f'<!doctype html><html data-lang="en"><head><meta charset="utf-8"><title>{html.escape(scenario.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>'
        '<nav><button data-to="en">English</button><button data-to="zh">中文</button></nav>'
        f"<main>{''.join(parts)}</main><script>{script}</script></body></html>\n"
    )


def _answers(result: Result) -> list[str]:
    """Return the vendor's and the buyer's answer and the two aims, each with its chart and a table."""
    scenario = replace(result.scenario, paths=min(result.scenario.paths, _PATHS), steps_a_quarter=3)
    parts = []
    try:
        vendor = commit(scenario)
    except UserError as error:
        parts += [f"<h2>{word('vendor')}</h2>", f"<p>{html.escape(str(error))}</p>"]
    else:
        rows = [
            [two("units, one stage", "一次承诺件数"), _n(vendor.quantity)],
            [two("dies, two stages", "两阶段芯粒"), _n(vendor.dies)],
            [two("critical fractile", "临界分位"), _n(vendor.fractile)],
            [two("break-even probability", "盈亏平衡概率"), _n(vendor.break_even)],
            [two("expected profit, USD", "期望利润（美元）"), _n(vendor.profit)],
            [two("CVaR 10 %, USD", "CVaR 10 %（美元）"), _n(vendor.cvar)],
        ]
        beside = table([word("what"), word("value")], rows)
        parts += [
            f"<h2>{word('vendor')}</h2>",
            figure(charts.commitment(vendor), charts.commitment(vendor, "zh"), beside),
        ]
    buyer = arrive(scenario)
    rows = [
        [day.isoformat(), _n(float(buyer.expected[n])), *(f"{p:.0%}" for p in buyer.probability[:, n])]
        for n, day in enumerate(buyer.days)
    ]
    head = [word("end"), word("mean"), *(f"&ge; {q:,.0f}" for q in buyer.quantities)]
    beside = table(head, rows)
    parts += [f"<h2>{word('buyer')}</h2>", figure(charts.arrival(buyer), charts.arrival(buyer, "zh"), beside)]
    points = frontier(scenario, paths=_PATHS // 2)
    rows = [
        [two("present", "现行") if p.present else _n(p.cap), f"{p.mandate:.0%}", _n(p.compute), _n(p.domestic_made),
         _n(p.die_yield)]
        for p in points
        if p.best or p.present
    ]  # fmt: skip
    head = [
        two("cap a year", "年进口上限"),
        two("mandate", "国产比例"),
        *(word(w) for w in ("compute", "made", "yield")),
    ]
    beside = table(head, rows)
    return [*parts, f"<h2>{word('aims')}</h2>", figure(charts.aims(points), charts.aims(points, "zh"), beside)]


_PATHS: Final = 2_000
LANGUAGES: Final[tuple[tuple[charts.Lang, str], ...]] = (("en", ""), ("zh", ".zh"))
_KEYS_ZH: Final = {"export": "出口", "import": "进口"}


def _inputs(result: Result) -> str:
    rows = []
    for given in result.scenario.inputs.values():
        row = input_row(given)
        rows.append(
            [two(given.what, given.what_zh), *(_n(row[k]) for k in ("low", "central", "high", "interval", "unit")),
             html.escape(given.confidence), _links(given.sources) or "assumption"]
        )  # fmt: skip
    head = [word(w) for w in ("input", "low", "central", "high", "interval", "unit", "confidence", "source")]
    return table(head, rows)


def _links(sources: tuple[str, ...]) -> str:
    parts = []
    for row in source_rows(sources):
        told = html.escape(row["id"])
        address = row["source"] if row["source"].startswith("http") else ""
        value = f" = {_short(row['value'])}" if row["value"] and row["file"] == "series.csv" else ""
        parts.append(f'<a href="{html.escape(address)}">{told}</a>{value}' if address else told + value)
    return "<br>".join(parts)


def _short(value: str) -> str:
    return _n(float(value))


Progress = Callable[[int, int, str], None]


def write_all(result: Result, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Write tables, provenance, charts (SVG, PNG, HTML, in English and as `.zh.`) and the report; return the files.

    `progress` is told before each file: how many are done, of how many, and its name.
    """
    written = write(result, folder)
    drawn: list[tuple[str, dict[str, Any]]] = []
    for lang, ending in LANGUAGES:
        fans = {name: charts.fan(result, name, lang) for name in ("delivered_total", *headline(result.scenario))}
        drawn += [(name + ending, spec) for name, spec in {**fans, "keys": charts.keys(result, lang)}.items()]
    files = [(folder / f"{name}.{form}", spec) for name, spec in drawn for form in ("svg", "png", "html")]
    tell = progress or (lambda _done, _of, _name: None)
    for done, (file, spec) in enumerate(files):
        tell(done, len(files) + 1, file.name)
        written.append(charts.save(spec, file))
    page = folder / "report.html"
    tell(len(files), len(files) + 1, page.name)
    page.write_text(html_report(result), encoding="utf-8")
    tell(len(files) + 1, len(files) + 1, page.name)
    return [*written, page]
