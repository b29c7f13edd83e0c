"""The peers, each with the twenty conditions in its own form, made from the one text in `EXPRESSIONS`.

A peer answers one order (a dict of facts by their short names) and many (a dict of arrays, countries as numbers), with
the twenty conditions in order and the number of the answer. The encodings are ours and untuned.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np

from twenty import ANSWERS, CONDITIONS, COUNTRIES, D5, EXPRESSIONS, FACTS, FLAGS, NUMBERS, WORDS

Order = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]
Result = tuple[tuple[bool, ...], str]
_NAMES: Final = tuple(FACTS.values())
_IN_D5: Final = np.array([country in D5 for country in COUNTRIES])
_LISTED: Final = re.compile(r"([a-z]+) in d5")
_CAPITALS: Final = re.compile(r"\b[A-Z]\w+\b")
_ANSWER: Final = (
    "0 if not required else 1 if excepted else 2 if case_by_case else 3"  # a place in ANSWERS, first that holds
)


class Peer(Protocol):
    """One engine. `many` is None where it takes orders one by one."""

    name: str
    version: str
    one: Callable[[Order], Result]
    many: Callable[[Arrays], tuple[Mapping[str, np.ndarray], np.ndarray]] | None


class Plain:
    """A plain Python function: what a careful person would write, with a local name for each condition."""

    name = "plain Python function"
    version = ""
    many = None

    def __init__(self) -> None:
        lines = [f"    {name} = {text.lower().replace('in d5', 'in D5')}" for name, text in EXPRESSIONS.items()]
        source = [
            f"def decide({', '.join(_NAMES)}):",
            *lines,
            f"    return ({', '.join(CONDITIONS)}), ANSWERS[{_ANSWER}]",
        ]
        scope: dict[str, Any] = {"D5": frozenset(D5), "ANSWERS": ANSWERS}
        exec("\n".join(source), scope)
        self._decide = scope["decide"]

    def one(self, order: Order) -> Result:
        """Answer one order."""
        found: Result = self._decide(**order)
        return found


class Floor:
    """A loop over the lines that numba compiles to machine code: about as fast as this can be without unknowns."""

    name = "numba, fused loop"

    def __init__(self) -> None:
        import numba

        self.version = numba.__version__
        lines = [f"        {name} = {_LISTED.sub(_in_table, text.lower())}" for name, text in EXPRESSIONS.items()]
        bits = " | ".join(f"int({name}) << {bit}" for bit, name in enumerate(CONDITIONS))
        source = [
            f"def loop({', '.join(f'{name}_' for name in _NAMES)}, d5, mask, answer):",
            "    for i in range(len(mask)):",
            *(f"        {name} = {name}_[i]" for name in _NAMES),
            *lines,
            f"        mask[i] = {bits}",
            f"        answer[i] = {_ANSWER}",
        ]
        scope: dict[str, Any] = {}
        exec("\n".join(source), scope)
        self._loop = numba.njit(scope["loop"])
        self._row: dict[str, np.ndarray] = {name: np.zeros(1, _dtype(name)) for name in _NAMES}

    def _run(self, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
        lines = len(arrays["tpp"])
        mask, answer = np.empty(lines, np.uint32), np.empty(lines, np.uint8)
        self._loop(*(arrays[name] for name in _NAMES), _IN_D5, mask, answer)
        return mask, answer

    def one(self, order: Order) -> Result:
        """Answer one order, written into arrays of one line."""
        for name, row in self._row.items():
            row[0] = COUNTRIES.index(order[name]) if name in WORDS.values() else order[name]
        mask, answer = self._run(self._row)
        bits = int(mask[0])
        return tuple(bool(bits >> bit & 1) for bit in range(len(CONDITIONS))), ANSWERS[answer[0]]

    def many(self, arrays: Arrays) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        """Answer many orders; the conditions stay the bits of one number a line until someone reads them."""
        mask, answer = self._run(arrays)
        return _Bits(mask), answer


class _Bits(dict[str, np.ndarray]):
    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask

    def __missing__(self, name: str) -> np.ndarray:
        return (self.mask >> CONDITIONS.index(name) & 1).astype(bool)


class Zen:
    """zen-engine: one expression node with the twenty conditions, and the answer as a last expression."""

    name = "zen-engine"
    many = None

    def __init__(self) -> None:
        import zen

        self.version = _version("zen-engine")
        texts = {**EXPRESSIONS, "answer": "not (REQUIRED) ? 0 : EXCEPTED ? 1 : CASE_BY_CASE ? 2 : 3"}
        countries = json.dumps(D5)
        expressions = []
        for name, text in texts.items():
            value = text.replace("D5", countries) if text.endswith("D5") else _CAPITALS.sub(_of_zen, text)
            expressions.append({"id": name, "key": name, "value": value})
        nodes = [
            {"id": "in", "type": "inputNode", "name": "in"},
            {"id": "law", "type": "expressionNode", "name": "law", "content": {"expressions": expressions}},
            {"id": "out", "type": "outputNode", "name": "out"},
        ]
        edges = [
            {"id": "a", "sourceId": "in", "targetId": "law", "type": "edge"},
            {"id": "b", "sourceId": "law", "targetId": "out", "type": "edge"},
        ]
        self._decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def one(self, order: Order) -> Result:
        """Answer one order."""
        found = self._decision.evaluate(dict(order))["result"]
        return tuple(found[name] for name in CONDITIONS), ANSWERS[int(found["answer"])]


class OpenFisca:
    """OpenFisca-Core: a variable a condition, whose formula is array arithmetic; a new simulation for each question."""

    name = "OpenFisca-Core"
    package = "openfisca_core"

    def __init__(self) -> None:
        from importlib import import_module

        core = {
            part: import_module(f"{self.package}.{part}")
            for part in ("entities", "periods", "taxbenefitsystems", "variables", "simulations")
        }
        self.version = _version(self.package.replace("_", "-"))
        self._builder = core["simulations"].SimulationBuilder
        order = core["entities"].Entity("order", "orders", "", "")
        self._system = core["taxbenefitsystems"].TaxBenefitSystem([order])
        self._period = "2026"
        year = getattr(core["periods"], "YEAR", None) or core["periods"].DateUnit.YEAR

        def variable(name: str, kind: type, **more: Any) -> None:
            body = {"value_type": kind, "entity": order, "definition_period": year, "label": name, **more}
            self._system.add_variable(type(name, (core["variables"].Variable,), body))

        for name in _NAMES:
            variable(name, {"f": float, "b": bool}.get(np.dtype(_dtype(name)).kind, int))
        for name, text in EXPRESSIONS.items():
            variable(name, bool, formula=_formula(text))

    def _calculate(self, arrays: Arrays) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        simulation = self._builder().build_default_simulation(self._system, count=len(arrays["tpp"]))
        for name in _NAMES:
            simulation.set_input(name, self._period, arrays[name])
        found = {name: np.asarray(simulation.calculate(name, self._period)) for name in CONDITIONS}
        answer = np.select([~found["required"], found["excepted"], found["case_by_case"]], [0, 1, 2], 3)
        return found, answer.astype(np.uint8)

    def one(self, order: Order) -> Result:
        """Answer one order, as a simulation of one."""
        row: Arrays = {
            name: np.array([COUNTRIES.index(order[name]) if name in WORDS.values() else order[name]], _dtype(name))
            for name in _NAMES
        }
        found, answer = self._calculate(row)
        return tuple(bool(found[name][0]) for name in CONDITIONS), ANSWERS[answer[0]]

    def many(self, arrays: Arrays) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        """Answer many orders in one simulation."""
        return self._calculate(arrays)


class PolicyEngine(OpenFisca):
    """PolicyEngine-core: the same, on its own fork."""

    name = "PolicyEngine-core"
    package = "policyengine_core"


PEERS: Final[tuple[type[Any], ...]] = (Floor, Plain, Zen, OpenFisca, PolicyEngine)


def _dtype(name: str) -> type:
    return float if name in NUMBERS.values() else bool if name in FLAGS.values() else np.int16


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _in_table(found: re.Match[str]) -> str:
    return f"d5[{found[1]}]"


def _of_zen(name: re.Match[str]) -> str:
    return f"$.{name[0].lower()}"


class _Arrays(ast.NodeTransformer):
    """Turns `and`, `or`, `not` into what arrays understand, and names into the engine's calls."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        op = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        result: ast.expr
        result, *rest = [self.visit(value) for value in node.values]
        for value in rest:
            result = ast.BinOp(result, op, value)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return ast.UnaryOp(ast.Invert(), self.visit(node.operand))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if isinstance(node.ops[0], ast.In):
            return ast.Subscript(ast.Name("IN_D5", ast.Load()), self.visit(node.left), ast.Load())
        return ast.Compare(self.visit(node.left), node.ops, [self.visit(node.comparators[0])])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Call(
            ast.Name("entity", ast.Load()), [ast.Constant(node.id.lower()), ast.Name("period", ast.Load())], []
        )


def _formula(text: str) -> Callable[..., Any]:
    body = ast.fix_missing_locations(_Arrays().visit(ast.parse(text, mode="eval")))
    scope: dict[str, Any] = {"IN_D5": _IN_D5}
    exec(f"def formula(entity, period, parameters):\n    return {ast.unparse(body)}", scope)
    formula: Callable[..., Any] = scope["formula"]
    return formula
