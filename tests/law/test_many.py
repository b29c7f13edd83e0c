"""One order, many orders and the provisions' own Python agree: on every day, for every provision and question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from random_orders import CIRCUIT, days, frame_of, laws, orders, values

from twokey.law.engine import run
from twokey.law.engine.facts import dictionary
from twokey.law.engine.many import MISSING, ManyLaw
from twokey.law.engine.reference import NotKnown, by_reference
from twokey.law.source import law

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
UNKNOWN: Mapping[str, Any] = {}


def by_one(day: date, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the function for one order says, by provision and question."""
    compiled = laws(law().at(day))[1]
    decided, answers = compiled.decide(facts.get)
    return dict(zip((*compiled.provisions, *compiled.questions), (*decided, *answers), strict=True))


def by_many(day: date, rows: Sequence[Mapping[str, Any]], **options: Any) -> pl.DataFrame:
    """Return what the columns for many orders say."""
    return ManyLaw(laws(law().at(day))[0]).evaluate(frame_of(rows), **options)


@SLOW
@given(days(), st.lists(orders(), min_size=1, max_size=4))
@example(date(2026, 1, 28), [UNKNOWN])
@example(date(2020, 1, 1), [UNKNOWN])
def test_one_order_and_many_orders_agree_whatever_is_unknown(day: date, rows: list[dict[str, Any]]) -> None:
    many = by_many(day, rows).rows(named=True)
    for facts, found in zip(rows, many, strict=True):
        assert found == by_one(day, facts)


@SLOW
@given(days(), orders(known=True))
def test_with_every_fact_known_both_say_what_the_python_of_each_provision_says(
    day: date, facts: dict[str, Any]
) -> None:
    at = law().at(day)
    one, many = by_one(day, facts), by_many(day, [facts]).row(0, named=True)
    compared = 0
    for key in one:
        try:
            meant = by_reference(at, key, facts)
        except NotKnown:  # a value that no law sets: there is no reference, and the two still agree
            assert one[key] == many[key]
            continue
        assert (one[key], many[key]) == (meant, meant), key
        compared += 1
    assert compared > 0.8 * len(one)


@SLOW
@given(days(), st.lists(orders(), min_size=1, max_size=3), st.data())
def test_the_missing_list_names_unknown_facts_and_no_other_fact_can_settle_what_is_open(
    day: date, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    before = by_many(day, rows, missing=True).rows(named=True)
    stated = []
    for facts, found in zip(rows, before, strict=True):
        named = set(found[MISSING].split(", ")) - {""}
        for name in named:
            incomplete = name == "item.contains" and any(set(each) != set(CIRCUIT) for each in facts.get(name, ()))
            assert name not in facts or incomplete, name
        if not any(found[key] is None for key in laws(law().at(day))[0].questions):
            assert not named
        others = [name for name in values() if name not in facts and name not in named]
        stated.append({**facts, **{name: data.draw(st.sampled_from(values()[name])) for name in others}})
    for found, then in zip(before, by_many(day, stated).rows(named=True), strict=True):
        for key in laws(law().at(day))[0].questions:
            assert then[key] == found[key]


@SLOW
@given(days(), orders(), st.data())
def test_a_fact_made_known_never_contradicts_what_was_settled_without_it(
    day: date, facts: dict[str, Any], data: st.DataObject
) -> None:
    folded = laws(law().at(day))[0]
    facts = {
        name: value for name, value in facts.items() if name not in folded.asserted.values()
    }  # may be contradicted
    unknown = [name for name in values() if name not in facts and name not in folded.asserted.values()]
    more = {name: data.draw(st.sampled_from(values()[name])) for name in unknown[:: data.draw(st.integers(1, 5))]}
    before, after = by_many(day, [facts, {**facts, **more}]).rows(named=True)
    assert {key: value for key, value in before.items() if value is not None} == {
        key: after[key] for key, value in before.items() if value is not None
    }


@SLOW
@given(days(), orders(), st.data())
def test_nan_is_unknown_and_never_reaches_a_comparison(day: date, facts: dict[str, Any], data: st.DataObject) -> None:
    numbers = [name for name, fact in dictionary().items() if fact.type in ("number", "integer")]
    lost = data.draw(st.lists(st.sampled_from(numbers), min_size=1, unique=True))
    frame = frame_of([{name: value for name, value in facts.items() if name not in lost}])
    spoilt = frame.with_columns(pl.lit(float("nan")).alias(name) for name in lost)
    many = ManyLaw(laws(law().at(day))[0])
    assert many.evaluate(spoilt, missing=True).rows() == many.evaluate(frame, missing=True).rows()


def test_nan_in_a_circuit_is_unknown_too() -> None:
    frame = frame_of([{"item.kind": "computer", "item.contains": [{"item.tpp": float("nan")}]}])
    found = ManyLaw(laws(law().at(date(2024, 1, 1)))[0]).evaluate(frame).row(0, named=True)
    assert found["us-export:computer_a"] is None


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK", 64)


@pytest.mark.usefixtures("small_chunks")
@settings(SLOW, max_examples=15)
@given(days(), st.lists(orders(), min_size=3, max_size=6), st.integers(1, 300), st.integers(0, 70))
def test_chunks_slices_and_long_columns_change_nothing(
    day: date, rows: list[dict[str, Any]], lines: int, start: int
) -> None:
    frame = frame_of([rows[number * number % len(rows)] for number in range(start + lines)])
    many = ManyLaw(laws(law().at(day))[0])
    whole = many.evaluate(frame, missing=True)
    assert many.evaluate(frame.slice(start), missing=True).rows() == whole.slice(start).rows()
    for number, one in enumerate(whole.drop(MISSING).iter_rows(named=True)):
        if number < len(rows):
            assert one == by_one(day, rows[number * number % len(rows)])


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_words_may_come_as_text_or_in_classes(kind: Any) -> None:
    rows = [{"movement.destination": word, "item.kind": "ic", "item.tpp": 5000.0} for word in ("CN", "SG", "MO", "US")]
    frame = frame_of([*rows, {}])
    words = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    many = ManyLaw(laws(law().at(date(2026, 1, 28)))[0])
    assert many.evaluate(frame.with_columns(pl.col(words).cast(kind))).rows() == many.evaluate(frame).rows()


def test_a_book_without_lines_or_without_a_column_is_answered() -> None:
    many = ManyLaw(laws(law().at(date(2026, 1, 28)))[0])
    assert many.evaluate(frame_of([]), missing=True).height == 0
    bare = many.evaluate(pl.DataFrame({"item.kind": ["hbm", None]}), missing=True)
    assert bare.drop(MISSING).row(1) == many.evaluate(frame_of([UNKNOWN])).row(0)


def test_only_what_is_asked_for_is_computed() -> None:
    folded = laws(law().at(date(2026, 1, 28)))[0]
    one = ManyLaw(folded, provisions=("us-export:high_performance",))
    assert one.facts == ("item.tpp",)
    assert one.evaluate(pl.DataFrame({"item.tpp": [4799.0, 4800.0, None]})).to_dict(as_series=False) == {
        "us-export:high_performance": [False, True, None]
    }


@pytest.mark.parametrize(
    ("start", "until"), [(date(2024, 2, 29), date(2029, 3, 1)), (date(2023, 2, 28), date(2028, 2, 28)), (None, None)]
)
def test_years_later_the_29th_of_february_is_the_1st_of_march(start: date | None, until: date | None) -> None:
    frame = pl.DataFrame({"record.export_date": [start]}, schema={"record.export_date": pl.Date})
    many = ManyLaw(laws(law().at(date(2026, 1, 28)))[0], questions=("us-export:retention_until",))
    assert many.evaluate(frame).item() == until
