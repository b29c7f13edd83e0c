"""A release proves itself from its file, and stops proving itself when anything in it is touched."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twokey.desk.proof import check
from twokey.desk.signing import FileSigner, KeyRing, sign
from twokey.desk.signing.envelope import canonical

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY: dict[str, Any] = {
    "type": "twokey.release/1",
    "number": "REL-1",
    "issued_at": "2026-11-24T12:00:00+00:00",
    "valid_until": "2027-11-24T00:00:00+00:00",
    "order": "PO-1",
    "shipment": {"number": "SH-1", "lines": [{"item": "H200", "units": 10, "value_minor": 27_000_000}]},
    "keys": {"export": {"authority": "BIS"}, "import": {"authority": "MIIT"}},
    "parties": [{"name": "云岭智算", "name_latin": "Yunling"}],
    "conditions": [],
    "evidence": [],
    "laboratory": {"issuer": "Testhaus"},
    "screening": [],
    "law": {"digest": "d"},
    "movement": {"reserve": 1, "draw": 2},
}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> FileSigner:
    made = FileSigner(tmp_path_factory.mktemp("keys"))
    for code, side in (("BIS", "export"), ("MIIT", "import"), ("NDRC", "import"), ("BIS2", "export")):
        made.make(code, side)
    ring = {kid: replace(key, valid_from="2026-01-01T00:00:00+00:00") for kid, key in made.ring().keys.items()}
    (made.folder / "public.json").write_text(json.dumps(KeyRing(ring).dump()))
    return made


@pytest.fixture(scope="module")
def document(signer: FileSigner) -> dict[str, Any]:
    return signer.sign(BODY, ("BIS", "MIIT"), NOW)


def codes(document: object, signer: FileSigner, ring: KeyRing | None = None) -> list[str]:
    return [each.code for each in check(document, ring or signer.ring(), NOW).reasons]


def test_the_release_as_signed_is_proven(document: dict[str, Any], signer: FileSigner) -> None:
    proof = check(document, signer.ring(), NOW)
    assert proof.holds
    assert proof.body == BODY
    assert [name.split()[0] for name in proof.signed_by] == ["BIS", "MIIT"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


@pytest.mark.parametrize("path", [path for path, _ in leaves(BODY)], ids=lambda path: ".".join(map(str, path)))
def test_a_release_altered_in_any_field_fails(
    path: tuple[Any, ...], document: dict[str, Any], signer: FileSigner
) -> None:
    body = copy.deepcopy(BODY)
    target: Any = body
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = target[path[-1]] + 1 if isinstance(target[path[-1]], int) else target[path[-1]] + "x"
    forged = {**document, "payload": base64.urlsafe_b64encode(canonical(body)).rstrip(b"=").decode()}
    assert codes(forged, signer) == ["altered"]


def test_a_field_added_or_taken_away_fails_even_when_both_sides_sign_it(signer: FileSigner) -> None:
    assert codes(signer.sign({**BODY, "extra": 1}, ("BIS", "MIIT"), NOW), signer) == ["not_a_release"]
    short = {key: value for key, value in BODY.items() if key != "law"}
    assert codes(signer.sign(short, ("BIS", "MIIT"), NOW), signer) == ["not_a_release"]


@pytest.mark.parametrize("side", ["BIS", "MIIT"])
def test_a_release_signed_by_one_side_only_fails(side: str, signer: FileSigner) -> None:
    assert codes(signer.sign(BODY, (side,), NOW), signer) == ["side_missing"]


def test_a_release_signed_twice_by_one_side_fails(document: dict[str, Any], signer: FileSigner) -> None:
    twice = {**document, "signatures": [document["signatures"][0]] * 2}
    assert codes(twice, signer) == ["signed_twice"]
    assert codes(signer.sign(BODY, ("BIS", "BIS2"), NOW), signer) == ["side_missing", "wrong_signer"]


def test_a_release_signed_by_an_authority_that_it_does_not_name_fails(signer: FileSigner) -> None:
    assert codes(signer.sign(BODY, ("BIS", "NDRC"), NOW), signer) == ["wrong_signer"]


def test_a_third_signature_fails(signer: FileSigner) -> None:
    assert "wrong_signer" in codes(signer.sign(BODY, ("BIS", "MIIT", "NDRC"), NOW), signer)


def test_a_third_signature_before_the_right_one_of_its_side_fails_too(signer: FileSigner) -> None:
    assert codes(signer.sign(BODY, ("BIS", "NDRC", "MIIT"), NOW), signer) == ["too_many_signatures"]


def test_a_revoked_key_proves_nothing_whenever_it_signed(document: dict[str, Any], signer: FileSigner) -> None:
    ring = dict(signer.ring().keys)
    ring["MIIT-1"] = replace(ring["MIIT-1"], revoked_at="2026-12-01T00:00:00+00:00", revoked_reason="stolen")
    proof = check(document, KeyRing(ring), NOW)
    assert [each.code for each in proof.reasons] == ["revoked_key"]
    assert "stolen" in proof.reasons[0].en
    assert "stolen" in proof.reasons[0].zh


@pytest.mark.parametrize(("start", "end"), [("2026-12-01", None), ("2026-01-01", "2026-02-01")])
def test_a_key_out_of_its_time_proves_nothing(
    start: str, end: str | None, document: dict[str, Any], signer: FileSigner
) -> None:
    ring = dict(signer.ring().keys)
    ring["BIS-1"] = replace(ring["BIS-1"], valid_from=start, valid_until=end)
    assert codes(document, signer, KeyRing(ring)) == ["key_not_valid"]


def test_an_unknown_key_and_another_algorithm_prove_nothing(document: dict[str, Any], signer: FileSigner) -> None:
    assert codes(document, signer, KeyRing({})) == ["unknown_key"]
    header = {"alg": "none", "kid": "BIS-1", "iat": int(NOW.timestamp())}
    raw = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    forged = {**document, "signatures": [{"protected": raw, "signature": ""}, document["signatures"][1]]}
    assert codes(forged, signer) == ["wrong_algorithm"]


def by_hand(payload: bytes, signer: FileSigner, **more: str) -> dict[str, Any]:
    """Sign whatever bytes are given, with more in the header than the desk writes."""
    from joserfc import jws
    from joserfc.jwk import OKPKey

    from twokey.desk.signing.envelope import _REGISTRY

    signatures = []
    for code in ("BIS", "MIIT"):
        key = OKPKey.import_key(json.loads((signer.folder / code / f"{code}-1.jwk").read_text()))
        member: Any = {"protected": {"alg": "Ed25519", "kid": f"{code}-1", "iat": int(NOW.timestamp()), **more}}
        done: Any = jws.serialize_json([member], payload, key, registry=_REGISTRY)
        signatures += done["signatures"]
    return {"payload": done["payload"], "signatures": signatures}


def test_only_the_canonical_form_counts(signer: FileSigner) -> None:
    assert codes(by_hand(canonical(BODY), signer), signer) == []
    assert codes(by_hand(json.dumps(BODY, indent=1).encode(), signer), signer) == ["not_canonical"]


def test_a_header_that_says_more_than_the_desk_writes_fails(signer: FileSigner) -> None:
    assert codes(by_hand(canonical(BODY), signer, typ="JOSE"), signer) == ["altered"]


def test_a_member_beside_the_signature_fails(document: dict[str, Any], signer: FileSigner) -> None:
    forged = copy.deepcopy(document)
    forged["signatures"][0]["header"] = {"note": "unsigned"}
    assert codes(forged, signer) == ["not_a_document"]


def test_a_signature_without_a_time_fails(signer: FileSigner) -> None:
    assert codes(by_hand(canonical(BODY), signer, iat="soon"), signer) == ["altered"]


def test_a_document_of_another_type_fails(signer: FileSigner) -> None:
    assert codes(by_hand(canonical({**BODY, "type": "another/1"}), signer), signer) == ["unknown_type"]


def test_a_paper_of_one_authority_signed_by_another_fails(signer: FileSigner) -> None:
    body = {"type": "twokey.decision/1", "authority": "BIS"}
    assert codes(signer.sign(body, ("BIS",), NOW), signer) == []
    assert codes(signer.sign(body, ("MIIT",), NOW), signer) == ["wrong_signer"]


def test_a_second_spelling_of_the_same_bytes_fails(document: dict[str, Any], signer: FileSigner) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    forged = copy.deepcopy(document)
    text = forged["signatures"][0]["signature"]
    other = text[:-1] + letters[letters.index(text[-1]) ^ 1]  # the last four bits of 64 bytes in base64 say nothing
    assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(text + "==")
    forged["signatures"][0]["signature"] = other
    assert codes(forged, signer) == ["altered"]


def test_a_release_whose_time_is_over_still_proves_itself_and_says_so(
    document: dict[str, Any], signer: FileSigner
) -> None:
    over = check(document, signer.ring(), datetime(2028, 1, 1, tzinfo=UTC))
    assert over.holds
    assert [each.code for each in over.notes] == ["release_over"]
    assert check(document, signer.ring(), NOW).notes == ()


@pytest.mark.parametrize(
    "document", [{}, [], "x", {"payload": 1, "signatures": [1]}, {"payload": "", "signatures": []}, None]
)
def test_what_is_no_document_fails_without_an_error(document: object, signer: FileSigner) -> None:
    assert codes(document, signer)[0] in {"not_a_document", "unsigned"}


def test_every_byte_of_header_and_signature_counts(document: dict[str, Any], signer: FileSigner) -> None:
    for index in (0, 1):
        for member in ("protected", "signature"):
            text = document["signatures"][index][member]
            for place in range(0, len(text), 7):
                forged = copy.deepcopy(document)
                letter = "A" if text[place] != "A" else "B"
                forged["signatures"][index][member] = text[:place] + letter + text[place + 1 :]
                assert not check(forged, signer.ring(), NOW).holds


def test_a_float_is_never_signed() -> None:
    with pytest.raises(TypeError, match=r"shipment\.units: a float"):
        sign({"shipment": {"units": 1.5}}, [], NOW)


def test_the_command_checks_without_django_or_database(
    tmp_path: Path, document: dict[str, Any], signer: FileSigner
) -> None:
    import subprocess
    import sys

    (tmp_path / "release.json").write_text(json.dumps(document))
    script = (
        "import sys\n"
        "sys.argv = ['twokey', 'verify', 'release.json', '--keys', sys.argv[1]]\n"
        "from twokey.cli import main\n"
        "try:\n    main.run()\n"
        "except SystemExit as end:\n    code = end.code\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in {'django', 'psycopg', 'ninja'}]\n"
        "sys.exit(code)\n"
    )
    command = [sys.executable, "-c", script, str(signer.folder / "public.json")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PATH": ""}, check=False)
    assert done.returncode == 0, done.stderr
    assert "genuine" in done.stdout
    (tmp_path / "release.json").write_text(json.dumps({**document, "signatures": document["signatures"][:1]}))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PATH": ""}, check=False)
    assert done.returncode == 1
    assert "MIIT did not sign" in done.stdout
    assert "MIIT 未签名" in done.stdout
