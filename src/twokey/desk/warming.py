"""Bring a web process to where it answers its first request as quickly as its thousandth, and keep it there.

What pages read of the law, the chips, the scenarios and the templates is made once a process and kept. Two things
follow from that, both measured with `benchmarks/pages.py`:

- the first request of a page waited for it, 0.3 to 2 s; so it is made before the first request;
- Python's garbage collector walked through all of it every few hundred requests, in the middle of one: lists of 30 to
  50 ms then took 220 to 400 ms. So it is set aside for good (`gc.freeze`); the longest of them then took 50 to 90 ms.
  What requests leave behind is collected as before.
"""

from __future__ import annotations

import gc
from pathlib import Path


def warm() -> None:
    """Load what lives as long as the process, then set it aside from the garbage collector."""
    from django.urls import get_resolver

    _ = get_resolver().url_patterns  # imports every page
    _templates()
    _answers()
    gc.collect()
    gc.freeze()


def _templates() -> None:
    """Compile every template of the desk; Django keeps them."""
    from django.apps import apps
    from django.template.loader import get_template

    for app in apps.get_app_configs():
        folder = Path(app.path) / "templates"
        if app.name.startswith("twokey."):
            for path in sorted(folder.rglob("*.html")):
                get_template(path.relative_to(folder).as_posix())


def _answers() -> None:
    """Ask law and outlook what their pages open with, in each language."""
    from django.conf import settings
    from django.utils import timezone, translation

    from twokey.desk.web.law import classes
    from twokey.desk.web.law.drafts import drafts, law_under
    from twokey.desk.web.outlook import answers, setting

    today = timezone.now().date()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            answers.outcome(setting.read({}))
            for one in classes.QUESTIONS:
                classes.table(one.name, (*one.days, today), "zh" if code.startswith("zh") else "en")
    for draft in drafts():
        law_under(draft.name)
