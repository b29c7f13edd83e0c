"""Packs, their dated parameters and instruments, and the law on one day."""

from __future__ import annotations

import hashlib
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from twokey.chips.errors import UserError
from twokey.law.engine.define import Provision, Question, Rulebook
from twokey.law.engine.tree import Const, Node, params_of, refs_of

GATE: Final = ("met", "not_met")
NOT_ASKED: Final = "not_asked"  # under the law before a change that asks it
KINDS: Final = ("statute", "rule", "order", "letter", "guidance", "reported", "draft", "overlay")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A legal act or reported guidance, with what is known of it and how well."""

    id: str
    title: str
    title_zh: str
    kind: str  # one of KINDS
    effective: date
    confidence: str
    citation: str = ""
    published: date | None = None
    ended: date | None = None
    authority: str = ""
    addressee: str = ""
    url: str = ""
    row: str = ""  # where the facts that were read speak of it ("us-export 0 #3", "CN-029")
    note: str = ""
    note_zh: str = ""


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A parameter's value from a day on, with the paragraph and the instrument that set it."""

    start: date
    value: Any
    instrument: str
    at: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that law sets; `unset` says why there is none and what a person must choose."""

    name: str
    en: str
    zh: str
    values: tuple[DatedValue, ...]
    unit: str = ""
    unset: str = ""
    unset_zh: str = ""
    choices: tuple[str, ...] = ()

    def on(self, day: date) -> DatedValue | None:
        """Return the value in force on a day, or None where there is none."""
        found = None
        for value in self.values:
            if value.start <= day:
                found = value
        return found


@dataclass(frozen=True, slots=True)
class Headline:
    """How the answers to one question move a key: which leave it clear and which block it; any other asks a person."""

    question: str
    clear: tuple[str, ...]
    blocked: tuple[str, ...]
    condition: bool = False  # a duty that lasts: an open answer does not hold the key, a known failure does
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # answer -> provisions that then bind


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """One jurisdiction's instruments, parameters and rules for one purpose."""

    regime: str
    title: str
    title_zh: str
    jurisdiction: str
    key: str  # "export", "import", or "" where the regime turns no key
    instruments: Mapping[str, Instrument]
    parameters: Mapping[str, Parameter]
    provisions: Mapping[str, Provision]
    questions: Mapping[str, Question]
    headlines: tuple[Headline, ...]
    words_zh: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # answer -> {"en": ..., "zh": ...}


def load_pack(folder: Path, rules: Rulebook, borrow: Mapping[str, Instrument] | None = None) -> Pack:
    """Read the data files that stand beside a pack's rules and put them together.

    `borrow`: instruments of another pack that this one rests on too.

    Errors: UserError with file and name where a value lacks an instrument, an instrument a kind, and the like.
    """
    head = _read(folder / "pack.toml")
    for name in ("title", "title_zh", "jurisdiction"):
        if not isinstance(head.get(name), str):
            raise UserError(f"pack.toml: needs {name}, as text")
    for entry in head.get("headline", ()):
        if not isinstance(entry, Mapping) or f"{rules.regime}:{entry.get('question')}" not in rules.questions:
            raise UserError(f"pack.toml: headline: needs a question of {rules.regime} (got {entry!r})")
    instruments = {
        key: _instrument(key, entry, folder / "instruments.toml")
        for key, entry in _read(folder / "instruments.toml").items()
    }
    instruments = {**(borrow or {}), **instruments}
    parameters = {
        key: _parameter(key, entry, instruments, folder / "parameters.toml")
        for key, entry in _read(folder / "parameters.toml").items()
    }
    words = _read(folder / "zh.toml") if (folder / "zh.toml").exists() else {}
    return Pack(
        regime=rules.regime,
        title=head["title"],
        title_zh=head["title_zh"],
        jurisdiction=head["jurisdiction"],
        key=head.get("key", ""),
        instruments=instruments,
        parameters=parameters,
        provisions=rules.provisions,
        questions=rules.questions,
        headlines=tuple(
            Headline(
                f"{rules.regime}:{entry['question']}",
                tuple(entry.get("clear", ())),
                tuple(entry.get("blocked", ())),
                entry.get("condition", False),
                {
                    answer: tuple(one if ":" in one else f"{rules.regime}:{one}" for one in names)
                    for answer, names in entry.get("conditions", {}).items()
                },
            )
            for entry in head.get("headline", ())
        ),
        words_zh=words,
        answers=head.get("answers", {}),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path.name}: not valid TOML: {error}") from None


def _instrument(key: str, entry: Mapping[str, Any], path: Path) -> Instrument:
    if entry.get("kind") not in KINDS:
        raise UserError(f"{path.name}: {key}: kind must be one of {', '.join(KINDS)} (got {entry.get('kind')!r})")
    try:
        return Instrument(key, **entry)
    except TypeError as error:
        raise UserError(f"{path.name}: {key}: {error}") from None


def _parameter(key: str, entry: Mapping[str, Any], instruments: Mapping[str, Instrument], path: Path) -> Parameter:
    for name in ("en", "zh"):
        if not isinstance(entry.get(name), str):
            raise UserError(f"{path.name}: {key}: needs {name}, as text")
    values = []
    for value in entry.get("value", ()):
        if "is" not in value:
            raise UserError(f"{path.name}: {key}: value from {value.get('from')}: needs a value (is = ...)")
        if value.get("instrument") not in instruments:
            raise UserError(
                f"{path.name}: {key}: value from {value.get('from')}: names no instrument of instruments.toml"
            )
        start = value.get("from") or instruments[value["instrument"]].effective
        confidence = value.get("confidence") or instruments[value["instrument"]].confidence
        values.append(DatedValue(start, _plain(value["is"]), value["instrument"], value.get("at", ""), confidence))
    if not values and not entry.get("unset"):
        raise UserError(f"{path.name}: {key}: has neither a value nor a reason why it has none (unset)")
    return Parameter(
        key,
        entry["en"],
        entry["zh"],
        tuple(sorted(values, key=lambda dated: dated.start)),
        entry.get("unit", ""),
        entry.get("unset", ""),
        entry.get("unset_zh", ""),
        tuple(entry.get("choices", ())),
    )


def _plain(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list) else value


class Turn(NamedTuple):
    """What turns a key ("export" or "import"): a question with its answers, or a gate, which is met or not met."""

    key: str
    headline: Headline
    answers: tuple[str, ...]


class Title(NamedTuple):
    """What an overlay or an amendment is called."""

    en: str
    zh: str


class Law:
    """The packs together: the source from which the law of any day is taken.

    >>> from twokey.law import law
    >>> law().at(date(2024, 1, 1)).value("us-export", "a1_tpp")
    4800
    """

    def __init__(
        self,
        packs: Sequence[Pack],
        overlays: Sequence[Title] = (),
        *,
        gates: Sequence[tuple[str, str]] = (),
        before: tuple[date, Law] | None = None,
    ) -> None:
        """Put packs together; `gates` are (key, provision) that must hold, `before` the law until a change's day."""
        self.gates: Final = tuple(gates)
        self._before = before
        self.packs: Final = {pack.regime: pack for pack in packs}
        self.overlays: Final = tuple(overlays)
        self.provisions: Final = {key: one for pack in packs for key, one in pack.provisions.items()}
        self.questions: Final = {key: one for pack in packs for key, one in pack.questions.items()}
        self._cache: dict[int, LawInForce] = {}

    @cached_property
    def turns(self) -> Mapping[str, Turn]:
        """Return what turns the keys, by name: the headline questions, and the provisions that are gates."""
        headlines = [(pack.key, one) for pack in self.packs.values() if pack.key for one in pack.headlines]
        questions = {one.question: Turn(key, one, self.questions[one.question].answers) for key, one in headlines}
        gates = {name: Turn(key, Headline(name, ("met",), ("not_met",)), GATE) for key, name in self.gates}
        return {**questions, **gates}

    @property
    def starts(self) -> date | None:
        """Return the day from which this law differs from the one that it changes, or None where it always does."""
        return self._before[0] if self._before else None

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Return every day on which a provision or a parameter changes, in order."""
        days: set[date] = set()
        for pack in self.packs.values():
            for provision in pack.provisions.values():
                start, end = self.span(provision)
                days.update(day for day in (start, end) if day is not None)
            for parameter in pack.parameters.values():
                days.update(value.start for value in parameter.values)
        if self._before is not None:
            start, law = self._before
            days = {day for day in days if day >= start} | {day for day in law.days if day < start} | {start}
        return tuple(sorted(days))

    def span(self, provision: Provision) -> tuple[date, date | None]:
        """Return the first day on which a provision is in force and the first on which it no longer is."""
        instrument = self.instrument(provision)
        return provision.since or instrument.effective, provision.until or instrument.ended

    def instrument(self, provision: Provision) -> Instrument:
        """Return the instrument that a provision is tied to. Errors: UserError where its pack has none of that id."""
        try:
            return self.packs[provision.regime].instruments[provision.instrument]
        except KeyError:
            raise UserError(
                f"{provision.file}:{provision.line}: {provision.paragraph}: no instrument {provision.instrument!r}"
            ) from None

    def at(self, day: date) -> LawInForce:
        """Return the law in force on a day; days between two changes share one object."""
        if self._before is not None and day < self._before[0]:
            return self._before[1].at(day)
        index = bisect_right(self.days, day)
        if index not in self._cache:
            self._cache[index] = LawInForce(self, self.days[index - 1] if index else date.min)
        return self._cache[index]

    def with_pack(self, pack: Pack, overlay: Title) -> Law:
        """Return this law with one pack put in, or in the place of the one of the same regime."""
        packs = {**self.packs, pack.regime: pack}
        return Law(tuple(packs.values()), (*self.overlays, overlay), gates=self.gates)


class LawInForce:
    """The law on one day: trees with every value settled. Provisions outside their days are False."""

    def __init__(self, law: Law, day: date) -> None:
        self.law: Final = law
        self.day: Final = day  # the first day on which the law stands as it does
        self.provisions: Final = self._ordered(law.provisions.values())
        self.questions: Final = tuple(law.questions.values())
        self.force: Final[dict[str, bool]] = {one.key: self._runs(one) for one in self.provisions}

    def _runs(self, provision: Provision) -> bool:
        start, end = self.law.span(provision)
        return start <= self.day and (end is None or self.day < end)

    def _ordered(self, provisions: Iterable[Provision]) -> tuple[Provision, ...]:
        """Return the provisions so that each stands after those it refers to."""
        known = {one.key: one for one in provisions}
        ordered: dict[str, Provision] = {}

        def place(one: Provision, path: tuple[str, ...]) -> None:
            if one.key in ordered:
                return
            if one.key in path:
                raise UserError(f"{one.file}:{one.line}: {one.paragraph}: refers to itself through {' -> '.join(path)}")
            for key in refs_of(one.tree):
                if key not in known:
                    raise UserError(f"{one.file}:{one.line}: {one.paragraph}: refers to {key}, which no pack defines")
                place(known[key], (*path, one.key))
            ordered[one.key] = one

        for one in known.values():
            place(one, ())
        return tuple(ordered.values())

    def in_force(self, provision: Provision) -> bool:
        """Return whether a provision is in force."""
        return self.force[provision.key]

    def tree(self, provision: Provision) -> Node:
        """Return a provision's tree; outside its days it is the constant False."""
        return provision.tree if self.force[provision.key] else Const(False)

    def dated(self, regime: str, name: str) -> DatedValue | None:
        """Return a parameter's value with its source, or None where none is set on this day."""
        return self.law.packs[regime].parameters[name].on(self.day)

    def value(self, regime: str, name: str) -> Any:
        """Return a parameter's value; None where the law sets none: it is then unknown and a person is asked."""
        dated = self.dated(regime, name)
        return None if dated is None else dated.value

    @cached_property
    def nothing_in_force(self) -> bool:
        """Return whether no instrument of any pack is in force yet."""
        return not any(self.force.values())

    @cached_property
    def digest(self) -> str:
        """Return a short name of this law: equal trees, values and questions give equal digests."""
        digest = hashlib.sha256()
        for one in self.provisions:
            digest.update(repr((one.key, self.tree(one))).encode())
            for name in params_of(one.tree):
                digest.update(_canonical(self.value(one.regime, name)).encode())
        for question in self.questions:
            digest.update(repr((question.key, question.branches, question.value)).encode())
        return digest.hexdigest()[:16]


def _canonical(value: Any) -> str:
    return repr(sorted(value)) if isinstance(value, frozenset) else repr(value)
