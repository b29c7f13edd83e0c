"""Where a key of a TOML file stands, so that an error can name its line (tomllib does not keep lines)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from twokey.chips.errors import UserError
from twokey.chips.text import read_text

_TABLE: Final = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
_ENTRY: Final = re.compile(r"\s*\[\[([^\[\]]+)\]\]\s*(#.*)?$")
_KEY: Final = re.compile(r'\s*("[^"]+"|[\w-]+(?:\s*\.\s*[\w-]+)*)\s*=')

Lines = dict[str, int]


def read_toml(file: Path) -> tuple[dict[str, Any], Lines]:
    """Read a TOML file; return its content and the line of each key as `events[0].date`.

    Raises:
        UserError: missing, not UTF-8, or not TOML; file and line are given.

    """
    text = read_text(file)
    try:
        return tomllib.loads(text), line_index(text)
    except (ValueError, RecursionError) as error:  # malformed, a number without end, brackets without end
        raise UserError(f"{file}: not valid TOML: {error}") from None


def line_index(text: str) -> Lines:
    r"""Return the line of each table and key.

    >>> line_index('[inputs]\nmandate = 0.5\n[[event]]\ndate = 2026-01-01\n')
    {'inputs': 1, 'inputs.mandate': 2, 'event[0]': 3, 'event[0].date': 4}
    """
    lines: Lines = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if entry := _ENTRY.match(line):
            name = entry[1].strip()
            prefix = f"{name}[{counts.setdefault(name, 0)}]"
            counts[name] += 1
            lines[prefix] = number
        elif table := _TABLE.match(line):
            prefix = table[1].strip()
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            name = re.sub(r"\s*\.\s*", ".", key[1].strip('"'))
            parts = name.split(".")  # of a dotted key, the tables that it stands in stand there too
            for end in range(1, len(parts) + 1):
                lines.setdefault(".".join([prefix, *parts[:end]] if prefix else parts[:end]), number)
    return lines


def line_of(lines: Lines, *keys: str) -> int | None:
    """Return the line of a key, or of the nearest table around it that stands on one of its own.

    >>> line_of({"event[0]": 3, "event[0].date": 4}, "event[0]", "source")
    3
    """
    for end in range(len(keys), 0, -1):
        name = ".".join(keys[:end])
        for form in (name, f"{name}[0]", re.sub(r"\[\d+\]$", "", name)):
            if form in lines:
                return lines[form]
    return None
