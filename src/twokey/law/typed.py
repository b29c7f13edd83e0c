"""Rules that are typed as text, by a user: what a name in them means, and a whole pack of them in a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from twokey.chips.errors import UserError, nearest
from twokey.chips.form import DAY, FLAG, TEXT, VALUE, WORDS, Kind, Rows, Table, place, read_form, texts
from twokey.chips.toml_lines import Lines, line_of
from twokey.law.engine.check import problems
from twokey.law.engine.define import Provision, Question, Rulebook
from twokey.law.engine.law import KINDS, Law, Pack, Title, load_pack
from twokey.law.engine.read import Source, read_text
from twokey.law.engine.tree import Branch, Const, Node


def _is_regime(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9-]*", value) is not None


GATE: Final = Kind("export or import", lambda value: value in ("export", "import"))
KIND: Final = Kind(f"one of {', '.join(KINDS)}", lambda value: value in KINDS)
LINE: Final = Table(needs=texts("if", "then"))
_VALUE: Final = Table(needs={"is": VALUE, "instrument": TEXT}, may={"from": DAY, **texts("at", "confidence")})
_FILES: Final[Mapping[str, Table]] = {
    "pack": Table(
        needs=texts("title", "title_zh", "jurisdiction"),
        may={
            "regime": Kind("a short name in small letters, such as house", _is_regime),
            "key": GATE,
            "answers": Table(each=Table(needs=texts("en", "zh"))),
            "headline": Rows(
                Table(
                    needs=texts("question"),
                    may={"clear": WORDS, "blocked": WORDS, "condition": FLAG, "conditions": Table(each=WORDS)},
                )
            ),
        },
    ),
    "instruments": Table(
        each=Table(
            needs={**texts("title", "title_zh", "confidence"), "kind": KIND, "effective": DAY},
            may={
                **texts("citation", "authority", "addressee", "url", "row", "note", "note_zh"),
                "published": DAY,
                "ended": DAY,
            },
        )
    ),
    "parameters": Table(
        each=Table(
            needs=texts("en", "zh"),
            may={"value": Rows(_VALUE), **texts("unit", "unset", "unset_zh"), "choices": WORDS},
        )
    ),
    "provisions": Table(
        may={
            "provisions": Table(
                each=Table(
                    needs=texts("paragraph", "instrument", "text", "en", "zh"),
                    may={"since": DAY, "until": DAY, "condition": FLAG},
                )
            ),
            "questions": Table(
                each=Table(needs={"branches": Rows(LINE), **texts("otherwise", "en", "zh")}),
            ),
        }
    ),
}


def resolver(
    regime: str, provisions: Mapping[str, Provision], packs: Mapping[str, Pack], before: str | None
) -> Callable[[str], str | None]:
    """Return what a provision's name means in a text: one of its own pack, or the only one of that name elsewhere.

    `before`: the key that the word "before" stands for, where a provision is changed.
    """

    def resolve(name: str) -> str | None:
        if name == "before":
            return before
        if f"{regime}:{name}" in provisions:
            return f"{regime}:{name}"
        found = [key for pack in packs.values() for key in pack.provisions if key.partition(":")[2] == name]
        return found[0] if len(found) == 1 else None

    return resolve


def not_callable(order: Any, law: Any) -> Any:
    """Stand in for the function of a provision that has none. Errors: TypeError."""
    raise TypeError("a provision that was typed as text is compiled, not called")


def with_folder(law: Law, folder: Path) -> Law:
    """Put a whole pack in: a folder with pack.toml, instruments.toml, parameters.toml and provisions.toml.

    Errors: UserError with file, line and key.
    """
    for name in _FILES:
        if not (folder / f"{name}.toml").is_file():
            raise UserError(f"{folder}: a pack needs the file {name}.toml")
    read = {name: read_form(folder / f"{name}.toml", form) for name, form in _FILES.items()}
    head, (table, lines) = read["pack"][0], read["provisions"]
    rules = Rulebook(head.get("regime", folder.name))
    typed = _Typed(rules, law, folder / "provisions.toml", lines, head.get("answers", {}))
    words: dict[str, dict[str, str]] = {"provisions": {}, "questions": {}}
    for kind, define in (("provisions", typed.provision), ("questions", typed.question)):
        for name, entry in table.get(kind, {}).items():
            define(name, entry)
            words[kind][name] = entry["zh"]
    pack = replace(load_pack(folder, rules), words_zh=words)
    for headline in pack.headlines:
        for answer in (*headline.clear, *headline.blocked):
            typed.known(answer, place(folder / "pack.toml", read["pack"][1], "headline"))
    changed = law.with_pack(pack, Title(head["title"], head["title_zh"]))
    for problem in problems(changed):
        raise UserError(problem)
    return changed


class _Typed:
    """Provisions and questions of a pack that is written as text."""

    def __init__(self, rules: Rulebook, law: Law, path: Path, lines: Lines, answers: Mapping[str, Any]) -> None:
        self.rules, self.law, self.path, self.lines, self.answers = rules, law, path, lines, answers

    def _source(self, kind: str, name: str) -> Source:
        return Source(str(self.path), line_of(self.lines, kind, name) or 1)

    def _read(self, text: str, source: Source) -> Node:
        return read_text(text, source, resolver(self.rules.regime, self.rules.provisions, self.law.packs, None))

    def known(self, answer: str, where: str) -> str:
        """Return an answer that pack.toml has words for. Errors: UserError."""
        if answer not in self.answers:
            raise UserError(
                f"{where}: pack.toml has no words for the answer {answer!r}; put it under [answers] with en and zh"
                f"{nearest(answer, self.answers)}"
            )
        return answer

    def provision(self, name: str, entry: Mapping[str, Any]) -> None:
        """Define one provision. Errors: UserError that names file and line."""
        source, key = self._source("provisions", name), f"{self.rules.regime}:{name}"
        self.rules.provisions[key] = Provision(
            key=key,
            paragraph=entry["paragraph"],
            instrument=entry["instrument"],
            function=not_callable,
            tree=self._read(entry["text"], source),
            text=entry["en"],
            file=source.file,
            line=source.first_line,
            since=entry.get("since"),
            until=entry.get("until"),
            condition=entry.get("condition", False),
        )

    def question(self, name: str, entry: Mapping[str, Any]) -> None:
        """Define one question. Errors: UserError that names file and line."""
        source, key = self._source("questions", name), f"{self.rules.regime}:{name}"
        where = f"{source.file}:{source.first_line}: {name}"
        branches = [
            *(Branch(self._read(one["if"], source), self.known(one["then"], where)) for one in entry["branches"]),
            Branch(Const(True), self.known(entry["otherwise"], where)),
        ]
        self.rules.questions[key] = Question(
            key, not_callable, tuple(branches), None, entry["en"], source.file, source.first_line
        )
