"""Notices: the right people hear of the right events, once, in their language, by e-mail where they want it."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor
from twokey.desk.cases import deciding, drafting, papers, reviewing
from twokey.desk.ledger import states
from twokey.desk.notices import digest, mailing, services
from twokey.desk.notices.catalogue import AUDIENCES, catalogue
from twokey.desk.notices.mail import mail_route
from twokey.desk.notices.models import Heard, Notice, Subscription, WeeklyDigest
from twokey.desk.notices.telling import tell
from twokey.desk.reasons import Refused

from .world import World, today

CJK = re.compile(r"[\u4e00-\u9fff]")


def told(actor: Actor) -> list[str]:
    return [each.verb for each in services.notices(actor)]


def address(world: World, *logins: str) -> None:
    for login in logins:
        User.objects.filter(username=login).update(email=f"{login}@example.org")


class Box:
    """A mailbox, and how often it is broken."""

    def __init__(self, broken: int = 0) -> None:
        self.letters: list[EmailMessage] = []
        self.broken = broken

    def __call__(self, letter: EmailMessage) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError("the relay does not answer")
        self.letters.append(letter)


def test_whose_turn_it_is_hears_of_it_and_the_other_side_does_not(world: World) -> None:
    application = world.draft(world.order(), "export")
    drafting.submit(world["seller"], application.pk)
    tell()
    assert told(world["bis1"]) == ["case.submit"]
    assert told(world["bis2"]) == ["case.submit"]
    for login in ("miit1", "seller", "buyer", "rival", "auditor"):
        assert told(world[login]) == [], login


def test_a_decision_waits_for_the_other_officer_and_the_parties_hear_only_of_the_signed_one(world: World) -> None:
    application = world.decided(world.order(), "export")
    tell()
    assert "case.decide" in told(world["bis2"])
    assert "case.decide" not in told(world["bis1"])  # who decided need not be told
    assert "case.decide" not in told(world["seller"])
    deciding.countersign(world["bis2"], application.pk)
    tell()
    assert "case.approve" in told(world["seller"])
    assert "ledger.granted" in told(world["buyer"])


def test_a_follower_hears_of_an_order_and_an_order_that_one_may_not_see_cannot_be_followed(world: World) -> None:
    order = world.order()
    services.follow(world["auditor"], order.pk)
    services.follow(world["auditor"], order.pk)
    with pytest.raises(Refused) as error:
        services.follow(world["rival"], order.pk)
    assert error.value.status == 404
    application = world.draft(order, "export")
    drafting.submit(world["seller"], application.pk)
    reviewing.take(world["bis1"], application.pk)
    tell()
    rows = services.notices(world["auditor"])
    assert [each.verb for each in rows if each.verb != "case.evidence"] == ["case.take", "case.submit"]
    assert all(each.followed for each in rows)
    services.unfollow(world["auditor"], order.pk)
    reviewing.ask(world["bis1"], application.pk, "Which cluster?")
    tell()
    assert "case.ask" not in told(world["auditor"])


def test_a_follower_who_may_no_longer_see_an_order_hears_nothing_of_it(world: World) -> None:
    order = world.order()
    Subscription.objects.create(user=User.objects.get(username="rival"), order=order)
    world.both(order)
    tell()
    assert told(world["rival"]) == []


def test_advice_and_notes_reach_nobody_outside_the_authority(world: World) -> None:
    order = world.order()
    for login in ("auditor", "seller", "buyer", "miit1"):
        services.follow(world[login], order.pk)
    application = world.under_review(order, "export")
    reviewing.ask_advice(world["bis1"], application.pk, ["bisadv"])
    reviewing.advise(world["bisadv"], application.pk, "refuse", "No.")
    reviewing.write_note(world["bis1"], application.pk, "Between us.")
    tell()
    assert "case.advice_asked" in told(world["bisadv"])
    assert "case.advised" in told(world["bis1"])
    for login in ("auditor", "seller", "buyer", "miit1"):
        assert not {"case.advised", "case.advice_asked", "case.note"} & set(told(world[login])), login


def test_a_suspension_reaches_both_parties_and_both_keys(world: World) -> None:
    export, _ = world.both(world.order())
    states.change_state(world["bis1"], export.pk, "suspend", "a question")
    tell()
    for login in ("seller", "buyer", "bis2", "miit1", "miit2"):
        assert "ledger.suspend" in told(world[login]), login
    assert "ledger.suspend" not in told(world["rival"])
    row = services.notices(world["buyer"]).get(verb="ledger.suspend")
    assert services.sentence(row, "en") == f"{export.number} was suspended; nothing moves under it"
    assert services.sentence(row, "zh") == f"{export.number} 已暂停；不得据此移动货物"


def test_a_whole_walk_tells_every_verb_without_a_dash_in_it(world: World) -> None:
    release = world.released(units=95)
    services.follow(world["auditor"], release.shipment.order_id)
    Heard.objects.all().delete()
    Notice.objects.all().delete()
    tell()
    rows = list(Notice.objects.all())
    assert {"case.submit", "ledger.granted", "ledger.posture", "release.signed", "shipment.reserved"} <= {
        each.verb for each in rows
    }
    for row in rows:
        for lang in ("en", "zh"):
            assert "–" not in services.sentence(row, lang), row.verb
        assert mailing.path_of(row) != "/notices/", row.verb


def test_telling_twice_tells_once(world: World) -> None:
    world.both(world.order())
    first = tell()
    assert first > 0
    assert tell() == 0
    Heard.objects.all().delete()  # even where the mark was lost, nobody is told again
    before = Notice.objects.count()
    tell()
    assert Notice.objects.count() == before


def test_an_event_that_commits_late_under_a_smaller_id_is_still_told(world: World, committed: None) -> None:
    order = world.order()
    services.follow(world["auditor"], order.pk)
    started, go = threading.Event(), threading.Event()

    def late() -> None:
        from django.db import transaction

        from twokey.desk.audit.events import record

        try:
            with transaction.atomic():
                record(world["seller"], "shipment.planned", "order", order.pk, number="LATE")
                started.set()
                go.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert started.wait(10)
    from twokey.desk.audit.events import record

    record(world["seller"], "shipment.planned", "order", order.pk, number="EARLY")
    tell()
    assert [each.values["number"] for each in services.notices(world["auditor"])] == ["EARLY"]
    go.set()
    thread.join()
    tell()
    assert {each.values["number"] for each in services.notices(world["auditor"])} == {"EARLY", "LATE"}


def test_one_reads_and_marks_only_ones_own(world: World) -> None:
    world.decided(world.order(), "export")
    tell()
    theirs = [each.pk for each in services.notices(world["bis2"])]
    assert services.mark_read(world["bis1"], theirs) == 0
    assert services.unread_count(world["bis2"]) == len(theirs)
    assert services.mark_read(world["bis2"], theirs[:1]) == 1
    assert services.mark_read(world["bis2"]) == len(theirs) - 1
    assert services.unread_count(world["bis2"]) == 0


def test_an_e_mail_is_one_letter_a_person_in_their_language(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOKEY_URL", "https://desk.example.org/")
    address(world, "seller", "buyer")
    services.choose(world["buyer"], mail="at_once", language="zh")
    export, _ = world.both(world.order())
    tell()
    box = Box()
    sent, failed = mailing.deliver(send=box)
    assert (sent, failed) == (2, 0)
    letters = {each.to[0]: each for each in box.letters}
    assert set(letters) == {"seller@example.org", "buyer@example.org"}
    chinese, english = letters["buyer@example.org"], letters["seller@example.org"]
    assert "条新通知" in chinese.subject
    assert f"授权 {export.number} 已登记入账" in chinese.body
    assert f"https://desk.example.org/ledger/authorisations/{export.pk}/" in chinese.body
    assert not CJK.search(english.subject + english.body)
    assert mailing.deliver(send=box) == (0, 0)
    for letter in box.letters:  # a real message: headers without line breaks
        letter.message()


def test_who_wants_no_e_mail_gets_none_and_keeps_the_notice(world: World) -> None:
    address(world, "seller", "buyer")
    services.choose(world["seller"], mail="never", language="en")
    services.choose(world["buyer"], mail="weekly", language="en")
    world.both(world.order())
    tell()
    box = Box()
    assert mailing.deliver(send=box) == (0, 0)
    assert services.unread_count(world["seller"]) > 0


def test_a_letter_that_fails_is_sent_later_and_only_once(world: World) -> None:
    address(world, "bis2")
    world.decided(world.order(), "export")
    tell()
    box = Box(broken=1)
    assert mailing.deliver(send=box) == (0, 1)
    row = services.notices(world["bis2"]).first()
    assert row is not None
    assert (row.mail, row.last_error) == ("failed", "OSError: the relay does not answer")
    assert mailing.deliver(send=box) == (0, 0)  # not due yet
    assert Notice.objects.filter(attempts=2).count() == 0
    Notice.objects.update(next_attempt_at=timezone.now())
    assert mailing.deliver(send=box) == (1, 0)
    assert len(box.letters) == 1


def test_the_digest_says_what_waits_what_ends_and_what_happened(world: World) -> None:
    order = world.order()
    export, _ = world.both(order, valid_until=today() + timedelta(days=20))
    document = order.applications.filter(authority__side="export").get().documents.first()
    assert document is not None
    papers.add_evidence(
        world["seller"],
        order.pk,
        "security_audit",
        document.pk,
        issuer="X",
        issued_on=today(),
        expires_on=today() + timedelta(days=5),
    )
    waiting = world.decided(world.order(), "export")
    tell()
    parts = {each.code: each for each in digest.digest_of(world["bis2"], "en")}
    assert [each.path for each in parts["waiting"].lines] == [f"/cases/{waiting.pk}/"]
    assert [each.text.split()[0] for each in parts["ending"].lines] == [export.number]
    assert not [each for each in digest.digest_of(world["bis1"], "en") if each.code == "waiting"]
    seller = {each.code: each for each in digest.digest_of(world["seller"], "zh")}
    assert "security audit" in seller["evidence"].lines[0].text
    assert {"ending", "happened"} <= set(seller)
    assert all(CJK.search(each.heading) for each in seller.values())
    assert digest.digest_of(world["rival"], "en") == []


def test_a_digest_is_sent_once_a_week_to_who_wants_it(world: World) -> None:
    address(world, "seller", "buyer", "bis1")
    services.choose(world["seller"], mail="never", language="en")
    services.choose(world["buyer"], mail="weekly", language="zh")
    box, now = Box(broken=1), timezone.now() + timedelta(minutes=1)
    assert digest.send_digests(now, box) == (1, 1)
    later = now + timedelta(minutes=10)
    if digest.monday(later) != digest.monday(now):  # the test runs at the turn of a week
        pytest.skip("the week turned")
    assert digest.send_digests(later, box) == (1, 0)
    assert digest.send_digests(later, box) == (0, 0)
    assert sorted(each.to[0] for each in box.letters) == ["bis1@example.org", "buyer@example.org"]
    assert digest.send_digests(now + timedelta(days=7), box) == (2, 0)
    assert WeeklyDigest.objects.filter(sent_at__isnull=False).count() == 4


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (datetime(2026, 11, 24, 12, tzinfo=UTC), "2026-11-23"),
        (datetime(2026, 11, 29, 23, tzinfo=UTC), "2026-11-23"),
        (datetime(2026, 11, 30, 5, 59, tzinfo=UTC), "2026-11-23"),
        (datetime(2026, 11, 30, 6, 0, tzinfo=UTC), "2026-11-30"),
    ],
)
def test_a_week_begins_on_monday_at_six(at: datetime, week: str) -> None:
    assert digest.monday(at).isoformat() == week


def test_what_is_chosen_must_be_a_choice(world: World) -> None:
    for wrong in ({"mail": "hourly", "language": "en"}, {"mail": "never", "language": "fr"}):
        with pytest.raises(Refused):
            services.choose(world["seller"], **wrong)
    with pytest.raises(Refused) as error:
        services.choose(world["seller"], mail="never", language="en", address="nobody")
    assert error.value.status == 422
    assert services.choose(world["seller"], mail="never", language="zh", address="a@b.example").address == "a@b.example"


def test_every_verb_has_both_languages_the_same_values_and_known_audiences() -> None:
    for verb, telling in catalogue().items():
        assert set(telling.to) <= AUDIENCES, verb
        assert telling.to or telling.followers, verb
        assert not CJK.search(telling.en), verb
        assert CJK.search(telling.zh), verb
        names = (set(re.findall(r"\{(\w+)\}", text)) - {"authority"} for text in (telling.en, telling.zh))
        assert len(set(map(frozenset, names))) == 1, verb
        assert telling.link in mailing.PATHS, verb


def test_every_verb_that_is_told_is_one_that_the_desk_records() -> None:
    source = "".join(path.read_text() for path in Path(__file__).parents[2].joinpath("src/twokey/desk").rglob("*.py"))
    from twokey.desk.cases.states import TRANSITIONS
    from twokey.desk.ledger.models import Arrival
    from twokey.desk.ledger.states import CHANGES

    made = {f"case.{each}" for each in TRANSITIONS} | {f"ledger.{each}" for each in CHANGES}
    made |= {f"shipment.{each}" for each in Arrival.Kind.values} | set(re.findall(r'"([a-z]+\.[a-z_]+)"', source))
    assert set(catalogue()) <= made


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay:2525", ("relay", 2525, False, False)),
        ("smtp+starttls://u:p@relay", ("relay", 587, True, False)),
        ("smtps://u:p@relay", ("relay", 465, False, True)),
    ],
)
def test_a_mail_address_is_read(url: str, expected: tuple[object, ...]) -> None:
    route = mail_route(url, Path("/x"))
    assert (route.host, route.port, route.starttls, route.tls) == expected


@pytest.mark.parametrize("url", ["relay:25", "http://relay", "smtp://", "smtp://relay:x"])
def test_a_wrong_mail_address_says_how_to_write_it(url: str) -> None:
    with pytest.raises(UserError, match="TWOKEY_MAIL_URL"):
        mail_route(url, Path("/x"))


def test_without_a_relay_letters_are_files_at_home(world: World, settings: Any, tmp_path: Path) -> None:
    route = mail_route("", tmp_path / "mail")
    folder = tmp_path / "mail"
    settings.EMAIL_BACKEND = route.backend  # the test runner puts a mailbox of its own there
    settings.EMAIL_FILE_PATH = route.folder
    address(world, "bis2")
    world.decided(world.order(), "export")
    tell()
    assert mailing.deliver()[1] == 0
    (file,) = folder.glob("*.log")
    assert "To: bis2@example.org" in file.read_text()
