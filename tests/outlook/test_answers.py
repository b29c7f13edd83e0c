"""The three answers, the frontier, the explanations and the exposure of a book."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.outlook.arrive import arrive
from twokey.outlook.basis import MixedBasisError
from twokey.outlook.commit import commit, newsvendor, profit, unit_economics
from twokey.outlook.compare import compare, frontier
from twokey.outlook.events import Event
from twokey.outlook.explain import _peel, box, sobol, tornado
from twokey.outlook.exposure import exposure, read_book
from twokey.outlook.model import run_block
from twokey.outlook.scenario import Scenario, Vendor, load, with_inputs
from twokey.outlook.sliders import quick

FOUNDING = replace(load("founding-case-2026-01-28"), paths=1_500, quarters=6, steps_a_quarter=3)
BOOK = Path(__file__).parents[2] / "examples" / "outlook" / "open-book.csv"


@given(
    st.lists(st.integers(0, 40), min_size=5, max_size=60).map(lambda x: np.array(x, dtype=np.float64)),
    st.integers(1, 50),
    st.integers(1, 50),
)
@settings(deadline=None)
def test_the_critical_fractile_earns_as_much_as_any_other_quantity(
    sellable: npt.NDArray[np.float64], cu: int, co: int
) -> None:
    chosen = newsvendor(sellable, cu, co)
    best = max(float(profit(sellable, q, cu, co).mean()) for q in range(41))
    assert float(profit(sellable, chosen, cu, co).mean()) == pytest.approx(best, abs=1e-9)


def test_nothing_is_committed_where_a_sale_is_too_unlikely() -> None:
    sellable = np.concatenate([np.zeros(60), np.full(40, 500.0)])
    assert newsvendor(sellable, 5_200.0, 4_500.0) == 0.0  # fractile 0.54 is below P(S = 0) = 0.6
    assert newsvendor(sellable, 12_550.0, 800.0) == 500.0  # fractile 0.94


def test_unit_economics_of_two_chips_give_the_published_fractiles() -> None:
    h20, h200 = load("only-weaker-chips").vendor, Vendor()
    for vendor, fractile in ((h20, 0.54), (h200, 0.94)):
        cu, co = unit_economics(vendor)
        assert cu / (cu + co) == pytest.approx(fractile, abs=0.005)


def test_a_vendor_that_cannot_earn_or_lose_is_told_so() -> None:
    with pytest.raises(UserError, match="commit nothing"):
        unit_economics(Vendor(price=5000.0))
    with pytest.raises(UserError, match="not below cost"):
        unit_economics(Vendor(salvage=8000.0))


def test_commit_is_consistent() -> None:
    answer = commit(FOUNDING)
    assert answer.break_even == pytest.approx(1 - answer.fractile)
    assert answer.profit >= max(mean for _, mean, _ in answer.curve) - 1e-6 * abs(answer.profit) - 1.0
    assert answer.cvar <= answer.profit
    assert sum(s.probability for s in answer.stages) == pytest.approx(1.0)
    assert all(0 <= s.packages <= answer.dies for s in answer.stages)
    assert answer.profit_two_stage >= answer.profit - 1e-6 * abs(answer.profit)
    assert answer.turns_on[0][0] == "conversion"


def test_a_closed_export_key_commits_nothing() -> None:
    answer = commit(replace(load("no-exports"), paths=500))
    assert (answer.quantity, answer.dies, answer.p_any) == (0.0, 0.0, 0.0)
    assert answer.turns_on == ()


def test_the_arrival_curve_rises_with_time_and_falls_with_quantity() -> None:
    answer = arrive(FOUNDING)
    assert np.all(np.diff(answer.probability, axis=1) >= 0)
    assert np.all(np.diff(answer.probability, axis=0) <= 0)
    assert np.all(answer.expected <= FOUNDING.buyer.approved)


def test_the_domestic_order_keeps_the_mandate_and_regret_is_least_where_it_says() -> None:
    answer = arrive(FOUNDING)
    assert answer.chosen.order >= answer.least_order
    assert answer.chosen.cost == min(c.cost for c in answer.choices)
    assert answer.cautious.worst_regret == min(c.worst_regret for c in answer.choices)
    for name in ("regret_never", "regret_late", "regret_on_time"):
        assert min(getattr(c, name) for c in answer.choices) == pytest.approx(0.0, abs=1e-6)
    on_time = min(answer.choices, key=lambda c: c.regret_on_time).order
    assert on_time <= min(answer.choices, key=lambda c: c.regret_never).order


def test_scenarios_on_different_bases_are_not_put_side_by_side() -> None:
    other = replace(FOUNDING, name="other", basis="h100e-bandwidth")
    with pytest.raises(MixedBasisError, match="differ in basis"):
        compare([FOUNDING, other], 4)
    with pytest.raises(MixedBasisError, match="differ in include_smuggled"):
        compare([FOUNDING, replace(FOUNDING, name="other", include_smuggled=True)], 4)
    with pytest.raises(UserError, match="differ in quarters"):
        compare([FOUNDING, replace(FOUNDING, name="other", quarters=9)], 4)
    with pytest.raises(UserError, match="two scenarios"):
        compare([FOUNDING], 4)


def test_less_restriction_delivers_more_and_narrows_the_gap() -> None:
    names = ("no-exports", "founding-case-2026-01-28", "unrestricted")
    small = [replace(load(n), paths=600, quarters=6, steps_a_quarter=3) for n in names]
    rows = {row["line"]: row for row in compare(small, 6)}
    delivered = [rows["delivered_total"][n] for n in names]
    gaps = [rows["gap_8bit"][n] for n in names]
    assert delivered == sorted(delivered)
    assert gaps == sorted(gaps, reverse=True)
    assert delivered[0] == 0


def test_the_frontier_trades_the_two_aims_and_marks_the_present_policy() -> None:
    points = frontier(replace(FOUNDING, quarters=8), (0.0, 200_000.0, 800_000.0), (0.0, 0.8), paths=400)
    assert [p.present for p in points].count(True) == 1
    assert any(p.best for p in points)
    at = {(p.cap, p.mandate): p for p in points if not p.present}
    assert at[800_000.0, 0.0].compute > at[0.0, 0.0].compute
    assert at[800_000.0, 0.8].domestic_made >= at[800_000.0, 0.0].domestic_made
    assert at[800_000.0, 0.0].domestic_made <= at[0.0, 0.0].domestic_made


SURE = {  # every input at its middle, every delay a week, no chance: what follows can be reckoned by hand
    name: given.central for name, given in FOUNDING.inputs.items()
} | {
    "applications": 5e6, "vendor_stock": 5e6, "foreign_demand_year": 3e6, "china_demand_year": 5e7,
    "china_demand_growth": 0.0, "us_units_to_date": 1e9, "writedown_year": 0.0, "mandate": 0.0, "mandate_rate": 0.0,
    **dict.fromkeys(("us_close_rate", "us_open_rate", "cn_close_rate", "cn_open_rate", "overwatch_rate"), 0.0),
    **dict.fromkeys(("hbm_relief_rate", "foundry_shock_rate", "chip_security_rate", "equipment_rate"), 0.0),
    **dict.fromkeys(
        ("licence_weeks", "conversion_weeks", "inspection_weeks", "customs_weeks", "install_weeks"), 1.0
    ),
}  # fmt: skip


def _sure(*events: Event, **inputs: float) -> Scenario:
    """Return a scenario in which nothing is left to chance."""
    base = replace(load("founding-case-2026-01-28"), quarters=8, paths=2)
    opened = Event(base.as_of, "export", "licence", {}, None, True, "", (), "", 0)
    return replace(with_inputs(base, SURE | inputs), events=(opened, *events))


@pytest.mark.parametrize("cap", [0.0, 20_000.0, 400_000.0])
def test_the_frontier_follows_a_reckoning_by_hand(cap: float) -> None:
    scenario = _sure()
    point = next(p for p in frontier(scenario, (cap,), (0.0,), paths=2) if not p.present)
    assert point.foreign / scenario.chip.h100e_8bit == pytest.approx(2 * 0.9 * cap)  # two years, nine in ten convert
    # Memory binds at home: the stock at the start and two years of growing output, eight stacks a package.
    week, growth = SURE["hbm_year"] / 52, (1 + SURE["hbm_growth"]) ** (1 / 52)
    stacks = SURE["hbm_stock"] + sum(week * growth**n for n in range(1, 105))
    assert point.domestic_made == pytest.approx(stacks / 8)


def test_a_cap_that_is_raised_lets_through_what_the_batch_still_allows() -> None:
    start = FOUNDING.as_of

    def event(days: int, act: str, units: float = 0.0) -> Event:
        numbers = {"units": units} if units else {}
        return Event(start + timedelta(days=days), "import", act, numbers, None, act == "case_by_case", "", (), "", 0)

    events = (event(0, "case_by_case"), event(0, "batch", 400_000), event(0, "total_cap", 50_000))
    scenario = _sure(*events, event(182, "total_cap", 80_000), conversion=1.0, batch_units=0.0)
    approved = run_block(scenario, 0, 2).of("approved_ever")[:, 0]
    assert approved[1:].tolist() == pytest.approx([50_000] * 2 + [80_000] * 6)


def test_a_better_point_is_never_left_off_the_frontier() -> None:
    points = frontier(replace(FOUNDING, quarters=4), (0.0, 400_000.0), (0.0, 0.6), paths=300)
    for point in points:
        beaten = any(q.compute > 1.01 * point.compute and q.domestic_made > 1.01 * point.domestic_made for q in points)
        assert not (beaten and point.best)


def test_tornado_and_sobol_agree_on_what_matters_most() -> None:
    assert tornado(FOUNDING, "delivered_total", 4)[0].name == "conversion"
    shares = sobol(FOUNDING, "delivered_total", 4, top=5, samples=64)
    assert shares[0].name == "conversion"
    assert shares[0].total >= shares[0].first - 0.2


def test_an_unknown_line_or_quarter_is_told() -> None:
    with pytest.raises(UserError, match="did you mean delivered"):
        tornado(FOUNDING, "deliverd_total", 4)
    with pytest.raises(UserError, match="not within 1 to 6"):
        tornado(FOUNDING, "delivered_total", 9)
    with pytest.raises(UserError, match="no path ends with"):
        box(FOUNDING, "gap_8bit", 4, below=0.001)


def test_the_box_finds_a_planted_cause() -> None:
    rng = np.random.default_rng(3)
    x = rng.random((4, 5_000))
    wanted = (x[1] > 0.7) & (x[3] < 0.4)
    found = _peel("planted", x, wanted, ["a", "b", "c", "d"], 0.05)
    limits = {limit.name: limit for limit in found.limits}
    assert set(limits) >= {"b", "d"}
    assert limits["b"].low == pytest.approx(0.7, abs=0.06)
    assert limits["d"].high == pytest.approx(0.4, abs=0.06)
    assert found.density > 0.95


def test_what_would_have_to_be_true_names_conversion() -> None:
    found = box(FOUNDING, "delivered_total", 4)
    assert "conversion" in {limit.name for limit in found.limits}
    assert found.density > 4 * found.base_rate


def test_exposure_of_a_book_grows_with_what_is_still_open() -> None:
    found = exposure(FOUNDING, read_book(BOOK))
    assert [e.order.order for e in found] == ["ORD-0001", "ORD-0002", "ORD-0003"]
    assert all(
        0 <= p <= 1 for e in found for p in (e.p_export_closes, e.p_import_closes, e.p_moves, e.p_both_open_at_due)
    )
    for e in found:
        assert e.units_at_risk == pytest.approx(e.order.units * (1 - e.p_moves))
    assert found[0].p_export_closes < found[1].p_export_closes  # a later due day leaves more time to turn


def test_who_has_yet_to_ask_waits_for_a_licence_and_a_batch_where_they_are_needed() -> None:
    turned = replace(read_book(BOOK)[0], export_key="turned", import_key="turned", due=date(2026, 6, 30))
    book = [turned, replace(turned, export_key="pending"), replace(turned, import_key="pending")]
    now, licence, batch = (e.p_moves for e in exposure(FOUNDING, book))
    assert now > licence > batch  # a batch takes longer than a licence
    free = replace(load("unrestricted"), paths=200, quarters=6)
    assert [e.p_moves for e in exposure(free, book)] == [1.0] * 3


def test_no_order_moves_where_exports_are_banned() -> None:
    banned = replace(load("no-exports"), paths=200, quarters=6)
    book = [o for o in read_book(BOOK) if o.export_key != "turned"]
    assert [e.p_moves for e in exposure(banned, book)] == [0.0]


def test_a_book_in_json_reads_the_same(tmp_path: Path) -> None:
    rows = [
        {"order": o.order, "party": o.party, "chip": o.chip, "units": o.units, "value_minor": o.value_minor,
         "currency": o.currency, "export_key": o.export_key, "import_key": o.import_key, "due": str(o.due)}
        for o in read_book(BOOK)
    ]  # fmt: skip
    file = tmp_path / "book.json"
    file.write_text(json.dumps({"orders": rows}))
    assert [replace(o, place="") for o in read_book(file)] == [replace(o, place="") for o in read_book(BOOK)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (",20000,", ",20k,", "line 2: units '20k' must be a whole number"),
        ("H200 SXM", "H2O0", "line 2: unknown chip"),
        ("turned,turned", "turned,done", "line 2: import_key 'done' must be one of"),
        ("2026-06-30", "June", "line 2: due 'June' is not a date"),
        ("value_minor", "value", "line 1: no column value_minor"),
    ],
)
def test_mistakes_in_a_book_name_file_and_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    file = tmp_path / "book.csv"
    file.write_text(BOOK.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=says):
        read_book(file)


def test_a_book_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file; `twokey order book --out FILE`"):
        read_book(tmp_path / "none.csv")


def test_an_order_due_outside_the_scenario_is_refused() -> None:
    book = [replace(read_book(BOOK)[0], due=date(2035, 1, 1))]
    with pytest.raises(UserError, match="outside the scenario"):
        exposure(FOUNDING, book)


def test_a_slider_moves_the_answer() -> None:
    few, many = (quick(FOUNDING, {"conversion": c}).at("delivered_total", 6) for c in (0.02, 0.9))
    assert many > 5 * few
