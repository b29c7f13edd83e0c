"""The pictures of the README, taken from the running desk by `make pictures`; otherwise they are taken and dropped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .conftest import check_page

FOLDER = Path(__file__).parents[3] / "docs" / "pages"
PICTURES = (
    ("order-en", "seller", "/orders/5/", "en", False, 1200, 760),
    ("order-zh-dark", "officer.miit.1", "/orders/5/", "zh", True, 1200, 760),
    ("apply-en", "buyer.xingye", "/cases/8/apply/documents/", "en", False, 1200, 620),
    ("case-zh", "officer.bis.2", "/cases/6/", "zh", False, 1200, 620),
    ("order-zh-360", "buyer.qingshan", "/orders/5/", "zh", False, 360, 760),
)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture[0])
def test_the_readme_shows_the_desk_as_it_is(open_as: Any, tmp_path: Path, picture: tuple[Any, ...]) -> None:
    name, login, address, lang, dark, width, height = picture
    page = open_as(login, lang, width=width, dark=dark)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    check_page(page)
    folder = FOLDER if os.environ.get("TWOKEY_PICTURES") else tmp_path
    taken = page.screenshot(path=folder / f"{name}.png")
    assert taken.startswith(b"\x89PNG")
    assert (FOLDER / f"{name}.png").exists()
