"""Slurm: typed accelerators, limits by phase and end use, and the filter of jobs in a real Lua."""

from __future__ import annotations

import lupa
import pytest
from licensed import C910, H20, H200, POLICY

from twokey.deploy.enforce import slurm
from twokey.deploy.enforce.policy import Policy


def test_slurm_types_every_chip(real: Policy) -> None:
    text = slurm.files(real)["slurm.conf.part"]
    for chip in real.chips:
        assert f"gres/{chip.gres}" in text
    assert "DenyOnLimit" in slurm.files(real)["qos.sh"]


def job(**given: str) -> tuple[bool, str]:
    """Ask the filter that is written for Slurm, in a Lua of its own, whether a job is let through, and what it says."""
    lua = lupa.LuaRuntime()
    said: list[str] = []
    lua.globals().slurm = lua.table_from({"SUCCESS": 0, "ERROR": -1, "log_user": said.append})
    lua.execute(slurm.files(POLICY)["job_submit.lua"])
    answer = lua.globals().slurm_job_submit(lua.table_from(given), None, 1000)
    return answer == 0, " ".join(said)


def allowed_jobs() -> list[tuple[str, str, str, bool]]:
    chips = {"gpu:nvidia_h200_sxm": H200, "gpu:nvidia_h20_96gb_hgx": H20, "npu:huawei_ascend_910c": C910}
    return [
        (gres, use, phase, POLICY.may_run(name, use, phase))
        for gres, name in chips.items()
        for use in POLICY.end_uses
        for phase in ("inference", "training")
    ]


@pytest.mark.parametrize(("gres", "use", "phase", "good"), allowed_jobs())
def test_the_filter_of_slurm_refuses_what_the_conditions_refuse_and_only_that(
    gres: str, use: str, phase: str, good: bool
) -> None:
    for field, text in (("tres_per_node", f"gres/{gres}:8"), ("tres_per_job", f"gres:{gres}:8"), ("gres", f"{gres}=8")):
        assert job(qos=slurm.qos_of(phase, use), **{field: text})[0] == good
    assert not job(tres_per_node=f"gres/{gres}:8")[0]  # no QOS says no end use


@pytest.mark.parametrize("asked", ["gres/gpu:8", "gpu", "gres:gpu=4", "gres/npu:2", "mem=4G,gres/gpu:1"])
def test_a_job_that_names_no_type_could_run_anywhere_and_is_refused(asked: str) -> None:
    good, said = job(tres_per_node=asked, qos="training-research")
    assert not good
    assert "name the type of" in said


def test_jobs_without_accelerators_pass_and_unknown_types_do_not() -> None:
    assert job(qos="inference-consumer")[0]
    assert job(tres_per_node="license/matlab:1")[0]
    assert "there is no gpu:h999" in job(tres_per_node="gres/gpu:h999:1", qos="training-research")[1]


def test_an_account_may_use_only_the_qos_of_its_end_use() -> None:
    text, conf = slurm.files(POLICY)["qos.sh"], slurm.files(POLICY)["slurm.conf.part"]
    assert "modify account where name=military set QOS=inference-military,training-military" in text
    denied = "modify qos inference-research set MaxTRESPerJob=gres/gpu:nvidia_h200_sxm=0,gres/gpu:nvidia_h20_96gb_hgx=0"
    assert denied in text
    assert "modify qos training-research set MaxTRESPerJob=gres/gpu:nvidia_h20_96gb_hgx=0" in text
    assert "JobSubmitPlugins=lua" in conf
    assert "AllowQos=training-consumer,training-military,training-research QOS=training" in conf
