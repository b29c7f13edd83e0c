"""The law of one day made small: values put in, what is settled without any fact folded away.

Backends read this form. `Const(None)` stands for a value that no law sets: a comparison with it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twokey.law.engine.law import LawInForce
from twokey.law.engine.tree import (
    CALCULATE,
    COMPARE,
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
    facts_of,
    refs_of,
    rewrite,
    walk,
)

THEN: Final = "then: "  # before the names of the second of two laws that stand side by side
TRUE, FALSE, UNKNOWN = Const(True), Const(False), Const(None)  # type: ignore[arg-type]  # None: no law sets it


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded trees of one day: `provisions` in order of reference, `questions` as branches or a value."""

    provisions: dict[str, Node]
    asserted: dict[str, str]
    questions: dict[str, tuple[Branch, ...]]
    values: dict[str, Operand]

    def support(self, node: Node | Operand) -> tuple[str, ...]:
        """Return every fact that a tree depends on, through references, once; list elements count as their list."""
        seen: dict[str, None] = {}
        todo: list[Node | Operand] = [node]
        done: set[str] = set()
        while todo:
            part = todo.pop()
            seen.update(dict.fromkeys(facts_of(part)))
            if isinstance(part, Fact | Param | Const | Arith):
                continue
            for key in refs_of(part):
                if key not in done and not _over_list_only(part, key):
                    done.add(key)
                    todo.append(self.provisions[key])
                    if key in self.asserted:
                        seen[self.asserted[key]] = None
        return tuple(seen)


def _over_list_only(node: Node, key: str) -> bool:
    return not any(isinstance(part, Ref) and part.provision == key for part in walk(node))


def fold(law: LawInForce) -> Folded:
    """Return the law of a day with parameters replaced by their values and constants folded away."""
    provisions: dict[str, Node] = {}
    for one in law.provisions:
        provisions[one.key] = _fold(law.tree(one), one.regime, law, provisions)
    asserted = {
        one.key: one.asserted_by
        for one in law.provisions
        if one.asserted_by and not isinstance(provisions[one.key], Const)
    }
    questions: dict[str, tuple[Branch, ...]] = {}
    values: dict[str, Operand] = {}
    for question in law.questions:
        if question.value is not None:
            values[question.key] = _operand(question.value, question.regime, law)
        else:
            folded = [
                Branch(_fold(branch.condition, question.regime, law, provisions), branch.answer)
                for branch in question.branches
            ]
            questions[question.key] = _reachable(folded)
    return Folded(provisions, asserted, questions, values)


def side_by_side(old: Folded, new: Folded) -> Folded:
    """Return one law that says what both say, so that what they share is asked once.

    Every question of the second stands under its name with `THEN` before it, and so does each of its provisions that
    says something else, or rests on one that does; the others are those of the first.
    """
    differs: set[str] = set()
    for key, tree in new.provisions.items():
        same = old.provisions.get(key) == tree and old.asserted.get(key) == new.asserted.get(key)
        if not same or any(ref in differs for ref in refs_of(tree)):
            differs.add(key)

    def renamed(node: Node) -> Node | None:
        match node:
            case Ref(key) if key in differs:
                return Ref(f"{THEN}{key}")
            case AnyOf(key, items) if key in differs:
                return AnyOf(f"{THEN}{key}", items)
            case _:
                return None

    provisions = {f"{THEN}{key}": rewrite(new.provisions[key], renamed) for key in differs}
    asserted = {f"{THEN}{key}": fact for key, fact in new.asserted.items() if key in differs}
    questions = {
        f"{THEN}{key}": tuple(Branch(rewrite(branch.condition, renamed), branch.answer) for branch in branches)
        for key, branches in new.questions.items()
    }
    return Folded(
        {**old.provisions, **provisions}, {**old.asserted, **asserted}, {**old.questions, **questions}, old.values
    )


def fold_condition(node: Node, regime: str, law: LawInForce) -> Node:
    """Return one condition that names no provision with the day's values put in."""
    return _fold(node, regime, law, {})


def _reachable(branches: list[Branch]) -> tuple[Branch, ...]:
    kept = []
    for branch in branches:
        if branch.condition != FALSE:
            kept.append(branch)
        if branch.condition == TRUE:
            break
    return tuple(kept)


def _fold(node: Node, regime: str, law: LawInForce, known: dict[str, Node]) -> Node:
    match node:
        case Const() | Fact():
            return node
        case Ref(key):
            return known[key] if isinstance(known[key], Const) else node
        case AnyOf(key, items):
            return known[key] if known[key] == FALSE else AnyOf(key, items)
        case Not(part):
            folded = _fold(part, regime, law, known)
            return (
                {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}.get(folded, Not(folded))
                if isinstance(folded, Const)
                else Not(folded)
            )
        case And(parts):
            return _join(And, FALSE, TRUE, [_fold(part, regime, law, known) for part in parts])
        case Or(parts):
            return _join(Or, TRUE, FALSE, [_fold(part, regime, law, known) for part in parts])
        case Compare(op, left, right):
            sides = _operand(left, regime, law), _operand(right, regime, law)
            if UNKNOWN in sides:
                return UNKNOWN
            match sides:
                case Const(one), Const(other):
                    return Const(COMPARE[op](one, other))
                case _:
                    return Compare(op, *sides)
        case Member(item, group):
            side, listed = _operand(item, regime, law), _operand(group, regime, law)
            if UNKNOWN in (side, listed):
                return UNKNOWN
            if isinstance(side, Const):
                return Const(side.value in listed.value)  # type: ignore[union-attr, operator]  # a list of the law
            return Member(side, listed)  # type: ignore[arg-type]  # as above


def _join(kind: type[And] | type[Or], settles: Const, neutral: Const, parts: list[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    if settles in flat:
        return settles
    kept = tuple(dict.fromkeys(part for part in flat if part != neutral))
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else kind(kept)


def _operand(node: Operand, regime: str, law: LawInForce) -> Operand:
    match node:
        case Param(name):
            value = law.value(regime, name)
            return UNKNOWN if value is None else Const(value)
        case Arith(op, left, right):
            sides = _operand(left, regime, law), _operand(right, regime, law)
            if UNKNOWN in sides:
                return UNKNOWN
            match sides:
                case Const(one), Const(other):
                    return Const(CALCULATE[op](one, other))
                case _:
                    return Arith(op, *sides)
        case _:
            return node
