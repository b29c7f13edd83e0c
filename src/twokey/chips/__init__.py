"""What a chip is: the catalogue of accelerators, their TPP and performance density.

The names below are imported when they are first used, so that a room that only needs `UserError` loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from twokey.chips.register import Catalogue, catalogue, find

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

_HOMES = {
    "errors": ("UserError", "nearest"),
    "records": ("Die", "Origin", "Rate"),
    "chip": ("Chip",),
    "register": ("Catalogue", "catalogue", "find"),
    "own": ("load_chip",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its module (PEP 562) and keep it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF.get(name, 'metrics')}"), name)
    globals()[name] = value
    return value
