"""A breach that a use report found opens its case again, once, until the case's own authority has found on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from twokey.desk.api.tokens import make_token
from twokey.desk.audit.models import Event
from twokey.desk.cases import breaches, deciding, reviewing
from twokey.desk.cases.models import Application, Breach
from twokey.desk.reasons import Refused

from .world import World


def record(code: str = "0123456789abcdef", **changes: Any) -> dict[str, Any]:
    return {
        "record": "twokey.breach",
        "version": 2,
        "id": code,
        "fleet": "Ulanqab, one day",
        "condition": "inference-domestic",
        "words_en": "inference at least 60 % domestic",
        "words_zh": "推理至少 60 % 国产",
        "authority": "NDRC",
        "instrument": "CN-029 (reported)",
        "site": "all sites",
        "from": "2026-11-01 00:00",
        "to": "2026-11-02 00:00",
        "phase": "inference",
        "measure": "used",
        "at_least_bp": 6000,
        "measured_bp": 4010,
        "low_bp": 3874,
        "high_bp": 4165,
        "evidence": [{"file": "Ulanqab/ulanqab.prom", "sha256": "a" * 64}],
        **changes,
    }


@pytest.fixture
def case(world: World) -> Application:
    """Return an import case whose decision stands."""
    return world.approved(world.order(), "import").decision.application


def test_a_breach_brings_its_case_back_to_its_authoritys_queue(world: World, case: Application) -> None:
    assert not reviewing.queue(world["miit1"], attention=True)
    taken = breaches.take_in(world["buyer"], case.pk, [record()])
    assert taken.opened == 1
    (back,) = reviewing.queue(world["miit1"], attention=True)
    assert (back.pk, back.attention) == (case.pk, "condition_breached")
    event = Event.objects.get(verb="case.breached")
    assert (event.subject_id, event.payload["condition"]) == (case.pk, "inference-domestic")


def test_the_same_facts_open_one_breach(world: World, case: Application) -> None:
    first = breaches.take_in(world["buyer"], case.pk, [record()])
    again = breaches.take_in(world["miit1"], case.pk, [record(), record("f" * 16)])
    assert (first.opened, again.opened) == (1, 1)
    assert again.breaches[0].pk == first.breaches[0].pk
    assert Event.objects.filter(verb="case.breached").count() == 2


def test_the_case_stays_in_the_queue_until_the_last_breach_is_found_on(world: World, case: Application) -> None:
    one, two = breaches.take_in(world["buyer"], case.pk, [record(), record("f" * 16)]).breaches
    breaches.find(world["miit1"], one.pk, "The exporter of telemetry stood still; no breach.")
    case.refresh_from_db()
    assert case.attention == "condition_breached"
    done = breaches.find(world["miit2"], two.pk, "Breached; the authorisation is suspended.")
    assert done.found_by == "miit2"
    case.refresh_from_db()
    assert case.attention == ""


def test_reconfirming_under_a_new_law_does_not_settle_a_breach(world: World, case: Application) -> None:
    (one,) = breaches.take_in(world["buyer"], case.pk, [record()]).breaches
    Application.objects.filter(pk=case.pk).update(attention="law_changed")
    deciding.reconfirm(world["miit1"], case.pk, "It stands.")
    case.refresh_from_db()
    assert case.attention == "condition_breached"
    breaches.find(world["miit1"], one.pk, "Settled.")


@pytest.mark.parametrize("login", ["seller", "rival", "bis1", "miitadv", "customs", "auditor", "operator"])
def test_nobody_else_reports_or_finds(world: World, case: Application, login: str) -> None:
    (one,) = breaches.take_in(world["buyer"], case.pk, [record()]).breaches
    with pytest.raises(Refused):
        breaches.take_in(world[login], case.pk, [record("f" * 16)])
    with pytest.raises(Refused):
        breaches.find(world[login], one.pk, "x")


def test_the_importer_does_not_find_on_its_own_breach(world: World, case: Application) -> None:
    (one,) = breaches.take_in(world["buyer"], case.pk, [record()]).breaches
    with pytest.raises(Refused, match=r"may not breach\.find"):
        breaches.find(world["buyer"], one.pk, "It was nothing.")


def test_who_sees_a_breach(world: World, case: Application) -> None:
    breaches.take_in(world["buyer"], case.pk, [record()])
    for login, seen in (("buyer", 1), ("rival", 0), ("seller", 0), ("miit1", 1), ("bis1", 1), ("auditor", 1)):
        assert breaches.breaches(world[login]).count() == seen, login


def test_only_a_case_whose_decision_stands_takes_a_breach(world: World) -> None:
    application = world.under_review(world.order(), "import")
    with pytest.raises(Refused, match="is under_review"):
        breaches.take_in(world["miit1"], application.pk, [record()])


@pytest.mark.parametrize(
    "change",
    [
        {"record": "something"},
        {"version": 1},
        {"id": "x"},
        {"at_least_bp": 0.6},
        {"at_least_bp": True},
        {"high_bp": 10_001},
        {"low_bp": None},
        {"condition": ""},
        {"words_en": 3},
        {"evidence": [{"file": "x"}]},
        {"more": "x"},
    ],
)
def test_a_record_that_is_none_is_refused_whole(world: World, case: Application, change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        breaches.take_in(world["buyer"], case.pk, [record("e" * 16), record(**change)])
    assert refused.value.status == 422
    assert "breach 2" in str(refused.value)
    assert not Breach.objects.exists()


def test_a_report_without_a_breach_opens_nothing(world: World, case: Application) -> None:
    with pytest.raises(Refused):
        breaches.take_in(world["buyer"], case.pk, [])


def test_a_finding_is_said_once_and_says_something(world: World, case: Application) -> None:
    (one,) = breaches.take_in(world["buyer"], case.pk, [record()]).breaches
    with pytest.raises(Refused, match="it is empty"):
        breaches.find(world["miit1"], one.pk, "  ")
    breaches.find(world["miit1"], one.pk, "Settled.")
    with pytest.raises(Refused, match="is closed"):
        breaches.find(world["miit2"], one.pk, "Again.")
    for change in (lambda: Breach.objects.update(finding="No."), lambda: Breach.objects.all().delete()):
        with pytest.raises(DatabaseError, match=r"history|permission denied"), transaction.atomic():
            change()


def test_command_takes_a_file_in(world: World, case: Application, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from twokey.cli.case_review import case as group

    file = tmp_path / "breaches.json"
    file.write_text(json.dumps([record()]), "utf-8")
    runner = CliRunner()
    for login in ("buyer", "miit1"):
        secret = make_token(login, "test")
        done = runner.invoke(
            group, ["breach", str(case.pk), str(file), "--format", "json"], env={"TWOKEY_TOKEN": secret}
        )
        assert done.exit_code == 0, done.output
    assert Breach.objects.count() == 1
    listed = runner.invoke(group, ["breaches", str(case.pk), "--format", "json"], env={"TWOKEY_TOKEN": secret})
    (row,) = json.loads(listed.stdout)
    found = runner.invoke(group, ["find", str(row["id"]), "--finding", "Settled."], env={"TWOKEY_TOKEN": secret})
    assert found.exit_code == 0, found.output
    assert "closed" in found.stdout


def test_a_use_report_opens_the_case(
    world: World, case: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from twokey.cli.deploy import deploy

    folder = Path(__file__).parents[2] / "examples" / "deploy"
    monkeypatch.setenv("TWOKEY_TOKEN", make_token("buyer", "test"))
    when = ["--from", "2026-11-01", "--to", "2026-11-02", "--case", str(case.pk)]
    site = ["--plan", str(folder / "one_site.toml"), "--telemetry", f"Ulanqab={folder / 'telemetry/ulanqab.prom'}"]
    for words in ("1 breaches opened", "0 breaches opened; 1 known before"):
        done = CliRunner().invoke(deploy, ["report", *site, *when])
        assert done.exit_code == 1, done.output
        assert words in done.stderr
    (row,) = breaches.breaches(world["miit1"])
    assert row.body["at_least_bp"] == 6000
    assert row.body["words_zh"].startswith("推理国产份额不低于 60 %")
