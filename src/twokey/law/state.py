"""The law of a day, compiled and kept; and what it says of one order, before words are made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.fold import Folded, fold
from twokey.law.engine.law import Law, LawInForce
from twokey.law.engine.one import Compiled, Get, any_of, compile_one, compile_provision
from twokey.law.engine.tree import AnyOf, Node, refs_of, walk

_states: WeakKeyDictionary[LawInForce, State] = WeakKeyDictionary()


class State:
    """One day's law with its compiled forms, each made when it is first needed."""

    def __init__(self, law: LawInForce, folded: Folded | None = None) -> None:
        self.law: Final = law
        self._folded = folded
        self.kept: Final[dict[str, Any]] = {}  # what others make once of this law, such as its words in a language
        self._qualifiers: dict[str, Callable[[Get], bool | None]] = {}

    @cached_property
    def folded(self) -> Folded:
        """Return the folded trees."""
        return self._folded or fold(self.law)

    @cached_property
    def circuits(self) -> State:
        """Return the part of the law that is asked of one circuit of a computer."""
        keys = {
            part.provision for tree in self.folded.provisions.values() for part in walk(tree) if isinstance(part, AnyOf)
        }
        cone: dict[str, Node] = {}
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key not in cone:
                cone[key] = self.folded.provisions[key]
                todo.extend(refs_of(cone[key]))
        ordered = {key: tree for key, tree in self.folded.provisions.items() if key in cone}
        return State(self.law, Folded(ordered, {}, {}, {}))

    @cached_property
    def compiled(self) -> Compiled:
        """Return the function for one order."""
        return compile_one(self.folded)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return where each provision's value stands among those of the function."""
        return {key: place for place, key in enumerate(self.compiled.provisions)}

    def qualifier(self, key: str) -> Callable[[Get], bool | None]:
        """Return the function that asks one provision of an element of a list."""
        if key not in self._qualifiers:
            self._qualifiers[key] = compile_provision(self.folded, key)
        return self._qualifiers[key]

    @cached_property
    def diagrams(self) -> Diagrams:
        """Return the decision diagrams."""
        return Diagrams(self.folded)

    def decide(self, facts: Mapping[str, Any]) -> Decided:
        """Return what the law says of one order; `facts` are as `facts_of_order` returns them."""
        values, answers = self.compiled.decide(facts.get)
        return Decided(self, facts, values, answers)


def state_of(law: Law, day: date) -> State:
    """Return the compiled law of a day; it is made once."""
    at = law.at(day)
    if at not in _states:
        _states[at] = State(at)
    return _states[at]


@dataclass(frozen=True, slots=True)
class Decided:
    """The values of every provision and the answers to every question for one order."""

    state: State
    facts: Mapping[str, Any]
    values: tuple[bool | None, ...]
    answers: tuple[Any, ...]
    _elements: dict[tuple[str, int], Decided] = field(default_factory=dict)

    @property
    def law(self) -> LawInForce:
        """Return the law in force."""
        return self.state.law

    def value(self, key: str) -> bool | None:
        """Return a provision's value."""
        return self.values[self.state.places[key]]

    def answer(self, key: str) -> Any:
        """Return a question's answer, None while it is open."""
        return self.answers[self.state.compiled.questions.index(key)]

    def any_of(self, key: str, items: str) -> bool | None:
        """Return whether any element of a list meets a provision."""
        return any_of(self.state.qualifier(key), self.facts.get(items))

    def elements(self, key: str, items: str) -> Iterator[Decided]:
        """Yield what the law says of each element of a list by itself, those first that tell most of a provision."""
        decided = []
        for number, item in enumerate(self.facts.get(items) or ()):
            if (items, number) not in self._elements:
                self._elements[items, number] = self.state.circuits.decide(item)
            decided.append(self._elements[items, number])
        yield from sorted(decided, key=lambda one: {True: 0, None: 1, False: 2}[one.value(key)])


def forced(decided: Decided) -> dict[str, bool]:
    """Return the provisions for which a person's statement stands, because their parts leave them open."""
    return {
        key: decided.facts[fact]
        for key, fact in decided.state.folded.asserted.items()
        if fact in decided.facts and decided.value(key) == decided.facts[fact]
    }
