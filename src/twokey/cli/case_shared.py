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


_FAULTS = 10  # of a file; the rest is counted
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


def read_shape(shape: Any, path: Path, *, wrapped: str = "", **more: Any) -> Any:
    """Read a JSON file into a shape of the API (`wrapped`: the file is the value of this one field of it).

    Errors: UserError naming the field, what was given, and what is wanted.
    """
    from pydantic import ValidationError

    try:
        body = json.loads(bytes_of(path))
        return shape.model_validate_json(json.dumps({**({wrapped: body} if wrapped else body), **more}))
    except ValidationError as error:
        faults = list(dict.fromkeys(_fault(path, each) for each in error.errors()))
        rest = [f"… and {len(faults) - _FAULTS} more"] if len(faults) > _FAULTS else []
        raise UserError("\n".join(faults[:_FAULTS] + rest)) from None
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a JSON object ({error})") from None


def _fault(path: Path, fault: Any) -> str:
    field = ".".join(str(each) for each in fault["loc"] if each != "[key]")
    if fault["type"] == "extra_forbidden":
        return f"{path}: {field}: there is no such field here; leave it out"
    if fault["type"] == "missing":
        return f"{path}: {field}: it is missing; give it"
    if fault["loc"][0] == "facts" and fault["loc"][-1] == "[key]":
        return f"{path}: {field}: no name of a fact; `twokey law facts` lists them, such as end_use.supercomputer"
    if fault["loc"][0] == "facts" and len(fault["loc"]) > 2:  # one fault for each type that its value could have
        return f"{path}: facts.{fault['loc'][1]}: a fact is true, false, a whole number or a text"
    given = json.dumps(fault["input"], ensure_ascii=False, default=str)[:60]
    wanted = fault["msg"].removeprefix("Value error, ")
    return f"{path}: {field}: {wanted[:1].lower()}{wanted[1:]}, not {given}"


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
