"""Authorities, organisations and seats; lists that parties are screened against, and what was found."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Authority(models.Model):
    """A body that turns a key or sets a condition."""

    class Side(models.TextChoices):
        """Which key."""

        EXPORT = "export"
        IMPORT = "import"

    code = models.SlugField(max_length=20, unique=True)
    name_en = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200)
    side = models.CharField(max_length=6, choices=Side.choices)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=40, default="UTC")
    value_tolerance_bp = models.PositiveIntegerField(default=0)  # basis points over the value, while units remain

    def __str__(self) -> str:
        return self.code


class Holiday(models.Model):
    """A day on which an authority does not work, besides Saturday and Sunday."""

    authority = models.ForeignKey(Authority, on_delete=models.CASCADE)
    on = models.DateField()
    name = models.CharField(max_length=100)
    works = models.BooleanField(default=False)  # True: a weekend day on which it does work

    class Meta:
        constraints = (models.UniqueConstraint(fields=["authority", "on"], name="holiday_once"),)


class Organisation(models.Model):
    """A party, with its name in its own script and in Latin letters."""

    class Kind(models.TextChoices):
        """What it is, as far as a rule asks."""

        PRIVATE = "private"
        STATE_OWNED = "state_owned"
        MILITARY = "military"
        CRITICAL_INFRASTRUCTURE = "critical_infrastructure"
        UNIVERSITY_LABORATORY = "university_laboratory"
        CLOUD_PROVIDER = "cloud_provider"

    name = models.CharField(max_length=300)
    name_latin = models.CharField(max_length=300)
    kind = models.CharField(max_length=30, choices=Kind.choices)
    country = models.CharField(max_length=2)
    hq_country = models.CharField(max_length=2)
    ultimate_parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provenance = models.CharField(max_length=300, blank=True)  # "reported: …" or "invented"
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name_latin

    @property
    def parent_hq_country(self) -> str:
        """Country in which the ultimate parent has its headquarters; the organisation's own where it has no parent."""
        return self.ultimate_parent.hq_country if self.ultimate_parent else self.hq_country


class Alias(models.Model):
    """Another name of an organisation, in any script."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=300)


class Identifier(models.Model):
    """A number under which some register knows an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="identifiers")
    scheme = models.CharField(max_length=30)  # "USCC", "LEI", "DUNS", "EIN"
    value = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["scheme", "value"], name="identifier_once"),)


class Address(models.Model):
    """A place of an organisation, in its own script and in Latin letters."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="addresses")
    lines = models.CharField(max_length=400)
    lines_latin = models.CharField(max_length=400)
    country = models.CharField(max_length=2)


class Ownership(models.Model):
    """A share that one organisation holds in another, in basis points, on a date, from a source."""

    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="holdings")
    owned = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="owners")
    share_bp = models.PositiveIntegerField()
    as_of = models.DateField()
    source = models.CharField(max_length=300)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(share_bp__gt=0, share_bp__lte=10_000), name="share_of_a_whole"),
        )


class Seat(models.Model):
    """Where a person sits: a role at one authority or at one organisation, or at the desk itself."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="seat")
    role = models.CharField(max_length=20)
    authority = models.ForeignKey(Authority, null=True, blank=True, on_delete=models.PROTECT)
    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="seat_at_one_place",
                condition=(
                    models.Q(role__in=["officer", "adviser"], authority__isnull=False, organisation__isnull=True)
                    | models.Q(role="applicant", authority__isnull=True, organisation__isnull=False)
                    | models.Q(role__in=["customs", "auditor", "operator"], organisation__isnull=True)
                ),
            ),
        )


class ScreeningList(models.Model):
    """A list that parties are screened against, and how old it may grow before it blocks releases."""

    code = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    required = models.BooleanField(default=True)
    max_age_days = models.PositiveIntegerField(default=7)
    current = models.ForeignKey("ListVersion", null=True, on_delete=models.PROTECT, related_name="+")


class ListVersion(models.Model):
    """One import of a list, kept for good."""

    list = models.ForeignKey(ScreeningList, on_delete=models.PROTECT, related_name="versions")
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=300)
    imported_at = models.DateTimeField(auto_now_add=True)
    imported_by = models.CharField(max_length=150)
    entries = models.PositiveIntegerField()
    dropped = models.PositiveIntegerField(default=0)


class ListEntry(models.Model):
    """One entry of one version: the names to compare with, and why the party is listed."""

    version = models.ForeignKey(ListVersion, on_delete=models.PROTECT, related_name="rows")
    uid = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)  # a decision on a match holds while this stays the same
    name = models.TextField()
    names = models.JSONField(default=list)
    countries = models.JSONField(default=list)
    source = models.TextField(blank=True)
    programme = models.TextField(blank=True)


class Screening(models.Model):
    """One screening of one party against the lists of one moment."""

    class Outcome(models.TextChoices):
        """What it found."""

        CLEAN = "clean"
        OPEN = "open"  # a possible match waits for an officer
        LISTED = "listed"  # an officer confirmed a match

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="screenings")
    at = models.DateTimeField(auto_now_add=True)
    lists_digest = models.CharField(max_length=64)
    names_digest = models.CharField(max_length=64)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    matches = models.JSONField(default=list)
    engine = models.CharField(max_length=40)

    class Meta:
        indexes = (models.Index(fields=["organisation", "-id"]),)


class ScreeningDecision(models.Model):
    """An officer's judgement of one match; kept, and used again while the entry and the name stay the same."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="screening_decisions")
    entry_uid = models.CharField(max_length=120)
    entry_digest = models.CharField(max_length=64)
    names_digest = models.CharField(max_length=64)
    same = models.BooleanField()  # True: it is the listed party
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
