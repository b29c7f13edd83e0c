"""Form fields that the desk's forms share: whole numbers, money, parties by name, days."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor
from twokey.desk.parties import services
from twokey.desk.parties.models import Organisation

_GROUPS = re.compile(r"[,，\s\u00a0]")
_CENTS = 2


def whole(text: str) -> int | None:
    """Read a whole number as people write it, with or without groups; None where it is none.

    >>> whole("400,000"), whole("4e5"), whole("-1")
    (400000, None, None)
    """
    bare = _GROUPS.sub("", text)
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) <= 16 else None


def minor(text: str) -> int | None:
    """Read an amount of money into whole minor currency; None where it is no amount, or has parts of a cent.

    >>> minor("27,000.5"), minor("-5"), minor("0.001"), minor("x")
    (2700050, -500, None, None)
    """
    try:
        amount = Decimal(_GROUPS.sub("", text))
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_CENTS or abs(amount) >= Decimal(10) ** 15:
        return None
    return int(amount * 100)


class Whole(forms.CharField):
    """A whole number above 0."""

    def clean(self, value: Any) -> Any:
        """Return the number."""
        text = super().clean(value)
        if not text:
            return None
        found = whole(text)
        if not found:
            raise forms.ValidationError(_("Give a whole number above 0, such as 400,000."))
        return found


class Money(forms.CharField):
    """An amount of money, kept as whole minor currency; `least` is in it too, None for an amount of either sign."""

    def __init__(self, *, least: int | None = 1, **options: Any) -> None:
        super().__init__(**options)
        self.least = least

    def clean(self, value: Any) -> Any:
        """Return the amount in minor currency, or None where nothing was typed."""
        text = super().clean(value)
        if not text:
            return None
        found = minor(text)
        if found is None or (self.least is not None and found < self.least):
            raise forms.ValidationError(
                _("Give an amount above 0 with at most two decimals, such as 27,000.00.")
                if self.least
                else _("Give an amount with at most two decimals, such as 27,000.00.")
            )
        return found


class Party(forms.CharField):
    """A party by its name in either script, or by its number."""

    widget = forms.TextInput(attrs={"list": "party-names", "autocomplete": "off"})

    def __init__(self, actor: Actor, **options: Any) -> None:
        super().__init__(**options)
        self.actor = actor

    def clean(self, value: Any) -> Any:
        """Return the organisation, or None where the field is empty."""
        text = super().clean(value)
        return find_party(self.actor, text) if text else None


def find_party(actor: Actor, text: str) -> Organisation:
    """Return the one party of a name or number; raises a `ValidationError` that says what to do otherwise."""
    wanted = Q(name=text) | Q(name_latin__iexact=text)
    if text.isascii() and text.isdecimal() and len(text) < 12:
        wanted |= Q(pk=int(text))
    found = list(services.parties(actor).filter(wanted)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise forms.ValidationError(_("Several parties have this name; give the number of the one that you mean."))
    raise forms.ValidationError(_("No party has this name. Enter it under Parties first."))


class Upload(forms.FileField):
    """A file of at most 25 MB; a larger one is refused before it is read."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the file."""
        file = super().clean(data, initial)
        if file is not None and file.size is not None and file.size > settings.TWOKEY_DOCUMENT_MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 25 MB."))
        return file


class Day(forms.DateField):
    """A day, by the browser's own picker."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    input_formats = ("%Y-%m-%d",)
