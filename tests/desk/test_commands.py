"""What a person reads at the command line, what a program gets there, and what either is told of a mistake."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from twokey.cli import main
from twokey.desk.cases import batches, reviewing
from twokey.desk.cases.calendars import calendar_of
from twokey.desk.cases.clocks import add_working_days
from twokey.desk.codes import check_country, check_currency, check_place
from twokey.desk.ledger import money, shipments, usage
from twokey.desk.ledger.shipments import Part
from twokey.desk.parties import services
from twokey.desk.reasons import Refused, reason

from .world import World, today

# --- numbers and money


def test_a_program_gets_numbers_and_a_person_gets_money(world: World, run: Any) -> None:
    batches.open_batch(world["miit1"], "B-1", units=1, value_minor=1, currency="USD")  # so that ids part
    order = world.order(units=1_000, value_minor=2_700_000_000)
    row = world.approved(order, "export")
    text = run("ledger", "list", login="auditor").output
    assert "1,000" in text
    assert "USD 27,000,000.00" in text
    (cells,) = csv.DictReader(io.StringIO(run("ledger", "list", "--format", "csv", login="auditor").output))
    assert (cells["units_cap"], cells["value_left"], cells["number"]) == ("1000", "2700000000", row.number)
    shown = run("ledger", "show", str(row.pk), login="auditor").output
    assert f" id                {row.pk} " in shown  # of the authorisation, not of its balance
    assert row.pk != row.balance_id
    lines = run("order", "show", str(order.pk), login="seller").output
    assert "USD 27,000,000.00" in lines
    assert "value_minor" not in lines


def test_a_list_comes_in_pages_and_says_that_there_are_more(world: World, run: Any) -> None:
    first, second, third = (world.order().pk for _ in range(3))
    page = run("order", "list", "--limit", "2", "--format", "json", login="seller")
    assert [each["id"] for each in json.loads(page.stdout)] == [third, second]
    assert page.stderr.strip() == "There are more: --page 2"
    last = run("order", "list", "--limit", "2", "--page", "2", "--format", "json", login="seller")
    assert ([each["id"] for each in json.loads(last.stdout)], last.stderr) == ([first], "")


# --- mistakes


@pytest.mark.parametrize(
    "arguments",
    [
        ("ledger", "cap", "H200 SXM", "--window", "since", "--since", "2026-13-01", "--reason", "x"),
        ("ledger", "home", "1", "--on", "soon", "--units", "1", "--tpp", "1", "--source", "x"),
        ("ledger", "rate", "USD", "CNY", "7", "1", "--source", "x", "--on", "soon"),
        ("release", "arrive", "1", "delivery", "D", "--units", "1", "--on", "soon", "--place", "mainland"),
        ("party", "share", "1", "2", "--share-bp", "1", "--as-of", "soon", "--source", "x"),
    ],
)
def test_a_day_that_is_none_is_refused_in_words(arguments: tuple[str, ...], run: Any) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "is not a day as YYYY-MM-DD" in done.output


@pytest.mark.parametrize("command", [("keys", "export"), ("backup", "make")])
def test_a_file_that_cannot_be_written_is_named(
    command: tuple[str, ...], run: Any, tmp_path: Path, world: World
) -> None:
    path = str(tmp_path / "none" / "out")
    error = run(*command, path).exception
    assert f"{path}: cannot be written" in str(error)
    assert isinstance(error, main.UserError)


def test_every_fault_of_a_file_is_told_once_with_its_remedy(run: Any, tmp_path: Path, world: World) -> None:
    body = {
        "number": "F-1",
        "exporter_id": world.exporter.pk,
        "importer_id": world.importer.pk,
        "currency": "USD",
        "destination": "CN",
        "lines": [{"chip": "H200 SXM", "units": 1.5, "value_minor": 1}],
        "facts": {"foo": 1, "end_use.supercomputer": [1]},
        "colour": "red",
    }
    path = tmp_path / "order.json"
    path.write_text(json.dumps(body))
    said = str(run("order", "create", str(path), login="seller").exception).splitlines()
    assert f"{path}: place: it is missing; give it" in said
    assert f"{path}: colour: there is no such field here; leave it out" in said
    assert f"{path}: lines.0.units: input should be a valid integer, not 1.5" in said
    assert len([each for each in said if "facts.foo" in each]) == 1
    assert len([each for each in said if "facts.end_use.supercomputer" in each]) == 1


def test_several_reasons_have_a_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(**_: object) -> None:
        raise Refused(reason("zero_quantity"), reason("expired", label="NDRC-2026-1"))

    monkeypatch.setattr(main, "twokey", type("Group", (), {"main": staticmethod(refuse)}))
    with pytest.raises(SystemExit) as stopped:
        main.run()
    lines = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 3
    assert len(lines) == 3
    assert lines[1] == "• the quantity must be at least 1"
    assert "NDRC-2026-1" in lines[2]


def test_a_state_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="use one of draft, submitted"):
        reviewing.queue(world["bis1"], state="lost")


# --- parties, facts, people


def test_a_party_is_entered_with_all_that_a_rule_asks(world: World, run: Any) -> None:
    words = ("--name", "云岭", "--name-latin", "Yunling", "--kind", "private", "--country", "CN")
    more = ("--identifier", "USCC=9133", "--address", "CN:杭州路 1 号:1 Hangzhou Road", "--source", "invented")
    made = run("party", "add", *words, *more, "--format", "json", login="op")
    party = json.loads(made.stdout)
    assert party["identifiers"] == {"USCC": "9133"}
    assert party["addresses"] == [{"lines": "杭州路 1 号", "lines_latin": "1 Hangzhou Road", "country": "CN"}]
    share = ("party", "share", str(party["id"]), str(world.importer.pk), "--as-of", "2026-01-28", "--source", "x")
    assert run(*share, "--share-bp", "5100", login="op").exit_code == 0
    shown = json.loads(run("party", "show", str(party["id"]), "--format", "json", login="op").stdout)
    assert [(each["owner_id"], each["share_bp"]) for each in shown["owners"]] == [(world.importer.pk, 5100)]
    assert "SCHEME=VALUE" in str(run("party", "add", *words, "--identifier", "9133", login="op").exception)


def test_facts_are_stated_and_an_order_is_placed(world: World, run: Any, tmp_path: Path) -> None:
    order = world.order()
    path = tmp_path / "facts.json"
    path.write_text('{"site.state_funded": true}')
    assert run("order", "facts", str(order.pk), str(path), login="seller").exit_code == 0
    order.refresh_from_db()
    assert order.facts["site.state_funded"] is True
    placed = run("order", "place", str(order.pk), "--on", "2026-01-28", "--reference", "PO-1", login="buyer")
    assert placed.exit_code == 0, placed.output
    assert order.milestones.get(kind="order").on == date(2026, 1, 28)


GOOD = {
    "code": "NDRC",
    "side": "import",
    "name_en": "Commission",
    "name_zh": "委员会",
    "country": "CN",
    "time_zone": "Asia/Shanghai",
    "value_tolerance_bp": 0,
}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": "N D"}, "is not a code"),
        ({"code": "BIS"}, "BIS exists already"),
        ({"name_en": "委"}, "plain Latin letter"),
        ({"name_zh": "!"}, "no letter"),
        ({"country": "ZZ"}, "no country code"),
        ({"time_zone": "Asia/Nowhere"}, "no time zone"),
        ({"value_tolerance_bp": -1}, "no tolerance"),
        ({"value_tolerance_bp": 10_001}, "no tolerance"),
    ],
)
def test_an_authority_is_entered_whole_or_not_at_all(wrong: dict[str, Any], said: str, world: World) -> None:
    with pytest.raises(Refused, match=said):
        services.add_authority(**{**GOOD, **wrong})
    assert services.add_authority(**GOOD).code == "NDRC"


@pytest.mark.parametrize(
    ("code", "side", "said"),
    [
        ("BIS", "import", "BIS signs for export"),
        ("NOBODY", "import", "no authority NOBODY"),
        ("DESK", "export", "DESK signs for desk"),
        ("BIS", "desk", "BIS signs for export, import"),
    ],
)
def test_a_key_signs_for_its_own_side_alone(code: str, side: str, said: str, world: World, run: Any) -> None:
    assert said in str(run("keys", "make", code, "--side", side).exception)
    services.check_key_side("BIS", "export")
    services.check_key_side("DESK", "desk")


def test_a_person_is_told_whether_the_login_or_the_seat_is_wrong(world: World) -> None:
    from twokey.desk.actors import Role

    with pytest.raises(Refused, match="bis1 exists already"):
        services.add_person("bis1", Role.OFFICER, authority=world.export)
    with pytest.raises(Refused, match="officer sits at one authority"):
        services.add_person("new", Role.OFFICER)
    with pytest.raises(Refused, match="applicant sits at one party"):
        services.add_person("new", Role.APPLICANT, authority=world.export)
    with pytest.raises(Refused, match="auditor sits at no party"):
        services.add_person("new", Role.AUDITOR, organisation=world.importer)


def test_a_clock_passes_over_the_holidays_that_the_operator_entered(world: World, run: Any) -> None:
    thursday = date(2026, 10, 1)
    assert add_working_days(thursday, 1, calendar_of(world.import_)) == date(2026, 10, 2)
    assert run("token", "holiday", "MIIT", "2026-10-02", "国庆节").exit_code == 0
    assert run("token", "holiday", "MIIT", "2026-10-03", "调休上班", "--works").exit_code == 0
    assert add_working_days(thursday, 1, calendar_of(world.import_)) == date(2026, 10, 3)
    for wrong in (("2026-10-04", "Sunday"), ("2026-10-05", "Monday", "--works"), ("2026-10-02", "again")):
        assert isinstance(run("token", "holiday", "MIIT", *wrong).exception, Refused)


# --- codes, at whichever door


def test_a_code_is_one_that_exists() -> None:
    assert (check_country("cn"), check_currency("CNY"), check_place("hong_kong")) == ("CN", "CNY", "hong_kong")
    for check, bad in ((check_country, "ZZ"), (check_currency, "usd"), (check_currency, "QQQ"), (check_place, "moon")):
        with pytest.raises(Refused):
            check(bad)


def test_no_service_keeps_a_currency_or_a_place_that_is_none(world: World) -> None:
    order = world.order(units=100)
    with pytest.raises(Refused, match="no currency code"):
        batches.open_batch(world["miit1"], "B-1", units=1, value_minor=1, currency="usd")
    with pytest.raises(Refused, match="no currency code"):
        money.add_rate(world["operator"], "USD", "QQQ", 7, 1, "x", today())
    with pytest.raises(Refused, match="no currency code"):
        shipments.plan(world["seller"], order.pk, "S-1", "mainland", [Part(1, 1, 1, "QQQ")])
    with pytest.raises(Refused, match="is not known"):
        shipments.plan(world["seller"], order.pk, "S-1", "moon", [Part(1, 1, 1, "USD")])
    with pytest.raises(Refused, match="units 101 is more than the order's 100"):
        shipments.plan(world["seller"], order.pk, "S-1", "mainland", [Part(1, 101, 1, "USD")])


def test_balances_leave_line_by_line_and_in_pages(world: World) -> None:
    world.released(10)
    assert [row["units_drawn"] for row in usage.give_out(world["customs"], 1, 1)] == [10]
    lines = usage.csv_lines(usage.give_out(world["customs"]), usage.GIVEN)
    first = next(lines)
    assert first.startswith(",".join(usage.GIVEN) + "\n")
    assert first.count("\n") == 2  # the head and one row, before the second row is asked for
    assert "".join(usage.csv_lines((), usage.GIVEN)) == ",".join(usage.GIVEN) + "\n"
    assert usage.as_csv([]) == ""
