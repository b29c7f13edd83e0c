"""What a password must be, said in both languages: Django's own catalogue lacks the Chinese of this one."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext as _


class LongEnough(MinimumLengthValidator):
    """A password of at least `min_length` characters."""

    def get_error_message(self) -> str:
        """Say how long it must be."""
        return _("This password is too short: at least %(least)s characters.") % {"least": self.min_length}
