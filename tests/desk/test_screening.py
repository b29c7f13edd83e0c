"""Every party in every role, both scripts and aliases, explained, decided once, and asked again when a list changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from twokey.desk.parties import screening, services
from twokey.desk.parties.lists import read_list
from twokey.desk.parties.matching import THRESHOLD, compare
from twokey.desk.parties.models import Organisation, Screening
from twokey.desk.parties.names import check_latin, check_name
from twokey.desk.reasons import Refused

from .world import World, today

SAME = [
    ("Hangzhou Hikvision Digital Technology Co., Ltd.", "HANGZHOU HIKVISION DIGITAL TECHNOLOGY"),
    ("Huawei Technologies Co., Ltd.", "Huawei Technologies"),
    ("HUAWEI TECHNOLOGIES", "Huawei Tecnologies Co Ltd"),
    ("华为技术有限公司", "华为技术有限责任公司"),
    ("华为技术有限公司", "华为技术"),
    ("ＨＵＡＷＥＩ", "Huawei"),
    ("Société Générale", "Societe Generale"),
    ("Technology Huawei", "Huawei Technology"),
]
DIFFERENT = [
    ("Example Compute Ltd.", "Sample Compute Ltd."),
    ("Yunling Zhisuan Ltd.", "Yunnan Zhisheng Ltd."),
    ("云岭智算有限公司", "海棠数据有限公司"),
    ("Alibaba Group Holding Limited", "China Group Holding Limited"),
    ("字节跳动", "ByteDance"),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_the_same_name_is_found(ours: str, theirs: str) -> None:
    score = compare(ours, theirs)
    assert score.value >= THRESHOLD, score
    assert score.method


@pytest.mark.parametrize(("ours", "theirs"), DIFFERENT)
def test_another_name_raises_no_alarm(ours: str, theirs: str) -> None:
    assert compare(ours, theirs).value < THRESHOLD


def test_scores_can_be_ranked() -> None:
    near, far = (compare("Huawei Technologies", each).value for each in ("Huawei Technologys", "Haier"))
    assert near > far
    assert compare("Huawei Technologies", "Huawei Technologies").value == 1000 > near


def test_a_party_has_a_name_in_both_scripts_or_is_not_entered(world: World) -> None:
    good = {"kind": "private", "country": "CN", "hq_country": "CN"}
    for name, latin in (("云", "云"), ("", "A"), ("!!", "A"), ("云\u200b岭", "A"), ("云", "Société")):
        with pytest.raises(Refused):
            services.add_party(world["operator"], name=name, name_latin=latin, **good)
    assert check_name(" 云  岭 ") == "云 岭"
    assert check_latin("A (B) & C-D's 3") == "A (B) & C-D's 3"


def test_aliases_parents_and_owners_are_screened_too(world: World) -> None:
    operator = world["operator"]
    parent = services.add_party(
        operator, name="恶意控股", name_latin="Wicked Holding", kind="private", country="CN", hq_country="CN"
    )
    child = services.add_party(
        operator,
        name="清白",
        name_latin="Harmless Ltd.",
        kind="private",
        country="CN",
        hq_country="CN",
        ultimate_parent_id=parent.pk,
        aliases=["Formerly Dreadful"],
    )
    owned = services.add_party(
        operator, name="另一", name_latin="Other Ltd.", kind="private", country="CN", hq_country="CN"
    )
    services.add_share(operator, parent, owned, 5_000, today(), "register")
    world.import_list(
        [
            {"id": "1", "name": "Wicked Holding", "alt_names": ["恶意控股集团"], "addresses": []},
            {"id": "2", "name": "Formerly Dreadful Inc", "alt_names": [], "addresses": []},
        ]
    )
    for party, count in ((parent, 1), (child, 2), (owned, 1)):
        last = party.screenings.order_by("-pk").first()
        assert last is not None
        assert (last.outcome, len(last.matches)) == ("open", count)
        assert last.matches[0]["because"]["method"]


def test_a_decision_is_kept_until_the_entry_or_the_name_changes(world: World) -> None:
    entry = {"id": "7", "name": "Yunling Zhisuan", "alt_names": [], "addresses": [], "source": "Entity List"}
    world.import_list([entry])
    party = world.importer

    def outcome() -> str:
        last = party.screenings.order_by("-pk").first()
        assert last is not None
        return str(last.outcome)

    assert outcome() == "open"
    for login in ("seller", "bisadv", "auditor"):
        with pytest.raises(Refused):
            screening.decide_match(world[login], party, "us-csl:7", False, "another address")
    screening.decide_match(world["bis1"], party, "us-csl:7", False, "another address")
    assert outcome() == "clean"
    world.import_list([entry, {"id": "8", "name": "Unrelated", "alt_names": [], "addresses": []}])
    assert outcome() == "clean"  # the entry is the same, so the judgement stands
    world.import_list([{**entry, "alt_names": ["云岭智算"]}])
    assert outcome() == "open"  # the entry changed, so the question is asked again
    screening.decide_match(world["bis1"], party, "us-csl:7", True, "same address")
    assert outcome() == "listed"


def test_a_new_list_screens_everybody_again(world: World) -> None:
    before = Screening.objects.count()
    world.import_list([{"id": "3", "name": "Somebody New", "alt_names": [], "addresses": []}])
    assert Screening.objects.count() == before + Organisation.objects.count()
    assert screening.rescreen(world["operator"]) == 0


CSV = '_id,source,name,alt_names,addresses,programs\n7,Entity List,Bad Co,Evil Co; 坏公司,"1 Rd, Beijing, CN",EAR\n'
GENERIC = "id,name,aliases,countries\nx1,坏公司,Bad Co;Worse Co,CN;HK\n"


@pytest.mark.parametrize(
    ("text", "names", "countries"),
    [
        (CSV, ("Evil Co", "坏公司"), ("CN",)),
        (GENERIC, ("Bad Co", "Worse Co"), ("CN", "HK")),
        (
            json.dumps(
                {"results": [{"id": 1, "name": "坏公司", "alt_names": ["Bad Co"], "addresses": [{"country": "CN"}]}]}
            ),
            ("Bad Co",),
            ("CN",),
        ),
    ],
)
def test_each_layout_is_read(text: str, names: tuple[str, ...], countries: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    entry = read_list(path).entries[0]
    assert (entry.names, entry.countries) == (names, countries)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"results": []}',
        '{"results": [{"name": "x"}]}',
        "a,b\n1,2\n",
        "id,name\n1,A\n1,B\n",
        "id,name\n1,A,extra\n",
        "id,name\n1,A\n2,\n",
        '{"results": [',
    ],
)
def test_a_list_that_is_not_wholly_one_changes_nothing(text: str, world: World, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    before = screening.lists_digest()
    with pytest.raises(Refused) as refused:
        screening.import_list(world["operator"], read_list(path), "us-csl")
    assert refused.value.reasons[0].code == "list_refused"
    assert screening.lists_digest() == before


def test_a_fresh_copy_keeps_how_the_list_counts(world: World, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,name\n1,Somebody Else Entirely\n")
    screening.import_list(world["operator"], read_list(path), "own", required=False, max_age_days=30)
    kept = screening.import_list(world["operator"], read_list(path), "own").list
    assert (kept.required, kept.max_age_days) == (False, 30)
    changed = screening.import_list(world["operator"], read_list(path), "own", required=True, max_age_days=3).list
    assert (changed.required, changed.max_age_days) == (True, 3)


@pytest.mark.parametrize(
    ("code", "days", "said"),
    [("a b", None, "not a code"), ("x" * 41, None, "not a code"), ("own", 0, "give 1 to 365"), ("own", 366, "365")],
)
def test_a_list_has_a_code_and_an_age(world: World, tmp_path: Path, code: str, days: int | None, said: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,name\n1,Somebody Else Entirely\n")
    with pytest.raises(Refused, match=said):
        screening.import_list(world["operator"], read_list(path), code, max_age_days=days)


def test_a_list_is_imported_at_the_api(world: World) -> None:
    from .test_api import BASE, Caller

    def post(login: str, content: bytes, query: str = "") -> Any:
        file = SimpleUploadedFile("own.csv", content)
        headers = {"Authorization": f"Bearer {Caller(login).token}"}
        return Client().post(f"{BASE}/screening-lists/own{query}", {"file": file}, headers=headers)

    good = post("op", b"id,name\n1,Somebody Else Entirely\n", "?required=false&max_age_days=30")
    assert good.status_code == 201, good.content
    assert (good.json()["entries"], good.json()["required"], good.json()["max_age_days"]) == (1, False, 30)
    bad = post("op", b"id,label\n1,x\n")
    assert bad.status_code == 422
    assert "own.csv: a CSV list needs" in bad.json()["detail"]
    assert post("op", b"id,name\n1,A\n", "?max_age_days=0").status_code == 422
    assert post("bis1", b"id,name\n1,A\n").status_code == 403
