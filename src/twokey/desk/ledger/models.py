"""Balances that cannot be overdrawn, the movements on them, and the shipments that cause the movements."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from twokey.desk.audit.models import SignedDocument
from twokey.desk.cases.models import Batch, BatchShare, Decision, Order, OrderLine
from twokey.desk.parties.models import Authority


class Balance(models.Model):
    """One set of limits and how much of each is reserved and drawn.

    An authorisation, a batch, a company's share of a batch, and a ratio cap each have one. Rows change only inside the
    database functions of `ledger/sql`: `ledger_move` tests every limit in one conditional UPDATE, and the trigger
    behind it (`guard.sql`) keeps every row within its limits.
    """

    class Kind(models.TextChoices):
        """What the balance belongs to."""

        AUTHORISATION = "authorisation"
        BATCH = "batch"
        SHARE = "share"
        RATIO = "ratio"

    class State(models.TextChoices):
        """Only `in_force` lets anything be reserved or drawn."""

        IN_FORCE = "in_force"
        SUSPENDED = "suspended"
        REVOKED = "revoked"
        SURRENDERED = "surrendered"
        SUPERSEDED = "superseded"
        EXPIRED = "expired"

    kind = models.CharField(max_length=15, choices=Kind.choices)
    label = models.CharField(max_length=100)
    state = models.CharField(max_length=12, choices=State.choices, default=State.IN_FORCE)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True)  # the first moment at which it is no longer in force
    currency = models.CharField(max_length=3, blank=True)
    units_cap = models.BigIntegerField(null=True)  # null: no limit of this sort
    value_cap = models.BigIntegerField(null=True)
    uses_cap = models.BigIntegerField(null=True)
    value_tolerance = models.BigIntegerField(default=0)  # minor currency over the cap, usable while units remain
    units_reserved = models.BigIntegerField(default=0)
    units_drawn = models.BigIntegerField(default=0)
    value_reserved = models.BigIntegerField(default=0)
    value_drawn = models.BigIntegerField(default=0)
    uses_reserved = models.BigIntegerField(default=0)
    uses_drawn = models.BigIntegerField(default=0)


class BatchBalance(models.Model):
    """The balance of a batch, or of one company's share of it."""

    balance = models.OneToOneField(Balance, on_delete=models.PROTECT, primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="balances")
    share = models.OneToOneField(BatchShare, null=True, on_delete=models.PROTECT, related_name="balance_of")


class RatioCap(models.Model):
    """A cap that is a share of another running total, over a window that a person chose.

    The 50 % rule: aggregate TPP to China and Macau may not pass half the TPP of the same product shipped at home. The
    rule's text leaves the window open, so there is no default.
    """

    class Window(models.TextChoices):
        """Over which time both totals run."""

        SINCE = "since"  # one running total from a date on
        YEAR = "year"  # a fresh total every calendar year
        LICENCE = "licence"  # a fresh total for every authorisation

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT)
    product = models.CharField(max_length=100)
    destinations = ArrayField(models.CharField(max_length=2))
    ratio_bp = models.PositiveIntegerField()
    window = models.CharField(max_length=10, choices=Window.choices)
    since = models.DateField(null=True)
    chosen_by = models.CharField(max_length=150)
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["authority", "product"], name="ratio_once"),)


class RatioBalance(models.Model):
    """The balance of a ratio cap over one window; its units are bit-TOPS."""

    balance = models.OneToOneField(Balance, on_delete=models.PROTECT, primary_key=True)
    cap = models.ForeignKey(RatioCap, on_delete=models.PROTECT, related_name="balances")
    window_start = models.DateField()
    window_end = models.DateField(null=True)
    authorisation = models.OneToOneField("Authorisation", null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["cap", "window_start"], condition=Q(authorisation__isnull=True), name="window_once"
            ),
        )


class HomeShipments(models.Model):
    """What was shipped to customers at home: the other total of a ratio cap, as stated, with its source."""

    cap = models.ForeignKey(RatioCap, on_delete=models.PROTECT, related_name="statements")
    on = models.DateField()
    units = models.BigIntegerField()
    tpp_each = models.BigIntegerField()
    source = models.CharField(max_length=300)
    stated_by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)


class Authorisation(models.Model):
    """What a countersigned decision permits."""

    number = models.CharField(max_length=40, unique=True)
    authority = models.ForeignKey(Authority, on_delete=models.PROTECT)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="authorisations")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="authorisations")
    balance = models.OneToOneField(Balance, on_delete=models.PROTECT, related_name="authorisation")
    batch_balance = models.ForeignKey(Balance, null=True, on_delete=models.PROTECT, related_name="+")
    share_balance = models.ForeignKey(Balance, null=True, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_until = models.DateField()
    places = ArrayField(models.CharField(max_length=20))
    supersedes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=["valid_until"], name="authorisation_ends"),
            models.Index(fields=["created_at"], name="authorisation_made"),
        )

    def __str__(self) -> str:
        return self.number


class Condition(models.Model):
    """A duty that an authority set: met before the goods move (precedent) or kept ever after (lasting)."""

    class Kind(models.TextChoices):
        """When it must hold."""

        PRECEDENT = "precedent"
        LASTING = "lasting"

    authorisation = models.ForeignKey(Authorisation, on_delete=models.PROTECT, related_name="conditions")
    code = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text_en = models.TextField()
    text_zh = models.TextField()
    set_by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    replaced_by = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaces")
    lifted = models.BooleanField(default=False)
    document = models.ForeignKey(SignedDocument, null=True, on_delete=models.PROTECT)


class StateChange(models.Model):
    """A suspension, revocation, reinstatement, surrender, supersession or expiry, with its signed document."""

    balance = models.ForeignKey(Balance, on_delete=models.PROTECT, related_name="changes")
    before = models.CharField(max_length=12)
    after = models.CharField(max_length=12)
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    document = models.ForeignKey(SignedDocument, null=True, on_delete=models.PROTECT)


class Shipment(models.Model):
    """One consignment under an order; the unit of reservation, release, delivery and customs entry."""

    class State(models.TextChoices):
        """How far it has come."""

        PLANNED = "planned"
        RESERVED = "reserved"
        HALF_SIGNED = "half_signed"  # drawn and signed here; the other desk has not completed it
        RELEASED = "released"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        VOIDED = "voided"
        RETURNED = "returned"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    number = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PLANNED)
    place = models.CharField(max_length=20)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    reserved_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.number


class ShipmentLine(models.Model):
    """Units of one order line in one shipment, and the two authorisations that it moves under."""

    shipment = models.ForeignKey(Shipment, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT)
    units = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    export_authorisation = models.ForeignKey(Authorisation, null=True, on_delete=models.PROTECT, related_name="+")
    import_authorisation = models.ForeignKey(Authorisation, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(units__gt=0, value_minor__gte=0), name="shipment_positive"),)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a movement did to one balance, in the balance's own units and currency."""

    balance_id: int
    units: int
    value_minor: int
    uses: int


class Movement(models.Model):
    """One reserve, draw, void, expire, return or adjust; written once, by the database function alone.

    Its entries are four arrays of one length in its own row: a movement is then one insert, and the balances that it
    touched are found through one index.
    """

    class Kind(models.TextChoices):
        """The only movements there are."""

        RESERVE = "reserve"
        DRAW = "draw"
        VOID = "void"
        EXPIRE = "expire"
        RETURN = "return"
        ADJUST = "adjust"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=200)  # the same key has one effect
    digest = models.CharField(max_length=64)
    of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="followed_by",
        db_constraint=False,  # ledger_move has read the row
        db_index=False,
    )
    shipment = models.ForeignKey(
        Shipment, null=True, on_delete=models.PROTECT, related_name="movements", db_index=False
    )
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    balances = ArrayField(models.BigIntegerField())
    units = ArrayField(models.BigIntegerField())
    value_minor = ArrayField(models.BigIntegerField())
    uses = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["key"], name="movement_key_once"),
            models.UniqueConstraint(
                fields=["of"], condition=Q(kind__in=["draw", "void", "expire"]), name="reservation_resolved_once"
            ),
        )
        indexes = (  # partial, so that a movement that has neither pays for neither
            models.Index(fields=["of"], condition=Q(of__isnull=False), name="movement_of"),
            models.Index(fields=["shipment"], condition=Q(shipment__isnull=False), name="movement_shipment"),
            GinIndex(fields=["balances"], name="movement_balances"),
        )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it did to each balance, in the order of the balances' ids."""
        rows = zip(self.balances, self.units, self.value_minor, self.uses, strict=True)
        return tuple(Entry(*row) for row in rows)


class ExchangeRate(models.Model):
    """A rate as two integers, its source and its date; never a float."""

    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    numerator = models.BigIntegerField()
    denominator = models.BigIntegerField()
    source = models.CharField(max_length=300)
    on = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["base", "quote", "on"], name="rate_once"),
            models.CheckConstraint(condition=Q(numerator__gt=0, denominator__gt=0), name="rate_positive"),
        )


class Conversion(models.Model):
    """One conversion that a movement needed: amount before and after, and the rate that was used."""

    movement = models.ForeignKey(Movement, on_delete=models.PROTECT, related_name="conversions")
    balance = models.ForeignKey(Balance, on_delete=models.PROTECT)
    rate = models.ForeignKey(ExchangeRate, on_delete=models.PROTECT)
    from_minor = models.BigIntegerField()
    from_currency = models.CharField(max_length=3)
    to_minor = models.BigIntegerField()
    to_currency = models.CharField(max_length=3)


class Adjustment(models.Model):
    """A correction of what was drawn, proposed by one officer and signed by another."""

    authorisation = models.ForeignKey(Authorisation, on_delete=models.PROTECT, related_name="adjustments")
    units = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    uses = models.BigIntegerField(default=0)
    reason = models.TextField()
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField(auto_now_add=True)
    signed_by = models.CharField(max_length=150, blank=True)
    movement = models.OneToOneField(Movement, null=True, on_delete=models.PROTECT)
    document = models.ForeignKey(SignedDocument, null=True, on_delete=models.PROTECT)


class Release(models.Model):
    """The signed permission for one shipment."""

    number = models.CharField(max_length=40, unique=True)
    shipment = models.OneToOneField(Shipment, on_delete=models.PROTECT)
    movement = models.OneToOneField(Movement, on_delete=models.PROTECT)
    document = models.OneToOneField(SignedDocument, on_delete=models.PROTECT)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["at"], name="release_made"),)


class SerialNumber(models.Model):
    """One shipped unit."""

    shipment_line = models.ForeignKey(ShipmentLine, on_delete=models.PROTECT, related_name="serials")
    chip = models.CharField(max_length=100)
    serial = models.CharField(max_length=100)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["chip", "serial"], name="serial_once"),)


class Arrival(models.Model):
    """A delivery or a customs entry: what came, where, when, under which number."""

    class Kind(models.TextChoices):
        """Who says so."""

        DELIVERY = "delivery"
        CUSTOMS_ENTRY = "customs_entry"

    shipment_line = models.ForeignKey(ShipmentLine, on_delete=models.PROTECT, related_name="arrivals")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    number = models.CharField(max_length=60)
    on = models.DateField()
    place = models.CharField(max_length=20)
    units = models.BigIntegerField()
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["shipment_line", "kind", "number"], name="arrival_once"),
            models.CheckConstraint(condition=Q(units__gt=0), name="arrival_positive"),
        )
        indexes = (models.Index(fields=["recorded_at"], name="arrival_recorded"),)


class UsageRow(models.Model):
    """One row of a usage file, accepted or refused at once, with the reason code."""

    file_sha256 = models.CharField(max_length=64)
    row = models.PositiveIntegerField()
    accepted = models.BooleanField()
    code = models.CharField(max_length=40, blank=True)
    body = models.JSONField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
