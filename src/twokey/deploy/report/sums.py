"""Amounts by site, period, phase, chip and measure: what is known, and what may come on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.deploy.devices import Hardware
from twokey.deploy.report.readings import Flag
from twokey.deploy.said import Said

MEASURES: Final = ("allocated", "used", "delivered")
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of one measure (TFLOPS x seconds, or tokens): `known`, and `missing` that may come on top.

    `domestic` None is a chip whose origin could not be told; `phase` "unknown" may be either.
    """

    site: str
    period: int
    phase: str
    chip: str
    domestic: bool | None
    measure: str
    known: float
    missing: float = 0.0


@dataclass(slots=True)
class Sums:
    """Amounts as they are added up, and the flags that this raises.

    `edges`: boundaries of the periods, in seconds since 1970; `phases`: phase by namespace, where names do not tell it.
    """

    edges: Sequence[float]
    phases: Mapping[str, str] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    known: dict[tuple[str, int, str, str, bool | None, str], list[float]] = field(default_factory=dict)

    def add(
        self,
        site: str,
        period: int,
        phase: str,
        device: Hardware | None,
        name: str,
        measure: str,
        known: float,
        missing: float = 0.0,
    ) -> None:
        """Add to one sum; `name` stands for a chip that could not be told."""
        key = (site, period, phase, device.name if device else name, device.domestic if device else None, measure)
        entry = self.known.setdefault(key, [0.0, 0.0])
        entry[0] += known
        entry[1] += missing

    def phase_of(self, namespace: str) -> str:
        """Return the phase of a namespace or queue."""
        return phase_of(namespace, self.phases)

    def flag(self, source: str, kind: str, words: Said) -> None:
        """Raise a flag."""
        self.flags.append(Flag(source, kind, words))

    def amounts(self) -> tuple[Amount, ...]:
        """Return every sum, in a fixed order."""
        return tuple(
            Amount(*key, *value) for key, value in sorted(self.known.items(), key=lambda kv: [str(k) for k in kv[0]])
        )


def phase_of(namespace: str, phases: Mapping[str, str]) -> str:
    """Return the phase of a namespace, queue, QOS or partition: as mapped, or by its name; else "unknown".

    >>> phase_of("training-a", {}), phase_of("team-7", {"team-7": "inference"}), phase_of("misc", {})
    ('training', 'inference', 'unknown')
    """
    if namespace in phases:
        return phases[namespace]
    word = namespace.casefold()
    if word.startswith(("train", "pretrain", "finetune")):
        return "training"
    return "inference" if word.startswith(("infer", "serv", "prod")) else UNKNOWN
