"""Each proof holds for the law, and goes red when what it guards is broken; the order that it shows does break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from twokey.law.change import amended
from twokey.law.engine.diagram import Diagrams
from twokey.law.engine.law import Law
from twokey.law.engine.tree import Branch, Const
from twokey.law.prove import ROUTE, Proof, prove
from twokey.law.source import law
from twokey.law.state import state_of

DAY = date(2026, 1, 28)
HEAD = 'title = "broken"\n'


def proofs(of: Law, day: date = DAY) -> dict[str, Proof]:
    return {one.name: one for one in prove(of, day)}


def broken(text: str, tmp_path: Path) -> Law:
    (tmp_path / "broken.toml").write_text(HEAD + text)
    return amended(law(), tmp_path / "broken.toml")


def test_every_proof_holds_for_the_law() -> None:
    told = proofs(law())
    assert len(told) >= 7
    assert [one for one in told.values() if not one.holds] == []


def test_a_cell_with_no_answer_of_its_question_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Diagrams.question

    def wrong(self: Diagrams, key: str, *rest: Any, **named: Any) -> int:
        found = right(self, key, *rest, **named)
        never = {self.leaf("case_by_case"): self.leaf("(no answer)")}
        return self.mapped(found, never) if key == ROUTE else found

    monkeypatch.setattr(Diagrams, "question", wrong)
    proof = proofs(law())["one answer"]
    assert not proof.holds
    assert ROUTE in proof.detail


def test_a_listed_party_that_is_cleared_is_found(tmp_path: Path) -> None:
    other = broken(
        '[questions.us-export.export_route]\nfirst = [{ if = "order.consignee.name == \'Friend\'", then = "no_licence" }]',
        tmp_path,
    )
    proof = proofs(other)["a listed party is never clear"]
    assert not proof.holds
    assert proof.counterexample is not None
    facts = {**proof.counterexample, "movement.origin": "US", "consignee.entity_list": True}
    assert facts["consignee.name"] == "Friend"
    assert state_of(other, DAY).decide(facts).answer("us-export:export_route") == "no_licence"


def test_a_stronger_chip_that_is_loosened_is_found(tmp_path: Path) -> None:
    new = '[parameters.us-export]\ntop = { is = 30000, en = "e", zh = "z", unit = "TPP" }\n'
    route = '[questions.us-export.export_route]\nfirst = [{ if = "order.item.tpp >= law.top and not barred_party(order, law) and not supercomputer_end_use(order, law)", then = "no_licence" }]'
    proof = proofs(broken(new + route, tmp_path))["raising item.tpp never loosens"]
    assert not proof.holds
    assert proof.detail.endswith("-> no_licence")


def test_two_provisions_that_both_hold_are_found(tmp_path: Path) -> None:
    other = broken('[provisions.us-export.in_b]\ntext = "before(order, law) or in_a(order, law)"', tmp_path)
    proof = proofs(other)["no two branches claim one cell"]
    assert not proof.holds
    assert proof.detail == "us-export:in_a and us-export:in_b"
    assert proof.counterexample is not None
    found = state_of(other, DAY).decide(proof.counterexample)
    assert found.value("us-export:in_a") is found.value("us-export:in_b") is True


def test_an_answer_that_no_order_gets_is_found() -> None:
    question = law().questions["us-export:laboratory"]
    pack = law().packs["us-export"]
    dead = replace(question, branches=(Branch(Const(False), "never"), *question.branches))
    packs = {**law().packs, "us-export": replace(pack, questions={**pack.questions, question.key: dead})}
    proof = proofs(Law(tuple(packs.values())))["every answer is reachable"]
    assert not proof.holds
    assert proof.detail == "us-export:laboratory = never"


def test_ways_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from twokey.law import cells_frame

    right = cells_frame.answers_of_cells

    def wrong(state: Any, frame: Any, questions: tuple[str, ...]) -> Any:
        answers = right(state, frame, questions)
        return answers.with_columns(answers["us-export:export_route"].reverse())

    monkeypatch.setattr(cells_frame, "answers_of_cells", wrong)
    assert not proofs(law())["three ways agree"].holds


def test_the_command_says_what_breaks(twokey: Any, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(
        HEAD + '[provisions.us-export.in_b]\ntext = "before(order, law) or in_a(order, law)"'
    )
    ran = twokey("law", "prove", "--as-of", "2026-01-28", "--overlay", tmp_path / "b.toml")
    assert ran.status == 1
    assert "✗ no two branches claim one cell: us-export:in_a and us-export:in_b" in ran.out
    assert "item.tpp = " in ran.out
