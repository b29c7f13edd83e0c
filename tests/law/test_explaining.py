"""An explanation says what was decided: its first branch that holds is the answer."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from random_orders import days, orders

from twokey.law.assessing import decide
from twokey.law.engine.words import answer_of, mark, sentence
from twokey.law.explaining import explain, explain_provision, outline_of, value_of, words_of
from twokey.law.order import read_order
from twokey.law.source import law
from twokey.law.state import state_of

ORDERS = sorted((Path(__file__).parents[2] / "examples" / "orders").glob("*.toml"))
DAYS = [date(2021, 1, 1), *law().days, date(2027, 6, 1)]


@pytest.mark.parametrize("order", ORDERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_branch_that_holds_is_the_answer(order: Path, lang: str) -> None:
    stated = read_order(order)
    for day in DAYS:
        decided = decide(stated, day)
        for key, question in law().questions.items():
            reasons = explain(decided, key, lang)  # type: ignore[arg-type]
            if question.value is not None:
                continue
            settled = decided.answer(key)
            top = [reason for reason in reasons if reason.depth == 0]
            if settled is None:
                assert top[0].value is None, (day, key)
                continue
            said = answer_of(key, settled, decided.law, lang)  # type: ignore[arg-type]
            assert said in top[-1].text, (day, key)
            if len(top) == 1:
                assert top[0].value is True, (day, key)


def test_the_founding_case_reads_like_the_paragraphs() -> None:
    founding = next(path for path in ORDERS if path.stem == "h200-founding")
    text = words_of(decide(read_order(founding), date(2026, 1, 28)), "us-export:export_route")
    assert text.startswith("✓ licence required, reviewed case by case:")
    for paragraph in (
        "3A090.a.1",
        "4A090.a",
        "742.6(b)(10)(iii)(A)(1)",
        "748 Supp. 2 (dd)(1)(iii)",
        "748 Supp. 2 (dd)(3)",
    ):
        assert paragraph in text
    assert "15,832 TPP" in text
    assert "91 FR 1684" in text


def test_an_open_question_shows_what_is_open() -> None:
    decided = decide({"item.kind": "ic", "item.tpp": 1700, "item.datacenter": True}, date(2024, 1, 1))
    text = words_of(decided, "us-export:classification")
    assert "? performance density is 5.92 TPP/mm² or more (unknown)" in text


def test_a_branch_whose_provision_is_not_in_force_is_not_shown_as_holding() -> None:
    founding = next(path for path in ORDERS if path.stem == "h200-founding")
    text = words_of(decide(read_order(founding), date(2026, 1, 14)), "us-export:export_route")
    assert text.startswith("✓ licence required, presumption of denial:")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(days(), orders())
def test_words_say_of_every_provision_what_the_scalar_function_says(day: date, facts: dict[str, Any]) -> None:
    """The mark, and the words' own conditions put together again, agree with the value, whatever is unknown."""
    decided = state_of(law(), day).decide(facts)
    asserted = decided.state.folded.asserted
    for lang in ("en", "zh"):
        outline = outline_of(decided.state, lang)
        for key in decided.state.compiled.provisions:
            value = decided.value(key)
            lines = explain_provision(decided, key, lang)
            assert lines[0].mark == mark(value), (day, key)
            assert lines[0].text, (day, key)
            inside = outline.inside(key)
            if inside is not None and key not in asserted:
                assert value_of(decided, outline, inside) is value, (day, key)


def test_a_sentence_names_the_values_in_force_on_its_day() -> None:
    provision = law().provisions["us-export:to_listed_group"]
    early, late = law().at(date(2024, 1, 1)), law().at(date(2026, 8, 1))
    assert sentence(provision.tree, "us-export", early) == sentence(provision.tree, "us-export", late)
    threshold = law().provisions["us-export:performance_dense"]
    assert "5.92 TPP/mm² or more" in sentence(threshold.tree, "us-export", late)
    assert "不低于 5.92 TPP/mm²" in sentence(threshold.tree, "us-export", late, "zh")
