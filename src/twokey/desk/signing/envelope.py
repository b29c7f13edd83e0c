"""A document is canonical JSON (RFC 8785); its signatures are a JWS in general JSON form, Ed25519 and nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from twokey.desk.reasons import Reason, reason
from twokey.desk.signing.keyring import KeyRing, PublicKey, moment

ALGORITHM: Final = "Ed25519"  # RFC 9864; set by policy, never read from the document
_MEMBERS: Final = {"payload", "signatures"}
_SIGNATURE_MEMBERS: Final = {"protected", "signature"}
_HEADER_MEMBERS: Final = {"alg", "kid", "iat"}  # iat: when it was signed; checked below, not by the library
_REGISTRY: Final = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


class BadSignature(Exception):  # noqa: N818 (it reads: raise BadSignature)
    """A document that does not prove what it says; `reason` tells why, in both languages."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.en)
        self.reason = why


@dataclass(frozen=True, slots=True)
class Signed:
    """A checked document: its body, and the keys that signed it with the time that each signature names."""

    body: Mapping[str, Any]
    signers: tuple[tuple[PublicKey, datetime], ...]


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return the one byte string of a JSON document (RFC 8785); floats are refused.

    >>> canonical({"b": 1, "a": "x"})
    b'{"a":"x","b":1}'
    """
    _refuse_floats(body)
    return rfc8785.dumps(dict(body))


def digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical form, in hex.

    >>> digest({"a": 1})[:8]
    '015abd7f'
    """
    return hashlib.sha256(canonical(body)).hexdigest()


def sign(body: Mapping[str, Any], keys: Sequence[tuple[str, OKPKey]], at: datetime) -> dict[str, Any]:
    """Sign a document with one or more private keys (`(kid, key)`); returns the JWS in general JSON form."""
    payload = canonical(body)
    done = [
        jws.serialize_json(
            [{"protected": {"alg": ALGORITHM, "kid": kid, "iat": int(at.timestamp())}}],
            payload,
            key,
            registry=_REGISTRY,
        )
        for kid, key in keys
    ]
    return {"payload": done[0]["payload"], "signatures": [part["signatures"][0] for part in done]}


def verify(document: object, ring: KeyRing) -> Signed:
    """Check every signature of a document against the ring; raises `BadSignature` with the first reason.

    What is checked: only the known members, the algorithm set by policy, each signature by a known key that was valid
    when it signed and is not revoked, no key and no authority twice, and a payload that is its own canonical form.
    """
    if not isinstance(document, dict) or set(document) != _MEMBERS or not isinstance(document["signatures"], list):
        raise BadSignature(reason("not_a_document"))
    payload, signatures = document["payload"], document["signatures"]
    if not isinstance(payload, str) or not signatures:
        raise BadSignature(reason("unsigned"))
    signers = tuple(_check(payload, signature, ring) for signature in signatures)
    authorities = [key.authority for key, _ in signers]
    if len(set(authorities)) != len(authorities):
        raise BadSignature(reason("signed_twice", authority=max(authorities, key=authorities.count)))
    raw = _decode(payload)
    try:
        body = json.loads(raw, parse_float=_no_float)
        if not isinstance(body, dict) or canonical(body) != raw:
            raise ValueError
    except (ValueError, TypeError, rfc8785.CanonicalizationError):
        raise BadSignature(reason("not_canonical")) from None
    return Signed(body, signers)


def _check(payload: str, signature: object, ring: KeyRing) -> tuple[PublicKey, datetime]:
    if not isinstance(signature, dict) or set(signature) != _SIGNATURE_MEMBERS:
        raise BadSignature(reason("not_a_document"))
    try:
        header = json.loads(_decode(signature["protected"]))
    except ValueError:
        raise BadSignature(reason("altered")) from None
    if not isinstance(header, dict) or not set(header) <= _HEADER_MEMBERS:
        raise BadSignature(reason("altered"))
    if header.get("alg") != ALGORITHM:
        raise BadSignature(reason("wrong_algorithm", algorithm=str(header.get("alg"))))
    kid = str(header.get("kid"))
    key = ring.get(kid)
    if key is None:
        raise BadSignature(reason("unknown_key", kid=kid))
    try:
        public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key.x})
        document: Any = {"payload": payload, "signatures": [signature]}
        jws.deserialize_json(document, public, registry=_REGISTRY)
    except (JoseError, ValueError, binascii.Error, KeyError, TypeError):
        raise BadSignature(reason("altered")) from None
    return key, _valid_when_signed(key, header)


def _valid_when_signed(key: PublicKey, header: Mapping[str, Any]) -> datetime:
    seconds = header.get("iat")
    if not isinstance(seconds, int):
        raise BadSignature(reason("altered"))
    at = datetime.fromtimestamp(seconds, moment("1970-01-01").tzinfo)
    if key.revoked_at is not None:
        # Whoever holds a revoked key can write any time into a signature, so the time does not help.
        raise BadSignature(reason("revoked_key", kid=key.kid, at=key.revoked_at, why=key.revoked_reason))
    if at < moment(key.valid_from).replace(microsecond=0):
        raise BadSignature(reason("key_not_valid", kid=key.kid))
    if key.valid_until is not None and at >= moment(key.valid_until):
        raise BadSignature(reason("key_not_valid", kid=key.kid))
    return at


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise BadSignature(reason("altered"))
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise BadSignature(reason("altered")) from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise BadSignature(reason("altered"))
    return raw


def _no_float(text: str) -> float:
    raise ValueError(f"a float ({text}) in a signed document")


def _refuse_floats(value: object, path: str = "") -> None:
    if isinstance(value, float):
        raise TypeError(f"{path or 'document'}: a float ({value}); documents hold integers and text only")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_floats(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{path}[{index}]")


def decoded_header(signature: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protected header of one signature, unchecked: its key id and its time."""
    header: dict[str, Any] = json.loads(_decode(signature["protected"]))
    return header


def read_unchecked(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a document that this desk signed and keeps itself; for anybody else's, use `verify`."""
    body: dict[str, Any] = json.loads(_decode(document["payload"]))
    return body
