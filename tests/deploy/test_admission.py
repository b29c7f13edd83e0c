"""Admission of pods by the evaluated CEL, and what only administrators may change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cluster import admitted, can_land, node
from hypothesis import given, settings
from hypothesis import strategies as st
from licensed import C910, H20, H200, POLICY, namespace, plan

from twokey.deploy import hardware, model
from twokey.deploy.assembly import eligible
from twokey.deploy.conditions import Phase
from twokey.deploy.enforce import admission, guards, queues, rbac
from twokey.deploy.enforce.policy import ADMINS, CHIP_LABEL, END_USE_LABEL, PHASE_LABEL, PLACE_LABEL, TAINT, Policy
from twokey.deploy.plan import Fleet, Workload

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
