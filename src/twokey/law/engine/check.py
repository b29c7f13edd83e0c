"""What is checked of a law before it is used: names, types, units, and values on every day on which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from twokey.chips.errors import nearest
from twokey.law.engine.define import Provision, Question
from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import Law, Pack
from twokey.law.engine.tree import (
    And,
    AnyOf,
    Arith,
    Compare,
    Const,
    Fact,
    Member,
    Node,
    Not,
    Operand,
    Or,
    Param,
    params_of,
    walk,
)

Kind = tuple[str, str]  # type and unit


def problems(law: Law) -> Iterator[str]:
    """Yield every problem of a law, each with file, line, provision and remedy; nothing is yielded for a sound one."""
    for pack in law.packs.values():
        for provision in pack.provisions.values():
            where = f"{provision.file}:{provision.line}: {provision.paragraph}"
            if provision.instrument not in pack.instruments:
                hint = nearest(provision.instrument, pack.instruments)
                yield f"{where}: no instrument {provision.instrument!r}{hint}"
            yield from _problems_of_condition(provision.tree, pack, where)
            yield from _unset_days(provision, pack, law, where)
            if provision.asserted_by and provision.asserted_by not in dictionary():
                yield f"{where}: no fact {provision.asserted_by!r}{nearest(provision.asserted_by, dictionary())}"
        for question in pack.questions.values():
            yield from _problems_of_question(question, pack)


def _problems_of_question(question: Question, pack: Pack) -> Iterator[str]:
    where = f"{question.file}:{question.line}: {question.name}"
    for branch in question.branches:
        yield from _problems_of_condition(branch.condition, pack, where)
    if question.value is not None:
        yield from _problems_of_tree(question.value, pack, where)


def _problems_of_tree(tree: Node | Operand | Any, pack: Pack, where: str) -> Iterator[str]:
    if isinstance(tree, tuple):
        yield f"{where}: a provision is one condition; a chain of answers is a question"
        return
    facts = dictionary()
    for part in walk(tree):
        match part:
            case Fact(name) if name not in facts:
                yield f"{where}: no fact order.{name}{nearest(name, facts)}"
            case Param(name) if name not in pack.parameters:
                yield f"{where}: no parameter law.{name} in {pack.regime}{nearest(name, pack.parameters)}"
            case AnyOf(_, Fact(name)) if name in facts and facts[name].type != "list":
                yield f"{where}: any(...) runs over a list, and order.{name} is a {facts[name].type}"
            case Compare(op, left, right):
                kinds = _kind(left, pack), _kind(right, pack)
                if any(kind and kind[0] == "list" for kind in kinds):
                    yield f"{where}: a list is compared with {op}; use `in law.<list>`, or any(...) over order.<list>"
                    continue
                if None not in kinds and kinds[0] != kinds[1]:
                    yield f"{where}: {_say(kinds[0])} is compared with {_say(kinds[1])}"
                if kinds[0] and kinds[0][0] in ("text", "boolean") and op not in ("==", "!="):
                    yield f"{where}: {_say(kinds[0])} is compared with {op}; use == or !="
            case Member(_, Param(name)) if name in pack.parameters:
                values = [dated.value for dated in pack.parameters[name].values]
                if not all(isinstance(value, frozenset) for value in values):
                    yield f"{where}: `in law.{name}` needs a list, and the parameter is a single value"
                kind = _kind(part.item, pack)
                if kind is not None and kind[0] != "text":
                    yield f"{where}: {_say(kind)} is looked up in law.{name}, a list of words"
            case Arith(op, left, right):
                yield from _problems_of_arithmetic(op, _kind(left, pack), _kind(right, pack), where)
            case _:
                pass


def _problems_of_condition(tree: Node, pack: Pack, where: str) -> Iterator[str]:
    for name in _bare_facts(tree):
        fact = dictionary().get(name)
        if fact is not None and fact.type != "boolean":
            yield f"{where}: order.{name} is a {fact.type}, not a condition; compare it with something"
    yield from _problems_of_tree(tree, pack, where)


def _bare_facts(node: Node | Operand) -> Iterator[str]:
    """Yield the facts that stand as conditions by themselves."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _bare_facts(part)
        case Not(part):
            yield from _bare_facts(part)
        case Fact(name):
            yield name


def _problems_of_arithmetic(op: str, left: Kind | None, right: Kind | None, where: str) -> Iterator[str]:
    wanted = ("date", "number") if op == "years_after" else ("number", "number")
    if any(
        kind is not None and kind[0] not in (need, "mixed") for kind, need in zip((left, right), wanted, strict=True)
    ):
        form = (
            "years_after(...) takes a date and a number of years" if op == "years_after" else f"{op} takes two numbers"
        )
        yield f"{where}: {form}, not {_say(left)} and {_say(right)}"


def _kind(node: Operand, pack: Pack) -> Kind | None:
    match node:
        case Fact(name) if name in dictionary():
            fact = dictionary()[name]
            kind = {"integer": "number", "country": "text", "choice": "text", "company": "text"}.get(
                fact.type, fact.type
            )
            return kind, fact.unit
        case Param(name) if name in pack.parameters:
            values = pack.parameters[name].values
            return (_type(values[0].value), pack.parameters[name].unit) if values else None
        case Const(value):
            return _type(value), ""
        case Arith("years_after", _, _):
            return "date", ""
        case Arith("*", left, _):
            return _kind(left, pack)
        case Arith(_, left, right):
            kinds = _kind(left, pack), _kind(right, pack)
            return kinds[0] if kinds[0] == kinds[1] else ("mixed", f"{_say(kinds[0])} and {_say(kinds[1])}")
        case _:
            return None


def _type(value: Any) -> str:
    if isinstance(value, frozenset):
        return "list"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, date) else "text"


def _say(kind: Kind | None) -> str:
    if kind is None:
        return "something unknown"
    return f"a {kind[0]}{f' in {kind[1]}' if kind[1] else ''}"


def _unset_days(provision: Provision, pack: Pack, law: Law, where: str) -> Iterator[str]:
    if provision.instrument not in pack.instruments or isinstance(provision.tree, tuple):
        return
    start, end = law.span(provision)
    if start == date.min:  # a person's own condition speaks of every day; where the law sets no value it is unknown
        return
    for name in params_of(provision.tree):
        parameter = pack.parameters.get(name)
        if parameter is None or parameter.unset:
            continue
        first = parameter.values[0].start
        if first > start and (end is None or first > start):
            yield f"{where}: in force from {start}, but law.{name} has no value before {first}"
