"""Amendments and overlays: a small file that changes parameters, provisions and questions from a day on.

An *amendment* is a draft change of the law; an *overlay* is a user's own: the value that their licence states, a
condition that binds them, a house policy. Both have one form and pass the same checks as a pack.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from twokey.chips.errors import UserError, nearest
from twokey.law.engine.check import problems
from twokey.law.engine.define import Provision, Question, Rulebook
from twokey.law.engine.law import DatedValue, Instrument, Law, Pack, Parameter, load_pack
from twokey.law.engine.read import Source, read_text
from twokey.law.engine.tree import Branch, Const, Node

_HEAD = {"title", "title_zh", "citation", "kind", "from", "confidence", "url", "note", "note_zh", "authority"}
_TABLES = {"parameters", "provisions", "questions"}


def ready_amendments() -> dict[str, Path]:
    """Return the amendments that ship with Twokey, by name: pending bills and a decree that may come."""
    folder = Path(str(resources.files("twokey.law").joinpath("amendments")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_amendment(name: str) -> Path:
    """Return an amendment's file: a ready one by its name, or a path. Errors: UserError with the ready names."""
    ready = ready_amendments()
    if name in ready:
        return ready[name]
    path = Path(name)
    if path.exists():
        return path
    raise UserError(f"{name}: neither a file nor a ready amendment ({', '.join(ready)}){nearest(name, ready)}")


def amended(law: Law, path: Path) -> Law:
    """Return the law with a change put in; before the change's day it is as it was.

    Errors: UserError with file and line for a name that does not exist, text outside the provisions' Python, a unit
    that does not fit, and the like.
    """
    if path.is_dir():
        return _with_folder(law, path)
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    return _Change(law, path, text, table).apply()


class _Change:
    """One file's changes, on their way into a law."""

    def __init__(self, law: Law, path: Path, text: str, table: Mapping[str, Any]) -> None:
        self.law, self.path, self.text, self.table = law, path, text, table
        for key in table:
            if key not in _HEAD | _TABLES:
                raise UserError(f"{self.at(key)}: unknown key {key!r}{nearest(key, _HEAD | _TABLES)}")
        if not isinstance(table.get("title"), str):
            raise UserError(f"{path}: needs a title")
        for key in _HEAD - {"from"}:
            if not isinstance(table.get(key, ""), str):
                raise UserError(f"{self.at(key)}: {key}: must be text (got {table[key]!r})")
        self.start: date = table.get("from", date.min)
        if not _is_day(self.start):
            raise UserError(f"{self.at('from')}: from: must be a date (got {self.start!r})")
        self.packs: dict[str, Pack] = dict(law.packs)
        self.gates: list[tuple[str, str]] = []

    def at(self, name: str) -> str:
        """Return file and line where a name is first mentioned."""
        pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        for line, text in enumerate(self.text.splitlines(), 1):
            if pattern.search(text):
                return f"{self.path}:{line}"
        return str(self.path)

    @staticmethod
    def _line(where: str) -> int:
        line = where.rpartition(":")[2]
        return int(line) if line.isdigit() else 1

    def apply(self) -> Law:
        for regime, entries in self._tables("parameters"):
            for name, entry in entries.items():
                self._parameter(regime, name, entry)
        for regime, entries in self._tables("provisions"):
            for name, entry in entries.items():
                self._provision(regime, name, entry)
        for regime, entries in self._tables("questions"):
            for name, entry in entries.items():
                self._question(regime, name, entry)
        changed = Law(
            tuple(self.packs.values()),
            (*self.law.overlays, self.table["title"]),
            gates=(*self.law.gates, *self.gates),
            before=(self.start, self.law) if self.start > date.min else None,
        )
        for problem in problems(changed):
            raise UserError(problem)
        return changed

    def _tables(self, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
        found = []
        tables = self.table.get(kind, {})
        if not isinstance(tables, Mapping):
            raise UserError(f"{self.at(kind)}: {kind}: must hold one table a pack, such as [{kind}.us-export]")
        for regime, entries in tables.items():
            if regime not in self.packs:
                raise UserError(f"{self.at(regime)}: no pack {regime!r}{nearest(regime, self.packs)}")
            if not isinstance(entries, Mapping) or not all(isinstance(entry, Mapping) for entry in entries.values()):
                raise UserError(f"{self.at(regime)}: {kind}.{regime} must hold one table a name")
            self._add_instrument(regime)
            found.append((regime, entries))
        return found

    @property
    def instrument_id(self) -> str:
        return self.path.stem

    def _add_instrument(self, regime: str) -> None:
        pack = self.packs[regime]
        instrument = Instrument(
            id=self.instrument_id,
            title=self.table["title"],
            title_zh=self.table.get("title_zh", self.table["title"]),
            kind=self.table.get("kind", "overlay"),
            effective=self.start,
            confidence=self.table.get("confidence", "stated"),
            citation=self.table.get("citation", ""),
            url=self.table.get("url", ""),
            note=self.table.get("note", ""),
            note_zh=self.table.get("note_zh", ""),
            authority=self.table.get("authority", ""),
        )
        self.packs[regime] = replace(pack, instruments={**pack.instruments, instrument.id: instrument})

    def _parameter(self, regime: str, name: str, entry: Mapping[str, Any]) -> None:
        pack = self.packs[regime]
        where = f"{self.at(name)}: {regime}.{name}"
        if "is" not in entry:
            raise UserError(f"{where}: needs a value (is = ...)")
        self._texts(entry, where, "en", "zh", "unit", "at")
        value = _value(entry["is"], where)
        dated = DatedValue(
            self.start, value, self.instrument_id, entry.get("at", ""), self.table.get("confidence", "stated")
        )
        old = pack.parameters.get(name)
        if old is None:
            if not ("en" in entry and "zh" in entry):
                raise UserError(
                    f"{where}: no such parameter{nearest(name, pack.parameters)}; to define a new one give it en and zh"
                )
            new = Parameter(name, entry["en"], entry["zh"], (dated,), entry.get("unit", ""))
        else:
            if (
                old.values
                and type(old.values[-1].value) is not type(value)
                and not _both_numbers(old.values[-1].value, value)
            ):
                raise UserError(
                    f"{where}: must be of the same type as before, such as {old.values[-1].value!r} (got {value!r})"
                )
            new = replace(old, values=(*(one for one in old.values if one.start < self.start), dated), unset="")
        self.packs[regime] = replace(pack, parameters={**pack.parameters, name: new})

    def _provision(self, regime: str, name: str, entry: Mapping[str, Any]) -> None:
        pack = self.packs[regime]
        key, where = f"{regime}:{name}", self.at(name)
        if not isinstance(entry.get("text"), str):
            raise UserError(f"{where}: {key}: needs its text (text = '...')")
        self._texts(entry, f"{where}: {key}", "paragraph", "en", "zh")
        old = pack.provisions.get(key)
        provisions = dict(pack.provisions)
        before = f"{key}@{self.instrument_id}"
        if old is not None:
            provisions[before] = replace(old, key=before)
        elif not ("paragraph" in entry and "en" in entry and "zh" in entry):
            raise UserError(
                f"{where}: {key}: no such provision{nearest(name, [one.name for one in pack.provisions.values()])}; "
                "to define a new one give it paragraph, en and zh"
            )
        tree = self._read(entry["text"], regime, provisions, before if old else None)
        new = Provision(
            key=key,
            paragraph=entry.get("paragraph", old.paragraph if old else name),
            instrument=self.instrument_id,
            function=_not_callable,
            tree=tree,
            text=entry.get("en", old.text if old else ""),
            file=str(self.path),
            line=self._line(where),
            condition=bool(entry.get("condition", old.condition if old else False)),
        )
        provisions[key] = new
        words = (
            {**pack.words_zh, "provisions": {**_table(pack.words_zh, "provisions"), name: entry["zh"]}}
            if "zh" in entry
            else pack.words_zh
        )
        self.packs[regime] = replace(pack, provisions=provisions, words_zh=words)
        if entry.get("gate"):
            if entry["gate"] not in ("export", "import"):
                raise UserError(f"{where}: {key}: gate must be export or import (got {entry['gate']!r})")
            self.gates.append((entry["gate"], key))

    def _question(self, regime: str, name: str, entry: Mapping[str, Any]) -> None:
        pack = self.packs[regime]
        key, where = f"{regime}:{name}", self.at(name)
        old = pack.questions.get(key)
        if old is None:
            raise UserError(f"{where}: no question {key}{nearest(name, [one.name for one in pack.questions.values()])}")
        first = []
        lines = entry.get("first", ())
        for line in lines if isinstance(lines, list | tuple) else (lines,):
            if not (
                isinstance(line, Mapping)
                and set(line) == {"if", "then"}
                and all(isinstance(one, str) for one in line.values())
            ):
                raise UserError(f"{where}: {key}: each line of `first` is {{ if = '...', then = 'answer' }}")
            if line["then"] not in old.answers and line["then"] not in pack.answers:
                raise UserError(f"{where}: {key}: no answer {line['then']!r}{nearest(line['then'], old.answers)}")
            first.append(Branch(self._read(line["if"], regime, pack.provisions, None), line["then"]))
        line = self._line(where)  # what is wrong with it now stands here
        new = replace(old, branches=(*first, *old.branches), file=str(self.path), line=line)
        questions = {**pack.questions, key: new}
        self.packs[regime] = replace(pack, questions=questions)

    def _texts(self, entry: Mapping[str, Any], where: str, *names: str) -> None:
        for name in names:
            if not isinstance(entry.get(name, ""), str):
                raise UserError(f"{where}: {name}: must be text (got {entry[name]!r})")

    def _read(self, text: str, regime: str, provisions: Mapping[str, Provision], before: str | None) -> Node:
        first_line = text.strip().splitlines()[0][:60] if text.strip() else ""
        source = Source(str(self.path), self._line(self.at(first_line)))
        return read_text(text, source, _resolver(regime, provisions, self.packs, before))


def _resolver(
    regime: str, provisions: Mapping[str, Provision], packs: Mapping[str, Pack], before: str | None
) -> Callable[[str], str | None]:
    def resolve(name: str) -> str | None:
        if name == "before":
            return before
        if f"{regime}:{name}" in provisions:
            return f"{regime}:{name}"
        found = [key for pack in packs.values() for key in pack.provisions if key.partition(":")[2] == name]
        return found[0] if len(found) == 1 else None

    return resolve


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _value(given: Any, where: str) -> Any:
    """Return a parameter's value: a number, a word, a boolean, a day, or a list of words. Errors: UserError."""
    if isinstance(given, list):
        if not all(isinstance(one, str) for one in given):
            raise UserError(f"{where}: a list is a list of words (got {given!r})")
        return frozenset(given)
    if not isinstance(given, bool | int | float | str) and not _is_day(given):
        raise UserError(f"{where}: must be a number, a word, true or false, a date, or a list of words (got {given!r})")
    return given


def _both_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))


def _table(words: Mapping[str, Any], name: str) -> Mapping[str, str]:
    found = words.get(name, {})
    return found if isinstance(found, Mapping) else {}


def _not_callable(order: Any, law: Any) -> Any:
    raise TypeError("a provision that was typed as text is compiled, not called")


def _with_folder(law: Law, folder: Path) -> Law:
    """Put a whole pack in: a folder with pack.toml, instruments.toml, parameters.toml and provisions.toml."""
    for name in ("pack.toml", "instruments.toml", "parameters.toml", "provisions.toml"):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: a pack needs the file {name}")
    try:
        head = tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8"))
        path = folder / "provisions.toml"
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{folder}: not valid TOML: {error}") from None
    rules = Rulebook(head.get("regime", folder.name))
    typed = _Typed(rules, law, path, text.splitlines())
    for name, entry in table.get("provisions", {}).items():
        typed.provision(name, entry)
    for name, entry in table.get("questions", {}).items():
        typed.question(name, entry)
    changed = law.with_pack(load_pack(folder, rules), head.get("title", folder.name))
    for problem in problems(changed):
        raise UserError(problem)
    return changed


class _Typed:
    """Provisions and questions of a pack that is written as text."""

    def __init__(self, rules: Rulebook, law: Law, path: Path, lines: list[str]) -> None:
        self.rules, self.law, self.path, self.lines = rules, law, path, lines

    def _source(self, name: str) -> Source:
        return Source(str(self.path), next((n for n, line in enumerate(self.lines, 1) if name in line), 1))

    def _resolve(self) -> Callable[[str], str | None]:
        return _resolver(self.rules.regime, self.rules.provisions, self.law.packs, None)

    def provision(self, name: str, entry: Mapping[str, Any]) -> None:
        """Define one provision. Errors: UserError that names file, line and what is missing."""
        source, key = self._source(name), f"{self.rules.regime}:{name}"
        for needed in ("paragraph", "instrument", "text", "en"):
            if needed not in entry:
                raise UserError(f"{source.file}:{source.first_line}: {name}: needs {needed}")
        self.rules.provisions[key] = Provision(
            key=key,
            paragraph=entry["paragraph"],
            instrument=entry["instrument"],
            function=_not_callable,
            tree=read_text(entry["text"], source, self._resolve()),
            text=entry["en"],
            file=source.file,
            line=source.first_line,
            since=entry.get("since"),
            until=entry.get("until"),
            condition=bool(entry.get("condition")),
        )

    def question(self, name: str, entry: Mapping[str, Any]) -> None:
        """Define one question. Errors: UserError that names file, line and what is missing."""
        source, key = self._source(name), f"{self.rules.regime}:{name}"
        try:
            branches = [Branch(read_text(one["if"], source, self._resolve()), one["then"]) for one in entry["branches"]]
            branches.append(Branch(Const(True), entry["otherwise"]))
        except KeyError as error:
            raise UserError(f"{source.file}:{source.first_line}: {name}: needs {error.args[0]}") from None
        self.rules.questions[key] = Question(
            key, _not_callable, tuple(branches), None, entry.get("en", name), source.file, source.first_line
        )
