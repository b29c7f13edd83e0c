"""Total processing performance and performance density, as the technical notes to ECCN 3A090 define them.

Source: 15 CFR part 774, Supplement No. 1, ECCN 3A090, Technical Notes (in force from 2023-11-17),
https://www.ecfr.gov/current/title-15/subtitle-B/chapter-VII/subchapter-C/part-774

- TPP is 2 x MacTOPS x bit length (note 1). The 2 counts a multiply-accumulate as two operations, as datasheets do
  already (note 1.b): TPP is the datasheet's TOPS or TFLOPS times the bit length, and is not doubled again.
- Of several bit lengths the highest TPP counts; of sparse and dense rates the dense one (notes 2 and 3).
- The processing units on one integrated circuit are added up (note 1.d).
- Performance density is TPP over the area of all logic dies made on a node with non-planar transistors (note 4).
  Planar logic dies and memory dies are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from twokey.chips.errors import UserError, nearest
from twokey.chips.numbers import QUANTITIES, check_number, exact, show
from twokey.chips.records import Die, Rate


def tpp_of_rate(rate: Rate) -> float:
    """Return the TPP (bit-TOPS) of one dense rate: its TOPS times its bit length.

    >>> tpp_of_rate(Rate(8, 1979, "fp8"))
    15832.0
    """
    return float(exact(rate.tops) * rate.bits)


def best_rate(rates: Iterable[Rate]) -> Rate | None:
    """Return the rate that gives the highest TPP (the first of equals), or None where no rate is known."""
    return max(rates, key=lambda rate: exact(rate.tops) * rate.bits, default=None)


def tpp(rates: Iterable[Rate]) -> float | None:
    """Return the TPP (bit-TOPS) of a chip: the highest over its dense rates; None where no rate is known.

    Source: 15 CFR 774 Supp. 1, 3A090 Technical Notes 1 to 3. A 16-bit rate equal to the 8-bit rate counts twice:

    >>> tpp([Rate(16, 1835, "bf16"), Rate(8, 1835, "fp8")])
    29360.0
    >>> tpp([]) is None
    True
    """
    best = best_rate(rates)
    return None if best is None else tpp_of_rate(best)


def tpp_of_units(tpps: Iterable[float | None]) -> float | None:
    """Return the TPP (bit-TOPS) of an integrated circuit: the sum over its processing units; None if one is unknown.

    Source: 15 CFR 774 Supp. 1, 3A090 Technical Note 1.d.

    >>> tpp_of_units([2500, 2500])
    5000.0
    >>> tpp_of_units([2500, None]) is None
    True
    """
    total = Decimal(0)
    count = 0
    for unit in tpps:
        if unit is None:
            return None
        total += exact(unit)
        count += 1
    return float(total) if count else None


def applicable_area(dies: Iterable[Die]) -> float | None:
    """Return the area (mm²) of all non-planar logic dies: 0.0 where there are none, None where it is not known.

    >>> applicable_area([Die(814, True, True), Die(400, False, True), Die(121, None, False)])
    814.0
    >>> applicable_area([Die(814, True, True), Die(100, None, True)]) is None
    True
    """
    total = Decimal(0)
    for die in dies:
        if not die.logic or die.non_planar is False:
            continue
        if die.non_planar is None or die.area_mm2 is None:
            return None
        total += exact(die.area_mm2)
    return float(total)


def performance_density(tpp: float | None, dies: Iterable[Die]) -> float | None:
    """Return the performance density (TPP per mm²), or None where it is unknown or not defined.

    Source: 15 CFR 774 Supp. 1, 3A090 Technical Note 4. A part without a non-planar logic die has no applicable area:
    its density is not defined (our reading; the notes are silent).

    >>> round(performance_density(15832, [Die(814, True, True)]), 2)
    19.45
    >>> performance_density(2000, [Die(815, False, True)]) is None
    True
    """
    area = applicable_area(dies)
    if tpp is None or not area:
        return None
    return float(exact(tpp) / exact(area))


def tpp_of_dense_rates(rates: object, where: str = "dense_rates") -> float | None:
    """Return the TPP (bit-TOPS) of a list of plain `{bits, tops}` facts; None where the list is empty.

    UserError names `where`, the position and the field of a number that is missing, negative, not finite or absurd.

    >>> tpp_of_dense_rates([{"bits": 8, "tops": 600}])
    4800.0
    """
    return tpp(
        [
            Rate(_bits(f"{place}.bits", entry["bits"]), _figure(place, entry, "tops"), str(entry.get("format", "")))
            for place, entry in _tables(where, rates, required=("bits", "tops"), known=("bits", "tops", "format"))
        ]
    )


def tpp_of_processing_units(units: object, where: str = "processing_units") -> float | None:
    """Return the TPP (bit-TOPS) of a list of plain `{tpp}` facts, one for each processing unit on the circuit.

    >>> tpp_of_processing_units([{"tpp": 2500}, {"tpp": 2500}])
    5000.0
    """
    tables = _tables(where, units, required=("tpp",), known=("tpp",))
    return tpp_of_units([None if entry["tpp"] is None else _figure(place, entry, "tpp") for place, entry in tables])


def density_of_dies(tpp: object, dies: object, where: str = "dies") -> float | None:
    """Return the performance density (TPP per mm²) from plain facts; None where it is unknown or not defined.

    `dies` is a list of `{area_mm2, non_planar, logic}`; an absent or null value is unknown, an absent `logic` is true.

    >>> round(density_of_dies(15832, [{"area_mm2": 814, "non_planar": True, "logic": True}]), 2)
    19.45
    """
    checked = None if tpp is None else check_number("tpp", tpp, QUANTITIES["tpp"])
    return performance_density(checked, dies_of_facts(dies, where))


def dies_of_facts(dies: object, where: str = "dies") -> tuple[Die, ...]:
    """Return the dies of a list of plain `{area_mm2, non_planar, logic}` facts, or raise UserError naming the field.

    >>> dies_of_facts([{"area_mm2": 814, "non_planar": True}])
    (Die(area_mm2=814.0, non_planar=True, logic=True),)
    """
    read = []
    for place, entry in _tables(where, dies, required=(), known=("area_mm2", "non_planar", "logic")):
        area = None if entry.get("area_mm2") is None else _figure(place, entry, "area_mm2")
        logic = _flag(place, entry, "logic")
        read.append(Die(area, _flag(place, entry, "non_planar"), True if logic is None else logic))
    return tuple(read)


def _figure(place: str, entry: Mapping[str, object], name: str) -> float:
    quantity = QUANTITIES[name]
    return check_number(f"{place}.{name}", entry[name], quantity)


def _flag(place: str, entry: Mapping[str, object], name: str) -> bool | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, bool):
        raise UserError(f"{place}.{name}: must be true or false (got {show(value)}); leave it out if it is unknown")
    return value


def _bits(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(1, 129):
        raise UserError(f"{where}: must be a whole number of bits between 1 and 128, such as 8 (got {show(value)})")
    return int(value)


def _tables(
    where: str, value: object, *, required: Sequence[str], known: Sequence[str]
) -> list[tuple[str, Mapping[str, object]]]:
    """Return each table of a list with its place in words (`dense_rates[1]`), its keys checked."""
    if not isinstance(value, list | tuple):
        raise UserError(f"{where}: must be a list of tables with {', '.join(known)} (got {show(value)})")
    tables = []
    for position, entry in enumerate(value, start=1):
        place = f"{where}[{position}]"
        if not isinstance(entry, Mapping):
            raise UserError(f"{place}: must be a table with {', '.join(known)} (got {show(entry)})")
        for key in entry:
            if key not in known:
                hint = nearest(str(key), known) or f"; known here: {', '.join(known)}"
                raise UserError(f"{place}: unknown field {key!r}{hint}")
        for key in required:
            if key not in entry:
                raise UserError(f"{place}: {key} is missing")
        tables.append((place, entry))
    return tables
