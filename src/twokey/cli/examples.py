"""Examples under a command's help, each on a line of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Run = TypeVar("Run", bound=Callable[..., Any])
_AS_IT_STANDS = "\b"  # the mark of click for a paragraph whose lines are kept


def examples(*lines: str) -> Callable[[Run], Run]:
    """Show these lines at the end of a command's help.

    >>> @examples("twokey chips show H200")
    ... def show() -> None:
    ...     "Show one chip."
    >>> show.__doc__.splitlines()[-1]
    'twokey chips show H200'
    """

    def add(run: Run) -> Run:
        run.__doc__ = "\n".join([(run.__doc__ or "").rstrip(), "", _AS_IT_STANDS, *lines])
        return run

    return add
