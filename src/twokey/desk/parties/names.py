"""Two names for every party: one in its own script, one in Latin letters; both checked when they are entered."""

from __future__ import annotations

import unicodedata

from twokey.desk.reasons import Refused, problem, reason

_LATIN_EXTRA = set(" .,-&'()/+\"0123456789")


def check_name(text: str, field: str = "name") -> str:
    """Return a name in its own script, in NFC and without stray spaces.

    Raises `Refused` for control characters, an empty name, or one of punctuation only.

    >>> check_name(" 字节跳动有限公司 ")
    '字节跳动有限公司'
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name or not any(char.isalpha() for char in name):
        raise _refused(field, "no_letter")
    bad = [char for char in name if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Cs"}]
    if bad:
        raise _refused(field, "control_character", given=f"U+{ord(bad[0]):04X}")
    return name


def check_latin(text: str, field: str = "name_latin") -> str:
    """Return a name in plain Latin letters, as customs systems take it (no diacritics, no other script).

    >>> check_latin("ByteDance Ltd.")
    'ByteDance Ltd.'
    >>> check_latin("字节跳动")
    Traceback (most recent call last):
    twokey.desk.reasons.Refused: name_latin: 字 is not a plain Latin letter; give the name in its own script and, \
separately, in Latin letters
    """
    name = check_name(text, field)
    for char in name:
        if not (char in _LATIN_EXTRA or (char.isascii() and char.isalpha())):
            raise _refused(field, "not_latin", given=char)
    return name


def _refused(field: str, code: str, **values: str) -> Refused:
    return Refused(reason("name_script", field=field, problem=problem(code, **values)), status=422)
