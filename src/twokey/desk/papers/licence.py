"""The paper of a decision: a licence with its terms, or a refusal with its reasons and the way to appeal.

Its documents, in order: the decision, the countersignature, the desk's extract of its register (who the parties are,
the numbers, what stands today), and every signed change since.
"""

from __future__ import annotations

from typing import Any

from twokey.desk.papers.page import Page, Section, bodies, marks, signed_rows
from twokey.desk.papers.qr import WHOLE, code_of
from twokey.desk.papers.record import NAME, Record
from twokey.desk.papers.say import Say
from twokey.desk.signing import digest


def lay_out(record: Record) -> Page:
    """Return the page of a licence or a refusal; raises KeyError, TypeError or ValueError for other documents."""
    say = Say(record.lang)
    decision, countersigned, extract = bodies(record.documents[:3])
    granted = record.kind == "licence"
    sha256 = digest(countersigned)
    code = code_of(record.documents[1], extract["number"], sha256)
    how = "how_decision" if code.startswith(WHOLE) else "how_digest"
    terms = [_lines(decision, extract, say), _conditions(extract, say)] if granted else [_asked(extract, say)]
    reasons = [[decision["reasons"]]]
    if decision["despite"]:
        reasons.append([say.colon(say("despite"), decision["despite"])])
    end = [Section("", "prose", [[say("balance_note")]])] if granted else [_appeal(extract, say)]
    return Page(
        title=say(f"licence_{extract['side']}") if granted else say("refusal"),
        under=say("licence_under"),
        number=extract["number"],
        code=code,
        sections=(
            Section("", "pairs", _head(decision, extract, say)),
            *terms,
            _parties(extract, say),
            Section(say("reasons"), "prose", reasons),
            *end,
            signed_rows(record.documents, say),
            Section(say("how"), "prose", [[say(how, name=NAME)], [say("as_of", at=say.moment(extract["at"]))]]),
        ),
        foot=f"{say('sha256')} {sha256}",
        at=marks(record.documents[2])[0].at,
        state=_state(extract, say) if granted else "",
    )


def _head(decision: dict[str, Any], extract: dict[str, Any], say: Say) -> list[list[str]]:
    holder = extract["holder"]
    rows = [
        [say("authority"), extract["authority_name"][say.lang]],
        [say("holder") if decision["outcome"] == "approve" else say("applicant"), say.party(*holder)],
        [say("order"), decision["order"]],
        [say("application"), str(decision["application"])],
        [say("issued"), say.moment(extract["issued_at"])],
    ]
    if decision["batch"]:
        rows.append([say("batch"), decision["batch"]])
    return rows


def _lines(decision: dict[str, Any], extract: dict[str, Any], say: Say) -> Section:
    items = {each["position"]: each for each in extract["lines"]}
    rows = []
    for term in decision["terms"]["lines"]:
        line = items[term["position"]]
        span = say("from_to", start=say.day(term["valid_from"]), end=say.day(term["valid_until"]))
        rows.append(
            [
                line["item"],
                line["authorisation"],
                say.whole(term["units"]),
                say.money(term["value_minor"], term["currency"]),
                say("uses_any") if term["uses"] is None else say.whole(term["uses"]),
                span,
                say.join([say.place(place) for place in term["places"]]),
            ]
        )
    heads = [say(each) for each in ("item", "authorisation", "units", "value", "uses", "valid", "places")]
    return Section(say("goods"), "table", rows, heads, "ttnnntt")


def _conditions(extract: dict[str, Any], say: Say) -> Section:
    if not extract["conditions"]:
        return Section(say("conditions"), "prose", [[say("no_conditions")]])
    rows = [
        [str(number), say(each["kind"]), each[say.lang], say.join(each["authorisations"])]
        for number, each in enumerate(extract["conditions"], 1)
    ]
    return Section(say("conditions"), "table", rows, ["", say("when"), say("text"), say("set_by")], "nttt")


def _asked(extract: dict[str, Any], say: Say) -> Section:
    rows = [
        [each["item"], say.whole(each["units"]), say.money(each["value_minor"], each["currency"])]
        for each in extract["lines"]
    ]
    return Section(say("asked_for"), "table", rows, [say("item"), say("units"), say("value")], "tnn")


def _parties(extract: dict[str, Any], say: Say) -> Section:
    rows = [
        [
            say.party(each["name"], each["name_latin"]),
            say.country(each["country"]),
            say.join([say(role) for role in each["roles"]]),
        ]
        for each in extract["parties"]
    ]
    return Section(say("parties"), "table", rows, [say("name"), say("country"), say("roles")], "ttt")


def _appeal(extract: dict[str, Any], say: Say) -> Section:
    return Section(say("appeal"), "prose", [[say("appeal_until", day=say.day(extract["appeal_until"]))]])


def _state(extract: dict[str, Any], say: Say) -> str:
    return say.join(sorted({say(each["state"]) for each in extract["lines"]}))
