"""Canonical JSON under Ed25519: what is signed, by whose key, and how anyone checks it. No Django here."""

from twokey.desk.signing.envelope import BadSignature, Signed, digest, sign, verify
from twokey.desk.signing.keyring import KeyRing, PublicKey
from twokey.desk.signing.signer import FileSigner, Signer

__all__ = ["BadSignature", "FileSigner", "KeyRing", "PublicKey", "Signed", "Signer", "digest", "sign", "verify"]
