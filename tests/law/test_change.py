"""Amendments and overlays: what they change, from which day, and that nothing else moves."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_orders import orders

from twokey.chips.errors import UserError
from twokey.law.assessing import assess, decide
from twokey.law.change import amended, find_amendment, ready_amendments
from twokey.law.engine.words import text_of
from twokey.law.source import law

EARLY, LATE = date(2026, 12, 31), date(2027, 1, 1)
READY = {name: amended(law(), path) for name, path in ready_amendments().items()}
SOME = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def put(text: str, tmp_path: Path, name: str = "mine.toml") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_the_ready_amendments() -> None:
    assert set(READY) == {"safe-chips", "ai-overwatch", "scale", "domestic-share-decree"}


@SOME
@given(st.sampled_from(sorted(READY)), orders(), st.dates(date(2022, 1, 1), EARLY))
def test_nothing_moves_before_the_day_of_an_amendment(name: str, order: dict[str, object], day: date) -> None:
    assert READY[name].at(day) is law().at(day)


@SOME
@given(st.sampled_from(sorted(READY)), orders())
def test_only_what_rests_on_a_change_differs_after_it(name: str, order: dict[str, object]) -> None:
    from twokey.law.state import state_of

    old, new = state_of(law(), LATE).decide(order), state_of(READY[name], LATE).decide(order)
    differ = {key for key in law().provisions if old.value(key) != new.value(key)}
    regimes = {
        "safe-chips": "us-export",
        "ai-overwatch": "us-export",
        "scale": "us-export",
        "domestic-share-decree": "cn-use",
    }
    assert {key.partition(":")[0] for key in differ} <= {regimes[name]}


def test_a_parameter_from_a_day_on(tmp_path: Path) -> None:
    changed = amended(
        law(), put('title = "t"\nfrom = 2027-03-01\n[parameters.us-export]\na1_tpp.is = 4000\n', tmp_path)
    )
    values = [
        changed.at(day).value("us-export", "a1_tpp")
        for day in (date(2023, 11, 16), date(2027, 2, 28), date(2027, 3, 1))
    ]
    assert values[1:] == [4800, 4000]
    assert values[0] == law().at(date(2023, 11, 16)).value("us-export", "a1_tpp")
    order = {"item.tpp": 4500.0, "item.kind": "ic", "item.datacenter": True, "item.performance_density": 1.0}
    assert decide(order, date(2027, 2, 28), law=changed).value("us-export:in_a") is False
    assert decide(order, date(2027, 3, 1), law=changed).value("us-export:in_a") is True


def test_before_is_the_provision_as_it_was(tmp_path: Path) -> None:
    text = 'title = "t"\n[provisions.us-export.entity_list]\ntext = "before(order, law) or order.consignee.unverified_list"\n'
    changed = amended(law(), put(text, tmp_path))
    for listed, unverified in ((False, False), (False, True), (True, False)):
        order = {"consignee.entity_list": listed, "consignee.unverified_list": unverified}
        assert decide(order, LATE, law=changed).value("us-export:entity_list") is (listed or unverified)


GATE = """title = "House policy"
[parameters.us-export]
house_limit = { is = 100, en = "our limit", zh = "本司上限", unit = "units" }
[provisions.us-export.small]
paragraph = "House 1"
en = "At most our limit."
zh = "不超过本司上限。"
text = "order.item.quantity <= law.house_limit"
gate = "export"
"""
CLEAR = {"item.tpp": 100.0, "item.kind": "ic", "item.datacenter": True, "movement.kind": "export", "movement.origin": "US",
    "movement.destination": "SG", "consignee.entity_list": False, "consignee.military_end_user": False, "end_use.prohibited": False,
    "end_use.supercomputer": False, "item.family": "X", "item.base_eccn": "5A992", "exporter.name": "A", "exporter.kind": "vendor",
    "item.performance_density": 0.5, "consignee.listed_owner_share": 0.0, "item.advanced_logic": False, "consignee.hq": "SG",
    "consignee.parent_hq": "SG", "consignee.country": "SG", "item.transfer_rate_gbs": 0.0, "item.dram_bandwidth_gbs": 1.0}  # fmt: skip


@pytest.mark.parametrize(("quantity", "status"), [(100, "clear"), (101, "blocked"), (None, "needs_information")])
def test_a_condition_of_ones_own_is_a_gate(quantity: int | None, status: str, tmp_path: Path) -> None:
    changed = amended(law(), put(GATE, tmp_path))
    order = CLEAR if quantity is None else {**CLEAR, "item.quantity": quantity}
    day = date(2026, 1, 28)
    assert assess(order, day).key("export").status == "clear"
    key = assess(order, day, law=changed).key("export")
    assert key.status == status
    assert key.conditions[-1:] == ("us-export:small",)
    assert ("item.quantity" in key.missing) == (quantity is None)
    assert assess(order, day, law=changed).law_digest != assess(order, day).law_digest


@pytest.mark.parametrize(
    ("wrong", "told"), [("order.item.tp", "no fact order.item.tp"), ("law.a1", "no parameter law.a1")]
)
def test_a_line_of_a_question_that_names_nothing_is_refused_where_it_stands(
    wrong: str, told: str, tmp_path: Path
) -> None:
    line = f'first = [{{ if = "{wrong} == order.item.tpp", then = "no_licence" }}]'
    file = put(f'title = "wrong"\n[questions.us-export.export_route]\n{line}\n', tmp_path)
    with pytest.raises(UserError, match=rf"{re.escape(str(file))}:2: export_route: {re.escape(told)}"):
        amended(law(), file)


def test_two_overlays_lie_over_each_other(tmp_path: Path) -> None:
    one = put('title = "one"\n[parameters.us-export]\na1_tpp.is = 4000\n', tmp_path, "one.toml")
    two = put('title = "two"\n[parameters.us-export]\na1_tpp.is = 3000\n', tmp_path, "two.toml")
    both = amended(amended(law(), one), two)
    assert both.at(LATE).value("us-export", "a1_tpp") == 3000
    assert both.overlays == (("one", "one"), ("two", "two"))


PACK = {
    "pack.toml": 'regime = "house"\ntitle = "House rules"\ntitle_zh = "内部规则"\njurisdiction = "us"\nkey = "export"\n[[headline]]\nquestion = "allowed"\nclear = ["yes"]\nblocked = ["no"]\n[answers]\nyes = { en = "yes", zh = "是" }\nno = { en = "no", zh = "否" }\n',
    "instruments.toml": '[policy]\ntitle = "Policy"\ntitle_zh = "政策"\nkind = "overlay"\neffective = 2025-01-01\nconfidence = "stated"\ncitation = "Policy 1"\n',
    "parameters.toml": '[most]\nen = "most"\nzh = "上限"\nunit = "units"\n[[most.value]]\nis = 5\ninstrument = "policy"\nat = "1"\n',
    "provisions.toml": '[provisions.few]\nparagraph = "Policy 1"\ninstrument = "policy"\nen = "Few."\nzh = "少量。"\ntext = "order.item.quantity <= law.most and not in_a(order, law)"\n[questions.allowed]\nen = "Is it allowed?"\nzh = "是否允许？"\nbranches = [{ if = "few(order, law)", then = "yes" }]\notherwise = "no"\n',
}


def folder(tmp_path: Path, **changes: str) -> Path:
    house = tmp_path / "house"
    house.mkdir(exist_ok=True)
    for name, text in PACK.items():
        (house / name).write_text(changes.get(name.partition(".")[0], text))
    return house


def test_a_whole_pack_of_ones_own(tmp_path: Path) -> None:
    changed = amended(law(), folder(tmp_path))
    day = date(2026, 1, 28)
    for quantity, status in ((5, "clear"), (6, "blocked")):
        told = assess({**CLEAR, "item.quantity": quantity}, day, law=changed)
        assert told.key("export").status == status
    assert decide({**CLEAR, "item.quantity": 5}, date(2024, 12, 31), law=changed).value("house:few") is False


def _dumped(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_dumped, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(key)} = {_dumped(one)}' for key, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _broken(table: Any) -> Iterator[Any]:
    """Yield every table that comes of one entry, at any depth, taken away or replaced by something of another kind."""
    for key in list(table) if isinstance(table, dict) else range(len(table)):
        rest = {**table} if isinstance(table, dict) else [*table]
        del rest[key]
        yield rest
        for other in (4, True, "nonsense words", [], ["a"], [[4]], {}, {"x": 1}, [{}], date(2030, 1, 1)):
            if isinstance(table, dict):
                yield {**table, key: other}
            else:
                yield [*table[:key], other, *table[key + 1 :]]
        if isinstance(table[key], dict | list):
            for inner in _broken(table[key]):
                yield {**table, key: inner} if isinstance(table, dict) else [*table[:key], inner, *table[key + 1 :]]


@pytest.mark.parametrize("name", PACK)
def test_whatever_is_wrong_in_a_pack_it_is_taken_or_refused_in_words(name: str, tmp_path: Path) -> None:
    house, told = folder(tmp_path), []
    for table in _broken(tomllib.loads(PACK[name])):
        (house / name).write_text("\n".join(f"{json.dumps(key)} = {_dumped(one)}" for key, one in table.items()))
        try:
            changed = amended(law(), house)
        except UserError as error:
            told.append(str(error))
        else:
            assess({**CLEAR, "item.quantity": 5}, date(2026, 1, 28), law=changed)
    assert len(told) > 20
    assert all(".toml" in one for one in told)


def test_the_example_of_a_pack_speaks_both_languages() -> None:
    changed = amended(law(), Path(__file__).parents[2] / "examples" / "overlays" / "house")
    at = changed.at(date(2026, 3, 1))
    one = changed.provisions["house:small_order"]
    assert (text_of(one, at, "en"), text_of(one, at, "zh")) == (
        "The order is at most our limit for one order.",
        "订单数量不超过本公司单笔订单上限。",
    )


BROKEN = {
    "pack": ("regime = 4", "pack.toml"),
    "instruments": ('[policy]\ntitle = "x"\n', "instruments.toml"),
    "parameters": ('[most]\nen = "most"\n', "parameters.toml"),
    "provisions": ('[provisions.few]\nparagraph = "1"\n', "provisions.toml"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_pack_whose_file_is_wrong_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    with pytest.raises(UserError, match=expected):
        amended(law(), folder(tmp_path, **{name: text}))


@pytest.mark.parametrize("name", PACK)
def test_a_pack_that_lacks_a_file_or_is_no_toml_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not valid TOML"):
        amended(law(), folder(tmp_path, **{name.partition(".")[0]: "x ="}))
    (tmp_path / "house" / name).unlink()
    with pytest.raises(UserError, match=f"needs the file {name}"):
        amended(law(), tmp_path / "house")


def test_an_amendment_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert find_amendment("scale").name == "scale.toml"
    assert find_amendment(str(put("", tmp_path))) == tmp_path / "mine.toml"
    with pytest.raises(UserError, match="did you mean scale"):
        find_amendment("scales")
