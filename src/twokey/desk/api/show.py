"""Turn rows into the shapes that leave; API and command line print the same."""

from __future__ import annotations

from twokey.desk.actors import Actor, Role
from twokey.desk.api import shapes
from twokey.desk.audit.models import Event, OutboxMessage, Received, SignedDocument
from twokey.desk.cases.calendars import days_used
from twokey.desk.cases.models import Application, Batch, Decision, Document, Order, StoredAssessment
from twokey.desk.ledger.models import Authorisation, Balance, Release, Shipment
from twokey.desk.ledger.posture import posture
from twokey.desk.parties.models import Organisation, Screening, ScreeningList


def party(row: Organisation) -> shapes.PartyOut:
    """Show a party."""
    return shapes.PartyOut(
        id=row.pk,
        name=row.name,
        name_latin=row.name_latin,
        kind=row.kind,
        country=row.country,
        hq_country=row.hq_country,
        ultimate_parent_id=row.ultimate_parent_id,
        aliases=[each.name for each in row.aliases.all()],
        identifiers={each.scheme: each.value for each in row.identifiers.all()},
        addresses=[
            shapes.AddressIn(lines=each.lines, lines_latin=each.lines_latin, country=each.country)
            for each in row.addresses.all()
        ],
        owners=[
            shapes.OwnerOut(owner_id=each.owner_id, share_bp=each.share_bp, as_of=each.as_of, source=each.source)
            for each in row.owners.all()
        ],
        provenance=row.provenance,
    )


def screening(row: Screening) -> shapes.ScreeningOut:
    """Show a screening."""
    return shapes.ScreeningOut(
        id=row.pk,
        party_id=row.organisation_id,
        at=row.at,
        outcome=row.outcome,
        lists_digest=row.lists_digest,
        engine=row.engine,
        matches=row.matches,
    )


def screening_list(row: ScreeningList) -> shapes.ListOut:
    """Show a screening list."""
    return shapes.ListOut(
        code=row.code,
        title=row.title,
        required=row.required,
        max_age_days=row.max_age_days,
        entries=row.current.entries if row.current else 0,
        imported_at=row.current.imported_at if row.current else None,
        sha256=row.current.sha256 if row.current else "",
    )


def order(row: Order, *, states: bool = False) -> shapes.OrderOut:
    """Show an order, with its five states where asked."""
    from twokey.desk.ledger.progress import five_states

    return shapes.OrderOut(
        id=row.pk,
        number=row.number,
        exporter_id=row.exporter_id,
        importer_id=row.importer_id,
        currency=row.currency,
        destination=row.destination,
        place=row.place,
        lines=[
            shapes.LineOut(
                position=each.position, chip=each.chip, units=each.units, value_minor=each.value_minor, tpp=each.tpp
            )
            for each in sorted(row.lines.all(), key=lambda line: line.position)
        ],
        facts=row.facts,
        states=five_states(row) if states else {},
    )


def case(row: Application) -> shapes.CaseOut:
    """Show an application as a line of the queue."""
    return shapes.CaseOut(
        id=row.pk,
        order_id=row.order_id,
        order=row.order.number,
        authority=row.authority.code,
        side=row.authority.side,
        state=row.state,
        applicant=row.applicant.name_latin,
        officer=row.officer,
        attention=row.attention,
        use_statement=row.use_statement,
        amends_id=row.amends_id,
        submitted_at=row.submitted_at,
        closed_at=row.closed_at,
    )


def document(row: Document) -> shapes.DocumentOut:
    """Show a document."""
    return shapes.DocumentOut(
        id=row.pk,
        kind=row.kind,
        filename=row.filename,
        content_type=row.content_type,
        size=row.size,
        sha256=row.sha256,
        scan=row.scan,
        scan_detail=row.scan_detail,
    )


def assessment(row: StoredAssessment) -> shapes.AssessmentOut:
    """Show an assessment."""
    return shapes.AssessmentOut(
        id=row.pk,
        as_of=row.as_of,
        key=row.key,
        status=row.status,
        answer=row.answer,
        missing=row.missing,
        law_digest=row.law_digest,
        why=row.why,
    )


def decision(row: Decision) -> shapes.DecisionOut:
    """Show a decision."""
    second = getattr(row, "countersignature", None)
    return shapes.DecisionOut(
        id=row.pk,
        outcome=row.outcome,
        reasons=row.reasons,
        terms=row.terms,
        officer=row.officer,
        at=row.at,
        countersigned_by=second.officer if second and second.signed else "",
        sha256=row.document.sha256,
    )


def case_file(actor: Actor, row: Application) -> shapes.CaseFile:
    """Show an application with its papers.

    Advice is its own authority's; a decision that waits for its second signature is not shown outside it.
    """
    own = actor.authority_id == row.authority_id
    decisions = row.decisions.select_related("document", "countersignature").order_by("pk")
    return shapes.CaseFile(
        **case(row).model_dump(),
        working_days=days_used(row),
        documents=[document(each) for each in row.documents.filter(withdrawal=None).order_by("pk")],
        assessments=[assessment(each) for each in row.assessments.order_by("pk")],
        decisions=[
            decision(each)
            for each in decisions
            if own or actor.role is Role.AUDITOR or getattr(each, "countersignature", None) is not None
        ],
        questions=[
            shapes.QuestionOut(
                id=each.pk,
                question=each.question,
                asked_at=each.asked_at,
                due_on=each.due_on,
                answer=each.answer,
                answered_at=each.answered_at,
            )
            for each in row.questions.order_by("pk")
        ],
        advice=[
            shapes.AdviceOut(
                id=each.pk, reviewer=each.reviewer, recommendation=each.recommendation, text=each.text, at=each.at
            )
            for each in (row.advice.order_by("pk") if own else [])
        ],
    )


def balance(row: Balance) -> shapes.BalanceOut:
    """Show a balance with what is left of it."""
    left = posture(row)
    return shapes.BalanceOut(
        id=row.pk,
        label=row.label,
        state=row.state,
        currency=row.currency,
        units_cap=row.units_cap,
        units_reserved=row.units_reserved,
        units_drawn=row.units_drawn,
        units_left=left.units_left,
        value_cap=row.value_cap,
        value_tolerance=row.value_tolerance,
        value_reserved=row.value_reserved,
        value_drawn=row.value_drawn,
        value_left=left.value_left,
        uses_cap=row.uses_cap,
        uses_left=left.uses_left,
        posture=left.step,
    )


def batch(row: Batch) -> shapes.BatchOut:
    """Show a batch."""
    return shapes.BatchOut(
        id=row.pk,
        code=row.code,
        authority=row.authority.code,
        countersigned=bool(row.countersigned_by),
        units_granted=row.units_granted,
        value_granted=row.value_granted,
        ceilings=[balance(each.balance) for each in sorted(row.balances.all(), key=lambda each: each.pk)],
    )


def authorisation(row: Authorisation) -> shapes.AuthorisationOut:
    """Show an authorisation with its balance and the conditions that stand."""
    return shapes.AuthorisationOut(
        id=row.pk,
        number=row.number,
        authority=row.authority.code,
        side=row.authority.side,
        order_id=row.line.order_id,
        company=row.line.order.importer.name_latin,
        item=row.line.chip,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        places=row.places,
        balance=balance(row.balance),
        conditions=[
            shapes.ConditionOut(id=each.pk, code=each.code, kind=each.kind, text_en=each.text_en, text_zh=each.text_zh)
            for each in row.conditions.all()
            if each.replaced_by_id is None and not each.lifted
        ],
    )


def shipment(row: Shipment) -> shapes.ShipmentOut:
    """Show a shipment."""
    return shapes.ShipmentOut(
        id=row.pk,
        number=row.number,
        order_id=row.order_id,
        state=row.state,
        place=row.place,
        reserved_until=row.reserved_until,
        lines=[
            shapes.ShipmentLineOut(
                position=each.line.position,
                item=each.line.chip,
                units=each.units,
                value_minor=each.value_minor,
                currency=each.currency,
                export=each.export_authorisation.number if each.export_authorisation else "",
                import_=each.import_authorisation.number if each.import_authorisation else "",
            )
            for each in sorted(row.lines.all(), key=lambda line: line.pk)
        ],
    )


def release(row: Release) -> shapes.ReleaseOut:
    """Show a release with its signed document."""
    return shapes.ReleaseOut(
        id=row.pk,
        number=row.number,
        shipment=row.shipment.number,
        at=row.at,
        sha256=row.document.sha256,
        document=row.document.jws,
    )


def signed(row: SignedDocument) -> shapes.SignedOut:
    """Show a signed document."""
    return shapes.SignedOut(kind=row.kind, sha256=row.sha256, document=row.jws)


def received(row: Received) -> shapes.ReceivedOut:
    """Show what was taken in from another desk."""
    return shapes.ReceivedOut(
        id=row.pk,
        kind=row.kind,
        authority=row.authority,
        number=row.number,
        order=row.order,
        said_at=row.said_at,
        signed_by=row.signed_by,
        sha256=row.sha256,
        at=row.at,
    )


def message(row: OutboxMessage) -> shapes.MessageOut:
    """Show a message of the outbox."""
    return shapes.MessageOut(
        id=row.pk,
        topic=row.topic,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )


def event(row: Event) -> shapes.EventOut:
    """Show an event."""
    return shapes.EventOut(
        id=row.pk,
        at=row.at,
        actor=row.actor,
        role=row.role,
        authority=row.authority,
        channel=row.channel,
        verb=row.verb,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        payload=row.payload,
    )
