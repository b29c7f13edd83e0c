"""Tokens delivered: counters that fall, pods that count none, bounds where nothing was seen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telemetry import T0, counter, dcgm, each_minute, kinds, npu_old, usage

from twokey.deploy.report.cleaning import LATE, usual_step
from twokey.deploy.report.readings import Reading, read_exposition
from twokey.deploy.report.shares import share_of
from twokey.deploy.report.tokens import rises


def test_delivered_tokens_join_the_pod_to_its_chip() -> None:
    tokens = "".join(counter(60.0 * i, 100.0 * i, "p0") + counter(60.0 * i, 300.0 * i, "q0") for i in range(60))
    u = usage(each_minute(dcgm) + each_minute(npu_old) + tokens)
    assert share_of(u.amounts, "inference", "delivered").share == pytest.approx(0.75)


def of_counter(values: Sequence[float], step: float = 60.0) -> list[Reading]:
    text = "".join(counter(step * i, v, "p") for i, v in enumerate(values))
    return read_exposition(text, "s", "north", None)[0]


def test_counter_reset_is_at_least_and_flagged() -> None:
    (rise,), flags = rises(of_counter([0, 100, 200, 50, 150]), [T0, T0 + 300], T0 + 240, peak=2.0)
    assert rise.known == 100 + 100 + 50 + 100
    assert rise.missing == 2.0 * 60  # what it served before it fell is nowhere
    assert [f.kind for f in flags] == ["reset"]


def test_no_token_is_lost_between_two_periods() -> None:
    readings = of_counter([60.0 * i for i in range(61)])
    edges = [T0 + 1230.0 * i for i in range(4)]
    found, _ = rises(readings, edges, edges[-1], peak=1.0)
    assert sum(r.known for r in found) == pytest.approx(3600)
    assert found[0].known == pytest.approx(1230)


def test_a_counter_lives_through_a_gap_and_only_the_boundary_is_unsure() -> None:
    readings = [r for i, r in enumerate(of_counter([60.0 * i for i in range(61)])) if not 10 < i < 50]
    (whole,), flags = rises(readings, [T0, T0 + 3600], T0 + 3600, peak=1.0)
    assert whole.known == pytest.approx(3600)
    assert [f.kind for f in flags] == ["gap"]
    halves, _ = rises(readings, [T0, T0 + 1800, T0 + 3600], T0 + 3600, peak=1.0)
    assert (halves[0].known, halves[0].missing) == (pytest.approx(600), pytest.approx(2400))


def test_what_a_counter_had_reached_before_its_first_sample_may_be_of_this_time() -> None:
    readings = [r for i, r in enumerate(of_counter([60.0 * i for i in range(61)])) if i >= 30]
    (late,), flags = rises(readings, [T0, T0 + 3600], T0 + 3600, peak=1.0)
    assert (late.known, late.missing) == (pytest.approx(1800), pytest.approx(1800))
    assert [f.kind for f in flags] == ["gap"]
    (born,), flags = rises(of_counter([0.0, 60.0, 120.0]), [T0 - 3600, T0 + 120], T0 + 120, peak=1.0)
    assert (born.known, born.missing, flags) == (pytest.approx(120), 0.0, [])  # it began with its first sample


@settings(deadline=None)
@given(st.data())
def test_bounds_of_tokens_hold_whatever_was_not_seen(data: st.DataObject) -> None:
    """A counter with resets is seen at some minutes only; the truth of each half lies within what is said of it."""
    speeds = data.draw(st.lists(st.floats(0, 100), min_size=60, max_size=60))
    resets = data.draw(st.sets(st.integers(1, 58), max_size=3))
    value, series = 0.0, []
    for minute in range(61):
        series.append(value)
        value = (0.0 if minute in resets else value) + (speeds[minute] if minute < 60 else 0.0)
    seen = sorted(data.draw(st.sets(st.integers(0, 60), min_size=2)))
    readings = [r for i, r in enumerate(of_counter(series)) if i in seen]
    if any(minute in resets and (minute not in seen or minute + 1 not in seen) for minute in resets):
        return  # a reset that nobody saw between two samples, and none is told from the counter
    found, _ = rises(readings, [T0, T0 + 1800, T0 + 3600], T0 + 3600, peak=100 / 60)
    usual = usual_step(readings)
    astride = [(a, b) for a, b in itertools.pairwise(readings) if a.time < T0 + 1800 < b.time]
    spread = sum(max(b.value - a.value, b.value) for a, b in astride if b.time - a.time <= LATE * usual)
    for half, rise in enumerate(found):
        truth = sum(speeds[30 * half : 30 * half + 30])
        assert rise.known <= truth + spread + 1e-6  # between two samples at the usual distance tokens are spread evenly
        assert rise.known + rise.missing >= truth - spread - 1e-6


def test_pods_that_count_no_tokens_leave_the_delivered_share_open() -> None:
    tokens = "".join(counter(60.0 * i, 300.0 * i, "q0") for i in range(60))
    u = usage(each_minute(dcgm) + each_minute(npu_old) + tokens)
    s = share_of(u.amounts, "inference", "delivered")
    assert (s.share, s.low, s.high) == (1.0, 0.0, 1.0)
    assert any("count no tokens" in f.words for f in u.flags)


def test_tokens_of_a_pod_seen_on_both_origins_are_either_sides() -> None:
    tokens = "".join(counter(60.0 * i, 300.0 * i, "same") for i in range(60))
    u = usage(each_minute(dcgm, pod="same") + each_minute(npu_old, pod="same") + tokens)
    s = share_of(u.amounts, "inference", "delivered")
    assert (s.share, s.low, s.high) == (None, 0.0, 1.0)
    assert "unknown-chip" in kinds(u)
