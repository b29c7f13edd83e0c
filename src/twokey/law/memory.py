"""How the column libraries keep memory while a book is assessed."""

from __future__ import annotations

import os
from typing import Final

# Polars' allocator is jemalloc, PyArrow's mimalloc; each reads its setting once, when it is loaded.
_SETTINGS: Final = {
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1",
    "MIMALLOC_PURGE_DELAY": "-1",
}


def keep_pages() -> None:
    """Let Polars and PyArrow keep the memory that one batch frees for the next one, in this process and its children.

    Without it they give pages back to the system between batches of a book, and take them again at the price of a page
    fault each: up to a quarter of the time from Parquet to Parquet. What is kept is what the largest batch needed.
    Has to be called before either library is imported; a setting that the user made stands. For a command or a program
    of one purpose: a library does not do it for its caller.

    >>> keep_pages()
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
