"""TPP and performance density are what the technical notes to ECCN 3A090 say."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokey.chips import (
    Die,
    Rate,
    UserError,
    density_of_dies,
    performance_density,
    tpp,
    tpp_of_dense_rates,
    tpp_of_processing_units,
    tpp_of_units,
)

TENTHS = st.integers(1, 200_000).map(lambda tenths: tenths / 10)
RATES = st.lists(st.builds(Rate, st.sampled_from([4, 6, 8, 16, 32, 64]), TENTHS, st.just("any")), min_size=1)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([{"bits": 8, "tops": 600}], 4800),  # the notes' own example: 2 x 300 MacTOPS at 8 bits
        ([{"bits": 16, "tops": 300}], 4800),  # and 2 x 150 at 16
        ([{"bits": 4, "tops": 100}, {"bits": 8, "tops": 100}, {"bits": 16, "tops": 60}], 960),
        ([{"bits": 16, "tops": 1835}, {"bits": 8, "tops": 1835}], 29360),
        ([{"bits": 8, "tops": 5033.2}, {"bits": 6, "tops": 10066}, {"bits": 4, "tops": 10066}], 60396),
        ([{"bits": 16, "tops": 989.5}], 15832),
        ([{"bits": 8, "tops": 2614.9}], 20919.2),
        ([], None),
    ],
)
def test_tpp_is_the_highest_dense_rate_times_its_bits_and_never_doubled(rates: object, expected: float | None) -> None:
    assert tpp_of_dense_rates(rates) == expected


def test_processing_units_on_one_circuit_are_added_up() -> None:
    assert tpp_of_processing_units([{"tpp": 2500}, {"tpp": 2500}]) == 5000
    assert tpp_of_units([0.1, 0.2]) == 0.3  # decimals stay decimals
    assert tpp_of_units([]) is None
    assert tpp_of_processing_units([{"tpp": 2500}, {"tpp": None}]) is None


def test_density_counts_non_planar_logic_alone() -> None:
    logic = Die(814, True, True)
    assert performance_density(15832, [logic]) == 15832 / 814
    assert performance_density(15832, [logic, Die(400, False, True)]) == 15832 / 814  # planar logic
    assert performance_density(15832, [logic, Die(121, True, False)]) == 15832 / 814  # memory
    assert performance_density(1000, [Die(100, True, True), Die(150, True, True)]) == 4


def test_density_is_unknown_or_undefined_rather_than_guessed() -> None:
    assert performance_density(2000, [Die(815, False, True)]) is None  # no applicable area
    assert performance_density(2000, []) is None
    assert performance_density(None, [Die(814, True, True)]) is None
    assert performance_density(2000, [Die(814, True, True), Die(None, True, True)]) is None
    assert performance_density(2000, [Die(814, True, True), Die(100, None, True)]) is None
    assert performance_density(2000, [Die(500, True, True), Die(None, False, True)]) == 4  # a planar die's area is idle
    assert performance_density(2000, [Die(500, True, True), Die(None, None, False)]) == 4  # so is a memory die's


def test_density_of_plain_facts() -> None:
    dies = [{"area_mm2": 814, "non_planar": True, "logic": True}, {"area_mm2": 400, "non_planar": False, "logic": True}]
    assert density_of_dies(15832, dies) == 15832 / 814
    assert density_of_dies(None, dies) is None
    assert density_of_dies(100, [{"area_mm2": None, "non_planar": True}]) is None
    assert density_of_dies(100, [{"area_mm2": 50, "non_planar": None}]) is None


@given(RATES)
def test_tpp_is_exact_and_at_least_every_rate(rates: list[Rate]) -> None:
    exact = max(Fraction(repr(rate.tops)) * rate.bits for rate in rates)
    assert tpp(rates) == float(exact)


@given(RATES, st.builds(Rate, st.sampled_from([4, 8, 16]), TENTHS, st.just("any")))
def test_a_further_rate_never_lowers_tpp(rates: list[Rate], more: Rate) -> None:
    before, after = tpp(rates), tpp([*rates, more])
    assert before is not None
    assert after is not None
    assert after >= before


@given(
    st.one_of(st.none(), TENTHS),
    st.lists(
        st.builds(Die, st.one_of(st.none(), TENTHS), st.one_of(st.none(), st.booleans()), st.booleans()), max_size=4
    ),
)
def test_unknown_is_never_zero(value: float | None, dies: list[Die]) -> None:
    density = performance_density(value, dies)
    assert density is None or density > 0
    applicable = [die for die in dies if die.logic and die.non_planar is not False]
    known = all(die.non_planar is not None and die.area_mm2 is not None for die in applicable)
    assert (density is not None) == (value is not None and bool(applicable) and known)


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: tpp_of_dense_rates("8x600"), "dense_rates: must be a list"),
    (lambda: tpp_of_dense_rates([5]), "dense_rates[1]: must be a table"),
    (lambda: tpp_of_dense_rates([{"bits": 8}]), "dense_rates[1]: tops is missing"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": 1}, {"tops": 1}]), "dense_rates[2]: bits is missing"),
    (
        lambda: tpp_of_dense_rates([{"bits": 8, "tops": 1, "tosp": 2}]),
        "unknown field 'tosp'; did you mean tops or bits?",
    ),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": "600"}]), "dense_rates[1].tops: must be a number in dense TOPS"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": True}]), "dense_rates[1].tops: must be a number"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": -1}]), "dense_rates[1].tops: must not be negative"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": -(10**400)}]), "a number of many digits"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": 0}]), "unknown is not zero"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": math.nan}]), "dense_rates[1].tops: must be a finite number"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": math.inf}]), "dense_rates[1].tops: must be a finite number"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": 1.1e7}]), "not believable"),
    (lambda: tpp_of_dense_rates([{"bits": 8, "tops": 10**400}]), "not believable"),
    (lambda: tpp_of_dense_rates([{"bits": 7.5, "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_dense_rates([{"bits": 0, "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_dense_rates([{"bits": 129, "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_dense_rates([{"bits": math.nan, "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_dense_rates([{"bits": True, "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_dense_rates([{"bits": "8", "tops": 1}]), "dense_rates[1].bits: must be a whole number"),
    (lambda: tpp_of_processing_units([{"tpp": -4}]), "processing_units[1].tpp: must not be negative"),
    (lambda: tpp_of_processing_units({"tpp": 4}), "processing_units: must be a list"),
    (lambda: density_of_dies("15832", []), "tpp: must be a number in bit-TOPS"),
    (lambda: density_of_dies(1, [{"area_mm2": 0}]), "dies[1].area_mm2: must be more than zero"),
    (lambda: density_of_dies(1, [{"area_mm2": 2e5}]), "dies[1].area_mm2: 200000 mm² is not believable"),
    (lambda: density_of_dies(1, [{"non_planar": "yes"}]), "dies[1].non_planar: must be true or false"),
    (lambda: density_of_dies(1, [{"logic": 1}]), "dies[1].logic: must be true or false"),
    (lambda: density_of_dies(1, [{"area": 1}]), "dies[1]: unknown field 'area'; did you mean area_mm2?"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_fact_is_refused_by_its_name(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        call()
    assert message in str(caught.value)
