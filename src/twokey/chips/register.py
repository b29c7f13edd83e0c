"""The catalogue: every chip of the packaged table, found by the names that people and rules use for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from twokey.chips.chip import Chip
from twokey.chips.errors import UserError, nearest

_LINES = frozenset({"Ascend", "DCU", "Instinct"})
"""Names of product lines that people leave out: "Instinct MI300X" is "MI300X", "Ascend 910C" is "910C"."""


class Catalogue:
    """An immutable collection of chips in the order of the table, with a register of their names.

    A name is looked up without regard to case, spaces, hyphens and brackets. A full name wins over an alias, an alias
    over a name without its vendor or its bracket. A short name that stands for several chips and has no documented
    default is refused with the candidates.
    """

    def __init__(self, chips: Iterable[Chip]) -> None:
        self._chips = tuple(chips)
        self._full: dict[str, Chip] = {}
        self._alias: dict[str, Chip] = {}
        self._short: dict[str, list[Chip]] = {}
        for chip in self._chips:
            if fold(chip.name) in self._full:
                raise UserError(f"{chip.name}: there is already a chip of this name; give yours another")
            self._full[fold(chip.name)] = chip
        for chip in self._chips:
            for alias in chip.aliases:
                for key in {fold(alias), fold(f"{chip.vendor} {alias}")}:
                    holder = self._full.get(key) or self._alias.setdefault(key, chip)
                    if holder is not chip:
                        raise UserError(f"{alias}: stands for {holder.name} and for {chip.name}; give yours another")
            for short in short_names(chip):
                holders = self._short.setdefault(fold(short), [])
                if chip not in holders:
                    holders.append(chip)

    def __iter__(self) -> Iterator[Chip]:
        return iter(self._chips)

    def __len__(self) -> int:
        return len(self._chips)

    def names(self) -> tuple[str, ...]:
        """Return the full names of all chips, in the order of the table."""
        return tuple(chip.name for chip in self._chips)

    def find(self, name: str) -> Chip:
        """Return the chip of a name or alias; UserError with the nearest names, or the candidates, where there is none.

        >>> catalogue().find("h200").name
        'NVIDIA H200 SXM'
        >>> catalogue().find("ascend-910c").name
        'Huawei Ascend 910C'
        """
        if not isinstance(name, str):
            raise UserError(f"a chip is named by its name, as text (got {name!r})")
        key = fold(name)
        chip = self._full.get(key) or self._alias.get(key)
        if chip is not None:
            return chip
        holders = self._short.get(key, [])
        if len(holders) == 1:
            return holders[0]
        if holders:
            raise UserError(f"{name}: stands for {' and '.join(chip.name for chip in holders)}; say which")
        raise UserError(f"{name or '(nothing)'}: no chip of this name{self._hint(name)}")

    def _hint(self, name: str) -> str:
        words = [word for chip in self._chips for word in (chip.name, *short_names(chip), *chip.aliases)]
        hint = nearest(name, dict.fromkeys(words))
        return hint or "; see twokey chips list, or describe your own chip in a file"

    def with_chips(self, chips: Iterable[Chip]) -> Catalogue:
        """Return a catalogue that also holds `chips`; UserError where a name is taken."""
        return Catalogue((*self._chips, *chips))


def fold(name: str) -> str:
    """Return the form in which names are compared: letters and digits alone, without case.

    >>> fold("Ascend 910-C (package)")
    'ascend910cpackage'
    """
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def short_names(chip: Chip) -> tuple[str, ...]:
    """Return what is left of a chip's name without its vendor, its product line or its bracket.

    >>> short_names(Chip(name="AMD Instinct MI300X", vendor="AMD"))
    ('Instinct MI300X', 'MI300X', 'AMD MI300X')
    >>> short_names(Chip(name="NVIDIA B300 (HGX)", vendor="NVIDIA"))
    ('B300 (HGX)', 'NVIDIA B300', 'B300')
    """
    bare = chip.name.partition(" (")[0]
    found: dict[str, None] = {}
    for name in dict.fromkeys((chip.name, bare)):
        words = name.split()
        makers = chip.vendor.split()
        while len(words) > 1 and words[0] in makers:
            words = words[1:]
        found[name] = None
        found[" ".join(words)] = None
        if len(words) > 1 and words[0] in _LINES:
            found[" ".join(words[1:])] = None
            found[" ".join([makers[0], *words[1:]])] = None
    found.pop(chip.name)
    return tuple(found)


@cache
def catalogue() -> Catalogue:
    """Return the packaged catalogue, read on the first call and kept.

    >>> len(catalogue()) >= 75
    True
    """
    from twokey.chips.table import packaged_chips  # noqa: PLC0415 (the table is read only when a chip is asked for)

    return Catalogue(packaged_chips())


def find(name: str) -> Chip:
    """Return a chip of the packaged catalogue by its name or alias; UserError with the nearest names.

    >>> find("MI325X").tpp
    20919.2
    >>> find("H2000")
    Traceback (most recent call last):
    twokey.chips.errors.UserError: H2000: no chip of this name; did you mean H200 or GH200 or H20?
    """
    return catalogue().find(name)
