"""The report: exporters of both generations, gaps bounded, and no silent number from broken telemetry."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware
from twokey.deploy.conditions import DomesticShare
from twokey.deploy.report.cleaning import LATE, in_order, spans, usual_step
from twokey.deploy.report.readings import Reading, chip_of, read_exposition, read_folder
from twokey.deploy.report.shares import judge, share_of, shares
from twokey.deploy.report.slurm import read as read_sacct
from twokey.deploy.report.sums import Amount
from twokey.deploy.report.tokens import rises
from twokey.deploy.report.usage import Usage, add_up, filled

T0 = 1_793_491_200.0  # 2026-11-01 00:00 UTC


def dcgm(t: float, gpu: int = 0, value: float = 80, namespace: str = "inference", pod: str = "p0") -> str:
    return (
        f'DCGM_FI_DEV_GPU_UTIL{{gpu="{gpu}",UUID="GPU-{gpu}",modelName="NVIDIA H200",Hostname="n1",'
        f'namespace="{namespace}",pod="{pod}"}} '
        f"{value} {int((T0 + t) * 1000)}\n"
    )


def npu_old(  # noqa: PLR0913, PLR0917 - one argument a label
    t: float, n: int = 0, value: float = 50, namespace: str = "inference", pod: str = "q0", model: str = "Ascend910B2"
) -> str:
    return (
        f'npu_chip_info_utilization{{npuID="{n}",modelName="{model}",podName="{pod}",'
        f'namespace="{namespace}"}} {value} {int((T0 + t) * 1000)}\n'
    )


def npu_new(  # noqa: PLR0913, PLR0917 - one argument a label
    t: float, n: int = 0, die: int = 0, value: float = 50, namespace: str = "inference", pod: str = "q0"
) -> str:
    return (
        f'npu_chip_info_utilization{{id="{n}",model_name="Ascend910C",pod_name="{pod}",'
        f'namespace="{namespace}",vdie_id="{die}"}} '
        f"{value} {int((T0 + t) * 1000)}\n"
    )


def usage(text: str, hours: float = 1.0, periods: int = 1, **more: object) -> Usage:
    readings, flags = read_exposition(text, "s.prom", "north", None)
    edges = [T0 + hours * 3600 * i / periods for i in range(periods + 1)]
    found = add_up(readings, edges, {}, **more)  # type: ignore[arg-type]
    return Usage(found.amounts, (*flags, *found.flags), found.edges)


def each_minute(line: object, hours: float = 1.0, skip: Sequence[int] = (), **more: object) -> str:
    return "".join(line(60.0 * i, **more) for i in range(int(hours * 60)) if i not in skip)  # type: ignore[operator]


def kinds(u: Usage) -> set[str]:
    return {flag.kind for flag in u.flags}


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


def counter(t: float, value: float, pod: str) -> str:
    return (
        f'vllm:generation_tokens_total{{model_name="m",namespace="inference",pod="{pod}"}} {value} '
        f"{int((T0 + t) * 1000)}\n"
    )


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


def test_a_gap_of_a_queue_is_bounded_by_the_cards_of_the_plan() -> None:
    text = each_minute(asks, pod="a", skip=range(30, 60)) + each_minute(labelled, skip=range(30, 60))
    u = usage(text, fleets=[("north", hardware("H200"), 64.0)])
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(8 * 989.5 * 1800, rel=0.05)
    assert a.missing == pytest.approx(64 * 989.5 * 1800, rel=0.05)
    assert "gap" in kinds(u)


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


def test_kueue_gauges_stand_in_where_no_exporter_does() -> None:
    text = "".join(
        f'kueue_cluster_queue_resource_usage{{cluster_queue="inference",flavor="{f}",resource="r"}} '
        f"{v} {int((T0 + 60 * i) * 1000)}\n"
        for i in range(60)
        for f, v in (("nvidia-h200-sxm", 8), ("huawei-ascend-910b2", 16))
    )
    s = share_of(usage(text).amounts, "inference", "allocated")
    assert s.share == pytest.approx(16 * 376 / (16 * 376 + 8 * 989.5))


def test_periods_and_sites_are_kept_apart() -> None:
    u = usage(each_minute(dcgm, hours=2) + each_minute(npu_old, hours=1), hours=2, periods=2)
    found = {(s.site, s.period): s for s in shares(u.amounts, 2) if s.phase == "inference" and s.measure == "allocated"}
    assert found["north", 0].share == pytest.approx(376 / (376 + 989.5))
    assert found["north", 1].share == 0.0
    assert found["north", 1].high == pytest.approx(376 / (376 + 989.5), rel=0.01)


SACCT = (
    "JobIDRaw|Account|QOS|Partition|AllocTRES|ElapsedRaw|State|Comment|Start\n"
    "1|lab|inference|inference|cpu=8,gres/gpu:nvidia_h200_sxm=8|3600|COMPLETED||2026-11-01T00:00:00\n"
    "2|lab|inference|inference|cpu=8,gres/npu:huawei_ascend_910b2=16|1800|COMPLETED||2026-11-01T00:15:00\n"
    "2|lab|inference|inference|cpu=8,gres/npu:huawei_ascend_910b2=16|1800|COMPLETED||2026-11-01T00:15:00\n"
    "3|lab|training|training|cpu=8,gres/gpu=8|60|FAILED||2026-11-01T00:00:00\n"
)


def test_sacct_counts_typed_gres_once() -> None:
    amounts, flags = read_sacct(SACCT, "sacct.txt", "north", [T0, T0 + 3600], {})
    s = share_of(amounts, "inference", "allocated")
    assert s.share == pytest.approx(8 * 376 / (8 * 376 + 8 * 989.5))
    assert {f.kind for f in flags} == {"duplicate", "unknown-chip"}
    with pytest.raises(UserError, match="no column ElapsedRaw"):
        read_sacct("JobIDRaw|QOS|Partition|AllocTRES|State\n1|a|b|c|d\n", "x", "north", [T0, T0 + 1], {})


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


PLAN = """
name = "one site"
[[site]]
name = "north"
power = "1MW"
[[fleet]]
site = "north"
chip = "H200"
cards = 1
[[fleet]]
site = "north"
chip = "Ascend 910B2"
cards = 1
[[workload]]
name = "w"
phase = "inference"
model = "Qwen3-8B"
demand = 100
[[condition]]
id = "most"
kind = "domestic-share"
of = "inference"
at_least = 0.6
measure = "nominal-compute"
authority = "NDRC"
"""


def test_statement_and_breach_record(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN, "utf-8")
    folder = tmp_path / "north"
    folder.mkdir()
    (folder / "2026-11-01.prom").write_text(each_minute(dcgm) + each_minute(npu_old), "utf-8")
    args = [
        "report",
        "--plan",
        str(tmp_path / "plan.toml"),
        "--telemetry",
        f"north={folder}",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-01T01:00",
        "--out",
        str(tmp_path / "s.md"),
        "--breaches",
        str(tmp_path / "b.json"),
    ]
    result = CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert result.exit_code == 1
    assert "breached" in result.stdout
    (record,) = json.loads((tmp_path / "b.json").read_text("utf-8"))
    assert (record["record"], record["condition"], record["at_least_bp"]) == ("twokey.breach", "most", 6000)
    assert len(record["evidence"][0]["sha256"]) == 64
    again = CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert json.loads((tmp_path / "b.json").read_text("utf-8"))[0]["id"] == record["id"]
    assert again.exit_code == 1
    assert "# Statement of use: one site" in (tmp_path / "s.md").read_text("utf-8")
    CliRunner().invoke(deploy, [*args, "--lang", "zh"], catch_exceptions=False)
    assert "已违反" in (tmp_path / "s.md").read_text("utf-8")


def reported(tmp_path: Path, plan: str, *more: str) -> tuple[int, dict[str, Any]]:
    (tmp_path / "plan.toml").write_text(plan, "utf-8")
    (tmp_path / "2026-11-01.prom").write_text(each_minute(dcgm) + each_minute(npu_old), "utf-8")
    site = ["--telemetry", f"north={tmp_path / '2026-11-01.prom'}", "--from", "2026-11-01", "--to", "2026-11-01T01:00"]
    args = ["report", "--plan", str(tmp_path / "plan.toml"), *site, "--format", "json", *more]
    result = CliRunner().invoke(deploy, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout)


def test_a_site_of_the_plan_that_sent_nothing_is_a_gap_as_large_as_its_fleets(tmp_path: Path) -> None:
    south = """
[[site]]
name = "south"
power = "1MW"
[[fleet]]
site = "south"
chip = "Ascend 910B2"
cards = 100
"""
    code, alone = reported(tmp_path, PLAN)
    assert (code, alone["findings"][0]["verdict"]) == (1, "breached")
    code, both = reported(tmp_path, PLAN + south)
    assert (code, both["findings"][0]["verdict"]) == (0, "cannot tell")
    assert any("100 of 100" in flag["words"] for flag in both["flags"])


def test_a_site_that_the_plan_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the plan has no site of this name; did you mean north"):
        reported(tmp_path, PLAN, "--telemetry", f"nroth={tmp_path}")
    with pytest.raises(UserError, match="--zone: 'Asia/Shangai' is not a time zone"):
        reported(tmp_path, PLAN, "--zone", "Asia/Shangai")


def test_a_time_zone_moves_the_time_and_that_of_sacct(tmp_path: Path) -> None:
    code, there = reported(tmp_path, PLAN, "--zone", "Asia/Shanghai")
    assert code == 0
    assert there["findings"][0]["verdict"] == "cannot tell"  # 00:00 there is 16:00 the day before: nothing was sent
    amounts, _ = read_sacct(SACCT, "s", "north", [T0 - 8 * 3600, T0 - 7 * 3600], {}, ZoneInfo("Asia/Shanghai"))
    assert share_of(amounts, "inference", "allocated").share == pytest.approx(8 * 376 / (8 * 376 + 8 * 989.5))


def test_jobs_whose_gres_has_no_type_may_be_on_either() -> None:
    amounts, _ = read_sacct(SACCT, "s", "north", [T0, T0 + 3600], {})
    s = share_of(amounts, "training", "allocated")
    assert (s.share, s.low, s.high) == (None, 0.0, 1.0)
    torn = SACCT.replace("Start\n", "Start|End\n").replace("T00:00:00\n", "T00:00:00|2026-10-31T00:00:00\n")
    assert "clock" in {f.kind for f in read_sacct(torn, "s", "north", [T0, T0 + 3600], {})[1]}


def test_a_site_of_which_only_a_scheduler_speaks_may_have_used_all_that_it_gave_out() -> None:
    tokens = "".join(counter(60.0 * i, 300.0 * i, "q0") for i in range(60))
    north = usage(each_minute(npu_old) + tokens).amounts
    south, _ = read_sacct(SACCT, "s", "south", [T0, T0 + 3600], {})
    both, flags = filled([*north, *south])
    assert [f.source for f in flags] == ["south", "south"]
    used, alone = share_of(both, "inference", "used"), share_of(north, "inference", "used")
    assert (alone.low, alone.high) == (1.0, 1.0)
    assert used.low == pytest.approx(188 / (188 + 8 * 989.5))
    assert used.share == used.high == 1.0
    delivered = share_of(both, "inference", "delivered")
    assert (delivered.share, delivered.low, delivered.high) == (1.0, 0.0, 1.0)
    assert filled(north) == (list(north), [])


def test_flags_and_conditions_are_said_in_chinese(tmp_path: Path) -> None:
    out = tmp_path / "s.md"
    reported(tmp_path, PLAN.replace("cards = 1\n", "cards = 2\n", 1), "--lang", "zh", "--out", str(out))
    text = out.read_text("utf-8")
    assert "most: 推理国产份额不低于 60 %（口径：卡数 × 芯片 16 位稠密算力（TFLOPS）） (NDRC" in text
    assert "无遥测：2 张 NVIDIA H200 SXM 中 1 张无任何数据（north）" in text


def test_bad_options_are_errors() -> None:
    for extra, words in (
        (["--from", "soon", "--to", "2026-11-02"], "is not a date"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "the end must come after"),
        (["--from", "2026-11-01", "--to", "2026-11-02"], "nothing to report on"),
        (["--from", "2026-11-01", "--to", "2026-11-02", "--telemetry", "x=/nowhere"], "no such file"),
    ):
        result = CliRunner().invoke(deploy, ["report", *extra])
        assert words in str(result.exception)


def asks(t: float, pod: str, count: float = 8, node: str = "n1", resource: str = "nvidia_com_gpu") -> str:
    return (
        f'kube_pod_container_resource_requests{{namespace="inference",pod="{pod}",container="c",node="{node}",'
        f'resource="{resource}",unit="integer"}} {count} {int((T0 + t) * 1000)}\n'
        f'kube_pod_container_resource_requests{{namespace="inference",pod="{pod}",container="c",node="{node}",'
        f'resource="memory",unit="byte"}} 1e9 {int((T0 + t) * 1000)}\n'
    )


def labelled(t: float, node: str = "n1", chip: str = "nvidia-h200-sxm") -> str:
    return f'kube_node_labels{{node="{node}",label_chip_twokey_dev_name="{chip}"}} 1 {int((T0 + t) * 1000)}\n'


def test_pods_requests_are_allocation_where_no_exporter_speaks() -> None:
    u = usage(
        each_minute(asks, pod="a")
        + each_minute(labelled)
        + each_minute(asks, pod="b", count=2, node="n2", resource="huawei_com_Ascend910B2")
    )
    found = {a.chip: a.known for a in u.amounts if a.measure == "allocated"}
    assert found == {
        "NVIDIA H200 SXM": pytest.approx(8 * 989.5 * 3600),
        "Huawei Ascend 910B2": pytest.approx(2 * 376 * 3600),
    }
    assert not u.flags


def test_a_pod_that_is_gone_asks_for_nothing_and_a_missing_scrape_is_a_gap() -> None:
    first = "".join(asks(60.0 * i, "a") for i in range(30))
    u = usage(first + each_minute(labelled))
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert (a.known, a.missing) == (pytest.approx(8 * 989.5 * 1800), 0)
    u = usage(each_minute(asks, pod="a", skip=range(30, 60)) + each_minute(labelled, skip=range(30, 60)))
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.missing == pytest.approx(8 * 989.5 * 1800, rel=0.05)


def test_a_node_without_a_label_leaves_the_chip_open() -> None:
    u = usage(each_minute(asks, pod="a"))
    assert "unknown-chip" in kinds(u)
    s = share_of(u.amounts, "inference", "allocated")
    assert (s.share, s.low, s.high) == (None, 0, 1)


def test_requests_are_not_added_to_what_an_exporter_or_a_queue_says() -> None:
    alone = share_of(usage(each_minute(dcgm)).amounts, "inference", "allocated").total
    both = usage(each_minute(dcgm) + each_minute(asks, pod="p0") + each_minute(labelled))
    assert share_of(both.amounts, "inference", "allocated").total == pytest.approx(alone)
    queue = "".join(
        f'kueue_cluster_queue_resource_usage{{cluster_queue="inference",flavor="nvidia-h200-sxm",resource="r"}} '
        f"8 {int((T0 + 60 * i) * 1000)}\n"
        for i in range(60)
    )
    pods = usage(queue + each_minute(asks, pod="a") + each_minute(labelled))
    assert share_of(pods.amounts, "inference", "allocated").total == pytest.approx(8 * 989.5 * 3600)


def test_tokens_of_a_pod_are_its_nodes_chips() -> None:
    served = "".join(
        f'vllm:generation_tokens_total{{namespace="inference",pod="a"}} {100 * i} {int((T0 + 60 * i) * 1000)}\n'
        for i in range(60)
    )
    u = usage(each_minute(asks, pod="a") + each_minute(labelled) + served)
    (tokens,) = [a for a in u.amounts if a.measure == "delivered"]
    assert (tokens.chip, tokens.known) == ("NVIDIA H200 SXM", 5900)
