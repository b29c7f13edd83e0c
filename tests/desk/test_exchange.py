"""Two desks that share no database: one signs its half of a release, the other completes it, and nothing slips by."""

from __future__ import annotations

import copy
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor
from twokey.desk.home import home
from twokey.desk.ledger import exchange, releasing, shipments, states
from twokey.desk.ledger.models import Authorisation, Balance, Release, Shipment
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.notices import mailing
from twokey.desk.notices import services as notices
from twokey.desk.notices.telling import tell
from twokey.desk.proof import check
from twokey.desk.reasons import Refused
from twokey.desk.signing import FileSigner, KeyRing
from twokey.desk.signing.envelope import read_unchecked

from .world import World

_orders = itertools.count(1)


@dataclass
class Second:
    """The desk of the import authority, in a process and a database of its own."""

    process: subprocess.Popen[str]
    home: Path
    orders: dict[str, int] = field(default_factory=dict)

    def ask(self, do: str, **request: Any) -> Any:
        """Ask for one thing; raises `AssertionError` where it is refused."""
        said = self.say(do, **request)
        assert "ok" in said, said
        return said["ok"]

    def refusal(self, do: str, **request: Any) -> list[str]:
        """Return why one thing is refused."""
        codes: list[str] = self.say(do, **request)["refused"]
        return codes

    def say(self, do: str, **request: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    owner = make_conninfo(os.environ["TWOKEY_OWNER_URL"], dbname="twokey_second")
    with psycopg.connect(os.environ["TWOKEY_OWNER_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS twokey_second WITH (FORCE)")
        connection.execute("CREATE DATABASE twokey_second")
    folder = tmp_path_factory.mktemp("second")
    environment = {
        **os.environ,
        "TWOKEY_HOME": str(folder),
        "TWOKEY_OWNER_URL": owner,
        "TWOKEY_DATABASE_URL": make_conninfo(owner, user="twokey_desk"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.desk.second_desk"],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Second(process, folder)
    process.terminate()
    process.wait(20)


@pytest.fixture
def first(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: Second) -> World:
    """This desk, with the keys of the export authority alone; each trusts the other's public keys."""
    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path))
    home().make()
    for code, side in (("BIS", "export"), ("DESK", "desk")):
        FileSigner(home().keys).make(code, side)
    keys = tmp_path / "their-keys.json"
    keys.write_text(json.dumps(second.ask("keys")))
    assert list(exchange.trust(keys).keys) == ["MIIT-1"]
    (second.home / "keys" / "trusted.json").unlink(missing_ok=True)  # every test's desk has keys of its own
    assert second.ask("trust", keys=FileSigner(home().keys).ring().dump()) == ["BIS-1"]
    return world


@dataclass
class Pair:
    """One order, approved for export here and for import there."""

    number: str
    shipment: Shipment
    export: Authorisation
    there: int
    statement: dict[str, Any]


@pytest.fixture
def pair(first: World, second: Second) -> Pair:
    number = f"X-{os.getpid()}-{next(_orders)}"
    order = first.order(units=100, number=number)
    export = first.approved(order, "export")
    there = second.ask("approve", order=number, units=100)["id"]
    return Pair(number, first.shipment(order, 10), export, there, second.ask("state", authorisation=there))


def half(first: World, pair: Pair) -> Release:
    """Take the other side's word in, reserve, and sign this side's half."""
    exchange.receive(first["bis1"], pair.statement)
    shipments.reserve(first["seller"], pair.shipment.pk, "1")
    first.certify(pair.shipment)
    return releasing.release(first["seller"], pair.shipment.pk)


def everybody() -> KeyRing:
    return KeyRing({**exchange.trusted().keys, **FileSigner(home().keys).ring().keys})


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [each.code for each in refused.value.reasons]


def test_a_release_signed_by_one_desk_is_completed_by_the_other(first: World, second: Second, pair: Pair) -> None:
    with pytest.raises(Refused, match="no import authorisation"):
        shipments.reserve(first["seller"], pair.shipment.pk, "0")
    mine = half(first, pair)
    pair.shipment.refresh_from_db()
    assert pair.shipment.state == "half_signed"
    assert [each.code for each in check(mine.document.jws, everybody()).reasons] == ["side_missing"]
    with pytest.raises(Refused, match="half_signed"):
        shipments.ship(first["seller"], pair.shipment.pk, {})
    assert Balance.objects.get(pk=pair.export.balance_id).units_drawn == 10
    received = second.ask("receive", document=mine.document.jws)
    assert second.ask("drawn", authorisation=pair.there)[:2] == [0, 0]
    whole = second.ask("complete", received=received)
    assert second.ask("complete", received=received) == whole
    assert second.ask("drawn", authorisation=pair.there)[:3] == [10, 0, 0]
    proof = check(whole, everybody())
    assert proof.holds
    assert {each.split()[0] for each in proof.signed_by} == {"BIS", "MIIT"}
    exchange.receive(first["bis1"], whole)
    pair.shipment.refresh_from_db()
    assert pair.shipment.state == "released"
    shipments.ship(first["seller"], pair.shipment.pk, {})
    assert verify_ledger().differences == ()
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], whole)
    assert codes(refused) == ["received_before"]


def test_an_altered_a_repeated_and_a_strangers_document_are_refused(first: World, second: Second, pair: Pair) -> None:
    forged = copy.deepcopy(pair.statement)
    forged["payload"] = forged["payload"][:-4] + "AAAA"
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], forged)
    assert codes(refused)[0] in {"altered", "not_canonical"}
    exchange.receive(first["bis1"], pair.statement)
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], pair.statement)
    assert codes(refused) == ["received_before"]
    (home().keys / "trusted.json").unlink()
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], pair.statement)
    assert codes(refused) == ["unknown_key"]
    own = exchange.state(first["bis1"], pair.export.pk).jws
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], own)
    assert codes(refused) == ["from_here"]
    for login, action in (("seller", exchange.receive), ("miitadv", exchange.receive)):
        with pytest.raises(Refused) as refused:
            action(first[login], pair.statement)
        assert refused.value.status == 403
    with pytest.raises(Refused) as refused:
        exchange.state(first["miit1"], pair.export.pk)
    assert codes(refused) == ["other_authority"]


def test_what_was_revoked_there_counts_no_more_here(first: World, second: Second, pair: Pair) -> None:
    exchange.receive(first["bis1"], pair.statement)
    suspended = second.ask("change", authorisation=pair.there, who="miit1", change="suspend")
    exchange.receive(first["bis1"], suspended)
    with pytest.raises(Refused, match="no import authorisation"):
        shipments.reserve(first["seller"], pair.shipment.pk, "1")
    older = {**pair.statement}
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], older)
    assert codes(refused) == ["ended_there"]
    second.ask("change", authorisation=pair.there, who="miit2", change="reinstate")
    exchange.receive(first["bis1"], second.ask("state", authorisation=pair.there))
    shipments.reserve(first["seller"], pair.shipment.pk, "1")


def told(actor: Actor) -> list[str]:
    tell()
    return [each.verb for each in notices.notices(actor)]


def test_whom_a_document_of_another_desk_concerns_hears_of_it_in_both_languages(
    first: World, second: Second, pair: Pair
) -> None:
    exchange.receive(first["bis1"], pair.statement)
    assert "exchange.key_received" in told(first["bis2"])
    assert "exchange.key_received" in told(first["seller"])
    assert "exchange.key_received" not in told(first["rival"])
    assert "exchange.key_received" not in told(first["bis1"])  # who took it in need not be told
    exchange.receive(first["bis1"], second.ask("change", authorisation=pair.there, who="miit1", change="suspend"))
    assert "exchange.change_received" in told(first["buyer"])
    row = next(each for each in notices.notices(first["buyer"]) if each.verb == "exchange.change_received")
    for lang in ("en", "zh"):
        for word in ("MIIT", pair.number, read_unchecked(pair.statement)["authorisation"]):
            assert word in notices.sentence(row, lang)
    assert mailing.path_of(row) == f"/orders/{pair.shipment.order_id}/"


def test_a_half_signed_release_asks_the_officers_it_waits_for_and_nobody_hears_that_it_may_move(
    first: World, second: Second, pair: Pair
) -> None:
    mine = half(first, pair)
    heard = told(first["buyer"])
    assert "release.half_signed" in heard
    assert "release.signed" not in heard
    received = second.ask("receive", document=mine.document.jws)  # by miit1
    assert "exchange.half_received" in second.ask("told", who="miit2")
    for other in ("bis1", "buyer", "auditor"):
        assert "exchange.half_received" not in second.ask("told", who=other), other
    exchange.receive(first["bis1"], second.ask("complete", received=received))
    assert "exchange.completed" in second.ask("told", who="buyer")
    assert "release.completed" in told(first["seller"])
    assert "release.completed" in told(first["customs"])


def test_a_half_whose_key_was_revoked_since_it_was_taken_in_is_not_completed(
    first: World, second: Second, pair: Pair
) -> None:
    mine = half(first, pair)
    received = second.ask("receive", document=mine.document.jws)
    keys = FileSigner(home().keys).ring().dump()
    next(each for each in keys["keys"] if each["kid"] == "BIS-1").update(
        revoked_at="2026-11-24T00:00:00+00:00", revoked_reason="lost"
    )
    second.ask("trust", keys=keys)
    second.ask("change", authorisation=pair.there, who="miit1", change="suspend")
    # Nothing else is asked of a document that proves nothing: the suspension is not among the reasons.
    assert second.refusal("complete", received=received) == ["revoked_key"]
    assert second.ask("drawn", authorisation=pair.there)[:2] == [0, 0]


def test_a_revoked_key_of_the_other_side_proves_nothing(
    first: World, second: Second, pair: Pair, tmp_path: Path
) -> None:
    keys = exchange.trusted().dump()
    keys["keys"][0].update(revoked_at="2026-11-24T00:00:00+00:00", revoked_reason="lost")
    path = tmp_path / "revoked.json"
    path.write_text(json.dumps(keys))
    exchange.trust(path)
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], pair.statement)
    assert codes(refused) == ["revoked_key"]
    path.write_text(json.dumps(second.ask("keys")))  # an older file does not bring the key back
    exchange.trust(path)
    with pytest.raises(Refused) as refused:
        exchange.receive(first["bis1"], pair.statement)
    assert codes(refused) == ["revoked_key"]
    keys["keys"][0].update(x="A" * 43, kid="MIIT-1")
    path.write_text(json.dumps(keys))
    with pytest.raises(UserError, match="another key"):
        exchange.trust(path)


def test_the_second_desk_completes_nothing_that_its_own_key_does_not_carry(
    first: World, second: Second, pair: Pair
) -> None:
    mine = half(first, pair)
    received = second.ask("receive", document=mine.document.jws)
    assert second.refusal("complete", received=received, who="buyer") == ["not_permitted"]
    second.ask("change", authorisation=pair.there, who="miit1", change="suspend")
    assert "not_in_force" in second.refusal("complete", received=received)
    assert second.ask("drawn", authorisation=pair.there)[:2] == [0, 0]
    second.ask("change", authorisation=pair.there, who="miit2", change="reinstate")
    second.ask("complete", received=received)


def test_the_second_desk_asks_for_its_own_conditions(first: World, second: Second) -> None:
    number = f"X-{os.getpid()}-{next(_orders)}"
    order = first.order(units=100, number=number)
    export = first.approved(order, "export")
    there = second.ask("approve", order=number, units=100, conditional=True)["id"]
    strict = Pair(number, first.shipment(order, 10), export, there, second.ask("state", authorisation=there))
    release = half(first, strict)
    assert "security_procedures" in json.dumps(read_unchecked(release.document.jws)["conditions"])
    received = second.ask("receive", document=release.document.jws)
    assert second.refusal("complete", received=received) == ["condition_unmet"]


def test_no_more_is_completed_than_the_second_ledger_holds(first: World, second: Second) -> None:
    number = f"X-{os.getpid()}-{next(_orders)}"
    order = first.order(units=100, number=number)
    first.approved(order, "export")
    there = second.ask("approve", order=number, units=15)["id"]
    exchange.receive(first["bis1"], second.ask("state", authorisation=there))
    answers = []
    for _ in range(2):
        shipment = first.shipment(order, 10)
        shipments.reserve(first["seller"], shipment.pk, "1")
        first.certify(shipment)
        release = releasing.release(first["seller"], shipment.pk)
        answers.append(second.say("complete", received=second.ask("receive", document=release.document.jws)))
    assert "ok" in answers[0]
    assert answers[1] == {"refused": ["units_exhausted"]}
    assert second.ask("drawn", authorisation=there)[:3] == [10, 0, 0]


def test_a_change_of_state_here_reaches_the_other_desk_signed(first: World, second: Second, pair: Pair) -> None:
    states.change_state(first["bis1"], pair.export.pk, "revoke", "why")
    document = exchange.latest_change(first["bis1"], pair.export.pk)
    assert second.ask("receive", document=document.jws)
    assert second.refusal("receive", document=document.jws) == ["received_before"]


def test_a_half_that_is_never_completed_is_taken_back(first: World, second: Second, pair: Pair) -> None:
    half(first, pair)
    shipments.take_back(first["seller"], pair.shipment.pk, "r", {1: 10}, "the other desk refused")
    assert Balance.objects.get(pk=pair.export.balance_id).units_drawn == 0
    assert verify_ledger().differences == ()
