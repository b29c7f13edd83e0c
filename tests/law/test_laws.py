"""What is checked of the law: every value and provision has its instrument, and a law that could not be read is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from twokey.chips.errors import UserError
from twokey.law.coverage import coverage
from twokey.law.engine.check import problems
from twokey.law.engine.define import Rulebook
from twokey.law.engine.facts import dictionary
from twokey.law.engine.law import KINDS, DatedValue, Instrument, Law, Pack, Parameter, load_pack
from twokey.law.engine.read import Source, read_text
from twokey.law.engine.tree import facts_of, refs_of
from twokey.law.source import law

FILES = Path(__file__).parents[2] / "src" / "twokey" / "law" / "packs"


def test_the_law_has_no_problem() -> None:
    assert list(problems(law())) == []


def test_every_provision_and_every_value_carries_an_instrument() -> None:
    for pack in law().packs.values():
        assert {one.instrument for one in pack.provisions.values()} <= set(pack.instruments)
        for parameter in pack.parameters.values():
            assert parameter.values or parameter.unset, parameter.name
            assert {value.instrument for value in parameter.values} <= set(pack.instruments), parameter.name
            assert all(value.at and value.confidence for value in parameter.values), parameter.name


def test_every_instrument_says_what_it_is_since_when_and_how_well_it_is_known() -> None:
    for pack in law().packs.values():
        for one in pack.instruments.values():
            assert one.kind in KINDS, one.id
            assert isinstance(one.effective, date), one.id
            assert one.confidence, one.id
            assert one.title, one.id
            assert one.title_zh, one.id
            assert one.citation or one.row, one.id
            assert one.ended is None or one.ended > one.effective, one.id


def test_every_row_that_was_read_is_encoded_or_says_why_not() -> None:
    rows = list(coverage(law()))
    assert len({row.row for row in rows}) == len(rows)
    assert [row.row for row in rows if not row.provisions and not row.reason] == []
    known = {*law().provisions, *law().questions}
    known |= {f"{pack.regime}:law.{name}" for pack in law().packs.values() for name in pack.parameters}
    assert {one for row in rows for one in row.provisions} <= known


def read_facts() -> Iterator[str]:
    for provision in law().provisions.values():
        yield from facts_of(provision.tree)
        if provision.asserted_by:
            yield provision.asserted_by
    for question in law().questions.values():
        for branch in question.branches:
            yield from facts_of(branch.condition)
        if question.value is not None:
            yield from facts_of(question.value)


# A fact that no provision reads is there for one of these reasons.
UNREAD = {
    "item.chip": "fills in the figures of the catalogue",
    "item.dense_rates": "gives item.tpp",
    "item.processing_units": "gives item.tpp",
    "item.dies": "gives item.performance_density",
    "item.value_usd": "weighs an impact",
    "exporter.country": "names a party",
    "consignee.name": "names a party",
    "end_use.category": "what an officer judges the use by",
    "certifications.normal_lead_times": "read by the amendment scale",
}


def test_no_fact_is_unread_without_a_reason() -> None:
    assert set(dictionary()) - set(read_facts()) == set(UNREAD)


def test_every_provision_is_read_by_a_question_or_binds() -> None:
    used = {ref for one in law().provisions.values() for ref in refs_of(one.tree)}
    used |= {ref for one in law().questions.values() for branch in one.branches for ref in refs_of(branch.condition)}
    bound = {
        one
        for pack in law().packs.values()
        for head in pack.headlines
        for names in head.conditions.values()
        for one in names
    }
    idle = {key for key, one in law().provisions.items() if key not in used | bound and not one.condition}
    assert idle <= {"us-export:unverified_list", "us-export:remote_user_named"}


# -- laws that are wrong ----------------------------------------------------------------------------------------------

START = date(2024, 1, 1)
ACT = Instrument("act", "Act", "法", "rule", START, "primary")


def small(text: str, *, instrument: str = "act", asserted_by: str | None = None, **parameters: Any) -> Law:
    """Return a law of one provision, with parameters `name=(value, unit)`."""
    rules = Rulebook("small")

    @rules.provision("1", instrument)
    def only(order: Any, law: Any) -> Any:
        """A flag."""
        return order.item.datacenter

    key = "small:only"
    tree = read_text(text, Source("small.toml", 3), lambda name: f"small:{name}" if name == "only" else None)
    rules.provisions[key] = replace(only, tree=tree, file="small.toml", line=3, asserted_by=asserted_by)
    values = {
        name: Parameter(
            name, name, name, (DatedValue(start[0] if start else START, value, "act", "1", "primary"),), unit
        )
        for name, (value, unit, *start) in parameters.items()
    }
    return Law([Pack("small", "Small", "小", "XX", "", {"act": ACT}, values, rules.provisions, {}, ())])


WRONG = {
    "an unknown fact": (small("order.item.tp >= law.low", low=(1, "TPP")), ["no fact order.item.tp", "item.tpp"]),
    "an unknown parameter": (small("order.item.tpp >= law.lov", low=(1, "TPP")), ["no parameter law.lov", "low"]),
    "an unknown instrument": (small("order.item.datacenter", instrument="akt"), ["no instrument 'akt'", "act"]),
    "an unknown fact that stands for it": (
        small("order.item.datacenter", asserted_by="item.datacentre"), ["no fact 'item.datacentre'", "item.datacenter"]),
    "another unit": (small("order.item.tpp >= law.low", low=(1, "GB/s")), ["a number in TPP is compared with a number in GB/s"]),
    "another unit of a sum": (
        small("order.item.tpp + order.item.dram_bandwidth_gbs >= law.low", low=(1, "TPP")), ["a number in TPP", "a number in GB/s"]),
    "another type": (small("order.item.tpp >= law.low", low=("x", "")), ["a number in TPP is compared with a text"]),
    "a word before another": (small("order.item.kind < 'ic'"), ["a text is compared with <; use == or !="]),
    "a flag before another": (small("order.item.datacenter >= order.item.has_hbm"), ["a boolean is compared with >="]),
    "a value as a list": (small("order.movement.destination in law.low", low=("CN", "")), ["`in law.low` needs a list"]),
    "a list as a value": (small("order.movement.destination == law.low", low=(frozenset({"CN"}), "")), ["a list is compared with =="]),
    "a number in a list": (small("order.item.tpp in law.low", low=(frozenset({"CN"}), "")), ["looked up in law.low, a list of words"]),
    "any over no list": (small("any(only(ic, law) for ic in order.item.kind)"), ["any(...) runs over a list", "a choice"]),
    "a number as a condition": (small("order.item.tpp"), ["order.item.tpp is a number, not a condition"]),
    "a sum of words": (small("order.item.kind + order.item.kind == 'ic'"), ["+ takes two numbers"]),
    "a sum of days": (small("order.record.export_date - order.record.export_date >= order.item.tpp"), ["- takes two numbers"]),
    "years after a number": (small("years_after(order.item.tpp, law.low) > law.day", low=(1, "years"), day=(START, "")), ["years_after(...) takes"]),
    "a value that begins too late": (
        small("order.item.tpp >= law.low", low=(1, "TPP", date(2025, 1, 1))),
        ["in force from 2024-01-01, but law.low has no value before 2025-01-01"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_law_with(name: str) -> None:
    broken, expected = WRONG[name]
    told = list(problems(broken))
    assert told
    assert all(one.startswith("small.toml:3: 1: ") for one in told)
    for part in expected:
        assert any(part in one for one in told), told


def test_a_sound_small_law_has_no_problem() -> None:
    assert list(problems(small("order.item.tpp * law.low >= law.high", low=(2, ""), high=(4800, "TPP")))) == []


def test_a_provision_that_refers_to_itself_is_refused() -> None:
    with pytest.raises(UserError, match=r"small.toml:3: 1: refers to itself through small:only"):
        small("only(order, law)").at(START)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("parameters.toml", 'instrument = "us-2026-232"', 'instrument = "us-2026-23"', "names no instrument"),
        ("instruments.toml", 'kind = "', 'kind = "x', "kind must be one of"),
        ("instruments.toml", "confidence = ", "confidense = ", "confidense"),
        ("pack.toml", "title = ", "title : ", "not valid TOML"),
    ],
)
def test_a_data_file_that_is_wrong_is_named(file: str, old: str, new: str, expected: str, tmp_path: Path) -> None:
    for one in (FILES / "us_tariff").glob("*.toml"):
        text = one.read_text()
        if one.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / one.name).write_text(text)
    rules = Rulebook("us-tariff")
    with pytest.raises(UserError) as error:
        load_pack(tmp_path, rules)
    assert file in str(error.value)
    assert expected in str(error.value)
