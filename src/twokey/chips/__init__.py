"""What a chip is: the catalogue of accelerators, their TPP and performance density."""

from __future__ import annotations

from twokey.chips.catalogue import Catalogue, catalogue, find
from twokey.chips.chip import Chip
from twokey.chips.errors import UserError, nearest
from twokey.chips.metrics import (
    density_of_dies,
    performance_density,
    tpp,
    tpp_of_dense_rates,
    tpp_of_processing_units,
    tpp_of_units,
)
from twokey.chips.own import load_chip
from twokey.chips.records import Die, Origin, Rate

__all__ = [
    "Catalogue",
    "Chip",
    "Die",
    "Origin",
    "Rate",
    "UserError",
    "catalogue",
    "density_of_dies",
    "find",
    "load_chip",
    "nearest",
    "performance_density",
    "tpp",
    "tpp_of_dense_rates",
    "tpp_of_processing_units",
    "tpp_of_units",
]
