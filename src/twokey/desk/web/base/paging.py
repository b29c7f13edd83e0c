"""Pages of rows without counting them: one query, one row more than is shown, whatever the size of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

SIZE: Final = 50
Row = TypeVar("Row", bound=Model)


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


def sheet(request: HttpRequest, rows: QuerySet[Row, Any], *, most: int = 200) -> Sheet[Row]:
    """Return the page of rows that `?page=` names, 50 rows each; a page below 1 or above `most` is the nearest one."""
    given = request.GET.get("page", "1")
    number = min(max(int(given), 1), most) if given.isascii() and given.isdecimal() and len(given) < 7 else 1
    start = (number - 1) * SIZE
    found = list(rows[start : start + SIZE + 1])
    others = [(key, value) for key, value in request.GET.items() if key != "page" and value]
    return Sheet(
        found[:SIZE],
        number,
        f"?{urlencode([*others, ('page', number - 1)])}" if number > 1 else "",
        f"?{urlencode([*others, ('page', number + 1)])}" if len(found) > SIZE and number < most else "",
    )
