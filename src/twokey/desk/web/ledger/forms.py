"""Forms of the ledger. They only read what was typed; every rule is the service's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twokey.chips import catalogue
from twokey.desk.ledger.models import Arrival, Shipment
from twokey.desk.web.base.fields import Day, Money, Upload
from twokey.desk.web.base.words import WORDS

PLACES: Final = tuple(WORDS["place"].items())
_MOST: Final = 10**15


class Units(forms.IntegerField):
    """A whole number of units."""

    def __init__(self, *, least: int = 1, **options: Any) -> None:
        super().__init__(min_value=least, max_value=_MOST, **options)


class WhyForm(forms.Form):
    """A reason, which stays on the record."""

    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_("It stays on the record."))


class StateForm(forms.Form):
    """A change of state and its reason."""

    change = forms.ChoiceField(label=_("Change"))
    why = forms.CharField(label=_("Reason"), max_length=300, help_text=_("It is signed with the change."))

    def __init__(self, changes: list[tuple[str, str | Promise]], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["change"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = changes


class AdjustForm(forms.Form):
    """A correction of what was drawn; another officer signs it."""

    units = forms.IntegerField(label=_("Units"), initial=0)
    value = Money(label=_("Value"), least=None, initial=0)
    uses = forms.IntegerField(label=_("Uses"), initial=0)
    why = forms.CharField(label=_("Reason"), max_length=300)


class ConditionForm(forms.Form):
    """A condition's new words, or its end."""

    text_en = forms.CharField(label=_("English"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    text_zh = forms.CharField(label=_("Chinese"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    lift = forms.BooleanField(label=_("Lift this condition"), required=False)
    why = forms.CharField(label=_("Reason"), max_length=300)


class BatchForm(forms.Form):
    """A ceiling of units and value."""

    code = forms.CharField(label=_("Code"), max_length=40)
    units = Units(label=_("Ceiling in units"))
    value = Money(label=_("Ceiling in value"))
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial="USD")
    oversubscription = forms.BooleanField(
        label=_("Grants together may pass the ceiling; draws never do"), required=False
    )


class TopUpForm(forms.Form):
    """An addition to a ceiling; another officer countersigns it."""

    units = Units(label=_("Units to add"), least=0, initial=0)
    value = Money(label=_("Value to add"), least=0, initial=0)
    why = forms.CharField(label=_("Reason"), max_length=300)


class PlanForm(forms.Form):
    """Where a shipment goes and under which number; its lines come one form each."""

    number = forms.CharField(label=_("Number of the shipment"), max_length=40)
    place = forms.ChoiceField(label=_("Place of delivery"), choices=PLACES)


class PlanLineForm(forms.Form):
    """How many units of one item of the order go into a shipment."""

    units = Units(label=_("Units"), least=0, required=False)
    value = Money(label=_("Value"), least=0, required=False)


class ShipForm(forms.Form):
    """The serial numbers of one item, one a line; none at all is allowed."""

    serials = forms.CharField(label=_("Serial numbers"), widget=forms.Textarea(attrs={"rows": 4}), required=False)


class ArriveForm(forms.Form):
    """A delivery, or a customs entry."""

    position = forms.TypedChoiceField(label=pgettext_lazy("goods", "Item"), coerce=int)
    number = forms.CharField(label=_("Number of the receipt or entry"), max_length=60)
    on = Day(label=_("Day"))
    place = forms.ChoiceField(label=_("Place"), choices=PLACES)
    units = Units(label=_("Units"))

    kinds: ClassVar[dict[str, str | Promise]] = {
        Arrival.Kind.DELIVERY.value: _("Record the delivery"),
        Arrival.Kind.CUSTOMS_ENTRY.value: _("Record the customs entry"),
    }

    def __init__(self, shipment: Shipment, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["position"]
        assert isinstance(field, forms.TypedChoiceField)
        lines = sorted(shipment.lines.all(), key=lambda each: each.line.position)
        field.choices = [(each.line.position, f"{each.line.position}: {each.line.chip}") for each in lines]


class ReturnLineForm(forms.Form):
    """How many units of one item come back."""

    units = Units(label=_("Units that come back"), least=0, required=False)


class CapForm(forms.Form):
    """The window of a ratio cap: the rule's text names none, so a person chooses it, with a reason."""

    product = forms.ChoiceField(label=_("Product"))
    destinations = forms.MultipleChoiceField(
        label=_("Destinations that it counts"),
        choices=[(code, word) for code, word in WORDS["country"].items() if code != "US"],
        initial=["CN", "MO"],
        widget=forms.CheckboxSelectMultiple,
    )
    share = forms.DecimalField(
        label=_("Share of the home shipments, in per cent"), min_value=Decimal("0.01"), max_value=100, decimal_places=2,
        initial=50,
    )  # fmt: skip
    window = forms.ChoiceField(label=_("Window"), choices=list(WORDS["window"].items()))
    since = Day(label=_("First day"), required=False, help_text=_("Only for one total from a day on."))
    why = forms.CharField(
        label=_("Why this window"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The rule's text names none. The choice stands, as it is history."),
    )  # fmt: skip

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["product"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(chip.name, chip.name) for chip in catalogue()]


class HomeForm(forms.Form):
    """What was shipped to customers at home, as stated."""

    on = Day(label=_("On or up to the day"))
    units = Units(label=_("Units"))
    tpp_each = Units(label=_("TPP of one unit"), help_text=_("Bit-TOPS, rounded up."))
    source = forms.CharField(label=_("Source"), max_length=300)


class UsageForm(forms.Form):
    """A usage report as a file."""

    file = Upload(
        label=_("File"), help_text=_("CSV or JSON with licence, shipment, quantity, unit, currency, entry, on, place.")
    )
