"""Dynamic resource allocation: who may claim a licensed chip's devices, and who may define device classes.

A claim is checked where it is made: its end use (a label, as on pods) and its namespace's phase and approval must be
ones that the chip's conditions let run. The place is left to the pod: licensed nodes are tainted, so a pod that uses
the claim passes the pod policy too. A driver's own class (`gpu.nvidia.com`) matches every chip of the driver, and so
counts as claiming each of them; new classes are made by licence administrators only, or a class under another name
would be a way round.
"""

from __future__ import annotations

from typing import Final

from twokey.deploy.enforce.admission import (
    ADMIN,
    Manifest,
    access,
    build_policy,
    pod_variables,
    quoted_list,
    rule,
    words,
)
from twokey.deploy.enforce.policy import PHASE_LABEL, Policy

_GROUP: Final = "resource.k8s.io"
_DEVICES: Final = {"resourceclaims": "object.spec.devices", "resourceclaimtemplates": "object.spec.spec.devices"}


def claims(devices: str, classes: tuple[str, ...]) -> str:
    """CEL: a request under `devices`, or one of its alternatives, names one of the device classes."""
    names = quoted_list(classes)
    return (
        f"(has({devices}.requests) && {devices}.requests.exists(r, "
        f"(has(r.exactly) && r.exactly.deviceClassName in {names}) || "
        f"(has(r.firstAvailable) && r.firstAvailable.exists(s, s.deviceClassName in {names}))))"
    )


def manifests(policy: Policy) -> list[Manifest]:
    """Return the policies on claims, claim templates and device classes, with their bindings."""
    drivers = {chip.slug: chip.dra_driver for chip in policy.chips}
    made: list[Manifest] = []
    for resource, devices in _DEVICES.items():
        checks = [
            {
                "expression": f"!has({devices}) || !{claims(devices, (entry.slug, drivers[entry.slug]))} || "
                f"({access(entry)})",
                "message": f"{entry.chip}: claimed only for {words(entry)}, in a namespace approved for that end use "
                f"(conditions {', '.join(entry.conditions)})",
                "reason": "Forbidden",
            }
            for entry in policy.licensed
        ]
        if policy.counted:
            names = tuple(dict.fromkeys(name for chip in policy.chips for name in (chip.slug, chip.dra_driver)))
            checks.append(
                {
                    "expression": f"!has({devices}) || !{claims(devices, names)} || "
                    "variables.phase in ['inference', 'training']",
                    "message": f"accelerators are claimed in namespaces whose {PHASE_LABEL} is inference or training, "
                    "where the domestic share is counted",
                    "reason": "Forbidden",
                }
            )
        if checks:
            name = f"twokey-licensed-{resource}"
            made += build_policy(
                name, [rule(_GROUP, "v1", [resource], ["CREATE", "UPDATE"])], checks, variables=pod_variables()
            )
    return made + build_policy(
        "twokey-fixed-device-classes",
        [rule(_GROUP, "v1", ["deviceclasses"], ["CREATE", "UPDATE", "DELETE"])],
        [
            {
                "expression": ADMIN,
                "message": "device classes are made and changed by licence administrators only",
                "reason": "Forbidden",
            }
        ],
    )
