"""History that shows its own tampering, and a desk that comes back whole from its backup."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from twokey.desk.audit import merkle, sealing
from twokey.desk.audit.events import record, signer
from twokey.desk.audit.history import check_export
from twokey.desk.audit.models import Seal
from twokey.desk.ledger import releasing

from .conftest import as_owner
from .world import World

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(40)]


def test_the_root_is_that_of_rfc_6962() -> None:
    data = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
    leaves = [merkle.leaf_hash(each) for each in data]
    # The reference values of the Certificate Transparency test vectors.
    assert merkle.root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.integers(1, 40), st.data())
def test_inclusion_is_proven_for_every_leaf_and_for_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    head, proof = merkle.root(LEAVES[:size]), merkle.inclusion_proof(LEAVES[:size], index)
    assert merkle.included(LEAVES[index], index, size, proof, head)
    other = data.draw(st.integers(0, 39).filter(lambda n: n != index))
    assert not merkle.included(LEAVES[other], index, size, proof, head)


@given(st.integers(1, 40), st.integers(1, 40))
def test_consistency_is_proven_between_any_two_heads(first: int, second: int) -> None:
    old, new = sorted((first, second))
    proof = merkle.consistency_proof(LEAVES[:new], old)
    assert merkle.consistent(old, new, merkle.root(LEAVES[:old]), merkle.root(LEAVES[:new]), proof)
    forged = merkle.root([*LEAVES[: old - 1], b"x" * 32])
    assert not merkle.consistent(old, new, forged, merkle.root(LEAVES[:new]), proof)


def _behind(sql: str) -> None:
    """Change history as only a database owner can: past the triggers."""
    with as_owner() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE audit_event SET payload = '{}' WHERE verb = 'release.signed'", "was altered"),
        ("UPDATE ledger_movement SET actor = 'nobody' WHERE kind = 'draw'", "was altered"),
        ("UPDATE ledger_movement SET units[1] = units[1] + 1", "was altered"),
        ("UPDATE audit_event SET at = at - interval '1 day' WHERE verb = 'release.signed'", "was altered"),
        ("DELETE FROM audit_event WHERE verb = 'release.signed'", "is gone"),
        ("UPDATE audit_seal SET root = repeat('0', 64)", "does not match"),
        ("UPDATE audit_leaf SET leaf_hash = repeat('0', 64) WHERE position = 3", "does not match|was altered"),
    ],
)
def test_tampering_behind_the_triggers_is_found_and_blocks(sql: str, problem: str, world: World) -> None:
    shipment = world.ready()
    releasing.release(world["seller"], shipment.pk)
    later = world.ready()
    assert sealing.seal(timedelta(0)) is not None
    assert sealing.audit(world["auditor"]).problems == ()
    assert releasing.check(world["seller"], later.pk) == []
    _behind(sql)
    import re

    found = sealing.audit(world["auditor"]).problems
    assert any(re.search(problem, each) for each in found), found
    assert {each.code for each in releasing.check(world["seller"], later.pk)} == {"seal_broken"}


def test_a_row_is_sealed_once_however_often_the_sealer_runs(world: World) -> None:
    world.order()
    first = sealing.seal(timedelta(0))
    assert first is not None
    assert sealing.seal(timedelta(0)) is None
    record(world["auditor"], "audit.noted", "audit", 0)
    second = sealing.seal(timedelta(0))
    assert second is not None
    assert second.size == first.size + 1


def _export(world: World, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    world.released()
    head = sealing.seal(timedelta(0))
    assert head is not None
    sealing.witness(world["bis1"], head.pk)
    sealing.witness(world["miit1"], head.pk)
    body = sealing.export()
    path = tmp_path / "history.json"
    path.write_text(json.dumps(body, default=str))
    return path, json.loads(path.read_text())


def test_an_exported_history_is_checked_without_a_database(world: World, tmp_path: Path) -> None:
    path, body = _export(world, tmp_path)
    rows, problems = check_export(path, signer().ring())
    assert (rows, problems) == (len(body["leaves"]), [])


@pytest.mark.parametrize("how", ["flip", "drop", "swap", "back-date", "add"])
def test_an_export_that_was_touched_fails(how: str, world: World, tmp_path: Path) -> None:
    path, body = _export(world, tmp_path)
    leaves = body["leaves"]
    if how == "flip":
        leaves[5]["row"]["actor"] = "nobody"
    elif how == "drop":
        del leaves[5]
    elif how == "swap":
        leaves[5], leaves[6] = leaves[6], leaves[5]
    elif how == "back-date":
        leaves[5]["row"]["at"] = "2025-01-01T00:00:00+00:00"
    else:
        leaves.insert(5, leaves[4])
    path.write_text(json.dumps(body))
    assert check_export(path, signer().ring())[1]


def test_a_tail_sealed_anew_with_the_desks_own_key_is_found_by_the_witness(world: World, tmp_path: Path) -> None:
    path, body = _export(world, tmp_path)
    body["leaves"][-1]["row"]["actor"] = "nobody"
    from django.utils import timezone

    from twokey.desk.signing.envelope import canonical, read_unchecked

    leaves = [merkle.leaf_hash(canonical(each["row"])) for each in body["leaves"]]
    head = {**read_unchecked(body["heads"][-1]), "root": merkle.root(leaves).hex()}
    body["heads"][-1] = signer().sign(head, ("DESK",), timezone.now())
    path.write_text(json.dumps(body))
    problems = check_export(path, signer().ring())[1]
    assert [problem.split(" over")[0] for problem in problems] == ["the witness of BIS", "the witness of MIIT"]


def test_the_sealer_stays_behind_what_is_being_written(world: World) -> None:
    world.order()
    assert sealing.seal(timedelta(hours=1)) is None
    assert Seal.objects.count() == 0


@pytest.mark.stress
def test_a_backup_comes_back_whole_on_another_server() -> None:
    """Demo, backup, restore into an empty desk, verify ledger and history, and verify the release with the old keys."""
    root = Path(tempfile.mkdtemp(prefix="twokey-backup-"))
    root.chmod(0o755)
    script = "import sys; from twokey.cli.main import run; sys.argv = ['twokey', *sys.argv[1:]]; run()"

    def twokey(home: str, *arguments: str) -> str:
        environment = {
            key: value for key, value in os.environ.items() if key not in {"TWOKEY_DATABASE_URL", "TWOKEY_OWNER_URL"}
        }
        environment["TWOKEY_HOME"] = str(root / home)
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=environment,
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    try:
        number = json.loads(twokey("old", "demo", "--format", "json"))["release_number"]
        twokey("old", "keys", "export", "keys.json")
        twokey("old", "backup", "make", "desk.tar.gz")
        assert "0 differences" in twokey("new", "backup", "restore", "desk.tar.gz")
        assert "0 differences" in twokey("new", "ledger", "verify")
        shutil.copytree(root / "old" / "tokens", root / "new" / "tokens", dirs_exist_ok=True)
        twokey("new", "release", "show", number, "--out", "release.json", "--as", "customs.gacc")
        assert "genuine" in twokey("new", "verify", "release.json", "--keys", "keys.json")
        flows = json.loads(twokey("new", "ledger", "flows", "--as", "auditor", "--format", "json"))
        assert sum(each["drawn"] for each in flows) == 1_000
        assert len(list((root / "new" / "documents").iterdir())) == len(list((root / "old" / "documents").iterdir()))
        twokey("new", "token", "person", "another", "auditor")  # the sequences go on where they were
    finally:
        shutil.rmtree(root, ignore_errors=True)
