"""Where this room and the law room judge the same thing, they say the same: a share is kept, a workload may run."""

from __future__ import annotations

from datetime import date

import pytest
from cluster import admitted
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.deploy import hardware, model
from twokey.deploy.conditions import DomesticShare, EndUse, Place
from twokey.deploy.enforce import admission
from twokey.deploy.enforce.policy import (
    APPROVED_PREFIX,
    CHIP_LABEL,
    END_USE_LABEL,
    PHASE_LABEL,
    PLACE_LABEL,
    TAINT,
    build,
    slug,
)
from twokey.deploy.plan import Fleet, Plan, Site, Workload
from twokey.deploy.report.shares import judge
from twokey.deploy.report.sums import Amount
from twokey.law import assess

DAY = date(2026, 3, 1)
CONDITIONS = (
    DomesticShare("CN-029: inference", "inference", 0.5, strict=True),  # "most", read as more than half
    DomesticShare("CN-029: training", "training", 0.0, strict=True),  # "some", read as more than none
)


def law_says(workload: str, share: float) -> str:
    facts = {"item.chip": "H200", "use.workload": workload, "use.domestic_share": share, "site.public_hub": False}
    return str(next(a.answer for a in assess(facts, DAY).answers if a.question == "domestic_share"))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["inference", "training"]), st.integers(0, 50), st.integers(0, 50))
def test_measured_shares_are_judged_as_the_law_room_judges_them(phase: str, domestic: int, imported: int) -> None:
    if domestic + imported == 0:
        return
    amounts = [
        Amount("n", 0, phase, "910C", True, "used", float(domestic)),
        Amount("n", 0, phase, "H200", False, "used", float(imported)),
    ]
    (finding,) = [f for f in judge(amounts, CONDITIONS) if f.share.phase == phase]
    assert finding.verdict == {"pass": "kept", "fail": "breached"}[law_says(phase, domestic / (domestic + imported))]


@pytest.mark.parametrize("share", [0.5, 0.5001])
def test_half_is_not_most(share: float) -> None:
    assert CONDITIONS[0].kept_by(share) == (law_says("inference", share) == "pass")


PLACES = {"CN": "mainland", "HK": "hong_kong", "SG": "abroad"}
USES = {"research": False, "product": False, "weapons": True}  # whether 744.6 prohibits it
IMPORTED = ("H200 SXM", "H20")
LATER = date(2026, 11, 1)  # CN-049 has been in effect since August


def cluster() -> list[dict[str, object]]:
    """Manifests of a plan whose conditions are the law room's: no prohibited end use, H200 outside the mainland."""
    chips = (*IMPORTED, "Ascend 910C")
    sites = tuple(Site(place, place, 1e6) for place in PLACES)
    fleets = tuple(Fleet(site.name, hardware(chip), 100, 1, 1) for site in sites for chip in chips)
    work = tuple(Workload(use, "training", model("Qwen3-8B"), use, 1.0, 2000, 500, (), None, 1e12, 30) for use in USES)
    conditions = (
        EndUse("744.6", IMPORTED, ("research", "product")),
        Place("CN-049", ("H200 SXM",), ("HK", "SG")),
    )
    return admission.manifests(build(Plan("law", "served", sites, fleets, work, conditions)), {})


MANIFESTS = cluster()


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(IMPORTED), st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(USES)))
def test_admission_refuses_what_the_law_room_does_not_clear_and_only_that(chip: str, place: str, use: str) -> None:
    name = slug(hardware(chip).name)
    pod = {
        "metadata": {"name": "p", "labels": {END_USE_LABEL: use}},
        "spec": {
            "containers": [{"name": "c", "image": "i"}],
            "tolerations": [{"key": TAINT, "operator": "Equal", "value": name, "effect": "NoSchedule"}],
            "nodeSelector": {CHIP_LABEL: name, PLACE_LABEL: place},
        },
    }
    labels = {PHASE_LABEL: "training", **{f"{APPROVED_PREFIX}/{each}": "yes" for each in USES}}
    context = {"object": pod, "namespaceObject": {"metadata": {"name": "n", "labels": labels}}}
    facts = {"item.chip": chip, "site.location": PLACES[place], "end_use.prohibited": USES[use]}
    said = {f.provision: f.value for f in assess(facts, LATER).findings}
    barred = said["us-export:prohibited_end_use"] or said["cn-import:in_mainland"]
    assert bool(admitted(MANIFESTS, "pods", "CREATE", context)) == barred


def test_a_domestic_chip_is_barred_by_neither() -> None:
    facts = {"item.chip": "Ascend 910C", "site.location": "mainland", "end_use.prohibited": False}
    said = {f.provision: f.value for f in assess(facts, LATER).findings}
    assert not said["us-export:prohibited_end_use"]
    assert not said["cn-import:in_mainland"]
    pod = {
        "metadata": {"name": "p", "labels": {END_USE_LABEL: "research"}},
        "spec": {"nodeSelector": {CHIP_LABEL: slug(hardware("Ascend 910C").name), PLACE_LABEL: "CN"}},
    }
    space = {"metadata": {"name": "n", "labels": {PHASE_LABEL: "training"}}}
    assert not admitted(MANIFESTS, "pods", "CREATE", {"object": pod, "namespaceObject": space})
