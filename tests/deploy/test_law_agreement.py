"""Where this room and the law room judge the same thing, they say the same: a share is kept or it is not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.deploy.conditions import DomesticShare
from twokey.deploy.report.shares import judge
from twokey.deploy.report.usage import Amount
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
