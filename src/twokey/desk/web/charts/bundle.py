"""The script that draws charts: Vega, Vega-Lite and the expression interpreter, from the library that is installed.

The file is made once for each version of that library, in the data directory, and served like every static file. No
part of it is kept in the project, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

from twokey.desk.home import home

NAME: Final = "charts/vega.js"
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


def made() -> Path:
    """Return the script's file for the installed version, made on the first call (about two seconds)."""
    file = home().root / "static" / metadata.version("vl-convert-python") / NAME
    if not file.exists():
        import vl_convert  # starts a JavaScript engine

        file.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=file.parent, suffix=".js")
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(vl_convert.javascript_bundle(_SNIPPET))
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(file)  # two processes that start together make the same file
    return file


class BundleFinder(BaseFinder):
    """Finds `charts/vega.js` for Django's static files and for whitenoise."""

    def find(self, path: str, find_all: bool = False, **_others: Any) -> Any:
        """Return the file's place; an empty list for any other path."""
        found = [str(made())] if path == NAME else []
        return found if find_all or not found else found[0]

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield the file, with the storage that holds it."""
        yield NAME, _storage(str(made().parents[1]))


@cache
def _storage(root: str) -> FileSystemStorage:
    return FileSystemStorage(root)
