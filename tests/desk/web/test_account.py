"""Signing in: password, lock-out, second factor, presence."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import check_page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_person_signs_in_with_a_password(open_as: Any, desk: Any, lang: str) -> None:
    page = open_as(lang=lang)
    page.goto("/")
    check_page(page)
    page.fill("input[name=login]", "seller")
    page.fill("input[name=password]", desk.password)
    page.click("main button:has-text('Sign in'), main button:has-text('登录')")
    page.wait_for_url("**/")
    assert "seller" in page.inner_text(".who")
    check_page(page)
