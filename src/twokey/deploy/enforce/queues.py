"""Kueue flavours and quotas, DRA device classes, nodes' labels and taints, Slurm GRES, QOS and limits."""

from __future__ import annotations

from typing import Any

from twokey.deploy.enforce.policy import APPROVED_PREFIX, CHIP_LABEL, PHASE_LABEL, PLACE_LABEL, TAINT, Policy

Manifest = dict[str, Any]
_KUEUE = "kueue.x-k8s.io/v1beta2"
PHASES = ("inference", "training")


def nodes_script(policy: Policy) -> str:
    """Return the shell lines that label and taint the nodes of each chip (NODES is the reader's to fill in)."""
    licensed = {entry.slug for entry in policy.licensed}
    lines = ["#!/bin/sh", "# Names of nodes per chip and site are yours: set NODES before each block.", "set -eu", ""]
    for chip in policy.chips:
        for site, place, cards in chip.sites:
            lines.append(f"# {chip.chip} at {site}: {cards:g} cards")
            lines.append(f'kubectl label --overwrite nodes $NODES {CHIP_LABEL}="{chip.slug}" {PLACE_LABEL}="{place}"')
            if chip.slug in licensed:
                lines.append(f'kubectl taint --overwrite nodes $NODES {TAINT}="{chip.slug}":NoSchedule')
            lines.append("")
    return "\n".join(lines)


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
                            "nominalQuota": _units(policy.quotas.get((phase, chip.slug), 0.0), chip.per_card),
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


def _units(cards: float, per_card: float) -> int:
    """Return what the plug-in counts: devices (dies on a 910C), not cards."""
    return round(cards * per_card)


def device_classes(policy: Policy) -> list[Manifest]:
    """Return the DRA device classes, one per chip (`claims` says who may use them)."""
    made: list[Manifest] = []
    for chip in policy.chips:
        expression = (
            f'device.driver == "{chip.dra_driver}" && '
            f'device.attributes["{chip.dra_driver}"].{chip.dra_attribute} == "{chip.chip}"'
        )
        made.append(
            {
                "apiVersion": "resource.k8s.io/v1",
                "kind": "DeviceClass",
                "metadata": {"name": chip.slug, "labels": {CHIP_LABEL: chip.slug}},
                "spec": {"selectors": [{"cel": {"expression": expression}}]},
            }
        )
    return made


def slurm(policy: Policy) -> dict[str, str]:
    """Return the Slurm files: gres.conf, a part of slurm.conf, and the sacctmgr lines of the QOS."""
    gres = ["# Typed GRES: without types, accounting cannot tell an H200 from an H20.", "AutoDetect=off"]
    kinds = []
    for chip in policy.chips:
        kind, name = chip.gres.split(":")
        kinds.append(kind)
        gres.append(f"# {chip.chip}: one line per node, File= as the driver names its devices")
        gres.append(f"NodeName={name}-[0-0] Name={kind} Type={name} Count=8")
    tres = ",".join(f"gres/{chip.gres}" for chip in policy.chips)
    conf = [
        f"GresTypes={','.join(dict.fromkeys(kinds))}",
        f"AccountingStorageTRES={tres}",
        "AccountingStorageEnforce=associations,limits,qos,safe",
        *(f"PartitionName={phase} AllowQos={phase} QOS={phase} State=UP  # Nodes= are yours" for phase in PHASES),
    ]
    qos = ["#!/bin/sh", "set -eu"]
    for phase in PHASES:
        limits = ",".join(
            f"gres/{chip.gres}={_units(policy.quotas.get((phase, chip.slug), 0.0), chip.per_card)}"
            for chip in policy.chips
        )
        qos.append(f"sacctmgr -i add qos {phase} || true")
        qos.append(f"sacctmgr -i modify qos {phase} set GrpTRES={limits} Flags=DenyOnLimit")
    for entry in policy.licensed:
        name = next(chip.gres for chip in policy.chips if chip.slug == entry.slug)
        for use in policy.end_uses:
            denied = [phase for phase in PHASES if (use, phase) not in entry.uses]
            for phase in denied:
                qos.append(f"# accounts of end use {use} get no {entry.chip} for {phase}")
                qos.append(
                    f"sacctmgr -i modify account {use} set MaxTRESPerJob=gres/{name}=0 where partition={phase} || true"
                )
    return {
        "gres.conf": "\n".join(gres) + "\n",
        "slurm.conf.part": "\n".join(conf) + "\n",
        "qos.sh": "\n".join(qos) + "\n",
    }
