"""Enforcement: the manifests are valid, and they refuse what the conditions refuse, and only that."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import lupa
import pytest
import yaml
from click.testing import CliRunner
from cluster import admitted, can_land, node
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware, model
from twokey.deploy.assembly import eligible
from twokey.deploy.conditions import PHASES, Ceiling, DomesticShare, EndUse, Phase, Place
from twokey.deploy.constants import packaged
from twokey.deploy.enforce import admission, claims, guards, queues, rbac, slurm
from twokey.deploy.enforce.policy import (
    ADMINS,
    APPROVED_PREFIX,
    CHIP_LABEL,
    END_USE_LABEL,
    PHASE_LABEL,
    PLACE_LABEL,
    TAINT,
    Policy,
    build,
    shares_when_full,
)
from twokey.deploy.enforce.write import documents
from twokey.deploy.place import place
from twokey.deploy.plan import Fleet, Plan, Site, Workload, read

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "twenty_sites.toml"
KUEUE = json.loads((Path(__file__).parent / "schemas" / "kueue_v1beta2.json").read_text("utf-8"))
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
NODES = [  # every chip at every place: a policy cannot know where there is none
    node("a", H200, "HK", True),
    node("b", H200, "CN", True),
    node("c", H20, "HK", True),
    node("d", C910, "CN", False),
    node("e", H20, "CN", True),
    node("f", C910, "HK", False),
]
MANIFESTS = [*admission.manifests(POLICY, {"a": H200, "b": H200, "c": H20, "e": H20}), *guards.manifests(POLICY)]


def pod(end_use: str | None = None, **spec: Any) -> dict[str, Any]:
    labels = {} if end_use is None else {END_USE_LABEL: end_use}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }


def namespace(phase: str, *approved: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "n",
            "labels": {PHASE_LABEL: phase, **{f"{APPROVED_PREFIX}/{use}": "yes" for use in approved}},
        }
    }


def ask(p: dict[str, Any], ns: dict[str, Any]) -> list[str]:
    return admitted(MANIFESTS, "pods", "CREATE", {"object": p, "namespaceObject": ns})


ON_H200 = {
    "tolerations": [{"key": TAINT, "operator": "Equal", "value": H200}],
    "nodeSelector": {CHIP_LABEL: H200, PLACE_LABEL: "HK"},
}


def test_approved_training_is_admitted() -> None:
    assert not ask(pod("research", **ON_H200), namespace("training", "research"))


@pytest.mark.parametrize(
    ("p", "ns"),
    [
        (pod("research", **ON_H200), namespace("inference", "research")),  # wrong phase
        (pod("research", **ON_H200), namespace("training")),  # namespace not approved
        (pod("research", **ON_H200), namespace("training", "consumer")),  # approved for another use
        (pod("military", **ON_H200), namespace("training", "military")),  # never allowed
        (pod(None, **ON_H200), namespace("training", "research")),  # says no end use
        (pod("research", tolerations=ON_H200["tolerations"]), namespace("training", "research")),  # place left open
        (
            pod("research", tolerations=[{"operator": "Exists"}]),
            namespace("inference", "research"),
        ),  # tolerates everything
        (pod("military", nodeName="a"), namespace("training", "military")),  # goes round the scheduler
        (
            pod("research", **{**ON_H200, "nodeSelector": {CHIP_LABEL: H200, PLACE_LABEL: "CN"}}),
            namespace("training", "research"),
        ),
    ],
)
def test_refused(p: dict[str, Any], ns: dict[str, Any]) -> None:
    assert ask(p, ns)


def test_a_pod_that_names_no_chip_is_admitted_and_cannot_land_on_a_licensed_node() -> None:
    p = pod("military")
    assert not ask(p, namespace("inference"))
    assert [n["name"] for n in NODES if can_land(p, n)] == ["d", "f"]


def test_naming_an_ordinary_node_is_not_refused() -> None:
    assert not ask(pod("military", nodeName="d"), namespace("inference"))


def test_end_use_of_a_pod_does_not_change() -> None:
    context = {
        "object": pod("research"),
        "oldObject": pod("consumer"),
        "namespaceObject": namespace("training", "research"),
    }
    assert "the end use of a pod does not change" in admitted(MANIFESTS, "pods", "UPDATE", context)
    context["object"] = pod("consumer")
    assert not admitted(MANIFESTS, "pods", "UPDATE", context)


@pytest.mark.parametrize("change", [{"labels": {CHIP_LABEL: C910}}, {"taints": []}, {"place": "HK"}])
def test_labels_and_taints_of_nodes_are_the_administrators(change: dict[str, Any]) -> None:
    old = {
        "metadata": {"labels": {CHIP_LABEL: H200, PLACE_LABEL: "CN"}},
        "spec": {"taints": [{"key": TAINT, "value": H200, "effect": "NoSchedule"}]},
    }
    new = json.loads(json.dumps(old))
    new["metadata"]["labels"].update(change.get("labels", {}))
    if "place" in change:
        new["metadata"]["labels"][PLACE_LABEL] = change["place"]
    if "taints" in change:
        new["spec"]["taints"] = []
    context: dict[str, Any] = {"object": new, "oldObject": old}
    assert admitted(MANIFESTS, "nodes", "UPDATE", context)
    assert not admitted(MANIFESTS, "nodes", "UPDATE", {"object": old, "oldObject": old})
    assert not admitted(
        MANIFESTS, "nodes", "UPDATE", {**context, "request": {"userInfo": {"username": "x", "groups": [ADMINS]}}}
    )


def test_approvals_of_a_namespace_are_the_administrators() -> None:
    plain: dict[str, Any] = {"metadata": {"name": "n", "labels": {PHASE_LABEL: "training"}}}
    approved = namespace("training", "research")
    for old, new in ((plain, approved), (approved, plain), (plain, namespace("inference"))):
        assert admitted(MANIFESTS, "namespaces", "UPDATE", {"object": new, "oldObject": old})
    assert admitted(MANIFESTS, "namespaces", "CREATE", {"object": approved})
    assert not admitted(MANIFESTS, "namespaces", "CREATE", {"object": {"metadata": {"name": "n"}}})
    admin = {"request": {"userInfo": {"username": "x", "groups": [ADMINS]}}}
    assert not admitted(MANIFESTS, "namespaces", "UPDATE", {"object": approved, "oldObject": plain, **admin})


ADMIN = {"userInfo": {"username": "x", "groups": [ADMINS]}}


@pytest.mark.parametrize("label", [{CHIP_LABEL: C910}, {PLACE_LABEL: "HK"}])
def test_a_new_node_says_no_chip_of_its_own(label: dict[str, str]) -> None:
    made: dict[str, Any] = {"object": {"metadata": {"name": "n", "labels": label}, "spec": {}}}
    assert admitted(MANIFESTS, "nodes", "CREATE", made)
    assert not admitted(MANIFESTS, "nodes", "CREATE", {**made, "request": ADMIN})
    tainted = {"taints": [{"key": TAINT, "value": H200, "effect": "NoSchedule"}]}
    assert not admitted(MANIFESTS, "nodes", "CREATE", {"object": {"metadata": {"name": "n"}, "spec": tainted}})


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_the_list_of_licensed_nodes_is_the_administrators(operation: str) -> None:
    at = dict(admission.NODES)
    assert admitted(MANIFESTS, "configmaps", operation, {"request": at})
    assert not admitted(MANIFESTS, "configmaps", operation, {"request": {**at, **ADMIN}})
    assert not admitted(MANIFESTS, "configmaps", operation, {"request": {**at, "name": "another"}})
    assert not admitted(MANIFESTS, "configmaps", operation, {"request": {**at, "namespace": "default"}})


@pytest.mark.parametrize("resource", ["clusterqueues", "resourceflavors", "cohorts"])
def test_quotas_are_the_administrators_and_kueue_writes_what_is_not_a_quota(resource: str) -> None:
    old: dict[str, Any] = {"metadata": {"name": "training"}, "spec": {"resourceGroups": []}}
    finalised = {**old, "metadata": {"name": "training", "finalizers": ["kueue.x-k8s.io/resource-in-use"]}}
    more = {**old, "spec": {"resourceGroups": [{"coveredResources": ["nvidia.com/gpu"]}]}}
    assert not admitted(MANIFESTS, resource, "UPDATE", {"object": finalised, "oldObject": old})
    assert admitted(MANIFESTS, resource, "UPDATE", {"object": more, "oldObject": old})
    assert admitted(MANIFESTS, resource, "CREATE", {"object": old})
    assert admitted(MANIFESTS, resource, "DELETE", {"oldObject": old})
    assert not admitted(MANIFESTS, resource, "CREATE", {"object": old, "request": ADMIN})


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
@pytest.mark.parametrize("name", ["nvidia.com/gpu", "huawei.com/Ascend910", "huawei.com/Ascend910C", "cpu"])
def test_where_a_share_is_counted_accelerators_are_asked_for_in_a_phase(real: Policy, kind: str, name: str) -> None:
    made = guards.manifests(real)
    p = pod("consumer")
    p["spec"][kind] = [{"name": "c", "image": "i", "resources": {"limits": {name: "1"}}}]
    outside: dict[str, Any] = {"metadata": {"name": "n"}}
    said = admitted(made, "pods", "CREATE", {"object": p, "namespaceObject": outside})
    assert bool(said) == (name != "cpu")
    for phase in ("inference", "training"):
        assert not admitted(made, "pods", "CREATE", {"object": p, "namespaceObject": namespace(phase)})
    assert not admitted(guards.manifests(POLICY), "pods", "CREATE", {"object": p, "namespaceObject": outside})


def test_work_that_names_no_queue_waits_for_one() -> None:
    made = queues.kueue_configuration()
    assert made["manageJobsWithoutQueueName"] is True
    (where,) = made["managedJobsNamespaceSelector"]["matchExpressions"]
    assert where == {"key": PHASE_LABEL, "operator": "Exists"}
    assert {"batch/job", "pod"} <= set(made["integrations"]["frameworks"])


def test_licence_administrators_may_write_what_others_are_refused() -> None:
    made = {m["kind"]: m for m in rbac.manifests()}
    written = {
        f"{group}/{resource}".lstrip("/")
        for rule in made["ClusterRole"]["rules"]
        if "update" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    guarded = {"nodes", "namespaces", "resource.k8s.io/deviceclasses", "kueue.x-k8s.io/clusterqueues"}
    assert guarded | {"admissionregistration.k8s.io/validatingadmissionpolicies"} <= written
    assert made["Role"]["metadata"]["namespace"] == admission.NODES["namespace"]
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        assert [s["name"] for s in made[kind]["subjects"]] == [ADMINS]


def test_only_the_scheduler_binds_to_licensed_nodes() -> None:
    def bind(target: str, user: str) -> list[str]:
        request = {"userInfo": {"username": user, "groups": []}}
        return admitted(
            MANIFESTS, "pods/binding", "CREATE", {"object": {"target": {"name": target}}, "request": request}
        )

    assert bind("a", "mallory")
    assert not bind("a", "system:kube-scheduler")
    assert not bind("d", "mallory")


tolerations = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "key": st.sampled_from([TAINT, "other", ""]),
            "operator": st.sampled_from(["Exists", "Equal"]),
            "value": st.sampled_from([H200, H20, "x"]),
            "effect": st.sampled_from(["NoSchedule", "NoExecute", ""]),
        },
    ),
    max_size=2,
)
expressions = st.fixed_dictionaries(
    {"key": st.just(CHIP_LABEL), "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"])},
    optional={"values": st.lists(st.sampled_from([H200, H20, C910]), min_size=1, max_size=2)},
)
affinities = st.lists(
    st.fixed_dictionaries({"matchExpressions": st.lists(expressions, min_size=1, max_size=2)}), min_size=1, max_size=2
).map(lambda terms: {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
specs = st.fixed_dictionaries(
    {},
    optional={
        "tolerations": tolerations,
        "nodeSelector": st.fixed_dictionaries(
            {}, optional={CHIP_LABEL: st.sampled_from([H200, H20, C910]), PLACE_LABEL: st.sampled_from(["HK", "CN"])}
        ),
        "affinity": affinities,
        "nodeName": st.sampled_from(["a", "b", "c", "d", "e", "f"]),
    },
)


@settings(deadline=None, max_examples=400)
@given(
    specs,
    st.sampled_from(["research", "consumer", "military", None]),
    st.sampled_from(["inference", "training"]),
    st.sets(st.sampled_from(["research", "consumer", "military"])),
)
def test_admission_refuses_what_the_conditions_refuse_and_only_that(
    spec: dict[str, Any], end_use: str | None, phase: Phase, approved: set[str]
) -> None:
    """Where a pod could land, by a scheduler written apart; what may run there, by the plan's own conditions."""
    p, ns = pod(end_use, **spec), namespace(phase, *approved)
    refused = bool(ask(p, ns))
    reached = [n for n in NODES if n["taints"] and can_land(p, n)]
    wrong = [n for n in reached if not allowed(n, end_use, phase) or end_use not in approved]
    if spec.get("nodeName"):
        # A pod that names its node must also select the node's place, and one whose own selector does not fit the node
        # can never run: both may be refused. What must not happen is that a wrong one is admitted.
        assert refused or not wrong, (spec, end_use, phase, approved)
        if spec["nodeName"] in ("a", "b") and (not reached or PLACE_LABEL not in spec.get("nodeSelector", {})):
            return
        if not reached:
            return
    assert refused == bool(wrong), (spec, end_use, phase, approved, [n["name"] for n in wrong])


def allowed(where: dict[str, Any], end_use: str | None, phase: Phase) -> bool:
    """The plan's conditions, asked directly: would the placement have a column for this work on this fleet?"""
    p = plan()
    chip, at = where["labels"][CHIP_LABEL], where["labels"][PLACE_LABEL]
    device = {H200: "NVIDIA H200 SXM", H20: "NVIDIA H20 96GB (HGX)"}[chip]
    site = next(s.name for s in p.sites if s.place == at)
    fleet = Fleet(site, hardware(device), 1, 1, 1)
    work = Workload("w", phase, model("Qwen3-8B"), end_use or "unstated", 1.0, 1, 1)
    return eligible(p, work, fleet) is None


@pytest.fixture(scope="module")
def real() -> Policy:
    p = read(EXAMPLE)
    return build(p, place(p, packaged(), prices=False))


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


def test_a_device_class_asks_for_the_name_that_the_driver_gives(real: Policy) -> None:
    made = {m["metadata"]["name"]: m for m in queues.device_classes(real)}
    (selector,) = made[H20]["spec"]["selectors"]
    assert selector["cel"]["expression"].endswith('productName == "NVIDIA H20"')
    assert all("[UNCHECKED]" in str(m["metadata"].get("annotations", "")) for m in made.values())


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


CLAIMS = claims.manifests(POLICY)
CLASSES = st.sampled_from([H200, H20, C910, "gpu.nvidia.com", "nic.example.com"])
REQUESTS = st.lists(
    st.one_of(
        CLASSES.map(lambda name: {"name": "r", "exactly": {"deviceClassName": name}}),
        st.lists(CLASSES, min_size=1, max_size=3).map(
            lambda names: {"name": "r", "firstAvailable": [{"name": "s", "deviceClassName": n} for n in names]}
        ),
    ),
    max_size=3,
)


def named_classes(requests: list[dict[str, Any]]) -> set[str]:
    found = {r["exactly"]["deviceClassName"] for r in requests if "exactly" in r}
    return found | {s["deviceClassName"] for r in requests for s in r.get("firstAvailable", [])}


@settings(deadline=None, max_examples=120)
@given(
    REQUESTS,
    st.sampled_from([None, "research", "consumer", "military"]),
    st.sampled_from(["training", "inference"]),
    st.sets(st.sampled_from(["research", "consumer"])),
    st.sampled_from(["resourceclaims", "resourceclaimtemplates"]),
)
def test_claims_are_refused_where_a_condition_refuses_the_chip_and_only_there(
    requests: list[dict[str, Any]], use: str | None, phase: str, approved: set[str], resource: str
) -> None:
    spec: dict[str, Any] = {"devices": {"requests": requests}} if requests else {}
    claim = {
        "metadata": {"name": "c", "labels": {END_USE_LABEL: use} if use else {}},
        "spec": spec if resource == "resourceclaims" else {"spec": spec},
    }
    refused = admitted(CLAIMS, resource, "CREATE", {"object": claim, "namespaceObject": namespace(phase, *approved)})
    names = named_classes(requests)
    wanted = [slug for slug in (H200, H20) if names & {slug, "gpu.nvidia.com"}]
    allowed = all(use in approved and POLICY.may_run(slug, str(use), phase) for slug in wanted)
    assert bool(refused) == (not allowed)


@pytest.mark.parametrize("resource", ["resourceclaims", "resourceclaimtemplates"])
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_a_claim_is_checked_when_it_is_made_and_when_it_is_changed(resource: str, operation: str) -> None:
    spec: dict[str, Any] = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": H200}}]}}
    claim = {"metadata": {"name": "c", "labels": {}}, "spec": spec if resource == "resourceclaims" else {"spec": spec}}
    assert admitted(CLAIMS, resource, operation, {"object": claim, "namespaceObject": namespace("training")})


@pytest.mark.parametrize("name", [C910, "npu.huawei.com", "nic.example.com"])
def test_where_a_share_is_counted_devices_are_claimed_in_a_phase(real: Policy, name: str) -> None:
    spec = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": name}}]}}
    claim = {"metadata": {"name": "c"}, "spec": spec}
    made = claims.manifests(real)
    outside = admitted(made, "resourceclaims", "CREATE", {"object": claim})
    assert bool(outside) == (name != "nic.example.com")
    inside = {"object": claim, "namespaceObject": namespace("training")}
    assert not admitted(made, "resourceclaims", "CREATE", inside)


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_only_licence_administrators_define_device_classes(operation: str) -> None:
    made = {"object": {"metadata": {"name": "mine"}, "spec": {}}}
    assert admitted(CLAIMS, "deviceclasses", operation, made)
    admin = {"request": {"operation": "CREATE", "userInfo": {"username": "a", "groups": [ADMINS]}}}
    assert not admitted(CLAIMS, "deviceclasses", "CREATE", {**made, **admin})
