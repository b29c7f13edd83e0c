"""What schedulers say of cards: Kueue, Slurm accounting, and the requests of pods."""

from __future__ import annotations

import pytest
from telemetry import SACCT, T0, dcgm, each_minute, kinds, usage

from twokey.chips import UserError
from twokey.deploy import hardware
from twokey.deploy.report.shares import share_of
from twokey.deploy.report.slurm import read as read_sacct


def test_a_gap_of_a_queue_is_bounded_by_the_cards_of_the_plan() -> None:
    text = each_minute(asks, pod="a", skip=range(30, 60)) + each_minute(labelled, skip=range(30, 60))
    u = usage(text, fleets=[("north", hardware("H200"), 64.0)])
    (a,) = [a for a in u.amounts if a.measure == "allocated"]
    assert a.known == pytest.approx(8 * 989.5 * 1800, rel=0.05)
    assert a.missing == pytest.approx(64 * 989.5 * 1800, rel=0.05)
    assert "gap" in kinds(u)


def test_kueue_gauges_stand_in_where_no_exporter_does() -> None:
    text = "".join(
        f'kueue_cluster_queue_resource_usage{{cluster_queue="inference",flavor="{f}",resource="r"}} '
        f"{v} {int((T0 + 60 * i) * 1000)}\n"
        for i in range(60)
        for f, v in (("nvidia-h200-sxm", 8), ("huawei-ascend-910b2", 16))
    )
    s = share_of(usage(text).amounts, "inference", "allocated")
    assert s.share == pytest.approx(16 * 376 / (16 * 376 + 8 * 989.5))


def test_sacct_counts_typed_gres_once() -> None:
    amounts, flags = read_sacct(SACCT, "sacct.txt", "north", [T0, T0 + 3600], {})
    s = share_of(amounts, "inference", "allocated")
    assert s.share == pytest.approx(8 * 376 / (8 * 376 + 8 * 989.5))
    assert {f.kind for f in flags} == {"duplicate", "unknown-chip"}
    with pytest.raises(UserError, match="no column ElapsedRaw"):
        read_sacct("JobIDRaw|QOS|Partition|AllocTRES|State\n1|a|b|c|d\n", "x", "north", [T0, T0 + 1], {})


def test_jobs_whose_gres_has_no_type_may_be_on_either() -> None:
    amounts, _ = read_sacct(SACCT, "s", "north", [T0, T0 + 3600], {})
    s = share_of(amounts, "training", "allocated")
    assert (s.share, s.low, s.high) == (None, 0.0, 1.0)
    torn = SACCT.replace("Start\n", "Start|End\n").replace("T00:00:00\n", "T00:00:00|2026-10-31T00:00:00\n")
    assert "clock" in {f.kind for f in read_sacct(torn, "s", "north", [T0, T0 + 3600], {})[1]}


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
