"""What a service says is wrong reads as Chinese on a Chinese page: no code, no field name, no English sentence."""

from __future__ import annotations

import ast
import html
import re
import string
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

import twokey.desk
from twokey.desk.actors import PERMISSIONS
from twokey.desk.reasons import Problem, Reason, problem, problems, reason, sentences
from twokey.desk.web.base.saying import say
from twokey.desk.web.base.words import WORDS

from .conftest import sign_in

SOURCES = sorted(Path(twokey.desk.__file__).parent.rglob("*.py"))
MAKERS = {"invalid": 1, "problem": 0, "wrong": 0, "refused_file": 1, "refused_list": 1, "_refused": 1, "_plain": 1}
# What stays in Latin letters in a Chinese sentence: commands, standards, formats, and members of a file.
NAMES = re.compile(
    r"twokey( [a-z]+)*( LOGIN| FILE| --scope)*|Authorization: Bearer TOKEN|yente|results|payload|signatures|_?id"
    r"|name@example\.org|\bname\b|Twokey"
)
WORD = re.compile(r"[A-Za-z]*[a-z]{2,}[A-Za-z]*")


def latin(text: str) -> list[str]:
    """Return the Latin words of a text that are no names; abbreviations in capitals (PDF, USD, TPP) may stand."""
    return WORD.findall(NAMES.sub("", text))


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                yield f"{path.name}:{node.lineno}", node


def placeholders(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}


def test_every_problem_that_a_service_names_is_in_the_table_with_all_its_values() -> None:
    used = set()
    for where, call in calls():
        code = call.args[MAKERS[call.func.id]] if len(call.args) > MAKERS[call.func.id] else None  # type: ignore[attr-defined]
        if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
            continue  # one of the makers, handing its own code on
        assert code.value in problems(), where
        used.add(code.value)
        given = {each.arg for each in call.keywords} | ({"detail"} if call.func.id == "_plain" else set())  # type: ignore[attr-defined]
        wanted = placeholders(problems()[code.value]["en"]) | placeholders(problems()[code.value]["zh"])
        assert wanted <= given, f"{where}: {code.value} needs {sorted(wanted - given)}"  # type: ignore[operator]
    assert used == set(problems()), f"nobody says {sorted(set(problems()) - used)}"


def test_every_field_that_a_service_names_has_words() -> None:
    lacking = set()
    for _where, call in calls():
        if call.func.id == "invalid" and isinstance(call.args[0], ast.Constant):  # type: ignore[attr-defined]
            name = str(call.args[0].value)
            if name.rpartition(".")[2] not in WORDS["field"]:
                lacking.add(name)
    by_command = {"scopes", "days", "day", "seat", "side", "time_zone", "tolerance_bp"}
    assert lacking <= by_command, "only the API and the command line make tokens, seats, authorities, keys and holidays"


def test_every_action_has_words_and_no_word_is_for_none() -> None:
    assert set(WORDS["action"]) == set(PERMISSIONS)


@pytest.mark.parametrize("code", sorted(sentences()))
def test_a_reason_is_chinese_on_a_chinese_page(code: str) -> None:
    words = sentences()[code]
    names = placeholders(words["en"]) | placeholders(words["zh"])
    values: dict[str, Any] = dict.fromkeys(names, "7")
    if "problem" in names:
        values["problem"] = problem("empty")
    with override("zh-hans"):
        assert latin(say(reason(code, **values))) == []


@pytest.mark.parametrize("code", sorted(problems()))
def test_a_problem_is_chinese_on_a_chinese_page(code: str) -> None:
    words = problems()[code]
    values: dict[str, Any] = dict.fromkeys(placeholders(words["en"]) | placeholders(words["zh"]), "7")
    with override("zh-hans"):
        assert latin(say(reason("invalid", field="lines[0].units", problem=problem(code, **values)))) == []


SAID = (
    (reason("invalid", field="lines[1].units", problem=problem("not_whole", given="2.5")),
     "Item 2: Units: “2.5” is not a whole number above 0; write digits only",
     "第 2 项：数量：“2.5”不是大于 0 的整数；请只填数字"),
    (reason("invalid", field="facts.end_use.supercomputer", problem=problem("shown_not_stated")), None,
     "位于澳门或 D:5 国家组的超级计算机最终用途：此项须由材料证明，不能自行陈述；请添加证据或文件"),
    (reason("not_permitted", login="BIS1", role="adviser", action="case.decide"),
     "BIS1 sits as adviser and may not decide cases",
     "BIS1 的席位是咨询人员，无权作出决定"),
    (reason("wrong_state", what="application 5", state="draft", task="take", allowed="submitted, appealed"),
     "application 5 is draft; take on is possible only from submitted, under appeal",
     "申请 5 当前状态为草稿；仅可在已提交、申诉中状态下执行受理"),
    (reason("over_order", what="value", amount=27_000_050, limit=25_000_000),
     "the value 270,000.50 is more than the order's 250,000.00",
     "金额 270,000.50 超过订单的 250,000.00"),
    (reason("assessment_blocked", on="2026-01-28", side="export", answer="presumption_of_denial"), None, None),
    (reason("appeal_late", until=date(2026, 1, 28)),
     "an appeal was possible until 28\xa0January\xa02026", "申诉期限至 2026年1月28日"),
)  # fmt: skip


@pytest.mark.parametrize(("given", "english", "chinese"), SAID, ids=[each[0].code for each in SAID])
def test_a_reason_in_words(given: Reason, english: str | None, chinese: str | None) -> None:
    with override("en"):
        assert english in (None, say(given))
    with override("zh-hans"):
        assert chinese in (None, say(given))
        assert latin(say(given)) == []


def test_a_program_reads_the_code_of_a_problem_and_its_values() -> None:
    given = reason("invalid", field="number", problem=problem("exists", given="PO-1"))
    assert given.as_dict()["values"] == {"field": "number", "problem": "exists", "given": "PO-1"}
    assert isinstance(given.values["problem"], Problem)
    assert "已存在" in given.as_dict()["zh"]


# What each person may type wrongly, and into which form.
WRONG = (
    ("seller", "/orders/new/", {"number": "H200-lanhai", "we_are": "exporter", "currency": "USD", "destination": "CN",
                                "place": "mainland", "partner": "虚构青山算力有限公司", "chip": "NVIDIA H200 SXM",
                                "units": "5", "value": "10"}),
    ("seller", "/orders/new/", {"number": "NEW", "partner": "没有的公司", "destination": "C", "chip": "?"}),
    ("seller", "/orders/new/", {"number": "NEW", "partner": "没有的公司", "destination": "1X", "value": "1.234"}),
    ("buyer.xingye", "/parties/new/", {"name": "!!", "name_latin": "字", "kind": "private", "country": "1X",
                                       "hq_country": "CN"}),
    ("buyer.xingye", "/parties/new/", {"name": "星", "name_latin": "字", "kind": "private", "country": "CN",
                                       "hq_country": "CN"}),
    ("buyer.xingye", "/cases/8/apply/documents/", {"kind": "other"}),
    ("buyer.xingye", "/cases/8/apply/documents/", {"kind": "nonsense", "file": b"text"}),
    ("buyer.xingye", "/cases/8/apply/documents/", {"kind": "other", "file": b""}),
    ("buyer.xingye", "/cases/8/apply/documents/", {"kind": "other", "file": b"PK broken"}),
    ("buyer.xingye", "/cases/8/apply/documents/", {"kind": "other", "file": b"MZ\x90\x00" + b"\x00" * 99}),
    ("buyer.xingye", "/cases/8/submit/", {}),
    ("buyer.xingye", "/cases/8/appeal/", {"text": "x"}),
    ("buyer.xingye", "/cases/8/answer/", {"text": ""}),
    ("buyer.xingye", "/cases/6/withdraw/", {}),
    ("adviser.bis", "/cases/6/take/", {}),
    ("adviser.bis", "/cases/6/advise/", {"recommendation": "nonsense", "text": "x"}),
    ("officer.bis.1", "/cases/6/take/", {}),
    ("officer.bis.1", "/cases/6/reviewers/", {"reviewer": "nobody"}),
    ("officer.bis.1", "/cases/6/countersign/", {}),
    ("officer.bis.1", "/cases/7/take/", {}),
    ("officer.miit.1", "/cases/7/judge/", {"necessary": "yes"}),
    ("officer.miit.1", "/cases/999/take/", {}),
    ("officer.bis.1", "/ledger/batches/open/", {"code": "", "units": "-1", "value": "x", "currency": "US"}),
    ("officer.bis.1", "/ledger/batches/open/", {"code": "B", "units": "5", "value": "5", "currency": "usd"}),
    ("seller", "/orders/5/evidence/", {"name": "kyc", "issuer": "", "issued_on": "x"}),
    ("seller", "/orders/5/evidence/", {"name": "laboratory_certificate", "issuer": "x", "issued_on": "2999-01-01",
                                       "file": b"text"}),
    ("seller", "/orders/5/plan/", {"number": "S", "line": "9", "units": "x", "value": "5", "place": "mainland"}),
    ("seller", "/orders/5/plan/", {"number": "S", "line": "9", "units": "5", "value": "5", "place": "mainland"}),
    ("seller", "/orders/5/plan/", {"number": "", "line": "1", "units": "5", "value": "5.555", "place": "moon"}),
    ("seller", "/orders/5/placed/", {"on": "yesterday"}),
    ("seller", "/orders/5/facts/", {"end_use.supercomputer": "perhaps"}),
    ("seller", "/orders/5/release/2/", {}),
    ("seller", "/ledger/shipments/plan/5/", {"number": "", "place": "moon"}),
    ("seller", "/ledger/shipments/plan/5/", {"number": "S", "place": "mainland"}),
    ("seller", "/notices/settings/", {"address": "nobody", "mail": "sometimes", "language": "fr"}),
    ("officer.bis.1", "/parties/2/decide/", {"entry": "x", "same": "yes", "why": ""}),
    ("officer.bis.1", "/parties/2/decide/", {"entry": "x", "same": "yes", "why": "x"}),
    ("auditor", "/parties/2/screen/", {}),
    ("", "/accounts/login/", {"login": "x", "password": "y"}),
    ("auditor", "/accounts/password/change/", {"oldpassword": "x", "password1": "short", "password2": "other"}),
    ("auditor", "/accounts/reauthenticate/", {"password": "wrong"}),
    ("auditor", "/accounts/2fa/totp/activate/", {"code": "000000"}),
)  # fmt: skip
SHOWN = re.compile(
    r'<(?:ul|p|div)[^>]*class="(?:errorlist|refusal|messages|reasons|problem)[^"]*"[^>]*>(.*?)</(?:ul|p|div)>', re.S
)


def shown(answer: Any) -> str:
    """Return what a page says went wrong, without its marks."""
    found = " ".join(SHOWN.findall(answer.content.decode()))
    return html.unescape(re.sub(r"<[^>]+>", " ", found)).strip()


@pytest.mark.parametrize(("who", "address", "given"), WRONG, ids=[f"{each[0]}{each[1]}" for each in WRONG])
def test_what_is_wrong_is_said_in_chinese_on_a_chinese_page(
    desk: Any, who: str, address: str, given: dict[str, Any]
) -> None:
    client = sign_in(who, "zh") if who else Client(headers={"accept-language": "zh-hans"})
    data = {
        name: SimpleUploadedFile("file.pdf", value) if isinstance(value, bytes) else value
        for name, value in given.items()
    }
    answer = client.post(address, data, follow=True, headers={"referer": "http://testserver/orders/"})
    text = shown(answer)
    assert text, f"{answer.status_code}: nothing is said"
    theirs = [str(value) for value in given.values() if isinstance(value, str) and len(value) > 1]
    said = re.compile("|".join([r"\b[a-z]+(?:\.[a-z0-9]+)+\b", "seller", "auditor", *map(re.escape, theirs)]))
    assert latin(said.sub("", text)) == []
