"""The paper of an importer's use statement: the records of `twokey deploy report`, in either language.

Nobody signs it: it is the importer's own word, with the SHA-256 of every file that it rests on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from twokey.desk.papers.page import Page, Section
from twokey.desk.papers.qr import digest_code
from twokey.desk.papers.record import NAME, Lang, Record
from twokey.desk.papers.say import Say

if TYPE_CHECKING:  # a desk without the deploy room still sets its other papers
    from twokey.deploy.report.readings import Flag
    from twokey.deploy.report.shares import Finding, Share


def record_of(
    fleet: str,
    edges: Sequence[float],
    shares: Sequence[Share],
    findings: Sequence[Finding],
    flags: Sequence[Flag],
    evidence: Sequence[tuple[str, str]],
    lang: Lang,
) -> Record:
    """Return the record of a statement; `edges` are the bounds of its periods in seconds since 1970, UTC."""
    statement = {
        "fleet": fleet,
        "edges": [round(each) for each in edges],
        "shares": [asdict(each) for each in shares],
        "findings": [each.as_json() for each in findings],
        "flags": [asdict(each) for each in flags],
        "evidence": [{"file": file, "sha256": value} for file, value in evidence],
    }
    return Record("use", lang, statement=statement)


def lay_out(record: Record) -> Page:
    """Return the page of a statement; raises KeyError, TypeError or ValueError where the record is none."""
    say, body = Say(record.lang), record.statement
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    whole = sha256(canonical.encode()).hexdigest()
    edges = [datetime.fromtimestamp(each, UTC) for each in body["edges"]]
    span = say("from_to", start=say.moment(edges[0]), end=say.moment(edges[-1]))
    return Page(
        title=say("use"),
        under=say("use_under"),
        number=body["fleet"],
        code=digest_code(body["fleet"], whole),
        sections=(
            Section("", "pairs", [[say("fleet"), body["fleet"]], [say("time"), span]]),
            _findings(body["findings"], edges, say),
            _shares(body["shares"], edges, say),
            Section("", "prose", [[say("measures")]]),
            _flags(body["flags"], say),
            Section(
                say("evidence"),
                "table",
                [[each["file"], each["sha256"]] for each in body["evidence"]],
                [say("file"), say("sha256")],
                "tc",
            ),
            Section(say("how"), "prose", [[say("how_use", name=NAME)]]),
        ),
        foot=f"{say('sha256')} {whole}",
        at=edges[-1],
    )


def _findings(findings: Sequence[Mapping[str, Any]], edges: Sequence[datetime], say: Say) -> Section:
    if not findings:
        return Section(say("verdicts"), "prose", [[say("no_findings")]])
    rows = []
    for each in findings:
        share = each["share"]
        rows.append(
            [
                each["condition"],
                *_where(share, edges, say),
                say.percent(each["bound"]),
                *_measured(share, say),
                say(each["verdict"]),
            ]
        )
    heads = [
        say(each)
        for each in ("condition", "phase", "measure", "site", "period", "bound", "measured", "between", "verdict")
    ]
    return Section(say("verdicts"), "table", rows, heads, "tttttnntt")


def _shares(shares: Sequence[Mapping[str, Any]], edges: Sequence[datetime], say: Say) -> Section:
    if not shares:
        return Section(say("shares"), "prose", [[say("nothing_measured")]])
    rows = [[*_where(each, edges, say), *_measured(each, say)] for each in shares]
    heads = [say(each) for each in ("phase", "measure", "site", "period", "measured", "between")]
    return Section(say("shares"), "table", rows, heads, "ttttnt")


def _flags(flags: Sequence[Mapping[str, Any]], say: Say) -> Section:
    if not flags:
        return Section(say("flags"), "prose", [[say("nothing_flagged")]])
    counted: Counter[tuple[str, str]] = Counter()
    for each in flags:
        counted[each["kind"], each["source"]] += each["count"]
    rows = [[say(kind), source or "–", say.whole(count)] for (kind, source), count in sorted(counted.items())]
    return Section(say("flags"), "table", rows, [say("what"), say("source"), say("times")], "ttn")


def _where(share: Mapping[str, Any], edges: Sequence[datetime], say: Say) -> list[str]:
    period = share["period"]
    when = (
        say("whole")
        if period < 0
        else say("from_to", start=say.day(edges[period].date()), end=say.day(edges[period + 1].date()))
    )
    return [say(share["phase"]), say(share["measure"]), say(share["site"]), when]


def _measured(share: Mapping[str, Any], say: Say) -> list[str]:
    low, high = say.percent(share["low"]), say.percent(share["high"])
    between = "–" if share["low"] is None else say("between_two", low=low, high=high)
    return [say.percent(share["share"]), between]
