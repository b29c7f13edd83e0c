"""An order as a person states it becomes the facts that the engine reads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twokey.chips import UserError, find, tpp_of_dense_rates, tpp_of_processing_units
from twokey.chips.metrics import density_of_dies
from twokey.chips.text import read_text
from twokey.law.engine.facts import admit, flatten

# A chip's figures by the fact that each one fills in; a figure that the order states itself is kept.
CHIP_FACTS = {
    "item.tpp": "tpp",
    "item.performance_density": "performance_density",
    "item.dram_bandwidth_gbs": "dram_bandwidth_gbs",
    "item.transfer_rate_gbs": "interconnect_gbs",
    "item.datacenter": "datacenter",
    "item.us_commercial_since": "us_commercial_since",
    "item.family": "family",
    "item.maker": "vendor",
}
IMPORTING_STATE = "CN"
SHARED = ("item.family", "item.maker", "item.origin")  # what a computer has from its circuits where they all agree


def read_order(path: Path) -> dict[str, Any]:
    """Return the facts stated in a TOML or JSON file, flat, as they stand there.

    Errors: UserError with file, line and column where the file cannot be read.
    """
    text = read_text(path)
    try:
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a malformed file, a number without end, brackets without end
        raise UserError(f"{path}: not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from None
    if not isinstance(table, Mapping):
        raise UserError(f"{path}: must hold a table of facts, such as {{'item.chip': 'H200 SXM'}}")
    stated = flatten(table, str(path))
    for note in ("title", "title_zh", "note"):
        stated.pop(note, None)
    return stated


def facts_of_order(stated: Mapping[str, Any], where: str = "order") -> dict[str, Any]:
    """Return the facts of an order: checked at the door, with the figures of its chip and its circuits filled in.

    `stated` maps dotted names (or nested tables) to values. Errors: UserError that names `where` and the fact.

    >>> facts = facts_of_order({"item.chip": "H200 SXM", "item.kind": "ic"})
    >>> facts["item.tpp"], facts["item.origin"]
    (15832.0, 'foreign')
    """
    facts = admit(flatten(stated, where), where)
    _fill_item(facts, where)
    if "item.contains" in facts:
        facts["item.contains"] = _circuits(facts["item.contains"], f"{where}: item.contains")
        _lift_shared(facts)
    return facts


def _fill_item(facts: dict[str, Any], where: str) -> None:
    if "item.processing_units" in facts:
        facts.setdefault(
            "item.tpp", tpp_of_processing_units(facts["item.processing_units"], f"{where}: item.processing_units")
        )
    if "item.dense_rates" in facts:
        facts.setdefault("item.tpp", tpp_of_dense_rates(facts["item.dense_rates"], f"{where}: item.dense_rates"))
    if "item.dies" in facts and facts.get("item.tpp") is not None:
        density = density_of_dies(facts["item.tpp"], facts["item.dies"], f"{where}: item.dies")
        facts.setdefault("item.performance_density", density)
    if "item.chip" in facts:
        try:
            chip = find(facts["item.chip"])
        except UserError as error:
            raise UserError(f"{where}: item.chip: {error}") from None
        figures = {name: getattr(chip, field) for name, field in CHIP_FACTS.items()}
        figures["item.origin"] = "domestic" if chip.country == IMPORTING_STATE else "foreign"
        for name, value in admit({name: value for name, value in figures.items() if value is not None}, where).items():
            facts.setdefault(name, value)
    for name in [name for name, value in facts.items() if value is None]:
        del facts[name]


def _circuits(items: Sequence[Mapping[str, Any]], where: str) -> list[dict[str, Any]]:
    if not items:
        raise UserError(f"{where}: is empty; name the circuits that the item contains, or leave it out if unknown")
    circuits = []
    for number, item in enumerate(items, 1):
        stated = {
            name if name.startswith("item.") else f"item.{name}": value
            for name, value in flatten(item, f"{where}[{number}]").items()
            if name not in ("count", "quantity")
        }
        if "item.contains" in stated:
            raise UserError(f"{where}[{number}]: a circuit contains no circuits; list them all under item.contains")
        circuits.append(facts_of_order(stated, f"{where}[{number}]"))
    return circuits


def _lift_shared(facts: dict[str, Any]) -> None:
    """Give a computer the family, maker and origin of its circuits where they all share it."""
    for name in SHARED:
        values = {circuit.get(name) for circuit in facts["item.contains"]}
        if len(values) == 1 and None not in values:
            facts.setdefault(name, values.pop())
