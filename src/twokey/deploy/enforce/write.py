"""All files of an enforcement, by name."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from twokey.chips import UserError
from twokey.deploy.enforce import admission, claims, guards, queues, rbac, slurm
from twokey.deploy.enforce.policy import Policy


def documents(policy: Policy, nodes: dict[str, str] | None = None) -> dict[str, str]:
    """Return file name -> text; `nodes` maps names of licensed nodes to their chip's slug."""
    head = f"# Written by `twokey deploy enforce` from: {policy.name}\n# Source of truth: policy.json. Do not edit.\n"

    def dump(made: list[admission.Manifest]) -> str:
        return head + yaml.safe_dump_all(made, sort_keys=False, allow_unicode=True, width=1000)

    found = {
        "policy.json": json.dumps(policy.as_json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        "nodes.sh": queues.nodes_script(policy),
        "admission.yaml": dump([*admission.manifests(policy, nodes), *guards.manifests(policy)]),
        "rbac.yaml": dump(rbac.manifests()),
        "namespaces.yaml": dump(queues.namespaces(policy)),
        "kueue.yaml": dump(queues.kueue(policy)),
        "kueue-configuration.part.yaml": dump([queues.kueue_configuration()]),
        "dra.yaml": dump([*queues.device_classes(policy), *claims.manifests(policy)]),
    }
    found.update({f"slurm/{name}": text for name, text in slurm.files(policy).items()})
    return found


def write(policy: Policy, folder: Path, nodes: dict[str, str] | None = None) -> list[Path]:
    """Write all files under `folder` and return their paths. Errors: UserError where one cannot be written."""
    paths = []
    for name, text in documents(policy, nodes).items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None
        paths.append(path)
    return paths
