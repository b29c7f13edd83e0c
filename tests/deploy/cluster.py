"""A small cluster to judge by: a CEL evaluator for admission, and a scheduler written apart from it."""

from __future__ import annotations

from functools import cache
from typing import Any

import celpy

from twokey.deploy.enforce.policy import CHIP_LABEL, TAINT

GROUPS = {
    **dict.fromkeys(("resourceclaims", "resourceclaimtemplates", "deviceclasses"), "resource.k8s.io"),
    **dict.fromkeys(("clusterqueues", "resourceflavors", "cohorts"), "kueue.x-k8s.io"),
}
_ENV = celpy.Environment()


@cache
def _program(expression: str) -> Any:
    return _ENV.program(_ENV.compile(expression))


def evaluate(expression: str, context: dict[str, Any]) -> Any:
    return _program(expression).evaluate({k: celpy.json_to_cel(v) for k, v in context.items()})


def admitted(policies: list[dict[str, Any]], resource: str, operation: str, context: dict[str, Any]) -> list[str]:
    """The messages of the refusals of one request; empty where it is admitted."""
    refusals = []
    params = next((m for m in policies if m["kind"] == "ConfigMap"), {})
    denied = {  # a policy without a binding that denies does nothing
        m["spec"]["policyName"]
        for m in policies
        if m["kind"] == "ValidatingAdmissionPolicyBinding" and "Deny" in m["spec"]["validationActions"]
    }
    for manifest in policies:
        if manifest["kind"] != "ValidatingAdmissionPolicy" or manifest["metadata"]["name"] not in denied:
            continue
        spec = manifest["spec"]
        rules = spec["matchConstraints"]["resourceRules"]
        group = GROUPS.get(resource, "")
        if not any(
            resource in rule["resources"] and operation in rule["operations"] and group in rule["apiGroups"]
            for rule in rules
        ):
            continue
        given = {"oldObject": {}, "namespaceObject": {"metadata": {}}, **context, "params": params}
        given["request"] = {
            "operation": operation,
            "namespace": "",
            "name": "",
            "userInfo": {"username": "someone", "groups": []},
            **context.get("request", {}),
        }
        if not all(evaluate(c["expression"], given) for c in spec.get("matchConditions", [])):
            continue
        variables: dict[str, Any] = {}
        for variable in spec.get("variables", []):
            value = evaluate(variable["expression"], {**given, "variables": variables})
            variables[variable["name"]] = bool(value) if isinstance(value, celpy.celtypes.BoolType) else str(value)
        for validation in spec["validations"]:
            if not evaluate(validation["expression"], {**given, "variables": variables}):
                refusals.append(validation["message"])
    return refusals


def can_land(pod: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether a pod could run on a node: taints, selector and affinity; one that names its node goes past the taints.

    The kubelet still turns away a pod that names a node which its own selector or affinity does not fit.
    """
    spec = pod["spec"]
    named = spec.get("nodeName")
    if named and named != node["name"]:
        return False
    if not named and not all(
        any(_tolerates(t, taint) for t in spec.get("tolerations", [])) for taint in node["taints"]
    ):
        return False
    labels = node["labels"]
    if any(labels.get(k) != v for k, v in spec.get("nodeSelector", {}).items()):
        return False
    required = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(
        all(_matches(e, labels) for e in term.get("matchExpressions", [])) for term in required["nodeSelectorTerms"]
    )


def _tolerates(t: dict[str, str], taint: dict[str, str]) -> bool:
    if t.get("effect", "") not in ("", taint["effect"]):
        return False
    if t.get("key", "") not in ("", taint["key"]):
        return False
    if t.get("operator", "Equal") == "Exists":
        return True
    return t.get("key", "") == taint["key"] and t.get("value", "") == taint["value"]


def _matches(e: dict[str, Any], labels: dict[str, str]) -> bool:
    value, values = labels.get(e["key"]), e.get("values", [])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[e["operator"]]


def node(name: str, chip: str, place: str, licensed: bool) -> dict[str, Any]:
    taints = [{"key": TAINT, "value": chip, "effect": "NoSchedule"}] if licensed else []
    return {"name": name, "labels": {CHIP_LABEL: chip, "chip.twokey.dev/place": place}, "taints": taints}
