"""Twokey: the trade in controlled AI accelerators, where a chip moves only when two governments agree."""

__version__ = "0.1.0"
