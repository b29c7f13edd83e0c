"""Every order at once: provisions and questions as decision diagrams over the classes that the law can tell apart.

A diagram is reduced and shared, so two provisions that always agree are the same node, and the millions of millions of
distinguishable orders need a few thousand nodes. With some facts known the rest of the diagram is the exact set of
answers still possible, and what each depends on; with none known it proves what holds for every order.

`variables` are what the diagrams decide by, `forest` keeps their nodes, `care` rules out what no order can be, and
`boxes` reads a diagram as rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twokey.law.engine.care import care_for_lists, care_for_sums
from twokey.law.engine.cells import single_fact, truth
from twokey.law.engine.facts import dictionary
from twokey.law.engine.fold import Folded
from twokey.law.engine.forest import IMPOSSIBLE, Forest
from twokey.law.engine.one import compile_provision
from twokey.law.engine.tree import And, AnyOf, Compare, Const, Node, Not, Or, Ref, facts_of
from twokey.law.engine.variables import UNSET, Ends, Variable, list_name, outcomes, variables_of


class Diagrams(Forest):
    """The diagrams of one folded law, or of two that are to be compared (`also`)."""

    def __init__(self, folded: Folded, also: Folded | None = None) -> None:
        self.laws: Final = (folded,) if also is None else (folded, also)
        super().__init__(variables_of(self.laws))
        self._provisions: dict[tuple[int, str, tuple[tuple[str, bool], ...]], int] = {}
        self._qualify: dict[str, Callable[[Callable[[str], Any]], bool | None]] = {}

    def provision(self, key: str, law: int = 0, forced: Mapping[str, bool] | None = None) -> int:
        """Return a provision's diagram; `forced` gives provisions that a person's statement stands for."""
        if forced and key in forced:
            return self.leaf(forced[key])
        memo = (law, key, tuple(sorted(forced.items())) if forced else ())
        if memo not in self._provisions:
            tree = self.laws[law].provisions[key]
            self._provisions[memo] = self.condition(tree, law, forced)
        return self._provisions[memo]

    def condition(self, node: Node, law: int = 0, forced: Mapping[str, bool] | None = None) -> int:
        """Return the diagram of a condition."""
        match node:
            case Const(bool(value)):
                return self.leaf(value)
            case Const():
                return self.within(UNSET, [1])
            case Ref(key):
                return self.provision(key, law, forced)
            case Not(part):
                return self.negation(self.condition(part, law, forced))
            case And(parts):
                result = self.true
                for part in parts:
                    result = self.both(result, self.condition(part, law, forced))
                return result
            case Or(parts):
                result = self.false
                for part in parts:
                    result = self.either(result, self.condition(part, law, forced))
                return result
            case _:
                name = None if isinstance(node, AnyOf) else single_fact(node)
                if name is None:
                    joined = list_name(self.laws, law, node) if isinstance(node, AnyOf) else repr(node)
                    return self.within(joined, [1])
                classes = self.variables[self.rank[name]].classes
                return self.within(name, truth(node, classes))  # type: ignore[arg-type]  # an atom, as AnyOf was handled above

    def question(self, key: str, law: int = 0, forced: Mapping[str, bool] | None = None, *, cared: bool = True) -> int:
        """Return the diagram of a question; its leaves are answers, and (`cared`) IMPOSSIBLE where no order can be."""
        memo = ("question", law, key, cared, tuple(sorted(forced.items())) if forced else ())
        found = self.memo.get(memo)
        if found is None:
            branches = self.laws[law].questions[key]
            found = self.leaf(branches[-1].answer)
            for branch in branches[-2::-1]:
                found = self.ite(self.condition(branch.condition, law, forced), self.leaf(branch.answer), found)
            if cared:
                found = self.ite(self.care, found, self.leaf(IMPOSSIBLE))
            self.memo[memo] = found
        return found

    @property
    def care(self) -> int:
        """Return where joined conditions agree with each other and with their parts."""
        found = self.memo.get(("care",))
        if found is None:
            qualify = {
                one.name: self.provision(one.joined.provision, one.law)
                for one in self.variables
                if isinstance(one.joined, AnyOf)
            }
            found = self.both(care_for_lists(self, qualify), care_for_sums(self))
            self.memo[("care",)] = found
        return found

    def given(self, node: int, facts: Mapping[str, Any]) -> int:
        """Return what is left of a diagram when these facts are known."""
        memo: dict[int, int] = {}
        settled: dict[int, int | None] = {}

        def choice(rank: int) -> int | None:
            if rank not in settled:
                settled[rank] = self._settle(self.variables[rank], facts)
            return settled[rank]

        impossible = self.leaf(IMPOSSIBLE)

        def visit(one: int) -> int:
            found = memo.get(one)
            if found is None:
                rank, children = self.nodes[one]
                if not children:
                    found = one
                else:
                    index = choice(rank)
                    if index is not None:
                        found = visit(children[index])
                    else:
                        parts = [visit(child) for child in children]
                        possible = {part for part in parts if part != impossible}
                        found = possible.pop() if len(possible) == 1 else self.node(rank, tuple(parts))
                memo[one] = found
            return found

        return visit(node)

    def _settle(self, variable: Variable, facts: Mapping[str, Any]) -> int | None:
        match variable.joined:
            case None:
                value = facts.get(variable.name)
                return None if value is None else variable.classes.index(value)
            case Compare() as joined:
                known = {name: (facts[name], facts[name]) for name in facts_of(joined) if facts.get(name) is not None}
                if len(known) < len(facts_of(joined)):
                    if not known:
                        return None
                    unknown: dict[str, Ends] = {
                        name: (0, float("inf")) for name in facts_of(joined) if name not in known
                    }
                    if any(dictionary()[name].type not in ("number", "integer") for name in facts_of(joined)):
                        return None
                    known |= unknown
                left = outcomes(joined, known)
                return int(left.pop()) if len(left) == 1 else None
            case AnyOf(key, items):
                if facts.get(items.name) is None:
                    return None
                if variable.name not in self._qualify:
                    self._qualify[variable.name] = compile_provision(self.laws[variable.law], key)
                values = [self._qualify[variable.name](item.get) for item in facts[items.name]]
                return 1 if True in values else None if None in values else 0
        return None
