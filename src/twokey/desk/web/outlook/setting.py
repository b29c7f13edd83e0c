"""What a reader set: a scenario, and for each slider a value or, at the left end, the scenario's own interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.utils.translation import gettext as _

from twokey.desk.web.base.words import language
from twokey.outlook.inputs import Input
from twokey.outlook.provenance import input_row
from twokey.outlook.scenario import Scenario, load, ready
from twokey.outlook.sliders import SLIDERS, Slider

FIRST: Final = "founding-case-2026-01-28"


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario by name, and the place of each slider: 0 is free, n the n-th of its values."""

    scenario: str
    places: tuple[int, ...]

    @property
    def values(self) -> dict[str, float]:
        """Return the inputs that are fixed, each to one value."""
        return {
            slider.input: slider.values[place - 1]
            for slider, place in zip(SLIDERS, self.places, strict=True)
            if place > 0
        }


@dataclass(frozen=True, slots=True)
class Control:
    """One slider as the page shows it."""

    name: str
    label: str
    place: int
    last: int
    words: tuple[str, ...]  # what each place means

    @property
    def now(self) -> str:
        """Return what the present place means."""
        return self.words[self.place]

    @property
    def told(self) -> str:
        """Return the words of every place, for the script that shows them while the slider moves."""
        return "|".join(self.words)


def read(given: Mapping[str, str]) -> Setting:
    """Return the setting of an address; what is no scenario or no place of a slider is the first or the nearest one.

    >>> read({"scenario": "no-exports", "conversion": "99"}).places
    (5, 0, 0, 0)
    """
    name = given.get("scenario", FIRST)
    return Setting(name if name in ready() else FIRST, tuple(_place(slider, given) for slider in SLIDERS))


def controls(setting: Setting) -> tuple[Control, ...]:
    """Return the sliders of a setting, with the words of every place."""
    scenario = scenario_of(setting.scenario)
    return tuple(
        Control(
            slider.input,
            slider.zh if language() == "zh" else slider.en[:1].upper() + slider.en[1:],
            place,
            len(slider.values),
            (free(scenario.inputs[slider.input]), *(amount(value, slider.input) for value in slider.values)),
        )
        for slider, place in zip(SLIDERS, setting.places, strict=True)
    )


def free(given: Input) -> str:
    """Return what the scenario itself says of an input: its interval, or its value."""
    row = input_row(given)
    low, high = amount(float(row["low"]), given.name), amount(float(row["high"]), given.name)
    if given.fixed:
        return _("as in the scenario: %(value)s") % {"value": low}
    return _("as in the scenario: %(low)s to %(high)s") % {"low": low, "high": high}


def amount(value: float, name: str) -> str:
    """Return a value of an input as a person reads it."""
    if name in ("conversion", "mandate"):
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    if abs(value) < 100:
        return f"{value:.2g}" if value < 10 else f"{value:.0f}"
    return f"{float(f'{value:.3g}'):,.0f}"


@cache
def scenario_of(name: str) -> Scenario:
    """Return a ready scenario; its file is read once."""
    return load(name)


def scenarios() -> list[tuple[str, str]]:
    """Return the ready scenarios with their titles."""
    return [(name, title(scenario_of(name))) for name in ready()]


def title(scenario: Scenario) -> str:
    """Return a scenario's title."""
    return scenario.title_zh if language() == "zh" else scenario.title


def about(scenario: Scenario) -> str:
    """Return what a scenario supposes."""
    return scenario.about_zh if language() == "zh" else scenario.about


def _place(slider: Slider, given: Mapping[str, str]) -> int:
    text = given.get(slider.input, "0")
    return min(int(text), len(slider.values)) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
