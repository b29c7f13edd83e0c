"""The record of one accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from twokey.chips import metrics
from twokey.chips.records import Die, Origin, Rate


@dataclass(frozen=True, slots=True)
class Chip:
    """An accelerator as its vendor describes it. Units are in the names; None is unknown.

    `dram_bandwidth_gbs` is the peak of all memory of the package (decimal GB/s); `interconnect_gbs` the vendor's total
    per chip, bidirectional where the vendor says so. `us_commercial_since` is the latest day by which the sources
    show the chip on sale in the United States. `unchecked` says that the row holds figures that nobody re-opened the
    source for.

    >>> from twokey.chips import find
    >>> find("H200").tpp
    15832.0
    >>> find("Atlas 350").performance_density is None
    True
    """

    name: str
    vendor: str
    country: str | None = None  # ISO 3166-1 alpha-2, of the vendor
    released: str | None = None  # as precise as it is known: "2023", "2025-01", "2026-Q4", "not launched"
    dense_rates: tuple[Rate, ...] = ()
    memory_type: str | None = None
    memory_gb: float | None = None
    dram_bandwidth_gbs: float | None = None
    interconnect_gbs: float | None = None
    tdp_w: float | None = None
    process: str | None = None
    dies: tuple[Die, ...] = ()
    price_usd: float | None = None
    datacenter: bool | None = None  # designed or marketed for datacenters (Note 2 to 3A090)
    us_commercial_since: date | None = None
    family: str | None = None  # the name that rules and guidance use: "H20", "RTX PRO 6000D", "910C"
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    confidence: str = "unknown"
    notes: str = ""
    unchecked: bool = False
    origins: tuple[Origin, ...] = ()

    @property
    def tpp(self) -> float | None:
        """Total processing performance (bit-TOPS): the highest over the known dense rates; None where none is known."""
        return metrics.tpp(self.dense_rates)

    @property
    def performance_density(self) -> float | None:
        """Performance density (TPP per mm² of non-planar logic die); None where it is unknown or not defined."""
        return metrics.performance_density(self.tpp, self.dies)

    def rate(self, bits: int) -> float | None:
        """Return the highest dense rate at a bit length (TOPS or TFLOPS), or None where none is known."""
        return max((rate.tops for rate in self.dense_rates if rate.bits == bits), default=None)

    def origin(self, field: str) -> Origin:
        """Return where a field comes from: its own origin where it has one, otherwise the chip's row."""
        own = (origin for origin in self.origins if origin.field == field)
        return next(own, Origin(field, " | ".join(self.sources), self.confidence))
