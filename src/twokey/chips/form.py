"""The form of the files that a user writes: which keys they have and of what kind, checked before any is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from twokey.chips.errors import UserError, nearest
from twokey.chips.toml_lines import Lines, line_of, read_toml


@dataclass(frozen=True, slots=True)
class Kind:
    """One value: `words` say what it must be."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """Keys that are needed, keys that may stand there, and what stands under any other key (None: no other)."""

    needs: Mapping[str, Form] = field(default_factory=dict)
    may: Mapping[str, Form] = field(default_factory=dict)
    each: Form | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of tables."""

    of: Table


Form = Kind | Table | Rows


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


TEXT: Final = Kind("text", lambda value: isinstance(value, str))
FLAG: Final = Kind("true or false", lambda value: isinstance(value, bool))
DAY: Final = Kind("a date, such as 2026-01-28", _is_day)
WORDS: Final = Kind("a list of words", _are_words)
VALUE: Final = Kind(
    "a number, a word, true or false, a date, or a list of words",
    lambda value: isinstance(value, bool | int | float | str) or _is_day(value) or _are_words(value),
)
ANY: Final = Kind("a value", lambda value: True)  # whoever reads it says what is wrong with it


def texts(*names: str) -> dict[str, Form]:
    """Return the keys of a table that are texts.

    >>> sorted(texts("en", "zh"))
    ['en', 'zh']
    """
    return dict.fromkeys(names, TEXT)


def read_form(path: Path, form: Table) -> tuple[dict[str, Any], Lines]:
    """Read a TOML file of a form; returns its table, and the lines of its keys.

    Errors: UserError with file, line and key for what is no TOML, lacks a key, has another, or one of a wrong kind.
    """
    table, lines = read_toml(path)
    for keys, problem in _problems(table, form, ()):
        raise UserError(": ".join(filter(None, (place(path, lines, *keys), ".".join(keys), problem))))
    return table, lines


def place(path: Path, lines: Lines, *keys: str) -> str:
    """Return file and line of a key, or the file where the key has no line."""
    line = line_of(lines, *keys)
    return str(path) if line is None else f"{path}:{line}"


def _problems(value: Any, form: Form, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match form:
        case Kind(words, holds):
            if not holds(value):
                yield keys, f"must be {words} (got {value!r})"
        case Rows(of):
            if isinstance(value, list):
                for number, one in enumerate(value):
                    yield from _problems(one, of, (*keys[:-1], f"{keys[-1]}[{number}]"))
            else:
                yield keys, f"must be a list of tables (got {value!r})"
        case Table(needs, may, each):
            if not isinstance(value, Mapping):
                yield keys, f"must be a table (got {value!r})"
                return
            known = {**needs, **may}
            for key, one in value.items():
                inner = known.get(key, each)
                if inner is None:
                    yield (*keys, key), f"unknown key {key!r}{nearest(key, known)}"
                else:
                    yield from _problems(one, inner, (*keys, key))
            for key, inner in needs.items():
                if key not in value:
                    yield keys, f"needs {key} ({inner.words if isinstance(inner, Kind) else 'a table'})"
