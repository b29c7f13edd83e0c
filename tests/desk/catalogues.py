"""Keep the Chinese catalogues of the pages: `python -m tests.desk.catalogues` (or `make words`).

Every app under `desk/web`, and `desk/papers` and `desk/notices`, has `locale/zh_Hans/LC_MESSAGES/django.po`. This finds
the strings of its Python files and templates, adds new ones untranslated, drops those that are gone, and compiles the
`.mo`. A test compares what is committed with what this would write. Babel and Django do the work; no gettext tools.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

DESK = Path(__file__).parents[2] / "src" / "twokey" / "desk"
PLACE = Path("locale") / "zh_Hans" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "_in": ((1, "c"), 2),
    "_n": (1, 2),
    "_t": None,
}


def apps() -> list[Path]:
    """Return the folders that have a catalogue."""
    folders = [each for each in sorted((DESK / "web").iterdir()) if (each / "apps.py").exists()]
    return [*folders, DESK / "notices", DESK / "papers"]


def strings(app: Path) -> Iterator[tuple[str, object, str | None]]:
    """Yield every string of an app: where it stands, its id (a pair where it has a plural), its context."""
    for path in sorted([*app.rglob("*.py"), *app.rglob("*.html"), *app.rglob("*.txt")]):
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            text = templatize(text, origin=str(path))
        where = path.relative_to(DESK).as_posix()
        for _line, message, _comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
            if message:
                yield where, message, context


def catalogue(app: Path) -> Catalog:
    """Return the catalogue that an app should have: its strings, with the translations that are there already."""
    path = app / PLACE
    before = read_po(io.BytesIO(path.read_bytes()), locale="zh_Hans") if path.exists() else Catalog(locale="zh_Hans")
    wanted = Catalog(locale="zh_Hans", fuzzy=False, header_comment="# Chinese words of the desk's pages.")
    for where, message, context in strings(app):
        old = before.get(message if isinstance(message, str) else message[0], context)  # type: ignore[index]
        wanted.add(message, old.string if old else None, locations=[(where, 1)], context=context)  # type: ignore[arg-type]
    return wanted


def as_po(wanted: Catalog) -> bytes:
    """Return a catalogue as the text that is committed: no dates, no line numbers."""
    body = io.BytesIO()
    write_po(body, wanted, sort_output=True, include_lineno=False, omit_header=True, width=120)
    head = (
        "# Chinese words of the desk's pages.\n"
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Language: zh_Hans\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    return head.encode() + body.getvalue()


def as_mo(po: bytes) -> bytes:
    """Compile the text of a catalogue."""
    body = io.BytesIO()
    words = read_po(io.BytesIO(po), locale="zh_Hans")
    words.creation_date = words.revision_date = datetime(2026, 1, 28, tzinfo=UTC)  # the same text, the same bytes
    write_mo(body, words)
    return body.getvalue()


def untranslated(app: Path) -> list[str]:
    """Return the strings of an app that have no Chinese."""
    rows = [each for each in catalogue(app) if each.id]
    return [str(each.id) for each in rows if not each.string or not all(each.string)]


def main() -> int:
    """Write every catalogue; the status is the number of strings without Chinese, at most 100."""
    left = 0
    for app in apps():
        wanted = catalogue(app)
        path = app / PLACE
        if not len(wanted):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_po(wanted))
        path.with_suffix(".mo").write_bytes(as_mo(path.read_bytes()))
        for each in untranslated(app):
            print(f"{app.name}: {each}")
            left += 1
    return min(left, 100)


if __name__ == "__main__":
    settings.configure(USE_I18N=True)
    sys.exit(main())
