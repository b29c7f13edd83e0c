"""The impact on a book is what asking every line twice would give; before the amendment's day nothing moves."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_orders import frame_of, orders

from twokey.law.change import amended, ready_amendments
from twokey.law.engine.law import Headline
from twokey.law.impact import STATUS, Difference, merged
from twokey.law.source import law
from twokey.law.state import Decided, state_of

DAY = date(2027, 1, 1)
OVERLAYS = Path(__file__).parents[2] / "examples" / "overlays"
READY = {name: amended(law(), path) for name, path in ready_amendments().items()} | {
    "gates": amended(law(), OVERLAYS / "licence.toml"),  # it only adds gates
    "house": amended(law(), OVERLAYS / "house"),  # it asks what was not asked before
}
TWO = {name: Difference(law(), after, DAY) for name, after in READY.items()}


def status(headline: Headline, answer: str | None) -> str:
    if answer is None:
        return "clear" if headline.condition else "needs_information"
    return (
        "clear"
        if answer in (*headline.clear, "not_asked")
        else "blocked"
        if answer in headline.blocked
        else "needs_information"
    )


def turned(decided: Decided, head: Headline) -> str | None:
    """Return the answer of one order to what turns a key."""
    laws = decided.law.law
    if head.question in laws.questions:
        return str(decided.answer(head.question)) if decided.answer(head.question) is not None else None
    if all(head.question != gate for _, gate in laws.gates):
        return "not_asked"
    return {True: "met", False: "not_met", None: None}[decided.value(head.question)]


def by_hand(name: str, lines: list[dict[str, Any]]) -> tuple[dict[Any, list[float]], dict[Any, list[float]]]:
    """Return what moved by answer and by key as [lines, units, value], from single orders."""
    old, new = state_of(law(), DAY), state_of(READY[name], DAY)
    answers: dict[Any, list[float]] = {}
    keys: dict[Any, list[float]] = {}
    for line in lines:
        one, other = old.decide(line), new.decide(line)
        weight = [1, line.get("item.quantity") or 0.0, line.get("item.value_usd") or 0.0]
        heads = [(pack.key, head) for pack in READY[name].packs.values() if pack.key for head in pack.headlines]
        for key, head in (*heads, *((key, Headline(gate, ("met",), ("not_met",))) for key, gate in READY[name].gates)):
            was, now = turned(one, head), turned(other, head)
            if was != now and not (was == "not_asked" and now in head.clear):
                _add(answers, (head.question, was or "needs_information", now or "needs_information"), weight)
            if status(head, was) != status(head, now):
                _add(keys, (key, status(head, was), status(head, now)), weight)
    return answers, keys


def _add(table: dict[Any, list[float]], key: Any, weight: list[float]) -> None:
    table[key] = [a + b for a, b in zip(table.get(key, [0, 0.0, 0.0]), weight, strict=True)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(READY)), st.lists(orders(), min_size=1, max_size=15))
def test_a_book_moves_as_its_lines_do(name: str, lines: list[dict[str, Any]]) -> None:
    impact = TWO[name].compare(frame_of(lines))
    answers, keys = by_hand(name, lines)
    assert impact.lines == len(lines)
    for told, expected in ((impact.answers, answers), (impact.keys, keys)):
        assert set(told) == set(expected)
        for key, moved in told.items():
            assert [moved.lines, moved.units, moved.value_usd] == pytest.approx(expected[key])
    for worse in (True, False):
        chosen = [one for (_, was, now), one in keys.items() if (STATUS.index(now) > STATUS.index(was)) is worse]
        assert impact.total(worse=worse).lines == sum(one[0] for one in chosen)
        assert impact.total(worse=worse).value_usd == pytest.approx(sum(one[2] for one in chosen))


@pytest.mark.parametrize("name", ready_amendments())
def test_before_its_day_nothing_is_asked(name: str) -> None:
    before = Difference(law(), READY[name], date(2026, 12, 31))
    assert before.turns == {}
    assert before.compare(frame_of([{"item.tpp": 5000.0}])).answers == {}


H200: dict[str, Any] = {"item.kind": "ic", "item.tpp": 15832.0, "item.performance_density": 19.45, "item.datacenter": True,
    "item.dram_bandwidth_gbs": 4800.0, "item.transfer_rate_gbs": 900.0, "item.us_commercial_since": date(2024, 1, 1),
    "item.family": "H200", "movement.kind": "export", "movement.origin": "US", "movement.destination": "CN", "consignee.country": "CN",
    "consignee.hq": "CN", "consignee.parent_hq": "CN", "consignee.entity_list": False, "consignee.military_end_user": False,
    "consignee.listed_owner_share": 0.0, "end_use.prohibited": False, "end_use.supercomputer": False, "exporter.name": "NVIDIA",
    "exporter.kind": "vendor", "certifications.complete": True, "item.quantity": 100, "item.value_usd": 3e6}  # fmt: skip


def test_safe_chips_takes_the_h200_to_china_away() -> None:
    impact = TWO["safe-chips"].compare(
        frame_of([H200, {**H200, "item.quantity": 50}, {**H200, "movement.destination": "FR"}])
    )
    move = impact.answers["us-export:export_route", "case_by_case", "presumption_of_denial"]
    assert (move.lines, move.units, move.value_usd) == (2, 150.0, 6e6)
    assert impact.keys["export", "clear", "blocked"].lines == 2
    assert impact.provisions["us-export:safe_denied"].lines == 2


def test_batches_add_up() -> None:
    two = TWO["safe-chips"]
    parts = [two.compare(frame_of([H200])), two.compare(frame_of([H200, {}]))]
    whole = two.compare(frame_of([H200, H200, {}]))
    assert merged(parts) == whole


def test_the_command_says_the_same(twokey: Any, tmp_path: Path) -> None:
    pl.DataFrame([{name: value for name, value in H200.items() if name != "item.contains"}] * 3).write_parquet(
        tmp_path / "b.parquet"
    )
    told = json.loads(twokey("impact", "safe-chips", "--book", tmp_path / "b.parquet", "--format", "json").out)
    assert told["lines"] == 3
    assert told["stricter"] == {"lines": 3, "units": 300.0, "value_usd": 9e6}
    assert told["looser"]["lines"] == 0
    assert Counter(one["key"] for one in told["keys"]) == {"export": 1}
    text = twokey("impact", "safe-chips", "--book", tmp_path / "b.parquet").out
    assert "3 lines: 3 move to a stricter status, 0 to a looser one" in text
    early = json.loads(twokey("impact", "safe-chips", "--as-of", "2026-06-01", "--format", "json").out)
    assert early["reach"] == []
