"""Roles: what the group of licence administrators may write, and what a cluster must let nobody else write.

Kubernetes keeps admission policies from judging requests on admission policies, so those are kept by roles alone.
"""

from __future__ import annotations

from typing import Final

from twokey.deploy.enforce.admission import NODES, Manifest
from twokey.deploy.enforce.policy import ADMINS

_RBAC: Final = "rbac.authorization.k8s.io"
_NAME: Final = "twokey-licence-admins"
_READ: Final = ["get", "list", "watch"]
_WRITE: Final = [*_READ, "create", "update", "patch", "delete"]
_RULES: Final = (
    ("", ["nodes", "namespaces"], [*_READ, "create", "update", "patch"]),
    (
        "admissionregistration.k8s.io",
        ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
        _WRITE,
    ),
    ("resource.k8s.io", ["deviceclasses"], _WRITE),
    ("kueue.x-k8s.io", ["clusterqueues", "resourceflavors", "cohorts", "localqueues"], _WRITE),
)


def manifests() -> list[Manifest]:
    """Return the role of licence administrators, over the cluster and the list of licensed nodes, and its bindings."""
    made: list[Manifest] = []
    for kind, meta, rules in (
        ("ClusterRole", {"name": _NAME}, [_rule(*each) for each in _RULES]),
        ("Role", {"name": _NAME, "namespace": NODES["namespace"]}, [_rule("", ["configmaps"], _WRITE)]),
    ):
        made += [
            {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules},
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": f"{kind}Binding",
                "metadata": dict(meta),
                "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": _NAME},
                "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": ADMINS}],
            },
        ]
    return made


def _rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
