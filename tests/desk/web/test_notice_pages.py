"""The notices' pages: one's own, marked as read, an order followed from its page, an address kept."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from twokey.desk.cases.models import Order
from twokey.desk.notices.models import Notice, Preference, Subscription
from twokey.desk.notices.telling import tell


def test_a_notice_is_shown_in_the_language_of_the_page_and_counted_until_read(client_of: Any) -> None:
    tell()
    english, chinese = client_of("buyer.lanhai"), client_of("buyer.lanhai", "zh")
    before = Notice.objects.filter(user__username="buyer.lanhai").count()
    assert before > 2
    page = english.get("/notices/").content.decode()
    assert "was signed; the shipment may move" in page
    assert f'{before}<span class="visually-hidden"> not read' in page
    assert "已签署，该批货物可以移动" in chinese.get("/notices/").content.decode()
    row = Notice.objects.filter(user__username="buyer.lanhai").first()
    assert row is not None
    english.post("/notices/read/", {"notice": row.pk, "next": "/notices/"})
    assert f"{before - 1} not read" in english.get("/notices/").content.decode()
    english.post("/notices/read/")
    assert "You have read everything." in english.get("/notices/?show=unread").content.decode()


def test_nobody_reads_or_marks_what_another_was_told(client_of: Any) -> None:
    tell()
    theirs = Notice.objects.filter(user__username="officer.bis.2", read_at=None).first()
    assert theirs is not None
    client_of("buyer.xingye").post("/notices/read/", {"notice": theirs.pk})
    theirs.refresh_from_db()
    assert theirs.read_at is None
    assert "lanhai" not in client_of("buyer.xingye").get("/notices/").content.decode()


def test_every_notice_leads_to_a_page_that_its_reader_may_open(client_of: Any) -> None:
    tell()
    from twokey.desk.notices.mailing import path_of

    seen: set[tuple[str, str]] = set()
    for row in Notice.objects.select_related("user"):
        seen.add((row.user.username, path_of(row)))
    clients = {login: client_of(login) for login, _path in seen}
    wrong = [(login, path) for login, path in sorted(seen) if clients[login].get(path).status_code != 200]
    assert wrong == []


def test_an_order_is_followed_from_its_page_and_no_other_partys(client_of: Any) -> None:
    order = Order.objects.get(number="H200-lanhai")
    page = client_of("auditor").get(f"/orders/{order.pk}/").content.decode()
    assert f"/notices/follow/{order.pk}/" in page
    answer = client_of("auditor").post(f"/notices/follow/{order.pk}/", {"next": f"/orders/{order.pk}/"})
    assert answer["Location"] == f"/orders/{order.pk}/"
    assert Subscription.objects.get().user.username == "auditor"
    assert "H200-lanhai" in client_of("auditor").get("/notices/settings/").content.decode()
    assert client_of("buyer.xingye").post(f"/notices/follow/{order.pk}/").status_code == 404
    client_of("auditor").post(f"/notices/follow/{order.pk}/", {"follow": "no"})
    assert not Subscription.objects.exists()


def test_how_one_is_told_is_kept_and_a_wrong_address_is_said(client_of: Any) -> None:
    client = client_of("seller", "zh")
    answer = client.post("/notices/settings/", {"address": "nobody", "mail": "weekly", "language": "zh"})
    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    client.post("/notices/settings/", {"address": "seller@example.org", "mail": "weekly", "language": "zh"})
    assert User.objects.get(username="seller").email == "seller@example.org"
    assert Preference.objects.get(pk=User.objects.get(username="seller").pk).mail == "weekly"


def test_a_return_address_elsewhere_is_not_followed(client_of: Any) -> None:
    answer = client_of("auditor").post("/notices/read/", {"next": "https://elsewhere.example/"})
    assert answer["Location"] == "/notices/"


def test_the_week_is_shown_in_both_languages(client_of: Any) -> None:
    tell()
    assert "What happened" in client_of("officer.bis.2").get("/notices/week/").content.decode()
    assert "本周动态" in client_of("officer.bis.2", "zh").get("/notices/week/").content.decode()
