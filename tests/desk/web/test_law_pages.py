"""The law pages without a browser: what they say, to whom, in both languages, at what cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

ROLES = ("seller", "buyer.bytedance", "officer.bis.1", "adviser.miit", "customs.gacc", "auditor", "operator")
PAGES = (
    "/law/",
    "/law/provisions/",
    "/law/provisions/us-export/letter_2025/",
    "/law/instruments/CN-029/",
    "/law/classification/",
    "/law/classification/?question=import",
    "/law/what-if/",
    "/law/difference/?first=2023-11-16&second=2023-11-17",
    "/law/impact/",
    "/law/impact/?draft=scale",
    "/law/chips/",
    "/law/chips/NVIDIA H200 SXM/",
    "/law/chips/compare/?chip=H200&chip=910C",
    "/outlook/",
)
H200 = {
    "asked": "1",
    "on": "2026-01-28",
    "item.chip": "H200 SXM",
    "item.kind": "ic",
    "movement.kind": "export",
    "movement.origin": "US",
    "movement.destination": "CN",
}


def text_of(page: str) -> str:
    """Return the words of a page's main part: no code, no lists under fields, nothing that is marked as English."""
    main = page[page.index("<main") : page.index("</main>")]
    for part in ("script", "datalist", "pre", "code", "style"):
        main = re.sub(rf"<{part}\b.*?</{part}>", " ", main, flags=re.S)
    main = re.sub(r'<(\w+)[^>]*\blang="en"[^>]*>.*?</\1>', " ", main, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.mark.parametrize("path", PAGES)
def test_every_role_reads_every_page_and_a_stranger_none(client_of: Callable[..., Client], path: str) -> None:
    for login in ROLES:
        assert client_of(login).get(path).status_code == 200, login
    answer = Client().get(path)
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_the_same_queries_whoever_reads_and_changes_nothing(
    client_of: Callable[..., Client], path: str
) -> None:
    counts = {}
    for login in ("officer.bis.1", "auditor"):
        client = client_of(login)
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(path)
        counts[login] = len(seen)
        assert not [one["sql"] for one in seen if re.match(r"\s*(INSERT|UPDATE|DELETE)", one["sql"])]
    assert len(set(counts.values())) == 1, counts
    assert max(counts.values()) <= 8, counts


@pytest.mark.parametrize("path", [one for one in PAGES if "/chips" not in one])
def test_a_chinese_page_holds_no_english_sentence(client_of: Callable[..., Client], path: str) -> None:
    page = client_of("officer.bis.1", "zh").get(path).content.decode()
    found = re.findall(r"(?:\b[A-Za-z][a-z]{2,}\b[ ,]+){3,}", text_of(page))
    names = ("Huawei", "Ascend", "Moore Threads", "NVIDIA", "AMD", "Cambricon", "Google", "Iluvatar", "Graphcore")
    assert [one for one in found if not any(name in one for name in names)] == []
    assert not re.findall(r"\b[a-z]+_[a-z_]+\b", text_of(page)), "a code stands where words belong"


def test_an_english_page_holds_no_chinese(client_of: Callable[..., Client]) -> None:
    for path in PAGES:
        text = text_of(client_of("officer.bis.1", "en").get(path).content.decode())
        assert not re.findall(r"[\u4e00-\u9fff]", text), path


# -- the time line, provisions, instruments ---------------------------------------------------------------------------


def test_the_time_line_holds_both_sides_and_can_be_narrowed(client_of: Callable[..., Client]) -> None:
    client = client_of("auditor")
    everything = client.get("/law/").content.decode()
    assert "First advanced-computing rule" in everything
    assert "CN-029" in everything
    china = client.get("/law/?side=import&since=2026-01-01&until=2026-01-31").content.decode()
    assert "CN-029" in china
    assert "First advanced-computing rule" not in china
    assert "No instrument fits" in client.get("/law/?q=nonsense").content.decode()
    assert "is not a day" in client.get("/law/?since=soon").content.decode()


def test_a_provision_shows_words_values_by_date_and_history(client_of: Callable[..., Client]) -> None:
    page = client_of("auditor").get("/law/provisions/us-export/letter_2025/?on=2025-04-10").content.decode()
    main = text_of(page)
    assert "April 2025" in main or "letter" in main
    assert re.search(r"16 April 2025\s+AMD, INTEL, NVIDIA", main.replace("\xa0", " "))
    assert re.search(r"9 April 2025\s+NVIDIA\s+on this day", main.replace("\xa0", " "))
    assert "def letter_2025" in page
    before = client_of("auditor").get("/law/provisions/us-export/letter_2025/?on=2025-04-08").content.decode()
    assert "not in force" in text_of(before)


@pytest.mark.parametrize(
    "path", ["/law/provisions/us-export/nothing/", "/law/instruments/CN-999/", "/law/chips/H2000/"]
)
def test_what_does_not_exist_is_said_so(client_of: Callable[..., Client], path: str) -> None:
    answer = client_of("auditor").get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.content.decode()


def test_every_provision_and_every_instrument_has_its_page_in_both_languages(client_of: Callable[..., Client]) -> None:
    from twokey.law.history import instruments
    from twokey.law.source import law

    paths = [f"/law/provisions/{one.regime}/{one.name}/" for one in law().provisions.values()]
    paths += [f"/law/instruments/{one.id}/" for _regime, one in instruments(law())]
    assert len(paths) > 190
    for lang in ("en", "zh"):
        client = client_of("auditor", lang)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200, path
            if lang == "zh":
                found = re.findall(r"(?:\b[A-Za-z][a-z]{2,}\b[ ,]+){3,}", text_of(answer.content.decode()))
                assert found == [], path


# -- chips by date ----------------------------------------------------------------------------------------------------


def test_the_table_of_chips_gives_each_day_its_answer(client_of: Callable[..., Client]) -> None:
    days = "on=2022-10-20&on=2022-10-21&on=2023-11-17"
    page = client_of("auditor").get(f"/law/classification/?q=H200 SXM&{days}").content.decode()
    row = text_of(page[page.index("<tbody>") : page.index("</tbody>")].join(("<main>", "</main>")))
    assert re.search(r"NVIDIA H200 SXM.*not 3A090.*3A090.*3A090\.a\.1", row)


def test_the_answers_of_the_table_are_those_of_the_law(client_of: Callable[..., Client]) -> None:
    from twokey.chips import find
    from twokey.desk.web.law import classes
    from twokey.law import assess

    for asked in classes.QUESTIONS:
        day = asked.days[-1]
        for line in classes.table(asked.name, (day,), "en")[::9]:
            given = classes.given(asked, find(line.chip))
            regime, _colon, question = asked.question.partition(":")
            found = next(one for one in assess(given, day).answers if (one.regime, one.question) == (regime, question))
            assert line.cells[0].open is (found.answer is None), line


def test_a_cell_leads_to_the_same_answer_with_its_reasons(client_of: Callable[..., Client]) -> None:
    from twokey.desk.web.law import classes

    client = client_of("auditor")
    for asked in classes.QUESTIONS:
        line = next(one for one in classes.table(asked.name, (date(2026, 1, 28),), "en") if "H200 SXM" in one.chip)
        page = client.get(f"/law/what-if/{line.cells[0].address}").content.decode()
        assert line.cells[0].words in text_of(page), asked.name
        assert 'value="NVIDIA H200 SXM"' in page


# -- what would it say ------------------------------------------------------------------------------------------------


def ask(client: Client, facts: dict[str, str], *, partial: bool = False) -> str:
    headers = {"HX-Request": "true"} if partial else {}
    answer = client.get(f"/law/what-if/?{urlencode(facts)}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_form_answers_without_script_and_in_part(client_of: Callable[..., Client]) -> None:
    client = client_of("buyer.bytedance")
    whole = ask(client, H200)
    assert "<html" in whole
    assert "How can the order leave?" in whole
    part = ask(client, H200, partial=True)
    assert "<html" not in part
    assert 'hx-swap-oob="innerHTML"' in part
    assert "How can the order leave?" in part


def test_the_answer_is_the_law_rooms_own(client_of: Callable[..., Client]) -> None:
    from twokey.law import assess

    page = ask(client_of("auditor"), H200)
    facts = {name: value for name, value in H200.items() if name not in ("asked", "on")}
    told = assess(facts, date(2026, 1, 28))
    assert told.law_digest in page
    for name in told.key("export").missing:
        if name.count(".") == 1:
            assert f'name="{name}"' in page, "each missing fact has its field"


def test_stating_what_is_missing_settles_the_key(client_of: Callable[..., Client]) -> None:
    client = client_of("auditor")
    facts = {**H200, "consignee.entity_list": "true", "certifications.complete": "true"}
    page = ask(client, facts)
    verdict = text_of("<main>" + page[page.index('id="verdict"') : page.index('<div class="asked">')] + "</main>")
    assert "blocked" in verdict
    assert 'name="consignee.entity_list"' in page
    assert re.search(r'<option value="true" selected>yes', page)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("item.chip", "H2000", "No chip of this name"),
        ("item.quantity", "many", "Write a number"),
        ("item.quantity", "-4", "Out of range"),
        ("movement.destination", "China", "two letters"),
        ("item.kind", "robot", "Not one of the choices"),
        ("consignee.entity_list", "perhaps", "Not one of the choices"),
        ("item.tpp", "nan", "Write a number"),
        ("item.tpp", "1e999", "Out of range"),
    ],
)
def test_a_mistake_is_said_beside_its_field(client_of: Callable[..., Client], name: str, value: str, said: str) -> None:
    page = ask(client_of("auditor"), {**H200, name: value})
    assert said in page
    assert 'aria-invalid="true"' in page
    assert "Traceback" not in page


@pytest.mark.parametrize("value", ["\x00", "9" * 400, "<script>alert(1)</script>", "☃", "1e999", "--"])
def test_no_text_breaks_the_form(client_of: Callable[..., Client], value: str) -> None:
    client = client_of("auditor")
    for name in ("item.chip", "item.quantity", "item.value_usd", "exporter.name", "on", "under", "add", "item.origin"):
        page = ask(client, {**H200, name: value})
        assert "<script>alert" not in page


def test_a_draft_changes_the_answer(client_of: Callable[..., Client]) -> None:
    facts = {**H200, "on": "2027-06-01", "certifications.complete": "true", "exporter.name": "NVIDIA"}
    client = client_of("auditor")
    plain, drafted = ask(client, facts), ask(client, {**facts, "under": "safe-chips"})
    digest = re.compile(r"<code>([0-9a-f]{16})</code>")
    assert digest.findall(plain) != digest.findall(drafted)
    assert "As if this were law" in drafted


# -- differences, amendments ------------------------------------------------------------------------------------------


def test_the_difference_of_two_days(client_of: Callable[..., Client]) -> None:
    client = client_of("auditor")
    page = text_of(client.get("/law/difference/?first=2026-07-09&second=2026-07-10").content.decode())
    assert "3 differences" in page
    assert "with AE" in page
    assert "Nothing changed" in client.get("/law/difference/?first=2026-07-10&second=2026-07-10").content.decode()
    words = text_of(client.get("/law/difference/?first=2022-10-20&second=2022-10-21").content.decode())
    assert "not in force" in words


def test_the_impact_page_names_only_orders_that_the_seat_may_see(client_of: Callable[..., Client]) -> None:
    from django.contrib.auth.models import User

    from twokey.desk.cases.reviewing import orders
    from twokey.desk.parties.services import actor_of

    every = {order.number for order in orders(actor_of(User.objects.get(username="auditor"), "web"))}
    shown = 0
    for login in ROLES:
        allowed = {order.number for order in orders(actor_of(User.objects.get(username=login), "web"))}
        page = client_of(login).get("/law/impact/?draft=safe-chips").content.decode()
        named = {number for number in every if f">{number}</a>" in page}
        assert named <= allowed, login
        shown += len(named)
    assert shown, "the founding case holds a case that this draft moves"


def test_the_impact_agrees_with_assessing_under_both_laws(client_of: Callable[..., Client]) -> None:
    from django.contrib.auth.models import User

    from twokey.desk.cases.openbook import portion
    from twokey.desk.parties.services import actor_of
    from twokey.desk.web.law.drafts import law_under
    from twokey.desk.web.law.impact import moves
    from twokey.law import assess

    day = date(2027, 1, 1)
    book = portion(actor_of(User.objects.get(username="auditor"), "web"))
    moved = {move.case.application_id: move for move in moves(book, "safe-chips", day, "en")}
    for case in book:
        if len(case.items) == 1:
            before = assess(case.items[0], day).key(case.side)
            after = assess(case.items[0], day, law=law_under("safe-chips")).key(case.side)
            differs = (before.status, before.answer, before.possible) != (after.status, after.answer, after.possible)
            assert differs is (case.application_id in moved)
            if differs:
                assert (moved[case.application_id].before, moved[case.application_id].after) == (
                    before.status,
                    after.status,
                )


def test_the_book_is_read_in_portions_whose_totals_nobody_can_forge(
    client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    import twokey.desk.web.law.views_asking as views

    real = views.portion
    client = client_of("auditor")
    whole = client.get("/law/impact/?draft=safe-chips").content.decode()
    total = re.search(r"(\d+) cases read", whole)
    monkeypatch.setattr(views, "PORTION", 2)
    monkeypatch.setattr(views, "portion", lambda actor, after: real(actor, after, 2))
    path, steps = "/law/impact/?draft=safe-chips", 0
    while True:
        page = client.get(path, headers={"HX-Request": "true"} if steps else {}).content.decode()
        more = re.search(r'hx-get="([^"]+)"', page)
        steps += 1
        if not more:
            break
        path = "/law/impact/" + more.group(1).replace("&amp;", "&")
    assert steps > 1
    assert total
    assert f"{total.group(1)} cases read" in page
    numbers = re.compile(r"stricter: \d+ \([\d,]+ units\)")
    assert numbers.findall(page) == numbers.findall(whole)
    forged = client.get(path.replace("so_far=", "so_far=x")).content.decode()
    assert "2 cases read" in forged, "totals that are not ours are begun anew"


# -- chips and outlook ------------------------------------------------------------------------------------------------


def test_an_unknown_figure_is_said_to_be_unknown(client_of: Callable[..., Client]) -> None:
    page = text_of(client_of("auditor").get("/law/chips/?q=Ascend 910C").content.decode())
    assert "unknown" in page
    assert "1 chip" in page
    order = text_of(client_of("auditor").get("/law/chips/?order=tpp&least=10000").content.decode())
    assert order.index("GB300") < order.index("H200")
    assert "No chip fits" in client_of("auditor").get("/law/chips/?least=99999999").content.decode()


def test_two_chips_stand_side_by_side(client_of: Callable[..., Client]) -> None:
    page = client_of("auditor").get("/law/chips/compare/?chip=H200&chip=H20&chip=nothing").content.decode()
    assert "× 0.15" in page
    assert "nothing: no chip of this name" in text_of(page)


def test_the_sliders_change_the_answer_and_bad_places_do_no_harm(client_of: Callable[..., Client]) -> None:
    client = client_of("auditor")
    free, high = (
        text_of(client.get(f"/outlook/?{query}").content.decode()) for query in ("conversion=0", "conversion=5")
    )
    assert "as in the scenario: 0.5% to 46%" in free
    assert free != high
    for query in ("conversion=x", "conversion=-1", "conversion=999999999999", "scenario=../../etc", "conversion=²"):
        assert client.get(f"/outlook/?{query}").status_code == 200
    part = client.get("/outlook/?conversion=3", headers={"HX-Request": "true", "HX-Current-URL": "http://x/outlook/"})
    assert "<html" not in part.content.decode()
    assert 'id="controls"' not in part.content.decode()
    other = client.get(
        "/outlook/?scenario=no-exports", headers={"HX-Request": "true", "HX-Current-URL": "http://x/outlook/"}
    )
    assert 'id="controls"' in other.content.decode(), "another scenario has other intervals"


def test_the_charts_of_every_scenario_are_valid(client_of: Callable[..., Client]) -> None:
    import altair

    from twokey.chips import find
    from twokey.desk.web.law import chips, timeline
    from twokey.desk.web.outlook import answers, setting
    from twokey.law.source import law

    figures = [timeline.chart(timeline.entries(law()))]
    figures.append(chips.chart([find("H200"), find("910C")], "en", "title", "", "figure"))
    figures += answers.outcome(setting.read({})).charts
    for figure in figures:
        spec = dict(figure.spec)
        spec.pop("$schema")
        altair.Chart.from_dict(spec, validate=True) if "layer" not in spec else altair.LayerChart.from_dict(spec)
        assert figure.table.rows, "each chart has its table"
