"""The law pages and the outlook in a browser: nothing for axe to find, no sideways scroll, answers while one writes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import check_page, sideways
from .test_law_pages import PAGES

SHOTS = os.environ.get("TWOKEY_SCREENSHOTS", "")  # a folder: keep what the pages look like


def shoot(page: Any, name: str) -> None:
    """Keep a picture of a page where somebody asked for one."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def problems(page: Any) -> list[str]:
    """Return what the console holds, but for requests that a later one replaced: htmx reports those as errors too."""
    return [each for each in page.problems if not each.startswith(("htmx:afterRequest", "htmx:sendAbort"))]


@pytest.fixture(autouse=True)
def _warm(client_of: Callable[..., Any]) -> None:
    """Load law, model and the charts' library before a browser waits for them."""
    client_of("auditor").get("/outlook/")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_is_open_to_everybody_and_fits(open_as: Callable[..., Any], lang: str) -> None:
    page, dark = open_as("officer.miit.1", lang), open_as("buyer.bytedance", lang, width=360, dark=True)
    wrong = []
    for number, path in enumerate(PAGES):
        page.goto(path)
        dark.goto(path)
        if "/outlook/" in path or "compare" in path:
            page.wait_for_selector(".drawing svg")
        try:
            check_page(page)
        except AssertionError as error:
            wrong.append(f"{path}: {error}")
        if sideways(dark) > 0 or dark.problems:
            wrong.append(f"{path} at 360 px: {sideways(dark)} px too wide; {dark.problems}")
        page.problems.clear()
        shoot(page, f"{number:02d}-{lang}-wide")
        shoot(dark, f"{number:02d}-{lang}-narrow-dark")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ["/law/what-if/", "/outlook/", "/law/chips/compare/?chip=H200&chip=910C"])
def test_dark_pages_are_readable_too(open_as: Callable[..., Any], path: str) -> None:
    page = open_as("auditor", dark=True)
    page.goto(path)
    check_page(page)


def test_a_chart_is_drawn_without_a_word_of_script_in_the_page(open_as: Callable[..., Any]) -> None:
    page = open_as("auditor")
    answer = page.goto("/outlook/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    page.wait_for_selector(".drawing svg")
    assert page.locator(".drawing svg").count() == 3
    assert page.locator(".drawing svg path").count() > 6
    assert page.problems == []
    text = "document.querySelector('.drawing svg text')"
    light = page.evaluate(f"getComputedStyle({text}).fill")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {text} && getComputedStyle({text}).fill !== light", arg=light)


def test_the_sliders_redraw_within_a_second(open_as: Callable[..., Any]) -> None:
    page = open_as("auditor", "zh")
    page.goto("/outlook/")
    page.wait_for_selector(".drawing svg")
    figure = page.locator(".figures strong").first
    before = figure.inner_text()
    page.focus("#slider-conversion")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.figures strong').textContent !== before", arg=before, timeout=5_000
    )
    page.wait_for_selector(".drawing svg")
    assert page.locator("#slider-conversion").get_attribute("aria-valuetext") == "90%"
    page.wait_for_url(re.compile("conversion=5"))
    assert page.evaluate("document.activeElement.id") == "slider-conversion"
    shoot(page, "sliders-moved")
    page.click("text=English")
    page.wait_for_selector("html[lang=en]")
    assert "conversion=5" in page.url, "the switch of the language keeps the setting"
    assert problems(page) == []


@pytest.mark.parametrize(("lang", "blocked"), [("en", "blocked"), ("zh", "受阻")])
def test_the_law_answers_while_one_writes(open_as: Callable[..., Any], lang: str, blocked: str) -> None:
    page = open_as("seller", lang)
    page.goto("/law/what-if/")
    first = page.inner_text("#verdict")
    page.click("#more summary:has-text('Consignee'), #more summary:has-text('收货人')")
    page.select_option("#fact-consignee-entity_list", "true")
    page.wait_for_function("before => document.querySelector('#verdict').textContent.trim() !== before", arg=first)
    page.wait_for_function("word => document.querySelector('#verdict').textContent.includes(word)", arg=blocked)
    assert page.input_value("#fact-consignee-entity_list") == "true", "what was stated stays in its field"
    assert "consignee.entity_list=true" in page.url
    assert "certifications.kyc" not in page.url, "an empty field does not lengthen the address"
    page.fill("#fact-item-chip", "H2000")
    page.wait_for_selector("#fact-item-chip")
    page.wait_for_function("before => !document.querySelector('#answer .key-export')", arg=None)
    page.fill("#fact-item-chip", "NVIDIA H20 96GB (HGX)")
    page.wait_for_selector("#answer .key-export .tree")
    page.problems[:] = problems(page)
    check_page(page)
    shoot(page, f"asked-{lang}")


def test_the_form_works_without_script(open_as: Callable[..., Any]) -> None:
    page = open_as("seller", script=False)
    page.goto("/law/what-if/")
    page.fill("#fact-movement-destination", "SG")
    page.click("#ask .actions button")
    page.wait_for_url(re.compile("movement.destination=SG"))
    assert page.locator("#answer .key-export .tree").count() >= 1
    page.goto("/outlook/")
    assert page.locator(".chart table").count() == 3, "the figures are there"
    assert page.locator(".drawing:visible").count() == 0, "no empty box where no chart can be drawn"
    page.goto("/law/impact/?draft=safe-chips")
    assert page.locator("#book table").count() >= 1


def test_the_pages_are_walked_by_keyboard(open_as: Callable[..., Any]) -> None:
    page = open_as("auditor")
    page.goto("/law/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("H20")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=H20"))
    page.focus("tbody a")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/law/instruments/"))
    check_page(page)
