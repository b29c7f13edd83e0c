"""The constants of the model: six per chip family, two per engine, eight for the world; in a file with their fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from twokey.chips import UserError

# name -> (prior, spread of its logarithm, lowest, highest); a spread of 0 is an assumption that is not fitted.
# Priors: kernel tables of AIConfigurator (Apache-2.0),
# FlagPerf's base measurements and the operator tables of CloudMatrix (arXiv 2506.12708), all as summarised in docs.
FAMILY: Final[dict[str, tuple[float, float, float, float]]] = {
    "compute": (0.95, 0.2, 0.15, 1.0),  # of what the power budget allows (see performance.power), in 16 bits
    "narrow": (0.9, 0.2, 0.2, 1.0),  # the same in 8 and 4 bits, against 16
    "eta_m": (0.74, 0.2, 0.2, 1.0),
    "bus": (0.6, 0.4, 0.05, 1.0),
    "alpha_us": (8.0, 0.5, 1.0, 200.0),
    "layer_us": (25.0, 0.6, 1.0, 2000.0),
}
ENGINE: Final[dict[str, tuple[float, float, float, float]]] = {
    "reread": (0.1, 1.0, 0.001, 1.0),  # share of the cache's reads that each query head makes again
    "launch": (1.0, 0.8, 0.05, 20.0),
}
WORLD: Final[dict[str, tuple[float, float, float, float]]] = {
    "attention": (0.6, 0, 0.1, 1.0),  # attention arithmetic against a matrix product
    "step_ms": (1.0, 0, 0.02, 60.0),  # scheduler, once a step
    "cache": (0.9, 0, 0.2, 1.0),  # reading cache against reading weights
    "imbalance": (1.2, 0, 1.0, 3.0),  # busiest expert rank against the mean
    "tile": (64.0, 0.5, 1.0, 512.0),  # rows of a tile, to which few rows are filled up
    "grouped": (0.8, 0, 0.1, 1.0),  # grouped matrix products of experts, arithmetic
    "block": (256.0, 0.6, 16.0, 4096.0),  # rows of an expert that one fetch of its weights serves
    "grouped_memory": (0.75, 0, 0.1, 1.0),  # the same, bytes
    "moe_launch": (0.8, 0, 0.05, 5.0),  # extra launches of an expert layer
    "prompt_launch": (2.0, 0.4, 0.5, 10.0),  # launches while prompts are read, which no graph replays
    "interference": (1.0, 0, 0.2, 3.0),  # prompts read between decoding steps
    "overlap": (0.4, 0, 0.01, 0.95),  # expert exchange hidden by a second half-batch
    "watts": (0.2, 0, 0.05, 1.0),  # W per dense TFLOPS at which half of the peak can be kept up
    "attention_prompt": (0.6, 0.3, 0.1, 1.0),  # attention while prompts are read: another kernel
    "eagle_accepted": (2.4, 0, 1.0, 5.0),
    "mtp_accepted": (1.7, 0, 1.0, 3.0),
    "server": (0.92, 0, 0.4, 1.0),  # served under a latency limit against offline
    "queue": (1.0, 0.3, 0.3, 1.0),  # mean share of the largest batch that is in flight
    "train": (0.85, 0.2, 0.3, 1.2),
    "moe_train": (0.6, 0, 0.15, 1.0),
    "fp8_train": (0.5, 0.3, 0.05, 1.0),
    "attention_train": (0.6, 0, 0.1, 1.0),
    "width": (400.0, 0.6, 10.0, 4000.0),
    "kernels": (100.0, 0, 1.0, 4000.0),
    "tp_overlap": (0.3, 0, 0.01, 0.95),
    "ep_overlap": (0.4, 0, 0.01, 0.95),
    "dp_overlap": (0.4, 0, 0.01, 1.0),
    "bubble": (0.6, 0, 0.1, 1.0),  # 1 over the number of interleaved stages
    "straggle": (0.01, 0, 0.0005, 0.06),
    "recompute": (0.3, 0, 0.01, 1.0),  # forward work repeated where the source does not say
    "goodput": (0.8, 0, 0.4, 1.0),  # of a whole run against its steps
    "lora_tokens": (2.3e7, 0, 1e6, 1e9),
    "lora_batch": (60.0, 0, 5.0, 500.0),
    "pretrain_8b_tokens": (1.4e9, 0, 1e7, 1e11),
}
GROUPS: Final = {"family": FAMILY, "engine": ENGINE, "world": WORLD}

_CUDA: Final = frozenset({"volta", "ampere", "ada", "hopper", "blackwell"})
PLATFORMS: Final = ("any-cuda", "any-other")
"""Two families without a chip: what the measured families of a platform have in common, for those never measured."""
EAGER: Final = {"vllm-ascend": 12.0}
"""Prior of `launch` where the host launches each kernel of a decoding step and no graph replays them.

A layer then takes about 0.8 ms instead of some 65 µs. Three reports: 0.46 ms on a 910B3 and 1.5 ms on Ascend cards of a
Qwen3-Coder-480B (vllm-ascend issues 9404 and 7723, `moe_launch` taken out), 0.79 ms on an A800 (vllm-omni issue 7960).
"""


def platform(family: str) -> str:
    """Return the platform of a chip family: kernels for CUDA have been tuned for longer than for any other.

    >>> platform("hopper"), platform("ascend910"), platform("cambricon")
    ('any-cuda', 'any-other', 'any-other')
    """
    return PLATFORMS[0] if family in (*_CUDA, PLATFORMS[0]) else PLATFORMS[1]


def prior(group: str, member: str, name: str) -> float:
    """Return the prior of one constant of a family, an engine or the world."""
    if group == "engine" and name == "launch":
        return EAGER.get(member, ENGINE["launch"][0])
    return GROUPS[group][name][0]


@dataclass(frozen=True, slots=True)
class Constants:
    """Values by name ("family.hopper.compute"), the pooled corrections, residual quantiles, and how they were fitted.

    A family without values of its own has those of its platform, an engine the priors; either is *uncalibrated*.
    """

    values: Mapping[str, float]
    effects: Mapping[str, float] = field(default_factory=dict)
    residuals: Mapping[str, Any] = field(default_factory=dict)
    fit: Mapping[str, Any] = field(default_factory=dict)

    def of(self, group: str, member: str, name: str) -> float:
        """Return one constant; that of its platform, or else its prior, where the member was never fitted."""
        value = self.values.get(f"{group}.{member}.{name}")
        if value is None and group == "family":
            value = self.values.get(f"family.{platform(member)}.{name}")
        return prior(group, member, name) if value is None else value

    def calibrated(self, group: str, member: str) -> bool:
        """Return whether measurements told about this family or engine."""
        return any(key.startswith(f"{group}.{member}.") for key in self.values)


UNFITTED: Final = Constants({})


def from_json(text: str, source: str) -> Constants:
    """Return the constants of a file's text; UserError with the field where one is unknown or out of its range."""
    try:
        data = json.loads(text)
        values = {str(k): float(v) for k, v in data["values"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{source}: is not a constants file ({error}); `twokey deploy calibrate` writes one") from error
    for key, value in values.items():
        group, _, name = key.split(".") if key.count(".") == 2 else ("", "", "")
        spec = GROUPS.get(group, {}).get(name)
        if spec is None:
            raise UserError(f"{source}: values.{key}: no constant of this name; `twokey deploy calibrate` writes them")
        if not spec[2] <= value <= spec[3]:
            raise UserError(f"{source}: values.{key}: {value:g} is outside {spec[2]:g} to {spec[3]:g}")
    return Constants(values, data.get("effects", {}), data.get("residuals", {}), data.get("fit", {}))


def to_json(constants: Constants) -> str:
    """Return the file's text: sorted, rounded to five digits, one value a line."""

    def tidy(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.5g}")
        if isinstance(value, Mapping):
            return {k: tidy(v) for k, v in sorted(value.items())}
        return [tidy(v) for v in value] if isinstance(value, list | tuple) else value

    body = {
        "fit": tidy(constants.fit),
        "values": tidy(constants.values),
        "effects": tidy(constants.effects),
        "residuals": tidy(constants.residuals),
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def read_file(path: Path) -> Constants:
    """Return the constants of a file that `calibrate` wrote. Errors: UserError where it cannot be read or is none."""
    try:
        return from_json(path.read_text("utf-8"), path.name)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from error


@cache
def packaged() -> Constants:
    """Return the constants fitted on the packaged measurements."""
    return from_json(files("twokey.deploy").joinpath("data/constants.json").read_text("utf-8"), "constants.json")
