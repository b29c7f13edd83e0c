"""The commands that write and check papers: what a person types, what they read, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twokey.chips.errors import UserError
from twokey.desk.home import home
from twokey.desk.ledger.models import Release
from twokey.desk.papers import qr
from twokey.desk.signing import FileSigner

from .world import World


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(FileSigner(home().keys).ring().dump()))
    return str(path)


@pytest.fixture
def released(world: World) -> Release:
    return world.released()


def test_a_release_is_written_checked_and_taken_out_of_its_pdf(
    run: Any, keys: str, released: Release, tmp_path: Path
) -> None:
    pdf, out = str(tmp_path / "r.pdf"), str(tmp_path / "r.json")
    done = run("release", "paper", released.number, "--lang", "zh", "--out", pdf, login="customs")
    assert done.exit_code == 0, done.output
    assert f"twokey verify {pdf}" in done.output
    checked = run("verify", pdf, "--keys", keys, "--extract", out)
    assert checked.exit_code == 0
    assert "真实有效" in checked.output
    assert released.number in checked.output
    assert json.loads(Path(out).read_text()) == released.document.jws
    assert run("verify", out, "--keys", keys).exit_code == 0


def test_the_text_of_a_code_is_checked_from_a_file_and_as_it_is_typed(
    run: Any, keys: str, released: Release, tmp_path: Path
) -> None:
    text = qr.pack(released.document.jws)
    path = tmp_path / "scan.txt"
    path.write_text(text + "\n")
    for given in (str(path), text):
        done = run("verify", given, "--keys", keys)
        assert done.exit_code == 0, done.output
        assert released.number in done.output
    path.write_text(text[:-9])
    assert isinstance(run("verify", str(path), "--keys", keys).exception, UserError)


def test_a_forged_pdf_ends_with_status_1_and_says_why(run: Any, keys: str, released: Release, tmp_path: Path) -> None:
    pdf = tmp_path / "r.pdf"
    run("release", "paper", released.number, "--out", str(pdf), login="customs")
    pdf.write_bytes(pdf.read_bytes() + b"\n% more")
    for form in ("text", "json"):
        done = run("verify", str(pdf), "--keys", keys, "--format", form)
        assert done.exit_code == 1
        assert "paper_differs" in done.output


def test_a_licence_and_a_decision_are_written(run: Any, keys: str, world: World, tmp_path: Path) -> None:
    export = world.approved(world.order(), "export")
    for words in (("ledger", "paper", str(export.pk)), ("case", "paper", str(export.decision.application_id))):
        pdf = str(tmp_path / f"{words[0]}.pdf")
        done = run(*words, "--out", pdf, "--format", "json", login="seller")
        assert json.loads(done.output)["file"] == pdf
        assert json.loads(run("verify", pdf, "--keys", keys, "--format", "json").output)["kind"] == "licence"


def test_another_party_is_told_that_there_is_none(run: Any, released: Release, tmp_path: Path) -> None:
    done = run("release", "paper", released.number, "--out", str(tmp_path / "r.pdf"), login="rival")
    assert isinstance(done.exception, UserError)
    assert not (tmp_path / "r.pdf").exists()


def test_a_check_without_keys_says_what_is_missing(run: Any, released: Release, tmp_path: Path) -> None:
    pdf = str(tmp_path / "r.pdf")
    run("release", "paper", released.number, "--out", pdf, login="customs")
    done = run("verify", pdf)
    assert isinstance(done.exception, UserError)
    assert "--keys" in str(done.exception)
    assert "no such file" in str(run("verify", "nowhere.pdf").exception)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_statement_of_use_is_written_by_deploy_report_and_needs_no_keys(run: Any, tmp_path: Path, lang: str) -> None:
    folder, pdf = tmp_path / "site", str(tmp_path / "u.pdf")
    folder.mkdir()
    rows = [
        f'npu_chip_info_utilization{{npuID="0",modelName="Ascend910B2",podName="q0",namespace="inference"}} 50 '
        f"{(1_793_491_200 + second) * 1000}\n"
        for second in range(0, 86_400, 600)
    ]
    (folder / "a.prom").write_text("".join(rows))
    span = ("--from", "2026-11-01", "--to", "2026-11-02")
    done = run("deploy", "report", "--telemetry", f"a={folder}", *span, "--pdf", pdf, "--lang", lang)
    assert done.exit_code == 0, done.output
    checked = run("verify", pdf)
    assert checked.exit_code == 0, checked.output
    assert "nobody signed it" in checked.output
    body = json.loads(run("verify", pdf, "--format", "json").output)
    assert (body["kind"], body["lang"]) == ("use", lang)
    assert body["statement"]["shares"][0]["share"] == 1.0


def test_notices_are_listed_read_and_chosen(run: Any, world: World) -> None:
    from twokey.desk.notices.telling import tell

    order = world.order()
    assert run("notice", "follow", str(order.pk), login="auditor").exit_code == 0
    world.both(order)
    tell()
    assert "on the ledger" in run("notice", "list", login="seller").output
    assert "已登记入账" in run("notice", "list", "--lang", "zh", login="seller").output
    chosen = run(
        "notice",
        "settings",
        "--mail",
        "weekly",
        "--language",
        "zh",
        "--address",
        "a@b.example",
        "--format",
        "json",
        login="seller",
    )
    assert json.loads(chosen.output) == {"address": "a@b.example", "mail": "weekly", "language": "zh"}
    assert json.loads(run("notice", "read", "--format", "json", login="seller").output)["marked"] > 0
    assert json.loads(run("notice", "list", "--unread", "--format", "json", login="seller").output) == []
    assert run("notice", "digest", login="seller").exit_code == 0
    assert run("notice", "unfollow", str(order.pk), login="auditor").exit_code == 0
