"""The examples in the docstrings of the room, and of its commands, run and are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import twokey.chips

MODULES = [f"twokey.chips.{module.name}" for module in pkgutil.iter_modules(twokey.chips.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "twokey.cli.chips_words"])
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
