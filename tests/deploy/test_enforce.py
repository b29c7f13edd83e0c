"""Enforcement: the manifests are valid, quotas are the placement's, and the command writes every file."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from licensed import C910, EXAMPLE, H20, H200, POLICY, plan

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware
from twokey.deploy.conditions import Ceiling, DomesticShare
from twokey.deploy.enforce import admission, claims, guards, queues, rbac, slurm
from twokey.deploy.enforce.policy import CHIP_LABEL, PLACE_LABEL, TAINT, Policy, build, shares_when_full
from twokey.deploy.enforce.write import documents

KUEUE = json.loads((Path(__file__).parent / "schemas" / "kueue_v1beta2.json").read_text("utf-8"))


def test_kubernetes_manifests_are_strictly_valid(real: Policy) -> None:
    dra = [*claims.manifests(real), *queues.device_classes(real)]
    kept = [*guards.manifests(real), *rbac.manifests()]
    made = [*admission.manifests(real, {"n1": H200}), *queues.namespaces(real), *kept, *dra]
    assert {m["kind"] for m in dra} == {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "DeviceClass"}
    for manifest in made:
        kubernetes_validate.validate(manifest, "1.35", strict=True)
    wrong = json.loads(json.dumps(made[2]))
    wrong["spec"]["validation"] = wrong["spec"].pop("validations")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.35", strict=True)


def test_kueue_manifests_are_valid(real: Policy) -> None:
    made = queues.kueue(real)
    assert {m["kind"] for m in made} == {"ResourceFlavor", "ClusterQueue", "LocalQueue"}
    for manifest in made:
        jsonschema.validate(manifest, {**KUEUE[manifest["kind"]], "$defs": KUEUE["$defs"]})
    wrong = {**made[0], "spec": {**made[0]["spec"], "nodeLabel": {}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, {**KUEUE["ResourceFlavor"], "$defs": KUEUE["$defs"]})


def test_flavours_of_licensed_chips_carry_the_taint() -> None:
    made = {m["metadata"]["name"]: m["spec"] for m in queues.kueue(POLICY) if m["kind"] == "ResourceFlavor"}
    assert made[H200]["nodeTaints"] == [{"key": TAINT, "value": H200, "effect": "NoSchedule"}]
    assert "nodeTaints" not in made[C910]


def test_quotas_are_the_placements_and_count_what_the_plug_in_counts(real: Policy) -> None:
    made = {(m["kind"], m["metadata"]["name"]): m for m in queues.kueue(real)}
    groups = made["ClusterQueue", "inference"]["spec"]["resourceGroups"]
    quota = {f["name"]: f["resources"][0]["nominalQuota"] for g in groups for f in g["flavors"]}
    assert quota[C910] == round(2 * real.quotas["inference", C910])
    assert all(f["resources"][0]["borrowingLimit"] == 0 for g in groups for f in g["flavors"])


def test_a_phase_that_may_not_use_a_chip_has_no_quota() -> None:
    assert POLICY.quotas["inference", H200] == 0
    assert POLICY.quotas["training", H200] == 200
    text = slurm.files(POLICY)["qos.sh"]
    assert "GrpTRES=gres/npu:huawei_ascend_910c=2000,gres/gpu:nvidia_h200_sxm=0" in text


def test_domestic_plug_ins_have_their_own_names(real: Policy) -> None:
    names = {chip.slug: chip.resource for chip in real.chips}
    assert names[C910] == "huawei.com/Ascend910"
    assert names["metax-c500-pcie"] == "metax-tech.com/gpu"
    assert names[H200] == names[H20] == "nvidia.com/gpu"  # which is why labels and typed GRES tell them apart


@pytest.mark.parametrize("script", ["nodes.sh", "qos.sh"])
def test_scripts_are_shell(script: str, tmp_path: Path) -> None:
    found = documents(POLICY)
    text = found.get(script) or found[f"slurm/{script}"]
    assert subprocess.run(["/bin/sh", "-n"], input=text, text=True, check=False).returncode == 0


def test_nodes_are_labelled_and_only_licensed_ones_tainted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tool = tmp_path / "kubectl"
    tool.write_text(f'#!/bin/sh\necho "$*" >> {log}\n', "utf-8")
    tool.chmod(0o755)
    (tmp_path / "nodes.sh").write_text(documents(POLICY)["nodes.sh"], "utf-8")

    def run(lines: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        args = ["/bin/sh", str(tmp_path / "nodes.sh")]
        return subprocess.run(args, input=lines, text=True, capture_output=True, check=False, env=env)

    assert run(f"g1,{H200},HK\ng2,{C910},CN\n").returncode == 0
    assert log.read_text("utf-8").splitlines() == [
        f"label --overwrite node g1 {CHIP_LABEL}={H200} {PLACE_LABEL}=HK",
        f"taint --overwrite node g1 {TAINT}={H200}:NoSchedule",
        f"label --overwrite node g2 {CHIP_LABEL}={C910} {PLACE_LABEL}=CN",
    ]
    assert "the policy has no chip 'h999'" in run("g1,h999,CN\n").stderr
    assert "the plan has no nvidia-h20-96gb-hgx at 'CN'" in run(f"g1,{H20},CN\n").stderr


def test_quotas_keep_a_ceiling_whatever_the_rounding() -> None:
    p = plan()
    capped = build(replace(p, conditions=(Ceiling("cap", ("H200 SXM", "H20"), 31),)))
    held = sum(capped.quotas[phase, chip] for phase in ("inference", "training") for chip in (H200, H20))
    assert 28 <= held <= 31
    assert capped.quotas["training", C910] == 1000


def test_quotas_that_used_up_would_break_a_share_are_told(tmp_path: Path) -> None:
    share = DomesticShare("most", "inference", 0.9, "nominal-compute")
    policy = build(replace(plan(), conditions=(share,)))
    ((condition, reached),) = shares_when_full(policy, replace(plan(), conditions=(share,)))
    rates = {H200: 989.5, H20: hardware("H20").tflops16, C910: 752.0}
    total = sum(policy.quotas["inference", name] * rate for name, rate in rates.items())
    assert reached == pytest.approx(policy.quotas["inference", C910] * 752.0 / total)
    assert condition.id == "most"


def test_every_file_parses(real: Policy) -> None:
    for name, text in documents(real).items():
        if name.endswith(".yaml"):
            assert all(isinstance(m, dict) for m in yaml.safe_load_all(text))
        if name.endswith(".json"):
            assert json.loads(text)["licensed"]


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        deploy, ["enforce", str(EXAMPLE), "--out", str(tmp_path), "--node", "n1=H200"], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert (tmp_path / "slurm" / "qos.sh").exists()
    assert "n1: nvidia-h200-sxm" in (tmp_path / "admission.yaml").read_text("utf-8")
    said = CliRunner().invoke(deploy, ["enforce", str(EXAMPLE), "--out", str(tmp_path), "--lang", "zh"])
    assert "research (训练)" in said.stdout
    with pytest.raises(UserError, match="cannot be written"):
        CliRunner().invoke(deploy, ["enforce", str(EXAMPLE), "--out", "/proc/no"], catch_exceptions=False)
    bad = CliRunner().invoke(deploy, ["enforce", str(EXAMPLE), "--out", str(tmp_path), "--node", "n1"])
    assert "NODE=CHIP" in str(bad.exception)
