"""The keys: fixed where events say so, by chance elsewhere, and coupled after good news from one side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.outlook.keys import MOVES, Floats, Hazards, simulate
from twokey.outlook.timeline import CHANCE, Timeline

PATHS = 4_000
NEVER = np.full(PATHS, 10**9)


def _line(steps: int, us: bool, cn: bool, us_fixed: dict[int, int] | None = None) -> Timeline:
    fixed = np.full(steps, CHANCE, dtype=np.int8)
    for step, state in (us_fixed or {}).items():
        fixed[step] = state
    chance, no = np.full(steps, CHANCE, dtype=np.int8), np.zeros(steps, dtype=bool)
    zeros, inf = np.zeros(steps), np.full(steps, np.inf)
    return Timeline(
        (), us, cn, fixed, chance, no, no, inf, inf, inf, zeros, zeros, zeros, zeros, zeros, zeros, no
    )  # fmt: skip


def _rates(us_close: float, us_open: float, cn_close: float, cn_open: float) -> tuple[Floats, Floats, Floats, Floats]:
    return (
        np.full(PATHS, us_close), np.full(PATHS, us_open), np.full(PATHS, cn_close), np.full(PATHS, cn_open)
    )  # fmt: skip


def _clocks() -> Floats:
    return np.random.default_rng(5).standard_exponential((2, MOVES, PATHS))


def test_dwell_is_exponential_at_the_given_rate() -> None:
    run = simulate(_line(52, True, True), Hazards(_rates(1.5, 0, 0, 0), np.ones(PATHS), NEVER), _clocks(), 1.0)
    assert run.us[-1].mean() == pytest.approx(np.exp(-1.5 * 52 * 7 / 365.25), abs=0.02)
    assert run.cn.all()


def test_an_event_fixes_the_state_on_its_day_and_chance_goes_on_after_it() -> None:
    run = simulate(_line(80, True, True, {10: 0}), Hazards(_rates(0, 4, 0, 0), np.ones(PATHS), NEVER), _clocks(), 1.0)
    assert run.us[9].all()
    assert not run.us[10].any()
    assert 0.4 < run.us[-1].mean() < 1.0


def test_the_import_key_closes_sooner_after_the_export_key_opens() -> None:
    line = _line(12, False, True, {4: 1})
    alone = simulate(line, Hazards(_rates(0, 0, 2, 0), np.ones(PATHS), NEVER), _clocks(), 1.0)
    coupled = simulate(line, Hazards(_rates(0, 0, 2, 0), np.full(PATHS, 4.0), NEVER), _clocks(), 1.0)
    assert np.array_equal(alone.cn[:4], coupled.cn[:4])
    closed_alone, closed_coupled = (~alone.cn[8]).mean(), (~coupled.cn[8]).mean()
    assert closed_coupled > 1.5 * closed_alone


def test_an_act_of_congress_closes_for_good() -> None:
    run = simulate(
        _line(30, True, True), Hazards(_rates(0, 50, 0, 0), np.ones(PATHS), np.full(PATHS, 12)), _clocks(), 1.0
    )
    assert run.us[:12].all()
    assert not run.us[12:].any()


def test_the_import_key_opens_only_when_it_was_closed() -> None:
    run = simulate(_line(100, True, False), Hazards(_rates(0, 0, 6, 6), np.ones(PATHS), NEVER), _clocks(), 1.0)
    before = np.concatenate([np.zeros((1, PATHS), dtype=bool), run.cn[:-1]])
    assert np.array_equal(run.reopened, run.cn & ~before)


def _step_by_step(
    line: Timeline, rates: tuple[Floats, Floats, Floats, Floats], coupling: Floats, clocks: Floats, hot_steps: int
) -> tuple[list[list[bool]], list[list[bool]]]:
    """Return both keys path by path, each clock advanced a week at a time."""
    week, heat = 7 / 365.25, 4
    us, cn = [], []
    for path in range(coupling.size):
        is_open = [line.us_start, line.cn_start]
        ran, turns, hot_until = [0.0, 0.0], [0, 0], hot_steps
        states: list[list[bool]] = [[], []]
        for t in range(len(line.us_fixed)):
            for key, fixed in ((0, int(line.us_fixed[t])), (1, int(line.cn_fixed[t]))):
                if fixed == CHANCE:
                    rate = rates[2 * key + (not is_open[key])][path] * week
                    ran[key] += rate * (coupling[path] if key and is_open[1] and t < hot_until else 1.0)
                    turned = ran[key] >= clocks[key, turns[key] % MOVES, path]
                else:
                    turned = is_open[key] != bool(fixed)
                if turned:
                    is_open[key] = not is_open[key]
                    ran[key], turns[key] = 0.0, turns[key] + 1
                    hot_until = t + heat if key == 0 and is_open[0] else hot_until
                states[key].append(is_open[key])
        us.append(states[0])
        cn.append(states[1])
    return us, cn


@given(
    st.lists(st.sampled_from([CHANCE, CHANCE, CHANCE, 0, 1]), min_size=1, max_size=8),
    st.lists(st.sampled_from([CHANCE, CHANCE, CHANCE, 0, 1]), min_size=1, max_size=8),
    st.integers(0, 4),
    st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_whole_sojourns_turn_the_keys_as_single_steps_do(
    us_fixed: list[int], cn_fixed: list[int], hot_steps: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    steps, paths = 8 * 6, 12
    line = replace(
        _line(steps, bool(rng.integers(2)), bool(rng.integers(2))),
        us_fixed=np.resize(np.repeat(us_fixed, 6), steps).astype(np.int8),
        cn_fixed=np.resize(np.repeat(cn_fixed, 6), steps).astype(np.int8),
    )
    us_close, us_open, cn_close, cn_open = rng.uniform(0, 12, (4, paths))
    us_close[0] = cn_open[1] = 0.0
    coupling = rng.uniform(0.5, 5, paths)
    clocks = rng.standard_exponential((2, MOVES, paths))
    rates = (us_close, us_open, cn_close, cn_open)
    found = simulate(line, Hazards(rates, coupling, np.full(paths, 10**9), hot_steps=hot_steps), clocks, 1.0)
    us, cn = _step_by_step(line, rates, coupling, clocks, hot_steps)
    assert found.us.T.tolist() == us
    assert found.cn.T.tolist() == cn
