"""The paper of a release: what both keys signed, item by item."""

from __future__ import annotations

from typing import Any

from twokey.desk.papers.page import Page, Section, bodies, marks, signed_rows
from twokey.desk.papers.qr import WHOLE, code_of
from twokey.desk.papers.record import NAME, Record
from twokey.desk.papers.say import Say
from twokey.desk.signing import digest

SIDES = ("export", "import")


def lay_out(record: Record) -> Page:
    """Return the page of a release; raises KeyError, TypeError or ValueError where the document is none."""
    say = Say(record.lang)
    (document,) = record.documents
    (body,) = bodies(record.documents)
    number, sha256 = str(body["number"]), digest(body)
    code = code_of(document, number, sha256)
    how = "how_whole" if code.startswith(WHOLE) else "how_digest"
    return Page(
        title=say("release"),
        under=say("release_under"),
        number=number,
        code=code,
        sections=(
            Section("", "pairs", _head(body, say)),
            _goods(body, say),
            _keys(body, say),
            _parties(body, say),
            _conditions(body, say),
            _checked(body, say),
            signed_rows(record.documents, say),
            Section(say("how"), "prose", [[say(how, name=NAME)]]),
        ),
        foot=f"{say('sha256')} {sha256}",
        at=marks(document)[0].at,
    )


def _head(body: dict[str, Any], say: Say) -> list[list[str]]:
    shipment = body["shipment"]
    where = say.place(shipment["place"])
    country = say.country(shipment["destination"])
    return [
        [say("order"), body["order"]],
        [say("shipment"), shipment["number"]],
        [say("destination"), say.join([country, where]) if where != country else country],
        [say("issued"), say.moment(body["issued_at"])],
        [say("valid_until"), say.moment(body["valid_until"])],
    ]


def _goods(body: dict[str, Any], say: Say) -> Section:
    rows = [
        [
            line["item"],
            say.whole(line["units"]),
            say.money(line["value_minor"], line["currency"]),
            line["export"],
            line["import"],
        ]
        for line in body["shipment"]["lines"]
    ]
    heads = [say("item"), say("units"), say("value"), say("export"), say("import")]
    return Section(say("goods"), "table", rows, heads, "tnntt")


def _keys(body: dict[str, Any], say: Say) -> Section:
    rows = []
    for side in SIDES:
        key = body["keys"][side]
        for each in key["authorisations"]:
            places = say.join([say.place(place) for place in each["places"]])
            rows.append([say(side), say(key["authority"]), each["number"], say.day(each["valid_until"]), places])
    heads = [say("key"), say("authority"), say("authorisation"), say("valid_until"), say("places")]
    return Section(say("keys"), "table", rows, heads, "ttttt")


def _parties(body: dict[str, Any], say: Say) -> Section:
    rows = [
        [
            say.party(each["name"], each["name_latin"]),
            say.country(each["country"]),
            say.join([say(role) for role in each["roles"]]) or say("importer"),
        ]
        for each in body["parties"]
    ]
    return Section(say("parties"), "table", rows, [say("name"), say("country"), say("roles")], "ttt")


def _conditions(body: dict[str, Any], say: Say) -> Section:
    if not body["conditions"]:
        return Section(say("conditions"), "prose", [[say("no_conditions")]])
    rows = [
        [str(number), say(each["kind"]), each[say.lang], each["authorisation"]]
        for number, each in enumerate(body["conditions"], 1)
    ]
    return Section(say("conditions"), "table", rows, ["", say("when"), say("text"), say("set_by")], "nttt")


def _checked(body: dict[str, Any], say: Say) -> Section:
    number = {each["code"]: str(place) for place, each in enumerate(body["conditions"], 1)}
    rows = []
    for each in body["evidence"]:
        until = say("until", day=say.day(each["expires_on"])) if each["expires_on"] else ""
        rows.append([say("evidence_of", number=number.get(each["code"], "–")), until, each["sha256"]])
    if body["laboratory"]:
        rows.append([say("lab_certificate"), body["laboratory"]["issuer"], body["laboratory"]["sha256"]])
    for each in body["screening"]:
        at = say("as_imported", at=say.moment(each["imported_at"]))
        rows.append([say("screening", list=each["list"]), at, each["sha256"]])
    rows.append([say("law_of"), say.day(body["law"]["as_of"]), body["law"]["digest"]])
    return Section(say("checked"), "table", rows, [say("check"), say("result"), say("sha256")], "ttc")
