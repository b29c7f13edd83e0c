"""Scenario files: read, checked against the data, and turned into one frozen record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeGuard

import numpy as np

from twokey.chips.errors import UserError, nearest
from twokey.chips.toml_lines import Lines, read_toml
from twokey.outlook.events import Event, contradictions, in_order, read_event
from twokey.outlook.inputs import Correlation, Input, correlation_matrix, defaults, override, problem
from twokey.outlook.scenario_records import BASES, SHARES, STEPS, WEEKS_A_QUARTER, Buyer, Scenario, Vendor
from twokey.outlook.sources import OutlookChip, find_chip, series_rows, spells, table

__all__ = [
    "BASES", "STEPS", "WEEKS_A_QUARTER", "Buyer", "Scenario", "Vendor", "load", "read", "ready", "source_ids",
    "with_inputs",
]  # fmt: skip

_SECTIONS: Final = ("scenario", "inputs", "event", "correlation", "vendor", "buyer")
_FIELDS: Final = (
    "name", "extends", "title", "title_zh", "as_of", "quarters", "step", "paths", "seed", "chip", "domestic_chip",
    "basis",
    "include_smuggled", "dwell_shape", "about", "about_zh", "confidence",
)  # fmt: skip

_TEXTS: Final = ("name", "title", "title_zh", "about", "about_zh")


def ready() -> dict[str, Path]:
    """Return the ready scenarios by name."""
    folder = Path(str(files("twokey.outlook") / "data" / "scenarios"))
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def load(name_or_file: str | Path) -> Scenario:
    """Read a ready scenario by name, or a file.

    >>> load("founding-case-2026-01-28").as_of
    datetime.date(2026, 1, 28)

    Raises:
        UserError: any mistake in the file, with file and line.

    """
    known = ready()
    if str(name_or_file) in known:
        return read(known[str(name_or_file)])
    path = Path(name_or_file)
    if not path.exists() and path.suffix != ".toml":
        raise UserError(
            f"no scenario {str(name_or_file)!r}{nearest(str(name_or_file), known)}; give a .toml file or one of: "
            f"{', '.join(known)}"
        )
    return read(path)


def read(file: Path) -> Scenario:
    """Read one scenario file."""
    raw, lines = read_toml(file)
    return _Reader(file.name if file in ready().values() else str(file), raw, lines).scenario()


def with_inputs(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return the scenario with some inputs fixed to one value; an unknown input is a `UserError`."""
    changed = dict(scenario.inputs)
    for name, value in values.items():
        if name not in changed:
            raise UserError(f"unknown input {name!r}{nearest(name, changed)}; `twokey outlook inputs` lists all")
        if wrong := problem(changed[name], value):
            raise UserError(f"input {name}: {wrong}")
        changed[name] = override(changed[name], value, value, 0, ("given by the caller",))
    return replace(scenario, inputs=changed)


class _Reader:
    """Reads one file; holds its name and the lines of its keys for the errors."""

    def __init__(self, place: str, raw: dict[str, Any], lines: Lines) -> None:
        self.place, self.raw, self.lines = place, raw, lines

    def fail(self, key: str, text: str) -> UserError:
        line = self.lines.get(key) or self.lines.get(f"{key}[0]") or self.lines.get(key.rsplit(".", 1)[0], 1)
        return UserError(f"{self.place} line {line}: {key}: {text}")

    def scenario(self) -> Scenario:
        for section in self.raw:
            if section not in _SECTIONS:
                raise self.fail(section, f"unknown section{nearest(section, _SECTIONS)}; known: {', '.join(_SECTIONS)}")
        head = self.raw.get("scenario")
        if not isinstance(head, dict):
            raise UserError(f"{self.place} line 1: no [scenario] section; it needs name, as_of and chip")
        for field in head:
            if field not in _FIELDS:
                raise self.fail(f"scenario.{field}", f"unknown field{nearest(field, _FIELDS)}")
        base = self.base(head)
        if base:
            kept = {"as_of": base.as_of, "quarters": base.quarters, "paths": base.paths, "seed": base.seed,
                    "chip": base.chip.name, "domestic_chip": base.domestic_chip.name, "basis": base.basis,
                    "dwell_shape": base.dwell_shape, "include_smuggled": base.include_smuggled}  # fmt: skip
            head = {**kept, **head}
        as_of = head.get("as_of")
        if type(as_of) is not date:
            raise self.fail("scenario.as_of", "must be a date, as in as_of = 2026-01-28")
        for key in ("export", "import"):
            if not spells(key, as_of):
                first = min(spell.as_of for spell in spells(key, date.max))
                raise self.fail("scenario.as_of", f"the record of the {key} key begins on {first}: start then or later")
        for field in _TEXTS:
            if not isinstance(head.get(field, ""), str):
                raise self.fail(f"scenario.{field}", f'must be a text in quotes, as in {field} = "A harder ban"')
        chip = self.chip("scenario.chip", head.get("chip", "H200 SXM"))
        if head.get("basis", "h100e-8bit") not in BASES:
            raise self.fail(
                "scenario.basis", f"unknown basis{nearest(str(head['basis']), BASES)}; known: {', '.join(BASES)}"
            )
        if head.get("step", "week") not in STEPS:
            raise self.fail("scenario.step", f"must be one of {', '.join(STEPS)}")
        inputs = self.inputs(as_of, base)
        return Scenario(
            name=str(head.get("name", Path(self.place).stem)),
            title=str(head.get("title", head.get("name", ""))),
            title_zh=str(head.get("title_zh", head.get("title", ""))),
            about=str(head.get("about", "")),
            about_zh=str(head.get("about_zh", head.get("about", ""))),
            as_of=as_of,
            quarters=self.whole("scenario.quarters", head.get("quarters", 12), 1, 80),
            steps_a_quarter=STEPS[head.get("step", "week")],
            paths=self.whole("scenario.paths", head.get("paths", 10_000), 1, 100_000_000),
            seed=self.whole("scenario.seed", head.get("seed", 1), 0, 2**63),
            chip=chip,
            domestic_chip=self.chip("scenario.domestic_chip", head.get("domestic_chip", "Ascend 910C")),
            basis=head.get("basis", "h100e-8bit"),
            include_smuggled=self.flag("scenario.include_smuggled", head.get("include_smuggled", False)),
            dwell_shape=self.number("scenario.dwell_shape", head.get("dwell_shape", 1.0), 0.3, 3.0),
            events=self.events(chip, base),
            inputs=inputs,
            correlations=self.correlations(inputs) or (base.correlations if base else ()),
            vendor=self.section("vendor", base.vendor if base else Vendor()),
            buyer=self.section("buyer", base.buyer if base else Buyer()),
            file=self.place,
        )

    def chip(self, key: str, name: object) -> OutlookChip:
        try:
            return find_chip(str(name))
        except UserError as error:
            raise self.fail(key, str(error)) from None

    def base(self, head: Mapping[str, Any]) -> Scenario | None:
        """Read the ready scenario that this one extends; what is not said here is taken from it."""
        name = head.get("extends")
        if name is None:
            return None
        known = ready()
        if not isinstance(name, str) or name not in known or known[name].stem == Path(self.place).stem:
            raise self.fail("scenario.extends", f"no ready scenario {name!r}{nearest(str(name), known)}")
        return read(known[name])

    def events(self, chip: OutlookChip, base: Scenario | None) -> tuple[Event, ...]:
        raw = self.raw.get("event", [])
        if not isinstance(raw, list):
            raise self.fail("event", "write each event as its own [[event]] table")
        events = []
        for n, item in enumerate(raw):
            prefix = f"event[{n}]"
            if not isinstance(item, dict):
                raise self.fail(prefix, f"write each event as its own [[event]] table (got {item!r})")
            fields = {k.removeprefix(prefix + "."): v for k, v in self.lines.items() if k.startswith(prefix + ".")}
            self.sources(f"{prefix}.source", item.get("source", ()))
            event = read_event(item, self.place, self.lines.get(prefix, 1), fields)
            if event.chip and self.chip(f"{prefix}.chip", event.chip).name != chip.name:
                raise self.fail(
                    f"{prefix}.chip",
                    f"this scenario sells {chip.name} only, so {event.act!r} of {event.chip} limits what nobody "
                    "sells; change scenario.chip or remove the event",
                )
            events.append(event)
        in_order(events)
        both = sorted([*(base.events if base else ()), *events], key=lambda e: e.date)
        contradictions(both)
        return tuple(both)

    def inputs(self, as_of: date, base: Scenario | None) -> dict[str, Input]:
        inputs = dict(base.inputs if base else defaults(as_of))
        given = self.raw.get("inputs", {})
        if not isinstance(given, dict):
            raise self.fail("inputs", "must be a table of inputs")
        for name, value in given.items():
            key = f"inputs.{name}"
            if name not in inputs:
                raise self.fail(key, f"unknown input{nearest(name, inputs)}; `twokey outlook inputs` lists all")
            inputs[name] = self.one_input(key, inputs[name], value)
        return inputs

    def one_input(self, key: str, base: Input, value: object) -> Input:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return override(base, *self.fixed(key, base, value), 0, ("scenario file",))
        if not isinstance(value, dict):
            raise self.fail(key, "must be a number, or { low = 1, high = 5, interval = 80 }")
        unknown = set(value) - {"value", "low", "high", "interval", "shape", "source", "note"}
        if unknown:
            raise self.fail(
                key, f"unknown field {sorted(unknown)[0]!r}; an input has low, high, interval, shape, source"
            )
        sources = self.sources(key, value["source"]) if "source" in value else ("scenario file",)
        if "value" in value:
            return override(base, *self.fixed(key, base, value["value"]), 0, sources)
        if "low" not in value or "high" not in value:
            raise self.fail(key, "an interval needs low and high")
        low, high = (self.number(key, value[end], 0.0, math.inf) for end in ("low", "high"))
        if not low < high:
            raise self.fail(key, f"not an interval: low {low:g} is not below high {high:g}")
        if value.get("interval") not in (80, 90):
            raise self.fail(key, "say interval = 80 or interval = 90: which share of cases lies between low and high")
        shape = value.get("shape", "")
        if shape not in ("", "lognormal", "share", "normal"):
            raise self.fail(key, f"unknown shape {shape!r}; known: lognormal, share, normal")
        if (shape or base.shape) in ("lognormal", "record") and low <= 0:
            raise self.fail(key, f'low must be above 0 for a lognormal (got {low:g}); or say shape = "normal"')
        if base.shape == "share" and high >= 1 and shape != "normal":
            raise self.fail(key, f"a share lies below 1 (got {high:g})")
        return override(base, low, high, value["interval"], sources, shape)

    def fixed(self, key: str, base: Input, value: object) -> tuple[float, float]:
        number = self.number(key, value, 0.0, math.inf)
        if wrong := problem(base, number):
            raise self.fail(key, wrong)
        return number, number

    def correlations(self, inputs: Mapping[str, Input]) -> tuple[Correlation, ...]:
        links: list[Correlation] = []
        raw = self.raw.get("correlation", [])
        if not isinstance(raw, list):
            raise self.fail("correlation", "write each correlation as its own [[correlation]] table")
        for n, item in enumerate(raw):
            key = f"correlation[{n}]"
            pair = item.get("between") if isinstance(item, dict) else None
            if not _are_texts(pair) or len(pair) != 2 or pair[0] == pair[1]:
                raise self.fail(f"{key}.between", 'must name two inputs, as in between = ["mandate", "substitution"]')
            for name in pair:
                if name not in inputs:
                    raise self.fail(f"{key}.between", f"unknown input {name!r}{nearest(str(name), inputs)}")
                if inputs[name].fixed:
                    raise self.fail(f"{key}.between", f"{name} is one value here, so nothing can vary with it")
            if any({link.first, link.second} == set(pair) for link in links):
                raise self.fail(f"{key}.between", f"{pair[0]} and {pair[1]} are correlated twice; keep one of them")
            links.append(Correlation(pair[0], pair[1], self.number(f"{key}.value", item.get("value"), -0.99, 0.99)))
        if links:
            names = sorted({name for link in links for name in (link.first, link.second)})
            if float(np.linalg.eigvalsh(correlation_matrix(names, links)).min()) <= 1e-9:
                raise self.fail("correlation[0]", "no distribution has these correlations together; weaken one of them")
        return tuple(links)

    def section(self, name: str, record: Any) -> Any:
        given = self.raw.get(name, {})
        if not isinstance(given, dict):
            raise self.fail(name, f"must be a table, as in [{name}]")
        known = type(record).__dataclass_fields__
        for field, value in given.items():
            key = f"{name}.{field}"
            if field not in known:
                raise self.fail(key, f"unknown field{nearest(field, known)}; known: {', '.join(known)}")
            if isinstance(getattr(record, field), int):
                self.whole(key, value, 1, 1040)
            else:
                self.number(key, value, 0.0, 1.0 if field in SHARES else math.inf)
        return replace(record, **given)

    def sources(self, key: str, given: object) -> tuple[str, ...]:
        """Read where a value comes from: one source or a list of them, each known or said to be an assumption."""
        listed = [given] if isinstance(given, str) else [*given] if isinstance(given, list | tuple) else [given]
        if not _are_texts(listed):
            raise self.fail(key, f"must be a source or a list of sources, in quotes (got {given!r})")
        ids = source_ids()
        for source in listed:
            if source not in ids and "://" not in source and not source.startswith(("assumption", "scenario")):
                raise self.fail(
                    key,
                    f"unknown source {source!r}{nearest(source, ids)}; give a row id, an address or 'assumption: why'",
                )
        return tuple(listed)

    def flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.fail(key, f"must be true or false, without quotes (got {value!r})")
        return value

    def whole(self, key: str, value: object, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(key, f"must be a whole number from {low} to {high} (got {value!r})")
        return value

    def number(self, key: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.fail(key, f"must be a number from {low:g} to {high:g} (got {value!r})")
        return float(value)


def _are_texts(given: object) -> TypeGuard[list[str]]:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def source_ids() -> frozenset[str]:
    """Return the ids that an input or event may give as its source: rows of the data files, and series names."""
    ids = {row.id for row in series_rows()} | {row.series for row in series_rows()}
    ids |= {row["id"] for name in ("events", "regimes", "conversions") for row in table(name)}
    return frozenset(ids | {"regimes.csv", "events.csv", "series_dictionary.csv"})
