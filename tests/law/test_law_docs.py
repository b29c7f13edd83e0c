"""The examples in the docstrings of the law room run."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import twokey.law

MODULES = [one.name for one in pkgutil.walk_packages(twokey.law.__path__, "twokey.law.")]


@pytest.mark.parametrize("name", ["twokey.law", *MODULES])
def test_the_examples_of(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [one for name in MODULES for one in finder.find(import_module(name)) if one.examples]
    assert len(found) >= 10
