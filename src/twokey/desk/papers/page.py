"""The page model: what a layout says, before the typesetter gives it a shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from twokey.desk.papers.say import Say
from twokey.desk.signing.envelope import decoded_header, read_unchecked


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page: `pairs` of label and text, a `table` under heads, or `prose`, a paragraph a row.

    `shape` gives a table's columns: `t` text that may break, `n` a number, `c` a code in small type.
    """

    heading: str
    kind: Literal["pairs", "table", "prose"]
    rows: Sequence[Sequence[str]]
    heads: Sequence[str] = ()
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole paper in words: the head, the code, the sections, the foot; `at` dates the file."""

    title: str
    under: str
    number: str
    code: str
    sections: Sequence[Section]
    foot: str
    at: datetime
    state: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One signature as its header names it: key id and time."""

    kid: str
    at: datetime


def bodies(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the bodies of signed documents; whoever relies on them checks the signatures (`checking`)."""
    return [read_unchecked(each) for each in documents]


def marks(document: Mapping[str, Any]) -> list[Mark]:
    """Return who signed a document and when, as the signatures say."""
    heads = [decoded_header(each) for each in document["signatures"]]
    return [Mark(str(each["kid"]), datetime.fromtimestamp(int(each["iat"]), UTC)) for each in heads]


def signed_rows(documents: Sequence[Mapping[str, Any]], say: Say) -> Section:
    """Return the section that lists every signature on every document of a paper."""
    rows = [
        [say(str(body["type"])), mark.kid, say.moment(mark.at), str(body.get("officer") or "–")]
        for document, body in zip(documents, bodies(documents), strict=True)
        for mark in marks(document)
    ]
    heads = [say("document"), say("signed_key"), say("signed_at"), say("officer")]
    named = any(row[-1] != "–" for row in rows)
    wide = len(heads) if named else len(heads) - 1
    return Section(say("signatures"), "table", [row[:wide] for row in rows], heads[:wide], "t" * wide)


def as_json(page: Page, lang: str, words: Mapping[str, str]) -> str:
    """Return a page as the JSON that the typesetter reads."""
    body = {
        "lang": lang,
        "title": page.title,
        "under": page.under,
        "number": page.number,
        "state": page.state,
        "foot": page.foot,
        "words": dict(words),
        "sections": [
            {
                "heading": each.heading,
                "kind": each.kind,
                "rows": [list(row) for row in each.rows],
                "heads": list(each.heads),
                "shape": list(each.shape),
            }
            for each in page.sections
        ],
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True)
