"""The walk: every page of the desk, who opens it, and an address that is another one each time.

    Stop("ledger:shipment", "seller", of("shipment"))

A stop names an address of the URL tables; `what` tells two stops at one address apart. The walk knows nothing of
timing: `benchmarks/pages.py` times it, a test counts its queries on two sizes of a desk, and another asserts that no
address is missing from it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from django.test import Client

Known = Mapping[str, Sequence[Any]]
Address = Callable[[str, Known, random.Random], str]
SELLER, BUYER, OFFICER, OTHER, AUDITOR, CUSTOMS, OPERATOR = (
    "seller",
    "buyer.qingshan",
    "officer.bis.1",
    "officer.miit.1",
    "auditor",
    "customs.gacc",
    "operator",
)
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One page as one person opens it."""

    name: str
    login: str
    address: Address
    what: str = ""
    part: bool = False  # asked for by htmx: a part of the page comes back

    def __str__(self) -> str:
        who = self.login or "nobody"
        return f"{self.name} ({who}{', ' + self.what if self.what else ''})"


def plain(name: str, known: Known, chance: random.Random) -> str:
    """Return the address of a page that takes no arguments."""
    from django.urls import reverse

    return reverse(name)


def of(sort: str, *more: Any) -> Address:
    """Return what makes the address of a page about one thing of a sort that `known` lists."""

    def address(name: str, known: Known, chance: random.Random) -> str:
        from django.urls import reverse

        found = chance.choice(known[sort])
        return reverse(name, args=[*(found if isinstance(found, tuple) else (found,)), *more])

    return address


def asking(query: str, most: int = 900) -> Address:
    """Return what makes an address with a query; `{n}` in it is a number below `most`, `{deep}` a late page."""

    def address(name: str, known: Known, chance: random.Random) -> str:
        return f"{plain(name, known, chance)}?{query.format(n=chance.randrange(1, most), deep=known['late page'][0])}"

    return address


def finding(sort: str, query: str = "") -> Address:
    """Return what makes an address that searches for a text of a sort that `known` lists."""

    def address(name: str, known: Known, chance: random.Random) -> str:
        return f"{plain(name, known, chance)}?{query}q={quote(chance.choice(known[sort]))}"

    return address


def far_back(name: str, known: Known, chance: random.Random) -> str:
    """Return the address of an old sheet of the authorisation that moved most."""
    return f"{of('busy authorisation')(name, known, chance)}?before={chance.choice(known['busy movement'])}"


def _for(names: Sequence[str], logins: Sequence[str], address: Address = plain) -> Iterator[Stop]:
    return (Stop(name, login, address) for name in names for login in logins)


STOPS: Final[tuple[Stop, ...]] = (
    *_for(("home",), (SELLER, BUYER, OFFICER, OTHER, "adviser.miit", AUDITOR, CUSTOMS, OPERATOR)),
    # orders
    *_for(("orders:index",), (SELLER, BUYER, OFFICER, AUDITOR)),
    Stop("orders:index", SELLER, finding("order number"), "by number"),
    Stop("orders:index", OFFICER, finding("company"), "by company"),
    Stop("orders:index", SELLER, asking("page={deep}"), "late page"),
    *_for(("orders:show",), (SELLER, OFFICER, AUDITOR), of("order")),
    Stop("orders:show", BUYER, of("order of the buyer")),
    Stop("orders:show", SELLER, of("order at the gate"), "at the gate"),
    Stop("orders:new", SELLER, plain),
    Stop("orders:facts", SELLER, of("order")),
    Stop("orders:evidence", SELLER, of("order")),
    # cases
    *_for(("cases:index",), (SELLER, BUYER, OFFICER, OTHER, AUDITOR)),
    Stop("cases:index", OFFICER, asking("state=under_review"), "under review"),
    Stop("cases:index", OFFICER, asking("whose=mine"), "mine"),
    Stop("cases:index", OFFICER, asking("attention=1"), "came back"),
    Stop("cases:index", OFFICER, asking("expiring=1"), "evidence expires"),
    Stop("cases:index", AUDITOR, asking("whose=all&expiring=1"), "evidence expires"),
    Stop("cases:index", OFFICER, finding("order number", "whose=all&"), "by order"),
    Stop("cases:index", OFFICER, finding("company", "whose=all&"), "by company"),
    Stop("cases:index", OFFICER, asking("whose=all&page={deep}"), "late page"),
    Stop("cases:index", AUDITOR, asking("whose=all&side=import&page={deep}"), "import, late page"),
    *_for(("cases:show",), (SELLER, OFFICER, OTHER, AUDITOR), of("export case")),
    Stop("cases:show", OTHER, of("import case"), "its own"),
    Stop("cases:decide", OFFICER, of("export case of the officer")),
    Stop("cases:decide", OTHER, of("import case of the officer"), "import"),
    Stop("cases:document", OFFICER, of("document")),
    *_for(
        ("cases:apply", "cases:apply_documents", "cases:apply_evidence", "cases:apply_check"),
        (SELLER,),
        of("export draft"),
    ),
    Stop("cases:apply_check", BUYER, of("import draft"), "import"),
    # parties
    *_for(("parties:index",), (SELLER, OFFICER)),
    Stop("parties:index", OFFICER, finding("company"), "by name"),
    Stop("parties:index", OFFICER, asking("page=20"), "page 20"),
    *_for(("parties:show",), (SELLER, OFFICER), of("party")),
    Stop("parties:new", OPERATOR, plain),
    Stop("parties:lists", OFFICER, plain),
    Stop("parties:import_list", OPERATOR, plain),
    # ledger
    *_for(("ledger:authorisations",), (SELLER, BUYER, OFFICER, AUDITOR)),
    Stop("ledger:authorisations", OFFICER, asking("page={deep}"), "late page"),
    Stop("ledger:authorisations", OFFICER, asking("key=import&state=suspended&page=5"), "suspended"),
    Stop("ledger:authorisations", OFFICER, finding("authorisation number"), "by number"),
    Stop("ledger:authorisations", SELLER, finding("company"), "by company"),
    *_for(("ledger:authorisation",), (SELLER, OFFICER), of("authorisation")),
    Stop("ledger:authorisation", AUDITOR, of("busy authorisation"), "many movements"),
    Stop("ledger:authorisation", AUDITOR, far_back, "far back"),
    *_for(("ledger:shipments",), (SELLER, BUYER, OFFICER, CUSTOMS)),
    Stop("ledger:shipments", CUSTOMS, asking("page={deep}"), "late page"),
    Stop("ledger:shipments", CUSTOMS, asking("state=delivered&page={deep}"), "delivered, late page"),
    Stop("ledger:shipments", SELLER, finding("shipment number"), "by number"),
    Stop("ledger:shipments", SELLER, finding("company"), "by company"),
    *_for(("ledger:shipment",), (SELLER, OFFICER), of("shipment at the gate")),
    *_for(("ledger:shipment",), (CUSTOMS,), of("shipment")),
    Stop("ledger:shipment_plan", SELLER, of("order")),
    *_for(("ledger:batches",), (BUYER, OTHER)),
    Stop("ledger:batches", OTHER, asking("page=2"), "page 2"),
    *_for(("ledger:batch",), (BUYER, OTHER), of("batch")),
    Stop("ledger:batch", OTHER, of("busy batch"), "many authorisations"),
    Stop("ledger:batch_open", OTHER, plain),
    *_for(("ledger:caps",), (SELLER, OFFICER)),
    Stop("ledger:cap_choose", OFFICER, plain),
    *_for(("ledger:usage",), (CUSTOMS, AUDITOR)),
    Stop("ledger:usage", AUDITOR, asking("show=refused"), "refused"),
    Stop("ledger:usage", CUSTOMS, asking("page={deep}"), "late page"),
    Stop("ledger:usage_new", CUSTOMS, plain),
    *_for(("ledger:flows",), (SELLER, BUYER, OFFICER, AUDITOR)),
    # papers
    Stop("papers:document", SELLER, of("release")),
    *(Stop("papers:release", SELLER, of("release", lang), lang) for lang in ("en", "zh")),
    *(Stop("papers:licence", SELLER, of("authorisation", lang), lang) for lang in ("en", "zh")),
    Stop("papers:decision", OFFICER, of("export case with a decision", "en")),
    # notices
    *_for(("notices:index",), (SELLER, OFFICER, BUYER)),
    Stop("notices:index", SELLER, asking("show=unread&page=20"), "unread, page 20"),
    *_for(("notices:week", "notices:settings"), (SELLER, OFFICER, BUYER)),
    # law and chips
    *_for(("law:index", "law:provisions", "law:classification", "law:difference", "law:what_if"), (AUDITOR,)),
    Stop("law:provision", AUDITOR, of("provision")),
    Stop("law:instrument", AUDITOR, of("instrument")),
    Stop("law:classification", AUDITOR, asking("on=2023-10-{n:02d}", 28), "on a day"),
    Stop("law:difference", AUDITOR, asking("first=2022-10-01&second=2026-01-{n:02d}", 28), "far apart"),
    *(
        Stop("law:what_if", AUDITOR, asking("given=export&item.chip=H200%20SXM&item.quantity={n}"), what, part)
        for what, part in (("an order", False), ("as you type", True))
    ),
    Stop("law:impact", AUDITOR, plain),
    *(Stop("law:impact", login, asking("draft=safe-chips"), "an amendment") for login in (AUDITOR, SELLER)),
    *_for(("law:chips", "law:compare"), (AUDITOR,)),
    Stop("law:chip", AUDITOR, of("chip")),
    # outlook
    Stop("outlook:index", AUDITOR, plain),
    Stop("outlook:index", AUDITOR, asking("conversion={n}", 6), "a slider moved", True),
    # account
    Stop("account_login", NOBODY, plain),
    *_for(
        (
            "account_logout",
            "account_inactive",
            "account_reauthenticate",
            "account_change_password",
            "mfa_index",
            "socialaccount_connections",
            "socialaccount_login_cancelled",
        ),
        (SELLER,),
    ),
)

# Addresses that are no page of their own, and why.
ELSEWHERE: Final[Mapping[str, str]] = {
    "account_signup": "closed: answers 404",
    "account_set_password": "closed: answers 404",
    "account_email": "closed: answers 404",
    "account_email_verification_sent": "closed: answers 404",
    "mfa_authenticate": "between password and code; the form of account_login",
    "mfa_reauthenticate": "leads to account_reauthenticate",
    "mfa_activate_totp": "after a fresh proof of presence; the form of mfa_index",
    "mfa_deactivate_totp": "with a second factor only; the form of mfa_index",
    "mfa_view_recovery_codes": "with a second factor only; the form of mfa_index",
    "mfa_generate_recovery_codes": "with a second factor only; the form of mfa_index",
    "mfa_download_recovery_codes": "with a second factor only; a file of ten lines",
    "socialaccount_login_error": "answers 401",
    "socialaccount_signup": "closed: leads to account_login",
    "openid_connect_login": "leads to the provider",
    "openid_connect_callback": "comes from the provider",
    "set_language": "a form without a page",
    "ledger:usage_balances": "a file of every balance, for another system: as long as the ledger",
}


def known() -> Known:
    """Return what there is to look at on this desk, some hundreds of each sort."""
    from django.db.models import Count

    from twokey.chips import catalogue
    from twokey.desk.cases.models import Application, Decision, Document, Order
    from twokey.desk.ledger.models import Authorisation, Movement, Release, Shipment
    from twokey.desk.parties.models import Organisation, Seat
    from twokey.law.history import instruments
    from twokey.law.source import law

    buyer = Seat.objects.get(user__username=BUYER).organisation_id
    cases = Application.objects.order_by("-pk")

    def some(rows: Any, *fields: str) -> list[Any]:
        return list(rows.values_list(*fields or ("pk",), flat=len(fields) < 2)[:400])

    granted = Authorisation.objects.order_by("-pk")
    busy = Movement.objects.order_by().values("balances").annotate(many=Count("pk")).order_by("-many").first()
    busiest = some(granted.filter(balance__in=busy["balances"])) if busy else []
    batches = Decision.objects.exclude(batch=None).values("batch").annotate(many=Count("pk")).order_by("-many")
    waiting = Shipment.objects.filter(state__in=("planned", "reserved")).order_by("-pk")
    return {
        "order": some(Order.objects.order_by("-pk")),
        "late page": [max(2, min(40, Application.objects.count() // 2500))],
        "order number": some(Order.objects.order_by("-pk"), "number"),
        "company": some(Organisation.objects.filter(imports__isnull=False).order_by("-pk").distinct(), "name_latin"),
        "authorisation number": some(granted, "number"),
        "shipment number": some(Shipment.objects.order_by("-pk"), "number"),
        "order of the buyer": some(Order.objects.filter(importer=buyer).order_by("-pk")),
        "order at the gate": some(waiting, "order_id"),
        "export case": some(cases.filter(authority__side="export").exclude(state="draft")),
        "import case": some(cases.filter(authority__side="import").exclude(state="draft")),
        "export case of the officer": some(cases.filter(state="under_review", officer=OFFICER)),
        "import case of the officer": some(cases.filter(state="under_review", officer=OTHER)),
        "export case with a decision": some(cases.filter(authority__side="export", state="approved")),
        "export draft": some(cases.filter(authority__side="export", state__in=("draft", "returned"))),
        "import draft": some(cases.filter(applicant=buyer, state__in=("draft", "returned"))),
        "document": some(
            Document.objects.filter(application__authority__side="export").exclude(application__state="draft"),
            "application_id",
            "pk",
        ),
        "party": some(Organisation.objects.order_by("-pk")),
        "authorisation": some(granted),
        "busy authorisation": busiest[:1],
        "busy movement": some(Movement.objects.filter(balances=busy["balances"]).order_by("pk")) if busy else [],
        "shipment": some(Shipment.objects.order_by("-pk")),
        "shipment at the gate": some(waiting),
        "batch": some(batches, "batch"),
        "busy batch": some(batches, "batch")[:1],
        "release": some(Release.objects.order_by("-pk"), "number"),
        "provision": [tuple(each.split(":", 1)) for each in law().provisions],
        "instrument": [each.id for _regime, each in instruments(law())],
        "chip": [each.name for each in catalogue()],
    }


def sign_in(login: str) -> Client:
    """Return a client that is signed in, or for nobody one that is not."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    if login:
        client.force_login(User.objects.get(username=login), "django.contrib.auth.backends.ModelBackend")
    return client
