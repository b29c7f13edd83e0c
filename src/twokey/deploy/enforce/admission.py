"""Kubernetes admission: policies in core CEL, their bindings, and the object that lists licensed nodes.

Holes that a pod policy alone leaves, and what closes each:

- a pod that names no chip could land on a licensed node: those nodes carry a NoSchedule taint, so it cannot;
- a toleration with no key tolerates every taint: it counts as reaching every licensed chip;
- a pod bound straight to a node goes round the scheduler: `spec.nodeName` is checked against the list of licensed
  nodes, and so is `pods/binding`;
- labels, taints, lists and quotas could be changed after admission, and work could run where nobody counts it: the
  policies of `guards` are against that.
"""

from __future__ import annotations

import json
from typing import Any, Final

from twokey.deploy.enforce.policy import (
    ADMINS,
    APPROVED_PREFIX,
    CHIP_LABEL,
    END_USE_LABEL,
    PHASE_LABEL,
    PLACE_LABEL,
    TAINT,
    Licensed,
    Policy,
)

Manifest = dict[str, Any]
_API: Final = "admissionregistration.k8s.io/v1"
NODES: Final = {"name": "twokey-licensed-nodes", "namespace": "twokey-system"}


_REQUIRED: Final = "object.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"


def quote(text: str) -> str:
    """CEL: a string."""
    return json.dumps(text, ensure_ascii=True)


def quoted_list(items: tuple[str, ...]) -> str:
    """CEL: a list of strings."""
    return "[" + ", ".join(quote(item) for item in items) + "]"


def label(holder: str, key: str) -> str:
    """CEL: the value of a label, or an empty string."""
    labels, key = f"{holder}.metadata.labels", quote(key)
    return f"(has({labels}) && {key} in {labels} ? {labels}[{key}] : '')"


def tolerates(slug: str) -> str:
    """CEL: the pod tolerates the taint of a chip."""
    return (
        "(has(object.spec.tolerations) && object.spec.tolerations.exists(t, "
        f"(!has(t.key) || t.key == '' || t.key == {quote(TAINT)}) && "
        "(!has(t.effect) || t.effect == '' || t.effect == 'NoSchedule') && "
        "((has(t.operator) && t.operator == 'Exists') || "
        f"(has(t.key) && t.key == {quote(TAINT)} && has(t.value) && t.value == {quote(slug)}))))"
    )


def selects(slug: str) -> str:
    """CEL: nothing in the pod's node selector or required affinity keeps it off a chip's nodes."""
    key = quote(CHIP_LABEL)
    return (
        f"(!has(object.spec.nodeSelector) || !({key} in object.spec.nodeSelector) || "
        f"object.spec.nodeSelector[{key}] == {quote(slug)}) && "
        "(!has(object.spec.affinity) || !has(object.spec.affinity.nodeAffinity) || "
        f"!has({_REQUIRED}) || {_REQUIRED}.nodeSelectorTerms.exists(term, "
        "!has(term.matchExpressions) || term.matchExpressions.all(e, "
        f"e.key != {key} || e.operator == 'Exists' || "
        f"(e.operator == 'In' && has(e.values) && {quote(slug)} in e.values) || "
        f"(e.operator == 'NotIn' && (!has(e.values) || !({quote(slug)} in e.values))))))"
    )


def reaches(slug: str) -> str:
    """CEL: the pod may come to run on a chip's nodes: by the scheduler, or because it names one of them."""
    direct = (
        "(has(object.spec.nodeName) && object.spec.nodeName != '' && has(params.data) && "
        f"object.spec.nodeName in params.data && params.data[object.spec.nodeName] == {quote(slug)})"
    )
    scheduled = f"((!has(object.spec.nodeName) || object.spec.nodeName == '') && {tolerates(slug)} && {selects(slug)})"
    return f"({direct} || {scheduled})"


def access(entry: Licensed) -> str:
    """CEL: this end use and phase may run on the chip, and the namespace is approved for the end use."""
    uses = quoted_list(tuple(f"{use}/{phase}" for use, phase in entry.uses))
    return f"variables.endUse + '/' + variables.phase in {uses} && variables.approved"


def permits(entry: Licensed) -> str:
    """CEL: `access`, at a place that the chip's conditions allow."""
    if entry.places is None:
        return access(entry)
    key = quote(PLACE_LABEL)
    held = f"has(object.spec.nodeSelector) && {key} in object.spec.nodeSelector"
    return f"{access(entry)} && {held} && object.spec.nodeSelector[{key}] in {quoted_list(entry.places)}"


def pod_variables() -> list[dict[str, str]]:
    """Return the variables that the pod policy's validations use, in order."""
    approved = f"{quote(APPROVED_PREFIX + '/')} + variables.endUse"
    return [
        {"name": "endUse", "expression": label("object", END_USE_LABEL)},
        {"name": "phase", "expression": label("namespaceObject", PHASE_LABEL)},
        {
            "name": "approved",
            "expression": f"has(namespaceObject.metadata.labels) && {approved} in namespaceObject.metadata.labels && "
            f"namespaceObject.metadata.labels[{approved}] == 'yes'",
        },
    ]


def build_policy(name: str, rules: list[Manifest], validations: list[Manifest], **more: Any) -> list[Manifest]:
    """Return a policy that fails closed, and its binding; `more` may hold variables, paramKind, matchConditions."""
    spec: Manifest = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": rules}, "validations": validations}
    spec.update({key: value for key, value in more.items() if key in {"variables", "paramKind", "matchConditions"}})
    binding: Manifest = {"policyName": name, "validationActions": ["Deny", "Audit"]}
    if "paramKind" in more:
        binding["paramRef"] = {**NODES, "parameterNotFoundAction": "Deny"}
    return [
        {"apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": _API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": binding},
    ]


def rule(group: str, version: str, resources: list[str], operations: list[str]) -> Manifest:
    """Return which requests a policy looks at."""
    return {"apiGroups": [group], "apiVersions": [version], "resources": resources, "operations": operations}


ADMIN: Final = f"'groups' in request.userInfo && {quote(ADMINS)} in request.userInfo.groups"


def manifests(policy: Policy, nodes: dict[str, str] | None = None) -> list[Manifest]:
    """Return the policies, bindings and the list of licensed nodes (node name -> chip), as plain manifests."""
    listed: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**NODES, "labels": {"app.kubernetes.io/managed-by": "twokey"}},
        "data": dict(sorted((nodes or {}).items())),
    }
    params = {"apiVersion": "v1", "kind": "ConfigMap"}
    pods = [
        {
            "expression": f"!{reaches(entry.slug)} || ({permits(entry)})",
            "message": f"{entry.chip}: only for {words(entry)}, in a namespace approved for that end use "
            f"(conditions {', '.join(entry.conditions)})",
            "reason": "Forbidden",
        }
        for entry in policy.licensed
    ]
    made: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NODES["namespace"]}},
        listed,
    ]
    if pods:
        made += build_policy(
            "twokey-licensed-chips",
            [rule("", "v1", ["pods"], ["CREATE", "UPDATE"])],
            pods,
            variables=pod_variables(),
            paramKind=params,
            matchConditions=[{"name": "not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"}],
        )
    return made


def words(entry: Licensed) -> str:
    """Return the end uses and phases that a licensed chip may run, for a refusal."""
    return ", ".join(f"{use} ({phase})" for use, phase in entry.uses) or "no end use"
