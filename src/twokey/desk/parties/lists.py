"""Read screening lists: the US Consolidated Screening List (JSON, CSV) and a generic CSV. Pure parsing, no database."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

from twokey.desk.reasons import Refused, problem, reason

MAX_DROPPED_PER_MILLE: Final = 10  # more entries without a name than this, and the file is not what it claims to be


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed party."""

    uid: str
    name: str
    names: tuple[str, ...]
    countries: tuple[str, ...]
    source: str
    programme: str

    @property
    def digest(self) -> str:
        """Hash of what an officer's decision rests on; it changes when the entry changes."""
        body = json.dumps([self.name, sorted(self.names), sorted(self.countries), self.programme], ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedList:
    """A whole list as read, with the hash of its file and how many entries had no name."""

    entries: tuple[Entry, ...]
    dropped: int
    sha256: str
    source: str


def read_list(path: Path) -> ParsedList:
    """Read a list from a file; raises `Refused` where there is none, or where it is not wholly a list."""
    try:
        return parse_list(str(path), path.read_bytes())
    except OSError:
        raise refused_list(path, "no_such_file") from None


def parse_list(name: str, raw: bytes) -> ParsedList:
    """Read a list of any supported layout; raises `Refused`, with the file's name, for anything not wholly one.

    The layout is recognised by content: JSON with `results` (the Consolidated Screening List), CSV with the columns of
    its download, or a generic CSV with at least `id` and `name` (and `aliases`, `countries`, `source`, `programme`;
    several values are separated by `;`).
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused_list(name, "not_utf8", detail=error) from None
    rows = _json_rows(name, text) if text.lstrip().startswith(("{", "[")) else _csv_rows(name, text)
    entries = [entry for entry in rows if entry.name.strip()]
    dropped = len(rows) - len(entries)
    if not entries:
        raise refused_list(name, "no_entry")
    if dropped * 1000 > MAX_DROPPED_PER_MILLE * len(rows):
        raise refused_list(name, "nameless", dropped=dropped, rows=len(rows))
    if len({entry.uid for entry in entries}) != len(entries):
        raise refused_list(name, "same_id")
    return ParsedList(tuple(entries), dropped, hashlib.sha256(raw).hexdigest(), PurePath(name).name)


def refused_list(source: object, code: str, *, status: int = 422, **values: Any) -> Refused:
    """Return the refusal of a screening list; `code` says what is wrong with it."""
    return Refused(reason("list_refused", source=source, problem=problem(code, **values)), status=status)


def _json_rows(name: str, text: str) -> list[Entry]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise refused_list(name, "broken_json", detail=error) from None
    results = body.get("results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        raise refused_list(name, "no_results")
    try:
        return [_csl(row) for row in results]
    except (KeyError, TypeError, AttributeError) as error:
        raise refused_list(name, "not_csl", detail=repr(error)) from None


def _csl(row: Mapping[str, Any]) -> Entry:
    addresses: Sequence[Mapping[str, Any]] = row.get("addresses") or []
    return Entry(
        uid=str(row["id"]),
        name=str(row.get("name") or ""),
        names=tuple(str(name) for name in row.get("alt_names") or [] if name),
        countries=tuple(sorted({str(each["country"]) for each in addresses if each.get("country")})),
        source=str(row.get("source") or ""),
        programme="; ".join(str(each) for each in row.get("programs") or []) or str(row.get("license_policy") or ""),
    )


def _csv_rows(name: str, text: str) -> list[Entry]:
    reader = csv.DictReader(io.StringIO(text))
    columns = {(name or "").strip().casefold(): name for name in reader.fieldnames or []}
    id_column = next((columns[name] for name in ("id", "_id", "uid") if name in columns), None)
    if id_column is None or "name" not in columns:
        raise refused_list(name, "list_columns")

    def cell(row: Mapping[str, str | None], *names: str) -> str:
        for each in names:
            if each in columns:
                return (row.get(columns[each]) or "").strip()
        return ""

    rows = []
    for row in reader:
        if None in row or any(value is None for value in row.values()):
            raise refused_list(name, "ragged", given=reader.line_num)
        countries = _split(cell(row, "countries", "country"))
        if not countries and cell(row, "addresses"):
            countries = tuple({part.rsplit(",", 1)[-1].strip() for part in cell(row, "addresses").split(";")})
        rows.append(
            Entry(
                uid=cell(row, id_column.strip().casefold()),
                name=cell(row, "name"),
                names=_split(cell(row, "alt_names", "aliases")),
                countries=countries,
                source=cell(row, "source"),
                programme=cell(row, "programs", "programme", "program"),
            )
        )
    return rows


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())
