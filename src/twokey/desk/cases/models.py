"""An order has lines and parties; each key has applications, and each application its papers and its decision."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from twokey.desk.audit.models import SignedDocument
from twokey.desk.parties.models import Authority, Organisation


class Order(models.Model):
    """What a buyer wants from a seller: the thing that two keys must turn for."""

    number = models.CharField(max_length=40, unique=True)
    exporter = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="exports")
    importer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="imports")
    currency = models.CharField(max_length=3)
    destination = models.CharField(max_length=2)
    place = models.CharField(max_length=20)  # "mainland", "hong_kong", "macau", or a country code
    facts = models.JSONField(default=dict)  # flat dotted names, as the law room reads them
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One item of an order: integer units at an integer unit price in minor currency."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    chip = models.CharField(max_length=100)
    units = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    tpp = models.BigIntegerField(null=True)  # bit-TOPS of one unit, rounded up; null: unknown

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position"),
            models.CheckConstraint(condition=models.Q(units__gt=0, value_minor__gt=0), name="order_line_positive"),
        )


class OrderParty(models.Model):
    """A party in a role: every one is disclosed, every one is screened."""

    class Role(models.TextChoices):
        """What the party does in the transaction."""

        EXPORTER = "exporter"
        PURCHASER = "purchaser"
        INTERMEDIATE_CONSIGNEE = "intermediate_consignee"
        ULTIMATE_CONSIGNEE = "ultimate_consignee"
        END_USER = "end_user"
        CARRIER = "carrier"
        LABORATORY = "laboratory"
        REMOTE_USER = "remote_user"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="parties")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(max_length=30, choices=Role.choices)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["order", "organisation", "role"], name="party_role_once"),)


class Milestone(models.Model):
    """One of the five states of an order that stall on their own, with its date and who said so."""

    class Kind(models.TextChoices):
        """Which of the five."""

        APPROVAL = "approval"
        CONDITIONS_MET = "conditions_met"
        ORDER = "order"
        LICENCE = "licence"
        CUSTOMS_RELEASE = "customs_release"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="milestones")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    on = models.DateField()
    reference = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.CharField(max_length=150)


class Batch(models.Model):
    """Decisions issued together under one ceiling of units and value."""

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT)
    code = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    oversubscription = models.BooleanField(default=False)  # may grants together pass the ceiling that draws may not?
    units_granted = models.BigIntegerField(default=0)
    value_granted = models.BigIntegerField(default=0)
    opened_by = models.CharField(max_length=150)
    countersigned_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["authority", "code"], name="batch_code"),)

    def __str__(self) -> str:
        return self.code


class BatchShare(models.Model):
    """The ceiling of one company inside a batch."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="shares")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    units_granted = models.BigIntegerField(default=0)
    value_granted = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["batch", "organisation"], name="share_once"),)


class BatchTopUp(models.Model):
    """An addition to a ceiling, proposed by one officer and countersigned by another; the row says both."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="topups")
    share = models.ForeignKey(BatchShare, null=True, on_delete=models.PROTECT)
    units = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    reason = models.TextField()
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField(auto_now_add=True)
    countersigned_by = models.CharField(max_length=150, blank=True)
    document = models.ForeignKey(SignedDocument, null=True, on_delete=models.PROTECT)


class Application(models.Model):
    """A request to one authority to turn its key for one order."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="applications")
    authority = models.ForeignKey(Authority, on_delete=models.PROTECT)
    state = models.CharField(max_length=30, default="draft", db_index=True)
    applicant = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    use_statement = models.TextField(blank=True)
    officer = models.CharField(max_length=150, blank=True)
    amends = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="amendments")
    attention = models.CharField(max_length=60, blank=True, db_index=True)  # why it came back to the queue
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["authority", "state", "submitted_at"]),
            models.Index(fields=["applicant", "state", "submitted_at"]),
            models.Index(fields=["submitted_at", "id"]),  # the list of both authorities' cases, oldest first
            models.Index(  # what came back to an authority, which is little
                fields=["authority", "submitted_at", "id"], condition=~models.Q(attention=""), name="case_came_back"
            ),
        )


class Document(models.Model):
    """An uploaded file: its kind as content says, its hash, and whether a scanner passed it."""

    class Scan(models.TextChoices):
        """What the scanner said."""

        CLEAN = "clean"
        INFECTED = "infected"
        FAILED = "failed"  # no scanner, or it did not answer: counts as not clean

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=40)
    filename = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=64)
    scan = models.CharField(max_length=10, choices=Scan.choices)
    scan_detail = models.CharField(max_length=200, blank=True)
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField(auto_now_add=True)


class DocumentWithdrawal(models.Model):
    """What the applicant took back: the document stays on file, and counts for nothing."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="withdrawal")
    why = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)


class Evidence(models.Model):
    """What shows that a certification or a condition holds: dated, expiring, resting on a document."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="evidence")
    name = models.CharField(max_length=60)  # a certification of the law room, or a condition's own code
    shipment_id = models.BigIntegerField(null=True)  # set where it shows something of one shipment only
    document = models.ForeignKey(Document, on_delete=models.PROTECT)
    issuer = models.CharField(max_length=300)
    issued_on = models.DateField()
    expires_on = models.DateField(null=True)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.TextField(blank=True)

    class Meta:
        indexes = (models.Index(fields=["order", "name"]), models.Index(fields=["expires_on"]))

    @property
    def over(self) -> bool:
        """Say whether its last day has passed."""
        return self.expires_on is not None and self.expires_on < timezone.now().date()


class StoredAssessment(models.Model):
    """What the law said of the order on a day: kept with the case, and compared when law, facts or lists change."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="assessments")
    as_of = models.DateField()
    at = models.DateTimeField(auto_now_add=True)
    key = models.CharField(max_length=6)
    status = models.CharField(max_length=20)
    answer = models.CharField(max_length=100, blank=True)
    missing = ArrayField(models.CharField(max_length=100), default=list)
    law_digest = models.CharField(max_length=128)
    facts_digest = models.CharField(max_length=64)
    lists_digest = models.CharField(max_length=64)
    body = models.JSONField()
    why = models.CharField(max_length=40)  # submit, decide, law_changed, facts_changed, lists_changed, asked


class Advice(models.Model):
    """One reviewer's advice."""

    class Recommendation(models.TextChoices):
        """What the reviewer recommends."""

        APPROVE = "approve"
        APPROVE_WITH_CONDITIONS = "approve_with_conditions"
        REFUSE = "refuse"
        NO_OBJECTION = "no_objection"

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="advice")
    reviewer = models.CharField(max_length=150)
    recommendation = models.CharField(max_length=30, choices=Recommendation.choices)
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)


class AdviceRequest(models.Model):
    """A named reviewer whose advice the decision waits for."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="advice_requests")
    reviewer = models.CharField(max_length=150)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["application", "reviewer"], name="asked_once"),)


class Note(models.Model):
    """An authority's internal note; invisible to the other authority and to the parties."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="notes")
    authority = models.ForeignKey(Authority, on_delete=models.PROTECT)
    author = models.CharField(max_length=150)
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)


class InformationRequest(models.Model):
    """A question to the applicant; closed only by an explicit answer."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="questions")
    question = models.TextField()
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    answer = models.TextField(blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)


class Necessity(models.Model):
    """An officer's recorded judgement whether the use is necessary, criterion by criterion."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="necessity")
    necessary = models.BooleanField()
    criteria = models.JSONField()  # criterion -> what the officer found
    officer = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)


class Decision(models.Model):
    """What one officer decided; it permits nothing until another officer countersigns."""

    class Outcome(models.TextChoices):
        """The two answers."""

        APPROVE = "approve"
        REFUSE = "refuse"

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reasons = models.TextField()
    terms = models.JSONField(default=dict)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT)
    law_digest = models.CharField(max_length=128)
    officer = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    document = models.ForeignKey(SignedDocument, on_delete=models.PROTECT)


class Countersignature(models.Model):
    """The second officer's signature, or their refusal to give it."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="countersignature")
    signed = models.BooleanField()
    reason = models.TextField(blank=True)
    officer = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    document = models.ForeignKey(SignedDocument, null=True, on_delete=models.PROTECT)


class Reconfirmation(models.Model):
    """An officer's word that a decision stands after the law changed under it."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reconfirmations")
    law_digest = models.CharField(max_length=128)
    reason = models.TextField()
    officer = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    document = models.ForeignKey(SignedDocument, on_delete=models.PROTECT)


class Appeal(models.Model):
    """An applicant's appeal against a refusal, and what came of it."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="appeal")
    grounds = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    allowed = models.BooleanField(null=True)
    heard_by = models.CharField(max_length=150, blank=True)
    heard_reason = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True)


class Breach(models.Model):
    """A condition that measured use did not keep: its case is open again until its authority has found on it."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="breaches")
    code = models.CharField(max_length=16)  # of the record: the same for the same facts
    condition = models.CharField(max_length=80)
    body = models.JSONField()  # the record of the use report, its shares in basis points
    reported_by = models.CharField(max_length=150)
    reported_at = models.DateTimeField(auto_now_add=True)
    finding = models.TextField(blank=True)
    found_by = models.CharField(max_length=150, blank=True)
    found_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["application", "code"], name="breach_once"),)
