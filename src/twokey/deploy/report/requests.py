"""What pods asked for, by kube-state-metrics: allocation where a site's devices have no exporter of their own.

A pod's request says a plug-in's resource, which rarely tells a chip: `nvidia.com/gpu` is an H200 or an H20. The node's
label does (`kube_node_labels`, exported with `--metric-labels-allowlist=nodes=[chip.twokey.dev/name]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from twokey.deploy.devices import Hardware
from twokey.deploy.report.cleaning import in_order
from twokey.deploy.report.readings import NODE_LABELS, QUEUES, REQUESTS, Flag, Reading, chip_of, exported

NO_CHIP: Final = "(no chip label)"


def accelerator(resource: str) -> bool:
    """Return whether a resource is a plug-in's accelerators, by its name in kube-state-metrics.

    >>> accelerator("nvidia_com_gpu"), accelerator("huawei_com_Ascend910B2"), accelerator("memory")
    (True, True, False)
    """
    return resource in exported()


def requested(readings: Sequence[Reading]) -> tuple[list[Reading], dict[tuple[str, str, str], Hardware], list[Flag]]:
    """Return requests summed by site, chip and namespace as a queue's usage is, the chip of each pod, and flags.

    A pod that a scrape does not show is gone, and asks for nothing; a scrape that is missing is a gap for all.
    """
    flags: list[Flag] = []
    labels = {(r.site, r.device): r.model for r in readings if r.metric == NODE_LABELS and r.model}
    asked = [r for r in readings if r.metric == REQUESTS and accelerator(r.model)]
    scrapes: dict[str, dict[float, Reading]] = {}
    for r in readings:
        if r.metric in {REQUESTS, NODE_LABELS}:
            scrapes.setdefault(r.site, {}).setdefault(r.time, r)
    sums: dict[tuple[str, str, str], dict[float, float]] = {}
    chips: dict[tuple[str, str, str], Hardware] = {}
    for same in _each(asked):
        kept, odd = in_order(same)
        flags += odd
        first = same[0]
        chip = labels.get((first.site, first.device)) or _named(first.model)
        device = chip_of(chip)
        if device is not None:
            chips[first.site, first.namespace, first.pod] = device
        at = sums.setdefault((first.site, chip, first.namespace), {})
        for r in kept:
            at[r.time] = at.get(r.time, 0.0) + r.value
    found = [
        Reading(time, QUEUES, site, "", chip, namespace, "pods' requests", at.get(time, 0.0), scrape.source)
        for (site, chip, namespace), at in sums.items()
        for time, scrape in scrapes[site].items()
    ]
    return found, chips, flags


def _each(asked: Iterable[Reading]) -> Iterable[list[Reading]]:
    """Return the readings of each container's request, in the order of the files."""
    found: dict[tuple[str, ...], list[Reading]] = {}
    for r in asked:
        found.setdefault((r.site, r.device, r.namespace, r.pod, r.container, r.model), []).append(r)
    return found.values()


def _named(resource: str) -> str:
    """Return the chip that a resource's own name tells, as `huawei.com/Ascend910B2` does, or that none is told."""
    name = re.split(r"_(?:com|ai)_", resource)[-1]
    return name if chip_of(name) is not None else f"{resource} {NO_CHIP}"
