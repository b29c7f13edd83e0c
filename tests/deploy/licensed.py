"""A plan with licensed and domestic chips, and the policy that its conditions come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twokey.deploy import hardware, model
from twokey.deploy.conditions import PHASES, EndUse, Place
from twokey.deploy.enforce.policy import APPROVED_PREFIX, PHASE_LABEL, build
from twokey.deploy.plan import Fleet, Plan, Site, Workload

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "twenty_sites.toml"


H200, H20, C910 = "nvidia-h200-sxm", "nvidia-h20-96gb-hgx", "huawei-ascend-910c"


def plan() -> Plan:
    sites = (Site("north", "CN", 1e6), Site("harbour", "HK", 1e6))
    fleets = (
        Fleet("north", hardware("Ascend 910C"), 1000, 1, 1),
        Fleet("north", hardware("H200"), 100, 1, 1),
        Fleet("harbour", hardware("H200"), 100, 1, 1),
        Fleet("harbour", hardware("H20"), 100, 1, 1),
    )
    work = tuple(
        Workload(f"{use}-{phase}", phase, model("Qwen3-8B"), use, 1.0, 2000, 500, (1000.0,), None, 1e12, 30)
        for use in ("research", "consumer", "military")
        for phase in PHASES
    )
    conditions = (
        EndUse("use", ("H200 SXM",), ("research", "consumer"), ("training",)),
        Place("where", ("H200 SXM",), ("HK",)),
        EndUse("h20", ("H20",), ("consumer",)),
    )
    return Plan("test", "served", sites, fleets, work, conditions)


POLICY = build(plan())


def namespace(phase: str, *approved: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "n",
            "labels": {PHASE_LABEL: phase, **{f"{APPROVED_PREFIX}/{use}": "yes" for use in approved}},
        }
    }
