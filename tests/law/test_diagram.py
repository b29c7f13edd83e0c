"""Decision diagrams against brute force: every assignment of small random conditions, asked one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from operator import eq
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.law.engine.boxes import boxes, cover
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.fold import Folded
from twokey.law.engine.forest import IMPOSSIBLE
from twokey.law.engine.one import compile_one
from twokey.law.engine.tree import And, AnyOf, Arith, Branch, Compare, Const, Fact, Member, Node, Not, Or, Ref
from twokey.law.engine.variables import Variable

QUICK = settings(max_examples=80, deadline=None)
FLAGS = ("item.datacenter", "consignee.entity_list")
_atoms = (
    st.sampled_from(FLAGS).map(Fact)
    | st.builds(
        Compare,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.just(Fact("item.tpp")),
        st.sampled_from([10, 20]).map(Const),
    )
    | st.builds(
        Compare,
        st.sampled_from(["<", ">="]),
        st.sampled_from([10, 30]).map(Const),
        st.just(Fact("item.performance_density")),
    )
    | st.builds(
        Compare, st.sampled_from(["==", "!="]), st.just(Fact("item.kind")), st.sampled_from(["ic", "hbm"]).map(Const)
    )
    | st.sampled_from([frozenset({"CN"}), frozenset({"CN", "MO"})]).map(
        lambda group: Member(Fact("movement.destination"), Const(group))
    )  # type: ignore[arg-type]
)
_trees = st.recursive(
    _atoms,
    lambda inner: inner.map(Not) | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
    | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    max_leaves=6,
)  # fmt: skip


def folded(first: Node, second: Node) -> Folded:
    branches = (Branch(Ref("x:first"), "a"), Branch(second, "b"), Branch(Const(True), "c"))
    return Folded({"x:first": first, "x:second": second}, {}, {"x:q": branches}, {})


def assignments(variables: tuple[Variable, ...]) -> Iterator[tuple[dict[str, int], dict[str, Any]]]:
    for indexes in itertools.product(*(range(one.classes.size) for one in variables)):
        chosen = {one.name: index for one, index in zip(variables, indexes, strict=True)}
        yield chosen, {one.name: one.classes.sample(chosen[one.name]) for one in variables}


@QUICK
@given(_trees, _trees)
def test_a_diagram_has_the_value_that_the_condition_has(first: Node, second: Node) -> None:
    law = folded(first, second)
    diagrams, decide = Diagrams(law), compile_one(law).decide
    for _, facts in assignments(diagrams.variables):
        values, (answer,) = decide(facts.get)
        for key, value in zip(law.provisions, values, strict=True):
            assert diagrams.given(diagrams.provision(key), facts) == (diagrams.true if value else diagrams.false)
        assert diagrams.values(diagrams.given(diagrams.question("x:q"), facts)) == [answer]


@QUICK
@given(_trees, _trees, st.data())
def test_what_is_given_leaves_what_the_rest_can_still_do(first: Node, second: Node, data: st.DataObject) -> None:
    law = folded(first, second)
    diagrams, decide = Diagrams(law), compile_one(law).decide
    every = list(assignments(diagrams.variables))
    _, whole = data.draw(st.sampled_from(every))
    known = {name: whole[name] for name in data.draw(st.lists(st.sampled_from(sorted(whole)), unique=True))}
    left = diagrams.given(diagrams.question("x:q"), known)
    agreeing = {
        decide(facts.get)[1][0] for _, facts in every if all(facts[name] == value for name, value in known.items())
    }
    assert set(diagrams.values(left)) == agreeing
    assert not {one.name for one in diagrams.support(left)} & known.keys()


@QUICK
@given(_trees, _trees)
def test_counts_boxes_and_covers_are_those_of_all_cells(first: Node, second: Node) -> None:
    law = folded(first, second)
    diagrams, decide = Diagrams(law), compile_one(law).decide
    question, every = diagrams.question("x:q"), list(assignments(diagrams.variables))
    for wanted in ("a", "b", "c"):
        cells = [chosen for chosen, facts in every if decide(facts.get)[1][0] == wanted]
        assert diagrams.count(question, wanted, diagrams.variables) == len(cells)
        found = [box for box, _ in boxes(diagrams, question, partial(eq, wanted))]
        assert sorted(sum(_inside(chosen, box) for box in found) for chosen, _ in every) == sorted(
            int(chosen in cells) for chosen, _ in every
        )
        covering = list(cover(diagrams, question, partial(eq, wanted), 100, diagrams.care))
        assert all(any(_inside(chosen, box) for box in covering) == (chosen in cells) for chosen, _ in every)


def _inside(chosen: Mapping[str, int], box: Mapping[str, frozenset[int]]) -> bool:
    return all(chosen[name] in indexes for name, indexes in box.items())


def test_care_rules_out_sums_that_their_parts_exclude() -> None:
    dram, rate = Fact("item.dram_bandwidth_gbs"), Fact("item.transfer_rate_gbs")
    parts = Or((Compare(">=", dram, Const(100)), Compare(">=", rate, Const(50))))
    total = Compare(">=", Arith("+", dram, rate), Const(120))
    law = Folded({"x:parts": parts, "x:sum": total}, {}, {"x:q": (Branch(total, "a"), Branch(Const(True), "b"))}, {})
    diagrams = Diagrams(law)
    feasible = {
        (low, high, holds)
        for low, high in itertools.product((0, 1), repeat=2)
        for holds in (0, 1)
        for a, b in itertools.product(
            [0.0, 69.0, 71.0, 99.0, 100.0, 119.0, 120.0, 1e6], [0.0, 19.0, 21.0, 49.0, 50.0, 1e6]
        )
        if (int(a >= 100), int(b >= 50), int(a + b >= 120)) == (low, high, holds)
    }
    names = [one.name for one in diagrams.variables]
    allowed = set()
    for box, _ in boxes(diagrams, diagrams.care, bool):
        allowed.update(itertools.product(*(box.get(name, frozenset((0, 1))) for name in names)))
    assert allowed == feasible


def test_care_for_lists_is_what_several_circuits_can_do_together() -> None:
    strong, dense = Compare(">=", Fact("item.tpp"), Const(10)), Compare(">=", Fact("item.tpp"), Const(20))
    items = Fact("item.contains")
    law = Folded({"x:strong": strong, "x:dense": dense, "x:weak": Not(strong), "x:any": AnyOf("x:strong", items),
                  "x:any_dense": AnyOf("x:dense", items), "x:any_weak": AnyOf("x:weak", items)}, {}, {}, {})  # fmt: skip
    diagrams = Diagrams(law)
    places = {
        name: [one.name for one in diagrams.variables].index(f"any x:{name} of item.contains")
        for name in ("strong", "dense", "weak")
    }
    allowed = set()
    for box, _ in boxes(diagrams, diagrams.care, bool):
        for cell in itertools.product(
            *(sorted(box.get(one.name, range(one.classes.size))) for one in diagrams.variables)
        ):
            allowed.add(tuple(cell[places[name]] for name in ("strong", "dense", "weak")))
    circuits = [(0, 0, 1), (1, 0, 0), (1, 1, 0)]
    together = {
        tuple(map(max, zip(*chosen, strict=True)))
        for size in (1, 2, 3)
        for chosen in itertools.combinations(circuits, size)
    }
    assert allowed == together


def test_an_impossible_answer_is_never_told() -> None:
    total = Compare(">=", Arith("+", Fact("item.dram_bandwidth_gbs"), Fact("item.transfer_rate_gbs")), Const(120))
    branches = (
        Branch(And((Compare(">=", Fact("item.dram_bandwidth_gbs"), Const(120)), Not(total))), "never"),
        Branch(Const(True), "b"),
    )
    diagrams = Diagrams(
        Folded({"x:rate": Compare(">=", Fact("item.transfer_rate_gbs"), Const(1))}, {}, {"x:q": branches}, {})
    )
    question = diagrams.question("x:q")
    assert diagrams.values(question) == ["b"]
    assert diagrams.count(question, IMPOSSIBLE, diagrams.variables) > 0
