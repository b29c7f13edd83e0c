"""A signed document as the text of a QR code, and back: base45 of zlib, as the EU's health certificates had it.

A QR code of the largest size takes 4,296 such characters. Where a document is longer, the code names it and gives its
SHA-256, and the check needs the PDF or the file.
"""

from __future__ import annotations

import base64
import io
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

import segno

from twokey.desk.reasons import Reason, reason

WHOLE: Final = "TWOKEY1:"
DIGEST: Final = "TWOKEY-SHA256:"
LIMIT: Final = 4_296  # characters of the alphanumeric mode in version 40, level L
_MOST_BYTES: Final = 65_536  # a text that unpacks to more is no release
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {char: index for index, char in enumerate(_ALPHABET)}


class BadCode(ValueError):  # noqa: N818 (it reads: raise BadCode)
    """A text that no QR code of ours carries; `reason` tells why, in both languages."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason("qr_broken", detail=detail)


def pack(document: Mapping[str, Any]) -> str:
    """Return a signed document as text: its canonical payload, then a header and a signature a signer, one a line."""
    lines = [_bytes(document["payload"])]
    for each in document["signatures"]:
        lines += [_bytes(each["protected"]), each["signature"].encode()]
    return WHOLE + base45(zlib.compress(b"\n".join(lines), 9))


def unpack(text: str) -> dict[str, Any]:
    """Return the document that a code carries, unchecked; raises `BadCode` where it carries none."""
    if text.startswith(DIGEST):
        raise BadCode("it names a document and its SHA-256 only; check the PDF or the file itself")
    if not text.startswith(WHOLE):
        raise BadCode(f"it does not begin with {WHOLE}")
    try:
        unpacker = zlib.decompressobj()
        whole = unpacker.decompress(unbase45(text.removeprefix(WHOLE)), _MOST_BYTES)
        payload, *rest = whole.split(b"\n")
        if not unpacker.eof or not rest or len(rest) % 2:
            raise BadCode("it is cut off")
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return {
            "payload": _text(payload),
            "signatures": [{"protected": _text(head), "signature": mark.decode("ascii")} for head, mark in pairs],
        }
    except (zlib.error, UnicodeDecodeError) as error:
        raise BadCode(str(error)) from None


def code_of(document: Mapping[str, Any], number: str, sha256: str) -> str:
    """Return the text of a paper's code: the whole document where it fits, else its number and its SHA-256."""
    whole = pack(document)
    return whole if len(whole) <= LIMIT else digest_code(number, sha256)


def digest_code(number: str, sha256: str) -> str:
    """Return the text that names a document by its SHA-256, in characters that a QR code packs closely.

    >>> digest_code("rel 7", "0a" * 32)[:26]
    'TWOKEY-SHA256:REL 7:0A0A0A'
    """
    safe = re.sub(r"[^0-9A-Z $%*+\-./]", "-", number.upper())
    return f"{DIGEST}{safe}:{sha256.upper()}"


def svg(text: str) -> str:
    """Return a code as SVG, with its quiet zone of four modules and no more error correction than its size leaves."""
    out = io.BytesIO()
    segno.make(text, error="l", micro=False).save(out, kind="svg", border=4, xmldecl=False, nl=False)
    return out.getvalue().decode()


def base45(content: bytes) -> str:
    """Return bytes in base 45 (RFC 9285).

    >>> base45(b"Hello!!")
    '%69 VD92EX0'
    """
    out = []
    for start in range(0, len(content), 2):
        pair = content[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, rest = divmod(number, 45)
            out.append(_ALPHABET[rest])
    return "".join(out)


def unbase45(text: str) -> bytes:
    """Return the bytes of a base 45 text; raises `BadCode` where it is none.

    >>> unbase45("%69 VD92EX0")
    b'Hello!!'
    """
    out = bytearray()
    for start in range(0, len(text), 3):
        part = text[start : start + 3]
        if len(part) == 1 or not all(char in _VALUE for char in part):
            raise BadCode("it is not base 45")
        number = sum(_VALUE[char] * 45**place for place, char in enumerate(part))
        if number >= 256 ** (len(part) - 1):
            raise BadCode("it is not base 45")
        out += number.to_bytes(len(part) - 1, "big")
    return bytes(out)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
