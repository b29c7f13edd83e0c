"""Why something is refused: a code, and a sentence in English and in Chinese. No Django here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from twokey.chips.errors import UserError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, file or name, and the remedy: a value of a reason that has two languages itself."""

    code: str
    en: str
    zh: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code is for programs, its two sentences are for people."""

    code: str
    en: str
    zh: str
    values: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the reason as plain JSON; a problem is its code there, with its values beside it."""
        values: dict[str, Any] = {}
        for name, value in self.values.items():
            values |= {**value.values, name: value.code} if isinstance(value, Problem) else {name: value}
        return {"code": self.code, "en": self.en, "zh": self.zh, "values": values}


class Refused(UserError):  # noqa: N818 (it reads: raise Refused)
    """A service refuses, with every reason; `status` is what HTTP would call it.

    >>> raise Refused(reason("units_exhausted", label="BIS-2026-7"))
    Traceback (most recent call last):
    twokey.desk.reasons.Refused: BIS-2026-7: no units are left for this amount
    """

    def __init__(self, *reasons: Reason, status: int = 409) -> None:
        super().__init__("; ".join(each.en for each in reasons))
        self.reasons = reasons
        self.status = status


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Return every reason code with its two sentences, from `reasons.toml`."""
    return tomllib.loads((files("twokey.desk") / "reasons.toml").read_text(encoding="utf-8"))


@cache
def problems() -> dict[str, dict[str, str]]:
    """Return every code of a problem with its two sentences, from `problems.toml`."""
    return tomllib.loads((files("twokey.desk") / "problems.toml").read_text(encoding="utf-8"))


def reason(code: str, /, **values: Any) -> Reason:
    """Return the reason of a code, its sentences filled in.

    >>> reason("expired", label="NDRC-2026-1").zh
    'NDRC-2026-1：已过有效期'
    """
    words = sentences()[code]
    english = {name: value.en if isinstance(value, Problem) else value for name, value in values.items()}
    chinese = {name: value.zh if isinstance(value, Problem) else value for name, value in values.items()}
    return Reason(code, words["en"].format(**english), words["zh"].format(**chinese), values)


def problem(code: str, /, **values: Any) -> Problem:
    """Return the problem of a code, its sentences filled in.

    >>> problem("exists", given="PO-1").en
    'PO-1 exists already; use another'
    """
    words = problems()[code]
    return Problem(code, words["en"].format(**values), words["zh"].format(**values), values)


def invalid(field_name: str, code: str, /, **values: Any) -> Refused:
    """Return the refusal of one bad field of a request (HTTP 422); `code` is one of `problems.toml`.

    >>> invalid("number", "exists", given="PO-1").reasons[0].zh
    'number：PO-1 已存在；请换用其他名称或编号'
    """
    return Refused(reason("invalid", field=field_name, problem=problem(code, **values)), status=422)


def missing(what: str, key: object) -> Refused:
    """Return the refusal of something that does not exist, or that the actor may not see (HTTP 404)."""
    return Refused(reason("not_found", what=what, key=key), status=404)
