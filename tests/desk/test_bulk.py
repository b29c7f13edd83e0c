"""Files of orders and decisions: the same services at another door."""

from __future__ import annotations

import io

import pytest

from twokey.desk import bulk
from twokey.desk.cases import deciding
from twokey.desk.ledger.models import Authorisation
from twokey.desk.reasons import Refused

from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def _orders_csv(world: World, *rows: str) -> bytes:
    head = ",".join(bulk.ORDER_COLUMNS)
    return "\n".join([head, *rows]).encode()


def test_bulk_orders_are_all_or_nothing_with_a_report_by_line(world: World) -> None:
    good = f"B-1,{world.exporter.pk},{world.importer.pk},USD,CN,mainland,H200 SXM,10,27000000"
    bad = f"B-2,{world.exporter.pk},{world.importer.pk},USD,CN,mainland,H200 SXM,1.5,27000000"
    wrong = f"B-3,{world.exporter.pk},999999,USD,CN,mainland,H2000,5,1"
    report = bulk.import_orders(world["seller"], "orders.csv", _orders_csv(world, good, bad, wrong))
    assert (report.done, report.made) == (False, ())
    assert [line for line, _ in report.errors] == [3, 4]
    assert "“1.5” is not a whole number" in report.errors[0][1]
    assert not world.exporter.exports.exists()
    report = bulk.import_orders(world["seller"], "orders.csv", _orders_csv(world, good))
    assert (report.done, report.made) == (True, ("B-1",))


def test_bulk_reads_a_spreadsheet_as_it_reads_a_csv(world: World) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(bulk.ORDER_COLUMNS)
    sheet.append(["X-1", world.exporter.pk, world.importer.pk, "USD", "CN", "mainland", "H200 SXM", 10, 27_000_000])
    sheet.append(["X-1", world.exporter.pk, world.importer.pk, "USD", "CN", "mainland", "H20", 5, 6_000_000])
    out = io.BytesIO()
    book.save(out)
    report = bulk.import_orders(world["seller"], "orders.xlsx", out.getvalue())
    assert report.done, report.errors
    assert world.exporter.exports.get().lines.count() == 2


def test_bulk_authorisations_pass_the_guards_and_still_need_the_second_signature(world: World) -> None:
    application = world.under_review(world.order(units=100), "export")
    day = f"{today()},2099-01-01,mainland;hong_kong"
    row = f"{application.pk},1,100,270000000,USD,12,{day},,Within the rule."
    content = "\n".join([",".join(bulk.AUTHORISATION_COLUMNS), row]).encode()
    with pytest.raises(Refused):
        bulk.import_authorisations(world["seller"], "a.csv", content)
    foreign = bulk.import_authorisations(world["miit1"], "a.csv", content)
    assert not foreign.done
    assert "only an officer of the authority" in foreign.errors[0][1]
    report = bulk.import_authorisations(world["bis1"], "a.csv", content)
    assert report.done, report.errors
    assert not Authorisation.objects.exists()
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["bis1"], application.pk)
    assert codes(refused) == {"four_eyes"}
    deciding.countersign(world["bis2"], application.pk)
    assert Authorisation.objects.get().balance.uses_cap == 12
    again = bulk.import_authorisations(world["bis1"], "a.csv", content)
    assert "is approved; decide is possible only from under_review" in again.errors[0][1]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b"PK\x03\x04no"])
def test_bulk_refuses_what_is_no_table_of_its_own(content: bytes, world: World) -> None:
    with pytest.raises(Refused):
        bulk.import_orders(world["seller"], "orders.csv", content)
