"""Both languages: every string of the pages has its Chinese, and what is compiled is what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..catalogues import PLACE, apps, as_mo, as_po, catalogue, untranslated


@pytest.mark.parametrize("app", apps(), ids=lambda app: app.name)
def test_every_string_is_translated(app: Path) -> None:
    assert untranslated(app) == []


def test_a_string_has_one_translation_over_all_the_pages() -> None:
    """Django lays the catalogues over each other: of two translations of one string, one would win everywhere."""
    said: dict[tuple[str | None, str], dict[str, list[str]]] = {}
    for app in apps():
        for each in catalogue(app):
            if each.id:
                name = each.id if isinstance(each.id, str) else each.id[0]
                said.setdefault((each.context, name), {}).setdefault(str(each.string), []).append(app.name)
    assert {name: words for name, words in said.items() if len(words) > 1} == {}


@pytest.mark.parametrize("app", [each for each in apps() if len(catalogue(each))], ids=lambda app: app.name)
def test_the_committed_catalogue_holds_the_strings_of_the_pages(app: Path) -> None:
    path = app / PLACE
    assert path.read_bytes() == as_po(catalogue(app)), "run `make words` and commit"
    assert path.with_suffix(".mo").read_bytes() == as_mo(path.read_bytes()), "run `make words` and commit"
