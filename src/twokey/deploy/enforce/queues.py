"""Kueue flavours and quotas, DRA device classes, nodes' labels and taints."""

from __future__ import annotations

from typing import Any

from twokey.deploy.enforce.policy import APPROVED_PREFIX, CHIP_LABEL, PHASE_LABEL, PLACE_LABEL, TAINT, Policy

Manifest = dict[str, Any]
_KUEUE = "kueue.x-k8s.io/v1beta2"
PHASES = ("inference", "training")
_UNCHECKED = (
    "[UNCHECKED] compare driver, attribute and product with `kubectl get resourceslices -o yaml` before you rely on it"
)


def nodes_script(policy: Policy) -> str:
    """Return the script that labels and taints the nodes that its input names, one `node,chip,place` a line."""
    licensed = {entry.slug for entry in policy.licensed}
    lines = [
        "#!/bin/sh",
        "# Labels nodes with their chip and place, and taints those of licensed chips: sh nodes.sh < nodes.csv",
        "# A line of nodes.csv: node,chip,place   as in   gpu-17,nvidia-h200-sxm,CN",
        "# A node of a licensed chip joins with its taint already, or pods reach it before this script does: start its",
        f"# kubelet with --register-with-taints={TAINT}=CHIP:NoSchedule.",
        "set -eu",
    ]
    for chip in policy.chips:
        where = ", ".join(f"{site} ({place}) {cards:g} cards" for site, place, cards in chip.sites)
        lines.append(f"# {chip.slug}: {where}")
    lines += ["while IFS=, read -r node chip place; do", '  case "$chip" in']
    for chip in policy.chips:
        places = "|".join(dict.fromkeys(place for _, place, _ in chip.sites))
        answer = "yes" if chip.slug in licensed else "no"
        lines.append(f"    {chip.slug}) licensed={answer} places='{places}' ;;")
    lines += [
        "    *) echo \"$node: the policy has no chip '$chip'\" >&2; exit 1 ;;",
        "  esac",
        '  case "|$places|" in',
        '    *"|$place|"*) ;;',
        "    *) echo \"$node: the plan has no $chip at '$place' (it has $places)\" >&2; exit 1 ;;",
        "  esac",
        f'  kubectl label --overwrite node "$node" "{CHIP_LABEL}=$chip" "{PLACE_LABEL}=$place" < /dev/null',
        '  if [ "$licensed" = yes ]; then',
        f'    kubectl taint --overwrite node "$node" "{TAINT}=$chip:NoSchedule" < /dev/null',
        "  fi",
        "done",
    ]
    return "\n".join(lines) + "\n"


def namespaces(policy: Policy) -> list[Manifest]:
    """Return one namespace per phase, without approvals: a licence administrator adds them."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": phase,
                "labels": {PHASE_LABEL: phase},
                "annotations": {
                    f"{APPROVED_PREFIX}-how": f"add the label {APPROVED_PREFIX}/END-USE=yes once it is approved"
                },
            },
        }
        for phase in PHASES
    ]


def kueue(policy: Policy) -> list[Manifest]:
    """Return flavours, one ClusterQueue per phase with absolute quotas, and its LocalQueue.

    A flavour that a phase may not use at all has quota 0 and borrows nothing. Kueue has no quota by ratio: refresh
    these whenever the plan changes.
    """
    licensed = {entry.slug for entry in policy.licensed}
    made: list[Manifest] = []
    for chip in policy.chips:
        spec: Manifest = {"nodeLabels": {CHIP_LABEL: chip.slug}}
        if chip.slug in licensed:
            spec["nodeTaints"] = [{"key": TAINT, "value": chip.slug, "effect": "NoSchedule"}]
        made.append({"apiVersion": _KUEUE, "kind": "ResourceFlavor", "metadata": {"name": chip.slug}, "spec": spec})
    for phase in PHASES:
        groups = []
        for resource in dict.fromkeys(chip.resource for chip in policy.chips):
            flavours = [
                {
                    "name": chip.slug,
                    "resources": [
                        {
                            "name": resource,
                            "nominalQuota": units(policy.quotas.get((phase, chip.slug), 0.0), chip.per_card),
                            "borrowingLimit": 0,
                        }
                    ],
                }
                for chip in policy.chips
                if chip.resource == resource
            ]
            groups.append({"coveredResources": [resource], "flavors": flavours})
        made.append(
            {
                "apiVersion": _KUEUE,
                "kind": "ClusterQueue",
                "metadata": {"name": phase},
                "spec": {
                    "cohortName": "twokey",
                    "namespaceSelector": {"matchLabels": {PHASE_LABEL: phase}},
                    "queueingStrategy": "BestEffortFIFO",
                    "resourceGroups": groups,
                },
            }
        )
        made.append(
            {
                "apiVersion": _KUEUE,
                "kind": "LocalQueue",
                "metadata": {"name": phase, "namespace": phase},
                "spec": {"clusterQueue": phase},
            }
        )
    return made


def kueue_configuration() -> Manifest:
    """Return the part of Kueue's own configuration that the quotas rest on: work that names no queue waits for one.

    It holds for jobs and plain pods in every namespace that has a phase.
    """
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "manageJobsWithoutQueueName": True,
        "managedJobsNamespaceSelector": {"matchExpressions": [{"key": PHASE_LABEL, "operator": "Exists"}]},
        "integrations": {"frameworks": ["batch/job", "pod", "deployment", "statefulset"]},
    }


def units(cards: float, per_card: float) -> int:
    """Return what the plug-in counts: devices (dies on a 910C), not cards."""
    return round(cards * per_card)


def device_classes(policy: Policy) -> list[Manifest]:
    """Return the DRA device classes, one per chip (`claims` says who may use them)."""
    made: list[Manifest] = []
    for chip in policy.chips:
        expression = (
            f'device.driver == "{chip.dra_driver}" && '
            f'device.attributes["{chip.dra_driver}"].{chip.dra_attribute} == "{chip.product}"'
        )
        meta: Manifest = {"name": chip.slug, "labels": {CHIP_LABEL: chip.slug}}
        if chip.unchecked:
            meta["annotations"] = {f"{CHIP_LABEL}-unchecked": _UNCHECKED}
        made.append(
            {
                "apiVersion": "resource.k8s.io/v1",
                "kind": "DeviceClass",
                "metadata": meta,
                "spec": {"selectors": [{"cel": {"expression": expression}}]},
            }
        )
    return made
