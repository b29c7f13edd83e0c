"""Pages of rows without counting them: one query, one row more than is shown, whatever the size of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest

SIZE: Final = 50
Row = TypeVar("Row")
Found_co = TypeVar("Found_co", covariant=True)


class Sliced(Protocol[Found_co]):
    """What gives a part of itself for `[start:end]`: a query that was not made yet, or a sequence."""

    def __getitem__(self, part: slice, /) -> Iterable[Found_co]:
        """Return the rows of a part."""


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Row]):
    """One page of rows, and the query strings of the pages before and after it (empty where there is none)."""

    rows: list[Row]
    number: int
    before: str
    after: str

    @property
    def first(self) -> int:
        """Place of the first row in the whole list, from 1."""
        return (self.number - 1) * SIZE + 1

    @property
    def last(self) -> int:
        """Place of the last row that is shown."""
        return self.first + len(self.rows) - 1


def sheet(request: HttpRequest, rows: Sliced[Row], *, name: str = "page", most: int = 200) -> Sheet[Row]:
    """Return the page of rows that `?page=` names, 50 rows each; a page below 1 or above `most` is the nearest one.

    Where one address holds two lists, `name` is that of the second one's parameter.
    """
    given = request.GET.get(name, "1")
    number = min(max(int(given), 1), most) if given.isascii() and given.isdecimal() and len(given) < 7 else 1
    start = (number - 1) * SIZE
    found = list(rows[start : start + SIZE + 1])
    others = [(key, value) for key, value in request.GET.items() if key != name and value]
    return Sheet(
        found[:SIZE],
        number,
        f"?{urlencode([*others, (name, number - 1)])}" if number > 1 else "",
        f"?{urlencode([*others, (name, number + 1)])}" if len(found) > SIZE and number < most else "",
    )
