"""What the commands of orders and cases share: shapes of the API read from files, and a case shown after a step."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twokey.cli.desk_door import dump, show
from twokey.cli.errors import UserError

if TYPE_CHECKING:
    from twokey.desk.cases.deciding import Terms


QUEUE = ("id", "order", "authority", "state", "applicant", "officer", "attention", "submitted_at")


def done(form: str, row: Any) -> None:
    """Show a case as it stands after a step."""
    from twokey.desk.api import show as shapes

    show(dump(shapes.case(row)), form, QUEUE)


def terms_in(path: Path) -> Terms | None:
    """Read the terms of a decision from a JSON file, as the API takes them."""
    from twokey.desk.api.cases_routes import terms_of
    from twokey.desk.api.shapes import DecisionIn

    return terms_of(read_shape(DecisionIn, path, outcome="approve", reasons=""))


def read_shape(shape: Any, path: Path, **more: Any) -> Any:
    """Read a JSON file into a shape of the API; an error names the field."""
    from pydantic import ValidationError

    try:
        return shape.model_validate_json(json.dumps({**json.loads(bytes_of(path)), **more}))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a JSON object ({error})") from None


def bytes_of(path: Path) -> bytes:
    """Read a file. Errors: UserError with the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def day_of(text: str) -> date:
    """Read a day. Errors: UserError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a day; write YYYY-MM-DD") from None
