"""What a chip is made of: small frozen records. A number that is not known is None, never zero."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A dense peak rate at one bit length: `tops` is the datasheet's TOPS or TFLOPS, without sparsity."""

    bits: int
    tops: float
    format: str  # "fp16", "fp8", "int8", "fp6", "fp4"


@dataclass(frozen=True, slots=True)
class Die:
    """One die of the package, or several of one kind with their area summed; `area_mm2` is in mm²."""

    area_mm2: float | None
    non_planar: bool | None  # FinFET or gate-all-around transistors; None where the process is not disclosed
    logic: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one field of a chip comes from when that is not the chip's own row."""

    field: str
    source: str
    confidence: str
