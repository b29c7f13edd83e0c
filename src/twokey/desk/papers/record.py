"""What a paper is made of: its kind, its language, and the signed documents (or the statement) that it prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final, Literal, Self

from twokey.desk.reasons import Reason, reason

Lang = Literal["en", "zh"]
KINDS: Final = ("licence", "refusal", "release", "use")
NAME: Final = "twokey-paper.json"  # the file inside the PDF
_FORM: Final = "twokey.paper/1"
# What the bytes of a paper come from; a change of any of them makes papers of before "of another version".
_LAYOUT: Final = (
    *("licence.py", "page.py", "paper.typ", "qr.py", "record.py", "release.py", "say.py", "typesetting.py", "use.py"),
    "words.toml",
)


class NotAPaper(ValueError):  # noqa: N818 (it reads: raise NotAPaper)
    """Bytes that hold no record of a paper; `reason` tells why, in both languages."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason("not_a_paper", detail=detail)


@dataclass(frozen=True, slots=True)
class Record:
    """One paper before it is set: `documents` are JWS in general JSON form; `statement` is what nobody signed."""

    kind: str
    lang: Lang
    documents: tuple[Mapping[str, Any], ...] = ()
    statement: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> bytes:
        """Return the record as the JSON that the PDF carries, with the versions that it was set with."""
        body = {
            "form": _FORM,
            "kind": self.kind,
            "lang": self.lang,
            "documents": list(self.documents),
            "statement": self.statement,
            "maker": maker(),
        }
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def load(cls, content: bytes) -> tuple[Self, dict[str, str]]:
        """Read a record and the versions it was set with; raises `NotAPaper` for anything else."""
        try:
            body = json.loads(content)
            if body["form"] != _FORM or body["kind"] not in KINDS or body["lang"] not in {"en", "zh"}:
                raise NotAPaper(f"its form is {body['form']!r}, its kind {body['kind']!r}")
            if not all(isinstance(each, dict) for each in (*body["documents"], body["statement"], body["maker"])):
                raise NotAPaper("its members are of the wrong type")
            return cls(body["kind"], body["lang"], tuple(body["documents"]), body["statement"]), body["maker"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise error if isinstance(error, NotAPaper) else NotAPaper(f"its record cannot be read ({error})") from None


@cache
def maker() -> dict[str, str]:
    """Return the versions on which the bytes of a paper depend: compiler, fonts, locale data, and our own layout."""
    folder = files("twokey.desk.papers")
    whole = sha256()
    for name in _LAYOUT:
        whole.update(name.encode() + b"\0" + (folder / name).read_bytes())
    names = {"typst": "typst", "fonts": "pylopdf-fonts-zh-cn", "locale": "babel", "qr": "segno"}
    return {**{key: version(name) for key, name in names.items()}, "layout": whole.hexdigest()[:16]}
