"""The error for a person's mistake: it names the file, line or field, what is wrong, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(ValueError):
    """Something a person gave is wrong; the message is complete and ready to be shown as it stands.

    Every room raises this (or a subclass) for bad input, and nothing else; the command line prints it without a
    traceback and ends with status 3, the API answers 4xx with it.

    >>> raise UserError("order.toml: item.tpp: must not be negative (got -4); leave it out if it is unknown")
    Traceback (most recent call last):
    twokey.chips.errors.UserError: order.toml: item.tpp: must not be negative (got -4); leave it out if it is unknown
    """


def nearest(word: str, known: Iterable[str], count: int = 3) -> str:
    """Return a hint with the known names nearest to `word`, or "" where none is near.

    >>> nearest("H20O", ["H200", "H20", "A100"])
    '; did you mean H20 or H200?'
    """
    import difflib  # noqa: PLC0415 (only a mistake needs it)

    by_folded = {name.casefold(): name for name in known}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=count, cutoff=0.5)
    names = [by_folded[match] for match in matches]
    return f"; did you mean {' or '.join(names)}?" if names else ""
