"""Many orders: the law of a day as Polars expressions, every provision a column.

Polars' `&`, `|` and `~` are Kleene's, so a null is an unknown and nothing else is needed. Words are looked up once, as a
class code of one byte (`cells`); after that every comparison is one pass over one column and every connective a pass
over bits. This is the only module of the engine that imports Polars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from twokey.law.engine.cells import Atom, Words, atoms_of, classes_of, single_fact, truth
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
    walk,
)

MISSING: Final = "missing"
_BITS: Final = 60  # facts that one mask holds
_COMPARE: Final = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
Tri = pl.Expr | bool | None  # an expression, or a constant where the law settles it alone


@dataclass(slots=True)
class ManyLaw:
    """The law of one day, ready to be asked of frames of facts.

    `questions` and `provisions` limit what is answered; by default it is everything.
    """

    folded: Folded
    questions: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    _classes: Mapping[str, Any] = field(init=False)
    _atoms: dict[Atom, str] = field(init=False)
    _levels: list[dict[str, pl.Expr]] = field(init=False)
    _tri: dict[str, Tri] = field(init=False)

    def __post_init__(self) -> None:
        self.questions = self.questions or (*self.folded.questions, *self.folded.values)
        self.provisions = self.provisions or tuple(self.folded.provisions)
        nodes = [*self.folded.provisions.values()]
        nodes += [branch.condition for branches in self.folded.questions.values() for branch in branches]
        atoms = atoms_of(nodes)
        self._classes = {name: one for name, one in classes_of(atoms).items() if isinstance(one, Words)}
        self._atoms = {atom: f"@{number}" for number, atom in enumerate(atoms)}
        self._tri = {}
        self._levels = self._plan()

    @property
    def facts(self) -> tuple[str, ...]:
        """Return the facts that are read, each once."""
        names = [name for atom in self._atoms for name in facts_of(atom)]
        names += [part.items.name for tree in self.folded.provisions.values() for part in walk(tree) if isinstance(part, AnyOf)]
        names += self.folded.asserted.values()
        names += [name for operand in self.folded.values.values() for name in facts_of(operand)]
        return tuple(dict.fromkeys(names))

    def evaluate(self, facts: pl.DataFrame, *, missing: bool = False) -> pl.DataFrame:
        """Return a frame with a column for each provision (True, False, null) and each question (its answer, or null).

        `facts`: one column a fact; a column that is absent, or a null, is unknown. With `missing` there is one more
        column of the same name: the facts that would settle the questions still open, as a comma-separated list.
        """
        frame = self._encode(facts).lazy()
        for level in self._levels:
            frame = frame.with_columns(**level)
        columns: dict[str, pl.Expr] = {key: _expr(self._tri[key]) for key in self.provisions}
        for key in self.questions:
            if key in self.folded.questions:
                columns[key] = self._answer(self.folded.questions[key])
            else:
                columns[key] = self._operand(self.folded.values[key])
        if missing:
            columns.update(self._missing())
        result = frame.select(**columns).collect()
        return _name_missing(result) if missing else result

    def _encode(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Return the facts with words as class codes and absent facts as nulls."""
        columns = []
        for name in self.facts:
            if name not in facts.columns:
                columns.append(pl.Series(name, [None], dtype=_null_type(name, self._classes)).new_from_index(0, facts.height))
            elif name in self._classes:
                columns.append(_codes(facts[name], self._classes[name]))
            else:
                columns.append(facts[name])
        return pl.DataFrame(columns)

    def _plan(self) -> list[dict[str, pl.Expr]]:
        levels: list[dict[str, pl.Expr]] = [{name: self._atom(atom) for atom, name in self._atoms.items()}]
        depth: dict[str, int] = {}
        for key, tree in self.folded.provisions.items():
            tri = self._node(tree)
            if key in self.folded.asserted:
                tri = pl.coalesce(_expr(tri), pl.col(self.folded.asserted[key]))
            if isinstance(tri, pl.Expr):
                depth[key] = 1 + max((depth.get(ref, 0) for ref in refs_of(tree)), default=0)
                while len(levels) <= depth[key]:
                    levels.append({})
                levels[depth[key]][key] = tri
                tri = pl.col(key)
            self._tri[key] = tri
        return levels

    def _atom(self, atom: Atom) -> pl.Expr:
        name = single_fact(atom)
        if name in self._classes:
            return _in_classes(pl.col(name), truth(atom, self._classes[name]), self._classes[name].size)
        match atom:
            case Compare(op, left, right):
                compared: pl.Expr = getattr(self._operand(left), _COMPARE[op])(self._operand(right))
                return compared
            case Fact(fact):
                return pl.col(fact)
            case _:
                raise TypeError(atom)

    def _operand(self, node: Operand) -> pl.Expr:
        match node:
            case Fact(name):
                return pl.col(name)
            case Const(value):
                return pl.lit(value)
            case Arith("years_after", left, Const(years)):
                return self._operand(left).dt.offset_by(f"{years}y")
            case Arith("+", left, right):
                return self._operand(left) + self._operand(right)
            case Arith("-", left, right):
                return self._operand(left) - self._operand(right)
            case Arith("*", left, right):
                return self._operand(left) * self._operand(right)
            case _:
                raise TypeError(node)

    def _node(self, node: Node) -> Tri:
        match node:
            case Const(value):
                return value  # type: ignore[return-value]  # True, False or None
            case Ref(key):
                return self._tri[key]
            case AnyOf(key, items):
                return _any_of(pl.col(items.name), _Element(self.folded).provision(key))
            case Not(part):
                return _not(self._node(part))
            case And(parts):
                return _all([self._node(part) for part in parts])
            case Or(parts):
                return _any([self._node(part) for part in parts])
            case _:
                return pl.col(self._atoms[node])

    def _answer(self, branches: tuple[Branch, ...]) -> pl.Expr:
        """Return the answer as an Enum: each answer's own condition first, then their numbers added up."""
        holds = self._holds(branches)
        names = list(holds)
        code = pl.lit(0, pl.UInt8)
        for number, name in enumerate(names):
            code = code + _expr(holds[name]).cast(pl.UInt8) * number
        settled = _expr(_any(list(holds.values())))
        return pl.when(settled).then(code).cat.to(pl.Enum(names))

    def _holds(self, branches: tuple[Branch, ...]) -> dict[str, Tri]:
        """Return for each answer whether it is the one: unknown only where two ways through the chain differ."""
        conditions = [self._node(branch.condition) for branch in branches]
        holds: dict[str, Tri] = {}
        for name in dict.fromkeys(branch.answer for branch in branches):
            tri: Tri = branches[-1].answer == name
            for branch, condition in zip(branches[-2::-1], conditions[-2::-1], strict=True):
                tri = _any([condition, tri]) if branch.answer == name else _all([_not(condition), tri])
            holds[name] = tri
        return holds

    def _missing(self) -> dict[str, pl.Expr]:
        """Return a column for each fact that is unknown and that an open question waits for, from the top down."""
        waits: dict[str, list[pl.Expr]] = {}
        for key in self.questions:
            branches = self.folded.questions.get(key)
            if branches:
                before: Tri = ~_expr(_any(list(self._holds(branches).values()))).fill_null(False)
                for branch in branches[:-1]:
                    self._wait(branch.condition, _expr(before), waits)
                    before = _all([before, _not(self._node(branch.condition)).fill_null(True)]) if isinstance(  # type: ignore[union-attr]
                        _not(self._node(branch.condition)), pl.Expr
                    ) else before
        for key in reversed(self.folded.provisions):
            if f"?{key}" in waits:
                self._wait(self.folded.provisions[key], _expr(_any(list(waits.pop(f"?{key}")))), waits)
        return {f"missing:{name}": _expr(_any(list(parts))) for name, parts in waits.items() if not name.startswith("?")}

    def _wait(self, node: Node, asked: pl.Expr, waits: dict[str, list[pl.Expr]]) -> None:
        value = self._node(node)
        if not isinstance(value, pl.Expr):
            return
        open_here = asked & value.is_null()
        match node:
            case Ref(key):
                waits.setdefault(f"?{key}", []).append(open_here)
            case And(parts) | Or(parts):
                for part in parts:
                    self._wait(part, open_here, waits)
            case Not(part):
                self._wait(part, open_here, waits)
            case AnyOf(_, items):
                waits.setdefault(items.name, []).append(open_here)
            case _:
                for name in facts_of(node):
                    waits.setdefault(name, []).append(open_here & pl.col(name).is_null())


@dataclass(slots=True)
class _Element:
    """Expressions over one element of a list of circuits; facts are the fields of its struct."""

    folded: Folded

    def provision(self, key: str) -> Tri:
        return self.node(self.folded.provisions[key])

    def node(self, node: Node) -> Tri:
        match node:
            case Const(value):
                return value  # type: ignore[return-value]  # True, False or None
            case Ref(key):
                return self.provision(key)
            case Not(part):
                return _not(self.node(part))
            case And(parts):
                return _all([self.node(part) for part in parts])
            case Or(parts):
                return _any([self.node(part) for part in parts])
            case Fact(name):
                return _field(name)
            case Member(item, Const(values)):
                return self.operand(item).is_in(sorted(values))  # type: ignore[arg-type]  # a list of the law
            case Compare(op, left, right):
                compared: pl.Expr = getattr(self.operand(left), _COMPARE[op])(self.operand(right))
                return compared
            case _:
                raise TypeError(node)

    def operand(self, node: Operand) -> pl.Expr:
        match node:
            case Fact(name):
                return _field(name)
            case Const(value):
                return pl.lit(value)
            case Arith("+", left, right):
                return self.operand(left) + self.operand(right)
            case _:
                raise TypeError(node)


def _field(name: str) -> pl.Expr:
    return pl.element().struct.field(name)


def _any_of(items: pl.Expr, qualifies: Tri) -> Tri:
    if not isinstance(qualifies, pl.Expr):
        return qualifies
    each = items.list.eval(qualifies)
    some = each.list.eval(pl.element().fill_null(False)).list.any()
    unsure = each.list.eval(pl.element().is_null()).list.any()
    return pl.when(some).then(True).when(unsure).then(None).otherwise(some)


def _not(value: Tri) -> Tri:
    if isinstance(value, pl.Expr):
        return ~value
    return None if value is None else not value


def _all(values: Iterable[Tri]) -> Tri:
    parts = list(values)
    if any(value is False for value in parts):
        return False
    return _fold_with(parts, True, lambda left, right: left & right)


def _any(values: Iterable[Tri]) -> Tri:
    parts = list(values)
    if any(value is True for value in parts):
        return True
    return _fold_with(parts, False, lambda left, right: left | right)


def _fold_with(parts: list[Tri], neutral: bool, join: Any) -> Tri:
    kept = [value for value in parts if value is not neutral]
    if not kept:
        return neutral
    if not any(isinstance(value, pl.Expr) for value in kept):
        return None
    result = _expr(kept[0])
    for value in kept[1:]:
        result = join(result, _expr(value))
    return result


def _expr(value: Tri) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value, pl.Boolean)


def _in_classes(code: pl.Expr, indexes: frozenset[int], size: int) -> pl.Expr:
    if len(indexes) * 2 > size:
        return ~_in_classes(code, frozenset(range(size)) - indexes, size)
    found: pl.Expr | None = None
    for index in sorted(indexes):
        found = code == index if found is None else found | (code == index)
    return found if found is not None else code > 255  # never True, null where the word is unknown


def _codes(words: pl.Series, classes: Words) -> pl.Series:
    if not isinstance(words.dtype, pl.Enum):
        words = words.cast(pl.Enum(words.unique().drop_nulls().cast(pl.String).sort()))
    assert isinstance(words.dtype, pl.Enum)
    table = pl.Series(words.name, [classes.index(word) for word in words.dtype.categories], dtype=pl.UInt8)
    if table.is_empty():
        return pl.Series(words.name, [None], dtype=pl.UInt8).new_from_index(0, len(words))
    return table.gather(words.to_physical()).rename(words.name)


def _null_type(name: str, classes: Mapping[str, Any]) -> pl.DataType | type[pl.DataType]:
    from twokey.law.engine.facts import dictionary

    if name in classes:
        return pl.UInt8
    kinds = {"boolean": pl.Boolean, "date": pl.Date, "number": pl.Float64, "integer": pl.Float64}
    return kinds.get(dictionary()[name].type, pl.List(pl.Struct(_element_fields())))


def _element_fields() -> dict[str, Any]:
    from twokey.law.engine.facts import dictionary

    kinds = {"boolean": pl.Boolean, "date": pl.Date, "number": pl.Float64, "integer": pl.Float64}
    return {
        name: kinds.get(fact.type, pl.String)
        for name, fact in dictionary().items()
        if name.startswith("item.") and fact.type != "list"
    }


def _name_missing(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its columns `missing:...` as one: a list of names, made once for each combination."""
    columns = [name for name in frame.columns if name.startswith("missing:")]
    words = [columns[start : start + _BITS] for start in range(0, len(columns), _BITS)]
    masks = frame.select(**{f"{number}": _bits(word) for number, word in enumerate(words)})
    if not words:
        return frame.drop(columns).with_columns(pl.lit("").cast(pl.Enum([""])).alias(MISSING))
    every = masks.unique()
    texts = [_names(row, words) for row in every.iter_rows()]
    every = every.with_columns(pl.Series(MISSING, texts, dtype=pl.Enum(sorted(set(texts)))))
    named = masks.join(every, on=list(masks.columns), how="left", maintain_order="left")[MISSING]
    return frame.drop(columns).with_columns(named)


def _bits(columns: list[str]) -> pl.Expr:
    mask = pl.lit(0, pl.UInt64)
    for bit, name in enumerate(columns):
        mask = mask + pl.col(name).fill_null(False).cast(pl.UInt64) * (1 << bit)
    return mask


def _names(row: tuple[int, ...], words: list[list[str]]) -> str:
    found = [name for mask, word in zip(row, words, strict=True) for bit, name in enumerate(word) if mask >> bit & 1]
    return ", ".join(name.removeprefix("missing:") for name in found)
