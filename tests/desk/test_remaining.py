"""The open book that the desk exports: what is still to move, how each key stands, and who may see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext

from twokey.chips.errors import UserError
from twokey.cli.main import twokey
from twokey.desk.api.tokens import make_token
from twokey.desk.ledger import states
from twokey.desk.ledger.remaining import OpenLine, open_lines
from twokey.outlook.exposure import COLUMNS, read_book

from .world import World, today

LATER = today() + timedelta(days=364)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr("twokey.desk.boot.ready", lambda: None)

    def call(*arguments: str, login: str) -> Any:
        monkeypatch.setenv("TWOKEY_TOKEN", make_token(login, "test"))
        return CliRunner().invoke(twokey, arguments, catch_exceptions=False)

    return call


def _book(world: World, login: str = "auditor") -> dict[str, OpenLine]:
    return {line.order: line for line in open_lines(world[login], today(), LATER)}


def test_the_columns_are_those_that_the_outlook_reads() -> None:
    assert tuple(field.name for field in fields(OpenLine)) == COLUMNS


def test_each_key_is_turned_pending_or_closed(world: World) -> None:
    half, asked, silent = world.order(), world.order(), world.order()
    world.approved(half, "export")
    world.under_review(asked, "import")
    book = _book(world)
    assert (book[half.number].export_key, book[half.number].import_key) == ("turned", "closed")
    assert (book[asked.number].export_key, book[asked.number].import_key) == ("closed", "pending")
    assert silent.number not in book
    assert (book[half.number].due, book[asked.number].due) == (today() + timedelta(days=300), LATER)


def test_an_authorisation_that_is_over_or_suspended_turns_no_key(world: World) -> None:
    order = world.order()
    authorisation = world.approved(order, "export")
    world.under_review(order, "import")
    after = authorisation.valid_until + timedelta(days=1)
    assert next(open_lines(world["auditor"], after, LATER)).export_key == "closed"
    states.change_state(world["bis1"], authorisation.pk, "suspend", "An inquiry.")
    assert _book(world)[order.number].export_key == "closed"


def test_what_was_released_is_no_longer_open(world: World) -> None:
    release = world.released(units=30)
    line = _book(world)[release.shipment.order.number]
    assert (line.units, line.value_minor) == (70, 270_000_000 * 70 // 100)


def test_a_buyer_sees_its_own_orders_alone(world: World) -> None:
    mine, others = world.order(), world.order(importer=world.rival)
    for order in (mine, others):
        world.under_review(order, "export")
    assert set(_book(world, "buyer")) == {mine.number}
    assert set(_book(world)) == {mine.number, others.number}


def test_a_book_of_any_size_costs_one_query(world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            list(open_lines(world["auditor"], today(), LATER))
        return len(seen)

    world.under_review(world.order(), "export")
    few = queries()
    for _ in range(3):
        world.under_review(world.order(lines=2), "import")
    assert queries() == few == 1


def test_the_outlook_reads_what_the_desk_writes(world: World, run: Callable[..., Any], tmp_path: Path) -> None:
    order = world.order(units=12_345)
    world.approved(order, "export")
    for name in ("book.csv", "book.json"):
        assert run("order", "book", "--out", str(tmp_path / name), login="auditor").exit_code == 0
        (line,) = [line for line in read_book(tmp_path / name) if line.order == order.number]
        assert (line.units, line.export_key, line.import_key) == (12_345, "turned", "closed")
        assert line.chip.endswith("H200 SXM")
    printed = json.loads(run("order", "book", "--format", "json", login="auditor").output)
    assert order.number in {row["order"] for row in printed}
    with pytest.raises(UserError, match=r"\.csv or \.json"):
        run("order", "book", "--out", str(tmp_path / "book.xlsx"), login="auditor")
