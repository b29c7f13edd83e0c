"""The model: no chip appears or vanishes, one seed gives one answer, and the equations are the stated ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from distributed import LocalCluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.outlook import consent, demand, home, keys, model, reference, stocks, vendor
from twokey.outlook.events import Event
from twokey.outlook.inputs import Correlation, correlate, problem
from twokey.outlook.lines import LINES, find_line
from twokey.outlook.model import Block, Chosen, run_block
from twokey.outlook.run import run
from twokey.outlook.scenario import Scenario, load, with_inputs
from twokey.outlook.stocks import DIES_A_PACKAGE, STACKS_A_PACKAGE, STOCKS
from twokey.outlook.timeline import build

FOUNDING = load("founding-case-2026-01-28")
SMALL = replace(FOUNDING, paths=40, quarters=4)


def _events() -> st.SearchStrategy[tuple[Event, ...]]:
    def event(days: int, act: str, amount: float, span: int) -> Event:
        key = "import" if act in ("batch", "case_by_case", "open", "domestic_share", "location") else "export"
        field = {
            "batch": "units", "total_cap": "units", "licence": "units", "per_buyer_cap": "units", "ratio_cap": "ratio",
            "tariff": "rate", "domestic_share": "share", "location": "share", "slow_licence": "weeks",
            "location_verification": "weeks",
        }.get(act)  # fmt: skip
        value = amount * 1e6 if field == "units" else amount * 20 if field == "weeks" else amount
        numbers = {field: value} if field else {}
        if act == "per_buyer_cap":
            numbers["buyers"] = 3.0
        start = FOUNDING.as_of + timedelta(days=days)
        until = start + timedelta(days=span) if act in ("ban", "unrestricted", "open", "case_by_case") else None
        return Event(start, key, act, numbers, until, False, "", (), "", 0)

    acts = st.sampled_from(
        ["ban", "licence", "unrestricted", "total_cap", "per_buyer_cap", "ratio_cap", "tariff", "slow_licence",
         "location_verification", "equipment_controls", "batch", "case_by_case", "open", "domestic_share", "location"]
    )  # fmt: skip
    one = st.builds(event, st.integers(-60, 330), acts, st.floats(0, 1), st.integers(8, 200))
    return st.lists(one, max_size=7).map(lambda found: tuple(sorted(found, key=lambda e: e.date)))


def _scenarios() -> st.SearchStrategy[Scenario]:
    def build_one(events: tuple[Event, ...], seed: int, monthly: bool, conversion: float, stock: float) -> Scenario:
        base = with_inputs(SMALL, {"conversion": conversion, "vendor_stock": stock, "restart_weeks": 5.0})
        return replace(base, events=events, seed=seed, steps_a_quarter=3 if monthly else 13)

    return st.builds(
        build_one, _events(), st.integers(0, 2**32), st.booleans(), st.floats(0.0, 1.0), st.floats(0.0, 1e6)
    )


def _everywhere(scenario: Scenario, precision: npt.DTypeLike = np.float64) -> Block:
    return run_block(scenario, 0, scenario.paths, chosen=Chosen(every=1, precision=precision))


# How far rounding may move a number, as a share of it: equations are held to double precision.
ROUNDING: Final = {np.float64: 1e-9, np.float32: 1e-6}
PRECISIONS = st.sampled_from(sorted(ROUNDING, key=str))


@given(_scenarios(), PRECISIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_chip_appears_or_vanishes_at_any_step(scenario: Scenario, precision: type) -> None:
    block, rounding = _everywhere(scenario, precision), ROUNDING[precision]
    of, x = block.of, block.inputs
    scale = rounding * max(1.0, float(of("applied").max()), float(x["vendor_stock"].max()))
    for name in STOCKS:
        assert float(of(name).min()) >= -scale, name

    def balances(stock: Sequence[str], entered: str, made_of: float = 1.0, left: str = "") -> None:
        """What lies in a stage, and what left it, is what was there at the start and what entered: in any precision."""
        held = sum(of(name) for name in stock) + (made_of * of(left) if left else 0.0)
        came = sum(of(name)[0] for name in stock) + of(entered) - of(entered)[0]
        np.testing.assert_allclose(held, came, rtol=1e-9, atol=1e-9)

    consent = ("applications", "licensed", "stalled", "convertible", "backlog")
    moving = ("inspection", "transit", "installing", "deployed")
    balances(consent + moving, "applied")
    balances(("wafers", "packaging", "finished", *moving, "written_down"), "started")
    balances(("die_bank",), "dies_made", DIES_A_PACKAGE, "domestic_made")
    balances(("memory_stacks",), "stacks_made", STACKS_A_PACKAGE, "domestic_made")
    balances(("domestic_wip", "domestic_deployed"), "domestic_made")
    for name, given_as in (
        ("finished", "vendor_stock"),
        ("die_bank", "die_bank"),
        ("memory_stacks", "hbm_stock"),
        ("domestic_wip", "domestic_wip"),
        ("applications", "applications"),
    ):
        atol = rounding * 8 * float(x["output_to_date"].max())
        np.testing.assert_allclose(of(name)[0], x[given_as], rtol=rounding, atol=atol, err_msg=name)


@given(_scenarios(), PRECISIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_stage_holds_no_more_than_the_one_before_and_counts_only_grow(scenario: Scenario, precision: type) -> None:
    block, rounding = _everywhere(scenario, precision), ROUNDING[precision]
    chain = ("applied", "licensed_ever", "approved_ever", "ordered_ever", "inspected_ever", "delivered", "deployed")
    for earlier, later in itertools.pairwise(chain):
        assert np.all(block.of(earlier) >= block.of(later) * (1 - rounding) - 1e-6), (earlier, later)
    for name in (*chain, "domestic_made", "written_down", "mandate"):
        counted = block.of(name)
        assert np.all(np.diff(counted, axis=0) >= -max(1e-9, rounding * float(counted.max()))), name
    assert np.all((block.of("die_yield") > 0) & (block.of("die_yield") < 1))


@given(_scenarios(), st.floats(0, 3e5), PRECISIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_cap_is_never_passed(scenario: Scenario, cap: float, precision: type) -> None:
    start = scenario.as_of - timedelta(days=100)
    caps = (
        Event(start, "export", "total_cap", {"units": cap}, None, False, "", (), "", 0),
        Event(start, "import", "total_cap", {"units": cap / 2}, None, False, "", (), "", 0),
    )
    kept = tuple(e for e in scenario.events if e.act not in ("total_cap", "unrestricted"))
    block = _everywhere(replace(scenario, events=caps + kept), precision)
    assert float(block.of("licensed_ever").max()) <= cap * (1 + 1e-12)
    assert float(block.of("approved_ever").max()) <= cap / 2 * (1 + 1e-12)


def _told(scenario: Scenario) -> tuple[Block, list[list[dict[str, float]]]]:
    """Return a block, and the same paths by the equations in plain Python, with the state at every step."""
    block = _everywhere(scenario)
    settled = model.settle(scenario, 0, scenario.paths, build(scenario), Chosen(precision=np.float64))
    line, keys, x, fresh, moments = settled.line, settled.keys, settled.x, settled.fresh, settled.moments
    told = [
        reference.run_path(
            line,
            [bool(v) for v in keys.us[:, path]],
            [bool(v) for v in keys.cn[:, path]],
            [bool(v) for v in keys.reopened[:, path]],
            {name: float(values[path]) for name, values in x.items()},
            [float(v) for v in fresh[:, path]],
            reference.Strikes(
                [int(v) for v in moments.mandate[:, path]],
                *(
                    int(getattr(moments, n)[path])
                    for n in ("hbm_relief", "foundry_shock", "chip_security", "equipment")
                ),
            ),
            settled.step_weeks,
            settled.h100e,
            settled.h100e_domestic,
        )
        for path in range(scenario.paths)
    ]
    return block, told


def _follows(scenario: Scenario) -> None:
    block, told = _told(scenario)
    for name in stocks.STATE:
        one_by_one = np.array([[state[name] for state in path] for path in told]).T
        np.testing.assert_allclose(block.of(name), one_by_one, rtol=1e-9, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("steps", [13, 3])
def test_the_arrays_follow_the_stated_equations(steps: int) -> None:
    _follows(replace(load("bill-chip-security"), paths=25, quarters=6, steps_a_quarter=steps))


@given(_scenarios())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_arrays_follow_the_stated_equations_through_any_events(scenario: Scenario) -> None:
    _follows(replace(scenario, paths=4))


@given(_scenarios())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_single_precision_tells_what_double_tells(scenario: Scenario) -> None:
    single, double = _everywhere(scenario, np.float32), _everywhere(scenario, np.float64)
    for name in stocks.STATE:
        gates = float(np.abs(double.history.gates).max(initial=1.0))
        np.testing.assert_allclose(single.of(name), double.of(name), rtol=1e-5, atol=1e-5 * gates, err_msg=name)


def test_every_array_of_a_step_has_the_precision_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # One array of another kind would not change an answer, but make each operation that meets it slow.
    parts: list[object] = []
    for kind in (consent.Consent, demand.Demand, home.Home, keys.Factors, vendor.Vendor):
        original = kind.events if hasattr(kind, "events") else kind.turn

        def seen(part: object, *args: object, original: Callable[..., None] = original) -> None:
            parts.append(part)
            original(part, *args)

        monkeypatch.setattr(kind, original.__name__, seen)
    _everywhere(replace(load("bill-chip-security"), paths=10, quarters=2), np.float32)
    assert {type(part).__name__ for part in parts} == {"Consent", "Demand", "Home", "Factors", "Vendor"}
    for part in parts:
        kinds = {n: v.dtype for n, v in vars(part).items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        assert set(kinds.values()) == {np.dtype(np.float32)}, (type(part).__name__, kinds)


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_workers() -> None:
    scenario = replace(FOUNDING, paths=12_000, quarters=2, steps_a_quarter=3)
    one, three = run(scenario, workers=1), run(scenario, workers=3)
    assert np.array_equal(one.mean, three.mean)
    assert np.array_equal(one.quantiles, three.quantiles)
    assert not np.array_equal(one.mean, run(replace(scenario, seed=1)).mean)


def test_blocks_come_in_order_from_more_workers_than_one() -> None:
    scenario = replace(FOUNDING, paths=52_000, quarters=1, steps_a_quarter=3)
    one, two = run(scenario, workers=1).paths, run(scenario, workers=2).paths
    assert one is not None
    assert two is not None
    assert np.array_equal(one, two)
    first, second = one[:, :, :5_000], one[:, :, 5_000:10_000]
    assert not np.array_equal(first, second), "each 5,000 paths have a seed of their own"


def test_a_path_does_not_depend_on_how_many_follow() -> None:
    few = run_block(replace(FOUNDING, quarters=2), 0, 7).history.gates
    many = run_block(replace(FOUNDING, quarters=2), 0, 300).history.gates
    assert np.array_equal(few, many[:, :, :7])


def test_dask_gives_the_same_numbers() -> None:
    scenario = replace(FOUNDING, paths=11_000, quarters=2, steps_a_quarter=3)
    here, there = run(scenario).paths, run(scenario, engine="dask").paths
    assert here is not None
    assert there is not None
    assert np.array_equal(here, there)


def test_a_cluster_of_two_processes_gives_the_same_numbers() -> None:
    scenario = replace(FOUNDING, paths=11_000, quarters=2, steps_a_quarter=3)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        there = run(scenario, engine="dask", scheduler=cluster.scheduler_address)
    assert np.array_equal(run(scenario).quantiles, there.quantiles)


def test_a_scheduler_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="no Dask scheduler answers"):
        run(SMALL, engine="dask", scheduler="nonsense")


def test_a_closed_export_key_delivers_nothing() -> None:
    result = run(replace(load("no-exports"), paths=300, quarters=6))
    assert result.at("delivered_total", 6, 0.95) == 0.0
    assert result.at("us_open", 6) == 0.0


def test_nothing_of_chance_closes_a_key_that_an_event_holds_open() -> None:
    result = run(replace(load("unrestricted"), paths=300, quarters=20))
    assert result.at("both_open", 20) == 1.0


def test_smuggled_compute_is_a_line_of_its_own_and_says_so() -> None:
    assert find_line("smuggled").basis.endswith(", smuggled")
    assert [line.name for line in LINES if line.basis == find_line("smuggled").basis] == ["smuggled"]


def test_smuggled_compute_stays_out_of_the_total_unless_asked() -> None:
    small = replace(FOUNDING, paths=300, quarters=4)
    without, beside = run(small), run(replace(small, include_smuggled=True))
    assert without.mean is not None
    smuggled = without.at("smuggled", 4)
    assert smuggled > 0
    assert beside.at("china_8bit", 4) == pytest.approx(without.at("china_8bit", 4) + smuggled)


def test_many_paths_are_binned_close_to_the_exact_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = replace(FOUNDING, paths=6_000, quarters=3, steps_a_quarter=3)
    exact = run(scenario)
    monkeypatch.setattr("twokey.outlook.tally.EXACT_PATHS", 10)
    binned = run(scenario)
    assert binned.paths is None
    np.testing.assert_allclose(binned.quantiles, exact.quantiles, rtol=0.02, atol=2e-3)
    np.testing.assert_array_equal(binned.mean, exact.mean)


def test_correlated_inputs_keep_their_own_spread() -> None:
    names = ["mandate", "substitution", "learning"]
    drawn = np.random.default_rng(1).standard_normal((3, 20_000))
    correlate(drawn, names, [Correlation("mandate", "learning", 0.7)])
    found = np.corrcoef(drawn)
    assert found[0, 2] == pytest.approx(0.7, abs=0.02)
    assert found[0, 1] == pytest.approx(0.0, abs=0.03)
    assert drawn.std(axis=1) == pytest.approx([1.0, 1.0, 1.0], abs=0.02)


def test_events_before_the_start_set_the_state_and_caps_hold_from_their_day() -> None:
    line = build(load("world-2026-10-09"))
    assert (line.us_start, line.cn_start) == (True, True)
    assert float(line.licence_cap[0]) == 75_000 * 13
    assert float(line.mandate[0]) == 0.8
    assert float(line.price[0]) == 0.25


def test_every_input_may_be_zero_where_that_means_something() -> None:
    for name, known in FOUNDING.inputs.items():
        if problem(known, 0.0):
            continue
        result = run(with_inputs(replace(FOUNDING, paths=20, quarters=2, steps_a_quarter=3), {name: 0.0}))
        assert np.isfinite(result.mean).all(), name
