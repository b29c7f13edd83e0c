"""A provision's Python, or an amendment's text, becomes a tree; whatever is outside the subset is refused by line.

The subset: `and`, `or`, `not`, comparisons (also chained), `in law.<list>`, `+ - *` on numbers, `order.<fact>`,
`law.<parameter>`, another provision called with `(order, law)`, `any(provision(ic, law) for ic in order.<list>)`, and
`years_after(order.<date>, law.<years>)`. Words in quotes may be compared with; numbers may not, because a number
belongs in the parameter file, where it has a date and an instrument.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NoReturn

from twokey.chips.errors import UserError
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
    Param,
    Ref,
)

_COMPARISONS: Final = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_ARITHMETIC: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
MAX_TEXT: Final = 4_000  # characters of an amendment's text; the longest paragraph encoded so far has 600
_MAX_DEPTH: Final = 30


class SubsetError(UserError):
    """A provision uses something outside the allowed subset of Python; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of Python stands, for messages."""

    file: str
    first_line: int = 1

    def at(self, node: ast.AST) -> str:
        """Return "file:line" for a node."""
        return f"{self.file}:{getattr(node, 'lineno', 1) + self.first_line - 1}"


Resolve = Callable[[str], str | None]  # the name of a provision's function -> its identifier, or None


@cache
def _functions(file: str) -> dict[int, ast.FunctionDef]:
    """Return the functions of a module by the line on which each starts (its first decorator's, as CPython has it)."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"), filename=file)
    return {
        min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def read_function(file: str, first_line: int, resolve: Resolve) -> Node | Operand | tuple[Branch, ...]:
    """Return the tree of the function that starts on a line of a file.

    Errors: SubsetError with file and line where the body is not one expression, or a chain of `if ... return`.
    """
    function = _functions(file)[first_line]
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return _read_body(body, function, _Reader(Source(file), resolve))


def read_text(text: str, source: Source, resolve: Resolve) -> Node:
    """Return the tree of an expression that a person typed, such as an amendment's.

    Errors: SubsetError where it is too long, not Python, or outside the subset.
    """
    if len(text) > MAX_TEXT:
        raise SubsetError(f"{source.file}:{source.first_line}: the text has {len(text)} characters; at most {MAX_TEXT}")
    try:
        parsed = ast.parse(f"({text.strip()}\n)", mode="eval")  # brackets let a condition run over several lines
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        last = len(text.strip().splitlines()) or 1  # what is missing is found at the bracket that we added after it
        line = source.first_line + min(getattr(error, "lineno", 1) or 1, last) - 1
        raise SubsetError(f"{source.file}:{line}: not a Python expression: {getattr(error, 'msg', error)}") from None
    return _Reader(source, resolve).boolean(parsed.body)


def _read_body(body: list[ast.stmt], function: ast.FunctionDef, reader: _Reader) -> Node | Operand | tuple[Branch, ...]:
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        value = body[0].value
        if isinstance(value, ast.Attribute | ast.BinOp) or _is_years_after(value):
            return reader.operand(value)
        return reader.boolean(value)
    branches = []
    for statement in body[:-1]:
        match statement:
            case ast.If(test=test, body=[ast.Return(value=ast.Constant(value=str(answer)))], orelse=[]):
                branches.append(Branch(reader.boolean(test), answer))
            case _:
                reader.refuse(statement, 'a question is a chain of `if <condition>: return "<answer>"`')
    match body[-1] if body else None:
        case ast.Return(value=ast.Constant(value=str(answer))):
            branches.append(Branch(Const(True), answer))
        case _:
            reader.refuse(body[-1] if body else function, "the body must be one `return <expression>`")
    return tuple(branches)


def _is_years_after(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "years_after"


@dataclass(slots=True)
class _Reader:
    """Turns checked `ast` nodes into our own, one method a kind of node."""

    source: Source
    resolve: Resolve
    depth: int = 0

    def refuse(self, node: ast.AST, why: str) -> NoReturn:
        """Raise the error that names file and line, what stands there and why it is not allowed."""
        try:
            text = ast.unparse(node)
        except RecursionError:
            text = "..."
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise SubsetError(f"{self.source.at(node)}: `{shown}` is outside the provisions' Python: {why}")

    def boolean(self, node: ast.expr) -> Node:
        """Read a condition."""
        with self._deeper(node):
            return self._boolean(node)

    @contextmanager
    def _deeper(self, node: ast.expr) -> Iterator[None]:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.refuse(node, f"it is nested deeper than {_MAX_DEPTH} levels")
        try:
            yield
        finally:
            self.depth -= 1

    def _boolean(self, node: ast.expr) -> Node:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return And(tuple(self.boolean(value) for value in values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return Or(tuple(self.boolean(value) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.boolean(operand))
            case ast.Compare():
                return self._compare(node)
            case ast.Constant(value=bool(value)):
                return Const(value)
            case ast.Call():
                return self._call(node)
            case ast.Attribute():
                read = self._attribute(node)
                if not isinstance(read, Fact):
                    self.refuse(node, "a parameter is compared with, it is not a condition by itself")
                return read
            case _:
                self.refuse(node, "use and, or, not, comparisons, facts of the order and other provisions")

    def _compare(self, node: ast.Compare) -> Node:
        parts: list[Node] = []
        ends = [node.left, *node.comparators]
        for op, left, right in zip(node.ops, ends, ends[1:], strict=False):
            if isinstance(op, ast.In | ast.NotIn):
                group = self.operand(right)
                if not isinstance(group, Param):
                    self.refuse(right, "`in` takes a list from the parameter file (law.<name>)")
                member = Member(self.operand(left), group)
                parts.append(Not(member) if isinstance(op, ast.NotIn) else member)
            elif type(op) in _COMPARISONS:
                parts.append(Compare(_COMPARISONS[type(op)], self.operand(left), self.operand(right)))
            else:
                self.refuse(node, "compare with <, <=, >, >=, ==, != or in")
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def operand(self, node: ast.expr) -> Operand:
        """Read one side of a comparison."""
        with self._deeper(node):
            return self._operand(node)

    def _operand(self, node: ast.expr) -> Operand:
        match node:
            case ast.Attribute():
                return self._attribute(node)
            case ast.Constant(value=bool() | str()):
                assert isinstance(node.value, bool | str)
                return Const(node.value)
            case ast.Constant(value=int() | float()):
                self.refuse(node, "a number belongs in the parameter file, with its date and instrument (law.<name>)")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return Arith(_ARITHMETIC[type(op)], self.operand(left), self.operand(right))
            case ast.Call(args=[left, right], keywords=[]) if _is_years_after(node):
                return Arith("years_after", self.operand(left), self.operand(right))
            case _:
                self.refuse(node, "compare facts (order.<fact>), parameters (law.<name>) and words in quotes")

    def _attribute(self, node: ast.Attribute) -> Fact | Param:
        names: list[str] = []
        part: ast.expr = node
        while isinstance(part, ast.Attribute):
            names.insert(0, part.attr)
            part = part.value
        if isinstance(part, ast.Name) and part.id == "order":
            return Fact(".".join(names))
        if isinstance(part, ast.Name) and part.id == "law" and len(names) == 1:
            return Param(names[0])
        self.refuse(node, "only order.<fact> and law.<parameter> have attributes")

    def _call(self, node: ast.Call) -> Node:
        match node:
            case ast.Call(
                func=ast.Name(id="any"),
                args=[
                    ast.GeneratorExp(
                        elt=ast.Call(func=ast.Name(id=name), args=[ast.Name(id=element), ast.Name(id="law")]),
                        generators=[ast.comprehension(target=ast.Name(id=target), iter=items, ifs=[], is_async=0)],
                    )
                ],
                keywords=[],
            ) if element == target and isinstance(items, ast.Attribute):
                fact = self._attribute(items)
                if not isinstance(fact, Fact):
                    self.refuse(items, "any(...) runs over a list of the order")
                return AnyOf(self._provision(node, name), fact)
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id="order"), ast.Name(id="law")], keywords=[]):
                return Ref(self._provision(node, name))
            case _:
                self.refuse(node, "call only other provisions, as provision(order, law)")

    def _provision(self, node: ast.expr, name: str) -> str:
        identifier = self.resolve(name)
        if identifier is None:
            self.refuse(node, f"`{name}` is not a provision defined above or imported")
        return identifier
