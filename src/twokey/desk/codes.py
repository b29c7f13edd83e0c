"""Codes that a person types: country, currency, place; each is checked before it is kept, at whichever door."""

from __future__ import annotations

from functools import cache
from typing import Final

from babel import Locale

from twokey.desk.reasons import invalid

PLACES: Final = ("mainland", "hong_kong", "macau")
_NO_COUNTRY: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})  # codes of CLDR that name no one country


def check_country(code: str, field: str = "country") -> str:
    """Return a country's two capitals; raises `Refused` for a code that no country has.

    >>> check_country("cn")
    'CN'
    """
    if code.upper() not in _countries():
        raise invalid(field, "not_country", given=code[:60])
    return code.upper()


def check_currency(code: str, field: str = "currency") -> str:
    """Return a currency's three capitals; raises `Refused` for a code that no currency has.

    >>> check_currency("USD")
    'USD'
    """
    if code not in _currencies():
        raise invalid(field, "not_currency", given=code[:60])
    return code


def check_place(code: str, field: str = "place") -> str:
    """Return a place of delivery, one of `PLACES` or a country; raises `Refused` for anything else."""
    if code not in PLACES and code not in _countries():
        raise invalid(field, "place_not_known", given=code[:60], known=", ".join(PLACES))
    return code


@cache
def _countries() -> frozenset[str]:
    codes = {str(code) for code in Locale("en").territories}
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NO_COUNTRY


@cache
def _currencies() -> frozenset[str]:
    return frozenset(Locale("en").currencies)
