"""Amendments and overlays: a small file that changes parameters, provisions and questions from a day on.

An *amendment* is a draft change of the law; an *overlay* is a user's own: the value that their licence states, a
condition that binds them, a house policy. Both have one form and pass the same checks as a pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Final

from twokey.chips.errors import UserError, nearest
from twokey.chips.form import DAY, FLAG, VALUE, Rows, Table, place, read_form, texts
from twokey.chips.toml_lines import Lines, line_of
from twokey.law.engine.check import problems
from twokey.law.engine.define import Provision
from twokey.law.engine.law import DatedValue, Instrument, Law, Pack, Parameter, Title
from twokey.law.engine.read import Source, read_text
from twokey.law.engine.tree import Branch, Node
from twokey.law.typed import GATE, KIND, LINE, not_callable, resolver, with_folder

_FORM: Final = Table(
    needs=texts("title"),
    may={
        **texts("title_zh", "citation", "confidence", "url", "note", "note_zh", "authority"),
        "kind": KIND,
        "from": DAY,
        "parameters": Table(
            each=Table(each=Table(needs={"is": VALUE}, may=texts("en", "zh", "unit", "at"))),
        ),
        "provisions": Table(
            each=Table(
                each=Table(needs=texts("text"), may={**texts("paragraph", "en", "zh"), "condition": FLAG, "gate": GATE})
            ),
        ),
        "questions": Table(each=Table(each=Table(needs={"first": Rows(LINE)}))),
    },
)


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
        return with_folder(law, path)
    table, lines = read_form(path, _FORM)
    return _Change(law, path, lines, table).apply()


class _Change:
    """One file's changes, on their way into a law."""

    def __init__(self, law: Law, path: Path, lines: Lines, table: Mapping[str, Any]) -> None:
        self.law, self.path, self.lines, self.table = law, path, lines, table
        self.title = Title(table["title"], table.get("title_zh", table["title"]))
        self.start: date = table.get("from", date.min)
        self.packs: dict[str, Pack] = dict(law.packs)
        self.gates: list[tuple[str, str]] = []

    def at(self, *keys: str) -> str:
        """Return file and line of a key."""
        return place(self.path, self.lines, *keys)

    def apply(self) -> Law:
        for kind, define in (
            ("parameters", self._parameter),
            ("provisions", self._provision),
            ("questions", self._question),
        ):
            for regime, entries in self.table.get(kind, {}).items():
                if regime not in self.packs:
                    raise UserError(f"{self.at(kind, regime)}: no pack {regime!r}{nearest(regime, self.packs)}")
                self._add_instrument(regime)
                for name, entry in entries.items():
                    define(regime, name, entry)
        changed = Law(
            tuple(self.packs.values()),
            (*self.law.overlays, self.title),
            gates=(*self.law.gates, *self.gates),
            before=(self.start, self.law) if self.start > date.min else None,
        )
        for problem in problems(changed):
            raise UserError(problem)
        return changed

    @property
    def instrument_id(self) -> str:
        return self.path.stem

    def _add_instrument(self, regime: str) -> None:
        pack = self.packs[regime]
        instrument = Instrument(
            id=self.instrument_id,
            title=self.title.en,
            title_zh=self.title.zh,
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
        where = f"{self.at('parameters', regime, name)}: {regime}.{name}"
        value = frozenset(entry["is"]) if isinstance(entry["is"], list) else entry["is"]
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
        key, where = f"{regime}:{name}", self.at("provisions", regime, name)
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
        at = line_of(self.lines, "provisions", regime, name, "text")
        tree = self._read(entry["text"], at, regime, provisions, before if old else None)
        new = Provision(
            key=key,
            paragraph=entry.get("paragraph", old.paragraph if old else name),
            instrument=self.instrument_id,
            function=not_callable,
            tree=tree,
            text=entry.get("en", old.text if old else ""),
            file=str(self.path),
            line=line_of(self.lines, "provisions", regime, name) or 1,
            condition=entry.get("condition", old.condition if old else False),
        )
        provisions[key] = new
        words = (
            {**pack.words_zh, "provisions": {**pack.words_zh.get("provisions", {}), name: entry["zh"]}}
            if "zh" in entry
            else pack.words_zh
        )
        self.packs[regime] = replace(pack, provisions=provisions, words_zh=words)
        if "gate" in entry:
            self.gates.append((entry["gate"], key))

    def _question(self, regime: str, name: str, entry: Mapping[str, Any]) -> None:
        pack = self.packs[regime]
        key, where = f"{regime}:{name}", self.at("questions", regime, name)
        old = pack.questions.get(key)
        if old is None:
            raise UserError(f"{where}: no question {key}{nearest(name, [one.name for one in pack.questions.values()])}")
        first = []
        at = line_of(self.lines, "questions", regime, name, "first")
        for line in entry["first"]:
            if line["then"] not in old.answers and line["then"] not in pack.answers:
                raise UserError(f"{where}: {key}: no answer {line['then']!r}{nearest(line['then'], old.answers)}")
            first.append(Branch(self._read(line["if"], at, regime, pack.provisions, None), line["then"]))
        line = line_of(self.lines, "questions", regime, name) or 1  # what is wrong with it now stands here
        new = replace(old, branches=(*first, *old.branches), file=str(self.path), line=line)
        questions = {**pack.questions, key: new}
        self.packs[regime] = replace(pack, questions=questions)

    def _read(
        self, text: str, at: int | None, regime: str, provisions: Mapping[str, Provision], before: str | None
    ) -> Node:
        blank = len(text) - len(text.lstrip())  # a text of several lines begins on the line after its quotes
        source = Source(str(self.path), (at or 1) + text.count("\n", 0, blank))
        return read_text(text, source, resolver(regime, provisions, self.packs, before))


def _both_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
