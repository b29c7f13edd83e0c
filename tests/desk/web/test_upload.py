"""An upload shows how far it has come, and works without a script."""

from __future__ import annotations

from typing import Any

import pytest

from twokey.desk.cases.models import Document

from .conftest import axe

SIZE = 400_000
FILE = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"The intended use, in detail.\n" * (SIZE // 29)}
WATCH = """() => {
  const bar = document.querySelector('form[enctype] progress');
  window.seen = [];
  new MutationObserver(() => window.seen.push([bar.hidden, bar.value, bar.max]))
    .observe(bar, {attributes: true});
}"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_slow_upload_shows_its_progress(open_as: Any, desk: Any, lang: str) -> None:
    page = open_as("buyer.xingye", lang)
    page.goto("/cases/8/apply/documents/")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 200_000}
    line.send("Network.emulateNetworkConditions", slow)
    assert page.is_hidden("form[enctype] progress")
    page.evaluate(WATCH)
    page.set_input_files("[name=file]", {**FILE, "name": f"plan-{lang}.txt"})
    page.click("form[enctype] button")
    for _ in range(200):
        if page.evaluate("window.seen.some(([hidden, value, max]) => !hidden && value > 0 && value < max)"):
            break
        page.wait_for_timeout(25)
    assert page.is_visible("form[enctype] progress")
    assert axe(page) == []
    page.wait_for_selector(f"text=plan-{lang}.txt")
    shown = [(value, most) for hidden, value, most in page.evaluate("window.seen") if not hidden]
    assert len({value for value, _most in shown}) > 3
    assert shown == sorted(shown)  # it never goes back
    assert all(most > SIZE for _value, most in shown[1:])  # and never measures the answer
    assert Document.objects.filter(filename=f"plan-{lang}.txt").count() == 1
    assert page.url.endswith("/cases/8/apply/documents/")


def test_an_upload_needs_no_script_and_a_refusal_is_shown_beside_the_form(open_as: Any, desk: Any) -> None:
    page = open_as("buyer.xingye", script=False)
    page.goto("/cases/8/apply/documents/")
    page.set_input_files("[name=file]", {**FILE, "name": "quiet.txt"})
    page.click("form[enctype] button")
    assert "quiet.txt" in page.inner_text("main")
    page.set_input_files("[name=file]", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + bytes(99)})
    page.click("form[enctype] button")
    assert "its content is" in page.inner_text(".refusal")
