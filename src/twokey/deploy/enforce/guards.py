"""Kubernetes guards around the admission of pods: what it rests on stays as licence administrators set it.

- pods keep their end use; labels and taints of nodes, phases and approvals of namespaces, the list of licensed nodes
  and Kueue's quotas are changed by the group of licence administrators only;
- only the scheduler binds a pod to a licensed node;
- where a domestic share is counted, accelerators are asked for in namespaces that have a phase.
"""

from __future__ import annotations

from twokey.deploy.enforce.admission import ADMIN, NODES, Manifest, build_policy, label, quote, quoted_list, rule
from twokey.deploy.enforce.policy import (
    APPROVED_PREFIX,
    CHIP_LABEL,
    END_USE_LABEL,
    PHASE_LABEL,
    PLACE_LABEL,
    TAINT,
    Policy,
)


def _same(holder: str, key: str) -> str:
    return f"{label('object', key)} == {label('oldObject', key)}"


def fixed() -> list[Manifest]:
    """Return the policies that keep labels, taints, approvals and the list of nodes as they were set."""
    each = f"filter(t, t.key == {quote(TAINT)}).map(t, (has(t.value) ? t.value : '') + t.effect)"
    taints = " == ".join(
        f"(has({holder}.spec.taints) ? {holder}.spec.taints.{each} : [])" for holder in ("object", "oldObject")
    )
    made = build_policy(
        "twokey-fixed-end-use",
        [rule("", "v1", ["pods"], ["UPDATE"])],
        [
            {
                "expression": _same("pod", END_USE_LABEL),
                "message": "the end use of a pod does not change",
                "reason": "Forbidden",
            }
        ],
    )
    made += build_policy(
        "twokey-fixed-nodes",
        [rule("", "v1", ["nodes"], ["CREATE", "UPDATE"])],
        [
            {
                "expression": f"({ADMIN}) || (request.operation == 'CREATE' ? "
                f"{label('object', CHIP_LABEL)} == '' && {label('object', PLACE_LABEL)} == '' : "
                f"{_same('node', CHIP_LABEL)} && {_same('node', PLACE_LABEL)} && {taints})",
                "message": "chip labels and taints of nodes are set by licence administrators only",
                "reason": "Forbidden",
            }
        ],
    )
    ours = f"(k.startsWith({quote(APPROVED_PREFIX)}) || k == {quote(PHASE_LABEL)})"

    def held_in(one: str, other: str) -> str:
        a, b = f"{one}.metadata.labels", f"{other}.metadata.labels"
        return f"(has({a}) ? {a} : {{}}).all(k, !{ours} || (has({b}) && k in {b} && {b}[k] == {a}[k]))"

    forward, back = held_in("object", "oldObject"), held_in("oldObject", "object")
    new = f"(has(object.metadata.labels) ? object.metadata.labels : {{}}).all(k, !{ours})"
    made += build_policy(
        "twokey-fixed-approvals",
        [rule("", "v1", ["namespaces"], ["CREATE", "UPDATE"])],
        [
            {
                "expression": f"({ADMIN}) || (request.operation == 'CREATE' ? {new} : ({forward} && {back}))",
                "message": "phase and approvals of a namespace are set by licence administrators only",
                "reason": "Forbidden",
            }
        ],
    )
    made += build_policy(
        "twokey-fixed-list",
        [rule("", "v1", ["configmaps"], ["CREATE", "UPDATE", "DELETE"])],
        [
            {
                "expression": ADMIN,
                "message": "the list of licensed nodes is changed by licence administrators only",
                "reason": "Forbidden",
            }
        ],
        matchConditions=[
            {
                "name": "the-list",
                "expression": f"request.namespace == {quote(NODES['namespace'])} && "
                f"request.name == {quote(NODES['name'])}",
            }
        ],
    )
    return made


def binding() -> list[Manifest]:
    """Return the policy on pods that are bound to a node by hand."""
    return build_policy(
        "twokey-no-direct-binding",
        [rule("", "v1", ["pods/binding"], ["CREATE"])],
        [
            {
                "expression": "request.userInfo.username == 'system:kube-scheduler' || !has(params.data) || "
                "!(object.target.name in params.data)",
                "message": "a pod is bound to a licensed node by the scheduler only",
                "reason": "Forbidden",
            }
        ],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )


def quotas() -> list[Manifest]:
    """Return the policy that keeps Kueue's flavours and queues as they were written; its controller writes the rest."""
    return build_policy(
        "twokey-fixed-quotas",
        [rule("kueue.x-k8s.io", "*", ["clusterqueues", "resourceflavors", "cohorts"], ["CREATE", "UPDATE", "DELETE"])],
        [
            {
                "expression": f"({ADMIN}) || (request.operation == 'UPDATE' && object.spec == oldObject.spec)",
                "message": "flavours, queues and their quotas are changed by licence administrators only",
                "reason": "Forbidden",
            }
        ],
    )


def counted(policy: Policy) -> list[Manifest]:
    """Return the policy that accelerators are asked for only where a phase says what they are used for.

    Kueue counts a phase's namespaces against its quota; a pod in another namespace would be counted by nobody.
    """
    if not policy.counted:
        return []
    names = tuple(dict.fromkeys(name for chip in policy.chips for name in (chip.resource, *chip.other_resources)))
    asks = " || ".join(
        f"(has(object.spec.{kind}) && object.spec.{kind}.exists(c, has(c.resources) && has(c.resources.limits) && "
        f"c.resources.limits.exists(r, r in {quoted_list(names)})))"
        for kind in ("containers", "initContainers")
    )
    phase, phases = label("namespaceObject", PHASE_LABEL), quoted_list(("inference", "training"))
    return build_policy(
        "twokey-counted-pods",
        [rule("", "v1", ["pods"], ["CREATE"])],
        [
            {
                "expression": f"!({asks}) || {phase} in {phases}",
                "message": f"accelerators are used in namespaces whose {PHASE_LABEL} is inference or training, "
                "where the domestic share is counted",
                "reason": "Forbidden",
            }
        ],
    )


def manifests(policy: Policy) -> list[Manifest]:
    """Return all guards, with their bindings."""
    return [*fixed(), *binding(), *quotas(), *counted(policy)]
