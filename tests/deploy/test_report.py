"""The report: exporters of both generations, gaps bounded, and no silent number from broken telemetry."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telemetry import T0, dcgm, each_minute, kinds, npu_new, npu_old, usage

from twokey.chips import UserError
from twokey.deploy import hardware
from twokey.deploy.conditions import DomesticShare
from twokey.deploy.report.cleaning import in_order, spans
from twokey.deploy.report.readings import Reading, chip_of, read_exposition, read_folder
from twokey.deploy.report.shares import judge, share_of, shares
from twokey.deploy.report.sums import Amount
from twokey.deploy.report.usage import add_up


def test_full_telemetry_has_no_doubt() -> None:
    u = usage(each_minute(dcgm) + each_minute(npu_old))
    s = share_of(u.amounts, "inference", "allocated")
    assert s.share == pytest.approx(376 / (376 + 989.5))
    assert (s.low, s.high) == (pytest.approx(s.share), pytest.approx(s.share))
    assert not u.flags


def test_used_weighs_by_utilisation() -> None:
    u = usage(each_minute(dcgm, value=100) + each_minute(npu_old, value=50))
    s = share_of(u.amounts, "inference", "used")
    assert s.share == pytest.approx(188 / (188 + 989.5))


@pytest.mark.parametrize("line", [npu_old, npu_new])
def test_both_label_generations_of_the_npu_exporter(line: object) -> None:
    u = usage(each_minute(line))
    found = [a for a in u.amounts if a.measure == "allocated"]
    assert len(found) == 1
    assert found[0].domestic
    assert found[0].phase == "inference"
    assert found[0].known == pytest.approx(3600 * 376)


def test_two_dies_of_a_910c_make_one_card() -> None:
    u = usage(each_minute(npu_new, die=0) + each_minute(npu_new, die=1))
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(3600 * 752)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('mlu_utilization{card="0",model="MLU590",hostname="n",namespace="inference",pod="a"}', "Cambricon MLU590"),
        (
            'dcu_utilizationrate{device_id="0",name="K100_AI",dcu_pod_namespace="inference",dcu_pod_name="a"}',
            "Hygon DCU K100_AI",
        ),
        ('mx_gpu_usage{deviceId="0",model="MetaX C500",namespace="inference",pod="a"}', "MetaX C500 (PCIe)"),
        (
            'DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{gpu="0",modelName="NVIDIA H20",namespace="inference",pod="a"}',
            "NVIDIA H20 96GB (HGX)",
        ),
    ],
)
def test_other_exporters(line: str, name: str) -> None:
    u = usage("".join(f"{line} 0.5 {int((T0 + 60 * i) * 1000)}\n" for i in range(60)))
    assert [a.chip for a in u.amounts if a.measure == "allocated"] == [name]


def test_tensor_activity_is_preferred_and_never_added_to_another_metric() -> None:
    tensor = each_minute(dcgm, value=0.3).replace("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE")
    u = usage(each_minute(dcgm, value=90) + tensor)
    (a,) = [a for a in u.amounts if a.measure == "used"]
    assert a.known == pytest.approx(0.3 * 3600 * 989.5)


def test_a_gap_widens_the_bounds_and_is_flagged() -> None:
    u = usage(each_minute(dcgm, skip=range(20, 40)) + each_minute(npu_old))
    s = share_of(u.amounts, "inference", "allocated")
    assert "gap" in kinds(u)
    assert s.share is not None
    assert s.low is not None
    assert s.high is not None
    assert s.low < s.share == pytest.approx(s.high)
    assert s.low == pytest.approx(376 / (376 + 989.5), rel=0.01)  # as if the missing card had worked all the time


@settings(deadline=None)
@given(st.sets(st.integers(0, 59), max_size=50), st.sets(st.integers(0, 59), max_size=50))
def test_bounds_hold_whatever_happened_in_the_gaps(lost_h200: set[int], lost_910b: set[int]) -> None:
    truth = share_of(usage(each_minute(dcgm) + each_minute(npu_old)).amounts, "inference", "allocated").share
    if len(lost_h200) > 57 or len(lost_910b) > 57:
        return
    s = share_of(
        usage(each_minute(dcgm, skip=sorted(lost_h200)) + each_minute(npu_old, skip=sorted(lost_910b))).amounts,
        "inference",
        "allocated",
    )
    assert s.low is not None
    assert s.high is not None
    assert s.low - 1e-9 <= truth <= s.high + 1e-9  # type: ignore[operator]


def test_cards_that_no_exporter_speaks_of_are_a_gap() -> None:
    fleets = [("north", hardware("H200"), 2.0), ("north", hardware("Ascend 910B2"), 1.0)]
    u = usage(each_minute(dcgm) + each_minute(npu_old), fleets=fleets)
    assert "no-telemetry" in kinds(u)
    s = share_of(u.amounts, "inference", "allocated")
    assert s.low == pytest.approx(376 / (376 + 2 * 989.5))


def test_clock_jump_back_is_flagged_and_dropped() -> None:
    text = each_minute(dcgm) + dcgm(600, value=10) + each_minute(npu_old)
    u = usage(text)
    assert "clock" in kinds(u)
    assert share_of(u.amounts, "inference", "allocated").share == pytest.approx(376 / (376 + 989.5))


def test_clock_jump_of_years_ahead_is_dropped() -> None:
    u = usage(each_minute(dcgm, hours=0.5) + dcgm(9e8) + "".join(dcgm(60.0 * i) for i in range(30, 60)))
    assert "clock" in kinds(u)
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(3600 * 989.5)


def test_equal_duplicates_change_nothing_and_contradictions_become_a_gap() -> None:
    once = usage(each_minute(dcgm))
    twice = usage("".join(dcgm(60.0 * i) * 2 for i in range(60)))
    assert once.amounts == twice.amounts
    assert kinds(twice) == {"duplicate"}
    torn = usage("".join(dcgm(60.0 * i) + (dcgm(60.0 * i, value=1) if 10 <= i < 30 else "") for i in range(60)))
    assert {"conflict", "gap"} <= kinds(torn)


def test_a_clock_that_jumps_ahead_and_back_costs_only_the_jump() -> None:
    lines = [dcgm(60.0 * i) for i in range(60)]
    lines.insert(30, dcgm(3000))
    u = usage("".join(lines))
    assert kinds(u) == {"clock"}
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(3600 * 989.5)


def test_a_clock_that_began_in_1970_is_dropped_and_nothing_else() -> None:
    u = usage(dcgm(-T0 + 5) + each_minute(dcgm))
    assert kinds(u) == {"clock"}
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(3600 * 989.5)


def test_open_metrics_tell_seconds() -> None:
    text = each_minute(dcgm).replace("000\n", "\n") + "# EOF\n"
    (a,) = [a for a in usage(text).amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(3600 * 989.5)


def test_a_sub_folder_is_the_node_that_an_exporter_does_not_name(tmp_path: Path) -> None:
    for host in ("node-1", "node-2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "a.prom").write_text(each_minute(npu_old), "utf-8")
    readings, _ = read_folder(tmp_path, "north")
    (a,) = [a for a in add_up(readings, [T0, T0 + 3600], {}).amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(2 * 3600 * 376)


def test_more_cards_than_the_plan_has_are_flagged() -> None:
    u = usage(each_minute(dcgm) + each_minute(dcgm, gpu=1), fleets=[("north", hardware("H200"), 1.0)])
    assert any("the plan has 1" in f.words for f in u.flags)


def test_unknown_chip_may_be_either() -> None:
    u = usage(each_minute(dcgm) + each_minute(npu_old, model="Ascend910"))
    s = share_of(u.amounts, "inference", "allocated")
    assert "unknown-chip" in kinds(u)
    assert (s.low, s.share) == (0.0, 0.0)
    assert s.high is not None
    assert s.high > 0.5  # it may be the strongest chip there is


def test_unknown_phase_widens_both_phases() -> None:
    u = usage(each_minute(dcgm, namespace="team-7") + each_minute(npu_old))
    s = share_of(u.amounts, "inference", "allocated")
    assert (s.share, s.high) == (1.0, 1.0)
    assert s.low is not None
    assert s.low < 0.5


def test_one_workload_on_two_chips_counts_on_both() -> None:
    u = usage(each_minute(dcgm, pod="same") + each_minute(npu_old, pod="same"))
    assert {a.chip for a in u.amounts if a.phase == "inference" and a.known} == {
        "NVIDIA H200 SXM",
        "Huawei Ascend 910B2",
    }


def test_periods_and_sites_are_kept_apart() -> None:
    u = usage(each_minute(dcgm, hours=2) + each_minute(npu_old, hours=1), hours=2, periods=2)
    found = {(s.site, s.period): s for s in shares(u.amounts, 2) if s.phase == "inference" and s.measure == "allocated"}
    assert found["north", 0].share == pytest.approx(376 / (376 + 989.5))
    assert found["north", 1].share == 0.0
    assert found["north", 1].high == pytest.approx(376 / (376 + 989.5), rel=0.01)


@pytest.mark.parametrize(("bound", "verdict"), [(0.5, "kept"), (0.62, "cannot tell"), (0.9, "breached")])
def test_verdicts(bound: float, verdict: str) -> None:
    amounts = [
        Amount("n", 0, "inference", "a", True, "used", 60.0, 20.0),
        Amount("n", 0, "inference", "b", False, "used", 40.0),
    ]
    found = judge(amounts, [DomesticShare("c", "inference", bound, "nominal-compute")])
    assert found[0].verdict == verdict


@pytest.mark.parametrize(("bound", "verdict"), [(0.5, "kept"), (0.55, "cannot tell"), (0.65, "breached")])
def test_kept_needs_the_lower_bound(bound: float, verdict: str) -> None:
    amounts = [
        Amount("n", 0, "inference", "a", True, "used", 60.0),
        Amount("n", 0, "inference", "b", False, "used", 40.0, 20.0),
    ]
    (found,) = judge(amounts, [DomesticShare("c", "inference", bound, "nominal-compute")])
    assert found.share.share == pytest.approx(0.6)
    assert found.verdict == verdict


def test_a_time_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(UserError, match="carry no time"):
        read_exposition(dcgm(0).rsplit(" ", 1)[0] + "\n", "metrics.prom", "north", None)


def test_bad_samples_are_flagged() -> None:
    readings, flags = read_exposition(
        dcgm(0).replace(" 80 ", " NaN ") + "DCGM_FI_DEV_GPU_UTIL{gpu= 3\n", "s.prom", "north", T0
    )
    assert not readings
    assert [f.kind for f in flags] == ["bad-sample", "bad-sample"]


def test_names_of_exporters_find_their_chip() -> None:
    for name, chip in (
        ("NVIDIA H200", "NVIDIA H200 SXM"),
        ("NVIDIA H20", "NVIDIA H20 96GB (HGX)"),
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB SXM"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 SXM"),
    ):
        found = chip_of(name)
        assert found is not None, name
        assert found.name == chip
    assert chip_of("Tesla X9") is None


@given(st.lists(st.tuples(st.floats(0, 3600), st.floats(0, 1)), min_size=1, max_size=30))
def test_spans_cover_the_whole_time_once(samples: list[tuple[float, float]]) -> None:
    raw = [Reading(T0 + t, "m", "s", "d", "x", "n", "p", v, "f") for t, v in samples]
    kept, _ = in_order(raw)
    if not kept:
        return
    found = spans(kept, T0, T0 + 3600)
    assert found[0].start == T0
    assert found[-1].end == T0 + 3600
    assert all(a.end == b.start for a, b in itertools.pairwise(found))
