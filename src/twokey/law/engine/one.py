"""One order: the law of a day as one generated Python function in three-valued logic.

Every provision becomes a few lines over local names, every value of the law a global of the function; no text that a
person wrote is ever executed, because only the node types of `tree` are turned into source. The source is kept in
`linecache`, so a traceback through it shows its lines.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twokey.law.engine.fold import Folded
from twokey.law.engine.tree import (
    And,
    AnyOf,
    Arith,
    Branch,
    Compare,
    Const,
    Fact,
    Member,
    Node,
    Not,
    Operand,
    Or,
    Ref,
    facts_of,
    refs_of,
    years_after,
)

Get = Callable[[str], Any]
Decide = Callable[[Get], tuple[tuple[bool | None, ...], tuple[Any, ...]]]
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Compiled:
    """The function of one day, with the names of what it returns."""

    provisions: tuple[str, ...]
    questions: tuple[str, ...]
    decide: Decide
    source: str


def any_of(qualifies: Callable[[Get], bool | None], items: list[Mapping[str, Any]] | None) -> bool | None:
    """Return whether any element of a list qualifies: True wins, then unknown; an unknown list is unknown."""
    if items is None:
        return None
    result: bool | None = False
    for item in items:
        value = qualifies(item.get)
        if value:
            return True
        if value is None:
            result = None
    return result


def compile_one(folded: Folded) -> Compiled:
    """Return the function that decides every provision and question of a day for one order.

    The function takes `facts.get` and returns the provisions' values (True, False, None: unknown) and the questions'
    answers (None: open), both in the order of the names.
    """
    writer = _Writer(folded)
    for key in folded.provisions:
        writer.provision(key)
    answers = [writer.question(branches) for branches in folded.questions.values()]
    answers += [writer.value(operand) for operand in folded.values.values()]
    decide, source = writer.finish(f"return ({_tuple(writer.named.values())}), ({_tuple(answers)})")
    return Compiled(tuple(folded.provisions), (*folded.questions, *folded.values), decide, source)


def compile_provision(folded: Folded, key: str) -> Callable[[Get], bool | None]:
    """Return the function that decides one provision alone, with only what it needs."""
    writer = _Writer(folded)
    for needed in _needed(folded, key):
        writer.provision(needed)
    qualifies: Callable[[Get], bool | None] = writer.finish(f"return {writer.named[key]}")[0]
    return qualifies


def compile_condition(node: Node) -> Callable[[Get], bool | None]:
    """Return the function that decides one folded condition that names no provision."""
    writer = _Writer(Folded({}, {}, {}, {}))
    expression = writer.node(node)
    holds: Callable[[Get], bool | None] = writer.finish(f"return {expression}")[0]
    return holds


def _needed(folded: Folded, key: str) -> list[str]:
    needed: dict[str, None] = {}

    def visit(one: str) -> None:
        for ref in refs_of(folded.provisions[one]):
            if ref not in needed:
                visit(ref)
        needed[one] = None

    visit(key)
    return list(needed)


def _tuple(items: Iterable[str]) -> str:
    return "".join(f"{item}, " for item in items)


@dataclass(slots=True)
class _Writer:
    """Writes the lines of one function; a method returns the expression that holds a node's value."""

    folded: Folded
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    named: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=lambda: {"any_of": any_of, "years_after": years_after})
    _temporaries: int = 0

    def finish(self, last_line: str) -> tuple[Any, str]:
        """Return the compiled function and its source."""
        loads = [f"    {local} = get({name!r})" for name, local in self.facts.items()]
        source = "\n".join(["def decide(get):", *loads, *self.lines, f"    {last_line}", ""])
        file = f"<twokey law {next(_serial)}>"
        exec(compile(source, file, "exec"), self.values)  # only our own node types ever become source
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        return self.values["decide"], source

    def provision(self, key: str) -> None:
        """Write one provision into a local name."""
        node = self.folded.provisions[key]
        if isinstance(node, Const):
            self.named[key] = repr(node.value)
            return
        local = f"p{len(self.named)}"
        expression = self.node(node)
        self.line(f"{local} = {expression}")
        if key in self.folded.asserted:
            self.line(f"if {local} is None: {local} = {self.fact(self.folded.asserted[key])}")
        self.named[key] = local

    def question(self, branches: tuple[Branch, ...]) -> str:
        """Write a chain of branches, last first: an unknown condition leaves the answer open unless both ways agree."""
        local = self.temporary()
        conditions = [self.node(branch.condition) for branch in branches[:-1]]
        self.line(f"{local} = {branches[-1].answer!r}")
        for branch, condition in zip(branches[-2::-1], conditions[::-1], strict=True):
            name = condition
            if not name.isidentifier():
                name = self.temporary()
                self.line(f"{name} = {condition}")
            self.line(f"if {name}: {local} = {branch.answer!r}")
            self.line(f"elif {name} is None and {local} != {branch.answer!r}: {local} = None")
        return local

    def value(self, operand: Operand) -> str:
        """Write a computed value: unknown where one of its facts is."""
        guard = " or ".join(f"{self.fact(name)} is None" for name in facts_of(operand)) or "False"
        return f"(None if {guard} else {self.operand(operand)})"

    def node(self, node: Node) -> str:
        """Return an expression for a condition, after the lines that it needs."""
        facts = facts_of(node)
        if len(facts) == 1 and not refs_of(node) and not isinstance(node, Fact):
            local = self.fact(facts[0])
            return f"(None if {local} is None else {self.plain(node)})"
        match node:
            case Const(value):
                return repr(value)
            case Fact(name):
                return self.fact(name)
            case Ref(key):
                return self.named[key]
            case AnyOf(key, items):
                local = f"q{len(self.values)}"
                self.values[local] = compile_provision(self.folded, key)
                return f"any_of({local}, {self.fact(items.name)})"
            case Not(part):
                local = self.held(part)
                return f"(None if {local} is None else not {local})"
            case And(parts):
                return self.joined(parts, "False", "True")
            case Or(parts):
                return self.joined(parts, "True", "False")
            case _:
                guard = " or ".join(f"{self.fact(name)} is None" for name in facts)
                return f"(None if {guard} else {self.plain(node)})" if guard else self.plain(node)

    def joined(self, parts: tuple[Node, ...], settles: str, neutral: str) -> str:
        """Write a conjunction or disjunction that stops as soon as it is settled."""
        local = self.temporary()
        self.line(f"{local} = {self.node(parts[0])}")
        for part in parts[1:]:
            self.line(f"if {local} is not {settles}:")
            self.indent += 1
            held = self.held(part)
            self.line(f"if {held} is not {neutral}: {local} = {held}")
            self.indent -= 1
        return local

    def plain(self, node: Node) -> str:
        """Return a two-valued expression, for a node whose facts are all known where it stands."""
        match node:
            case Const(value):
                return repr(value)
            case Fact(name):
                return self.fact(name)
            case Not(part):
                return f"(not {self.plain(part)})"
            case And(parts):
                return "(" + " and ".join(self.plain(part) for part in parts) + ")"
            case Or(parts):
                return "(" + " or ".join(self.plain(part) for part in parts) + ")"
            case Compare(op, left, right):
                return f"({self.operand(left)} {op} {self.operand(right)})"
            case Member(item, group):
                return f"({self.operand(item)} in {self.operand(group)})"
            case _:
                raise TypeError(node)

    def operand(self, node: Operand) -> str:
        """Return the expression of one side of a comparison."""
        match node:
            case Fact(name):
                return self.fact(name)
            case Const(value):
                return self.constant(value)
            case Arith("years_after", left, right):
                return f"years_after({self.operand(left)}, {self.operand(right)})"
            case Arith(op, left, right):
                return f"({self.operand(left)} {op} {self.operand(right)})"
            case _:
                raise TypeError(node)

    def held(self, node: Node) -> str:
        """Return a local name that holds a node's value."""
        expression = self.node(node)
        if expression.isidentifier():
            return expression
        local = self.temporary()
        self.line(f"{local} = {expression}")
        return local

    def fact(self, name: str) -> str:
        """Return the local name of a fact, loaded at the top of the function."""
        return self.facts.setdefault(name, f"f{len(self.facts)}")

    def constant(self, value: Any) -> str:
        """Return the global name of a value of the law; it is never written into the source."""
        local = f"k{len(self.values)}"
        self.values[local] = value
        return local

    def temporary(self) -> str:
        """Return a fresh local name."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def line(self, text: str) -> None:
        """Add one line at the present depth."""
        self.lines.append("    " * self.indent + text)
