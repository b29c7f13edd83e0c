"""The examples in the docstrings of the room, and of its commands, run and are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import twokey.outlook

MODULES = [
    module.name
    for module in pkgutil.walk_packages(twokey.outlook.__path__, "twokey.outlook.")
    if not module.name.endswith(".data")
]


@pytest.mark.parametrize("name", [*MODULES, "twokey.cli.outlook_view"])
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
