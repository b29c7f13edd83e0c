"""The two decorators with which a pack is written: `@provision` for a paragraph, `@question` for what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from twokey.law.engine.read import read_function
from twokey.law.engine.tree import Branch, Node, Operand

Function = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Provision:
    """One named rule, tied to its paragraph; calling it runs its Python, which is the reference meaning.

    `key` is `regime:function_name`; `paragraph` is the name a lawyer knows ("3A090.a.1"). It is in force from `since`
    (default: the day its instrument takes effect) until the day before `until`; outside these days it is False.
    """

    key: str
    paragraph: str
    instrument: str
    function: Function
    tree: Node
    text: str  # the docstring: our own short words for the paragraph
    file: str
    line: int
    since: date | None = None
    until: date | None = None
    asserted_by: str | None = None  # a fact that stands for the whole where its parts are unknown
    condition: bool = False  # a duty that lasts after the key is turned

    @property
    def regime(self) -> str:
        """Return the regime that the provision belongs to."""
        return self.key.partition(":")[0]

    @property
    def name(self) -> str:
        """Return the name of its function."""
        return self.key.partition(":")[2]

    def __call__(self, order: Any, law: Any) -> Any:
        """Run the Python on an order of known facts; outside its days the answer is False."""
        if not law.in_force(self):
            return False
        return self.function(order, law)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question that a regime answers: a chain of conditions with an answer each, or a value that is computed."""

    key: str
    function: Function
    branches: tuple[Branch, ...]
    value: Operand | None
    text: str
    file: str
    line: int

    @property
    def regime(self) -> str:
        """Return the regime that the question belongs to."""
        return self.key.partition(":")[0]

    @property
    def name(self) -> str:
        """Return the question's name."""
        return self.key.partition(":")[2]

    @property
    def answers(self) -> tuple[str, ...]:
        """Return every answer that the question can have, each once."""
        return tuple(dict.fromkeys(branch.answer for branch in self.branches))

    def __call__(self, order: Any, law: Any) -> Any:
        """Run the Python on an order of known facts."""
        return self.function(order, law)


@dataclass(slots=True)
class Rulebook:
    """Collects the provisions and questions of one regime, in the order in which its modules define them.

    >>> rules = Rulebook("example")
    >>> rules.provisions
    {}
    """

    regime: str
    provisions: dict[str, Provision] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)

    def provision(  # noqa: PLR0913 - each is one property of a paragraph, all but two are optional
        self,
        paragraph: str,
        instrument: str,
        *,
        since: str | None = None,
        until: str | None = None,
        asserted_by: str | None = None,
        condition: bool = False,
    ) -> Callable[[Function], Provision]:
        """Make a provision of a function of one expression.

        `paragraph`: its name in the text; `instrument`: the id of the act in instruments.toml; `since`, `until`: ISO
        dates where they differ from the instrument's. Errors: SubsetError with file and line.
        """

        def define(function: Function) -> Provision:
            file, line = function.__code__.co_filename, function.__code__.co_firstlineno
            tree = read_function(file, line, _resolver(function))
            made = Provision(
                key=f"{self.regime}:{function.__name__}",
                paragraph=paragraph,
                instrument=instrument,
                function=function,
                tree=tree,  # type: ignore[arg-type]  # the reader gives branches only for a chain, refused in Law
                text=_docstring(function),
                file=file,
                line=line,
                since=date.fromisoformat(since) if since else None,
                until=date.fromisoformat(until) if until else None,
                asserted_by=asserted_by,
                condition=condition,
            )
            self.provisions[made.key] = made
            return made

        return define

    def question(self) -> Callable[[Function], Question]:
        """Make a question of a function that is a chain of `if ... return "answer"`, or that returns one value."""

        def define(function: Function) -> Question:
            file, line = function.__code__.co_filename, function.__code__.co_firstlineno
            read = read_function(file, line, _resolver(function))
            made = Question(
                key=f"{self.regime}:{function.__name__}",
                function=function,
                branches=read if isinstance(read, tuple) else (),
                value=None if isinstance(read, tuple) else read,  # type: ignore[arg-type]  # an operand, checked in Law
                text=_docstring(function),
                file=file,
                line=line,
            )
            self.questions[made.key] = made
            return made

        return define


def _docstring(function: Function) -> str:
    return " ".join((function.__doc__ or "").split())


def _resolver(function: Function) -> Callable[[str], str | None]:
    def resolve(name: str) -> str | None:
        found = function.__globals__.get(name)
        return found.key if isinstance(found, Provision) else None

    return resolve
