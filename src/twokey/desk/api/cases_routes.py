"""Orders, applications and batches."""

from __future__ import annotations

from typing import Any

from ninja import File, Form, Query, Router, UploadedFile

from twokey.desk.actors import Actor
from twokey.desk.api import shapes, show
from twokey.desk.api.routing import route
from twokey.desk.cases import batches, deciding, drafting, papers, reviewing
from twokey.desk.cases.assessing import assess_case
from twokey.desk.cases.completeness import gaps
from twokey.desk.cases.deciding import ConditionTerm, LineTerm, Terms
from twokey.desk.cases.drafting import LineDraft, OrderDraft
from twokey.desk.reasons import missing

router = Router(tags=["cases"])


@route(router, "GET", "/orders", "order.read", list[shapes.OrderOut])
def orders(actor: Actor, page: Query[shapes.Page]) -> list[shapes.OrderOut]:
    """List orders by id."""
    rows = reviewing.orders(actor).filter(pk__gt=page.after).order_by("pk")[: page.limit]
    return [show.order(row) for row in rows]


@route(router, "POST", "/orders", "order.create", shapes.OrderOut, 201)
def create_order(actor: Actor, body: shapes.OrderIn) -> shapes.OrderOut:
    """Enter an order."""
    draft = OrderDraft(
        number=body.number,
        exporter_id=body.exporter_id,
        importer_id=body.importer_id,
        currency=body.currency,
        destination=body.destination,
        place=body.place,
        lines=[LineDraft(each.chip, each.units, each.value_minor, each.tpp) for each in body.lines],
        parties=[(each.party_id, each.role) for each in body.parties],
        facts=dict(body.facts),
    )
    return show.order(drafting.create_order(actor, draft))


@route(router, "GET", "/orders/{order_id}", "order.read", shapes.OrderOut)
def order(actor: Actor, order_id: shapes.PathId) -> shapes.OrderOut:
    """Show an order with its five states: approval, conditions met, order, licence, customs release."""
    row = reviewing.orders(actor).filter(pk=order_id).first()
    if row is None:
        raise missing("order", order_id)
    return show.order(row, states=True)


@route(router, "POST", "/orders/{order_id}/facts", "case.draft", shapes.OrderOut)
def facts(actor: Actor, order_id: shapes.PathId, body: shapes.FactsIn) -> shapes.OrderOut:
    """State facts of an order; its cases are assessed again."""
    return show.order(drafting.set_facts(actor, order_id, dict(body.facts)))


@route(router, "POST", "/orders/{order_id}/placed", "case.draft", shapes.IdOut, 201)
def placed(actor: Actor, order_id: shapes.PathId, body: shapes.PlacedIn) -> shapes.IdOut:
    """Record that the buyer placed the order."""
    return shapes.IdOut(id=drafting.place_order(actor, order_id, body.on, body.reference).pk)


@route(router, "POST", "/orders/{order_id}/evidence", "case.evidence", shapes.IdOut, 201)
def evidence(actor: Actor, order_id: shapes.PathId, body: shapes.EvidenceIn) -> shapes.IdOut:
    """Record evidence for a certification or a condition."""
    row = papers.add_evidence(actor, order_id, **body.model_dump())
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/evidence/{evidence_id}/withdraw", "case.evidence", shapes.IdOut)
def withdraw_evidence(actor: Actor, evidence_id: shapes.PathId, body: shapes.TextIn) -> shapes.IdOut:
    """Take back evidence that no longer shows what it did."""
    return shapes.IdOut(id=papers.withdraw_evidence(actor, evidence_id, body.text).pk)


@route(router, "GET", "/cases", "case.read", list[shapes.CaseOut])
def cases(actor: Actor, page: Query[shapes.CasePage]) -> list[shapes.CaseOut]:
    """Show the caller's queue, oldest first; `after` is the number of rows to pass over."""
    rows = reviewing.queue(actor, state=page.state, attention=page.attention)
    start = min(page.after, 1_000_000)
    return [show.case(row) for row in rows[start : start + page.limit]]


@route(router, "POST", "/cases", "case.draft", shapes.CaseOut, 201)
def draft(actor: Actor, body: shapes.DraftIn) -> shapes.CaseOut:
    """Open a draft to one authority."""
    return show.case(drafting.draft_application(actor, body.order_id, body.authority, body.use_statement))


@route(router, "GET", "/cases/{case_id}", "case.read", shapes.CaseFile)
def case(actor: Actor, case_id: shapes.PathId) -> shapes.CaseFile:
    """Show an application with its papers."""
    return show.case_file(actor, reviewing.case(actor, case_id))


@route(router, "PUT", "/cases/{case_id}", "case.draft", shapes.CaseOut)
def save(actor: Actor, case_id: shapes.PathId, body: shapes.SaveIn) -> shapes.CaseOut:
    """Save the use statement of a draft."""
    return show.case(drafting.save_draft(actor, case_id, body.use_statement))


@route(router, "GET", "/cases/{case_id}/gaps", "case.read", shapes.GateOut)
def lacking(actor: Actor, case_id: shapes.PathId) -> shapes.GateOut:
    """Say what the application still lacks."""
    found = gaps(reviewing.case(actor, case_id))
    return shapes.GateOut(open=not found, reasons=[shapes.ReasonOut(**each.as_dict()) for each in found])


@route(router, "POST", "/cases/{case_id}/documents", "case.document", shapes.DocumentOut, 201)
def document(
    actor: Actor, case_id: shapes.PathId, kind: Form[shapes.Code], file: File[UploadedFile]
) -> shapes.DocumentOut:
    """Add a document; its type is what its content shows."""
    return show.document(papers.add_document(actor, case_id, kind, file.name or "document", file.read()))


@route(router, "POST", "/documents/{document_id}/withdraw", "case.document", shapes.DocumentOut)
def withdraw_document(actor: Actor, document_id: shapes.PathId, body: shapes.TextIn) -> shapes.DocumentOut:
    """Take a document back; one that no scanner passed at any time, another only while its application is a draft."""
    return show.document(papers.withdraw_document(actor, document_id, body.text))


@route(router, "POST", "/cases/{case_id}/submit", "case.submit", shapes.CaseOut)
def submit(actor: Actor, case_id: shapes.PathId) -> shapes.CaseOut:
    """Submit a complete application."""
    return show.case(drafting.submit(actor, case_id))


@route(router, "POST", "/cases/{case_id}/withdraw", "case.withdraw", shapes.CaseOut)
def withdraw(actor: Actor, case_id: shapes.PathId) -> shapes.CaseOut:
    """Withdraw an application that is not decided."""
    return show.case(drafting.withdraw(actor, case_id))


@route(router, "POST", "/cases/{case_id}/amend", "case.amend", shapes.CaseOut, 201)
def amend(actor: Actor, case_id: shapes.PathId) -> shapes.CaseOut:
    """Open a draft that asks to replace what an approved application permits."""
    return show.case(drafting.amend(actor, case_id))


@route(router, "POST", "/cases/{case_id}/appeal", "case.appeal", shapes.IdOut, 201)
def appeal(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.IdOut:
    """Appeal against a refusal."""
    return shapes.IdOut(id=drafting.appeal(actor, case_id, body.text).pk)


@route(router, "POST", "/cases/{case_id}/answer", "case.answer", shapes.CaseOut)
def answer(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.CaseOut:
    """Answer the open request for information."""
    return show.case(drafting.answer_question(actor, case_id, body.text))


@route(router, "POST", "/cases/{case_id}/take", "case.take", shapes.CaseOut)
def take(actor: Actor, case_id: shapes.PathId) -> shapes.CaseOut:
    """Take a submitted application onto one's desk."""
    return show.case(reviewing.take(actor, case_id))


@route(router, "POST", "/cases/{case_id}/return", "case.return", shapes.CaseOut)
def give_back(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.CaseOut:
    """Return an application without action."""
    return show.case(reviewing.give_back(actor, case_id, body.text))


@route(router, "POST", "/cases/{case_id}/ask", "case.ask", shapes.IdOut, 201)
def ask(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.IdOut:
    """Ask the applicant for information."""
    return shapes.IdOut(id=reviewing.ask(actor, case_id, body.text).pk)


@route(router, "POST", "/cases/{case_id}/reviewers", "case.decide", list[shapes.IdOut])
def reviewers(actor: Actor, case_id: shapes.PathId, body: shapes.ReviewersIn) -> list[shapes.IdOut]:
    """Ask reviewers for advice; the decision waits for each."""
    return [shapes.IdOut(id=row.pk) for row in reviewing.ask_advice(actor, case_id, body.reviewers)]


@route(router, "POST", "/cases/{case_id}/advice", "case.advise", shapes.IdOut, 201)
def advise(actor: Actor, case_id: shapes.PathId, body: shapes.AdviceIn) -> shapes.IdOut:
    """Give advice."""
    return shapes.IdOut(id=reviewing.advise(actor, case_id, body.recommendation, body.text).pk)


@route(router, "GET", "/cases/{case_id}/notes", "case.note.read", list[shapes.NoteOut])
def notes(actor: Actor, case_id: shapes.PathId) -> list[shapes.NoteOut]:
    """Read the internal notes of one's own authority."""
    return [
        shapes.NoteOut(id=row.pk, author=row.author, text=row.text, at=row.at)
        for row in reviewing.notes(actor, case_id)
    ]


@route(router, "POST", "/cases/{case_id}/notes", "case.note", shapes.IdOut, 201)
def note(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.IdOut:
    """Write an internal note."""
    return shapes.IdOut(id=reviewing.write_note(actor, case_id, body.text).pk)


@route(router, "POST", "/cases/{case_id}/necessity", "case.judge", shapes.IdOut, 201)
def necessity(actor: Actor, case_id: shapes.PathId, body: shapes.NecessityIn) -> shapes.IdOut:
    """Record a judgement of necessity."""
    return shapes.IdOut(id=reviewing.judge_necessity(actor, case_id, body.necessary, body.criteria).pk)


@route(router, "POST", "/cases/{case_id}/assess", "case.assess", shapes.AssessmentOut, 201)
def assess(actor: Actor, case_id: shapes.PathId) -> shapes.AssessmentOut:
    """Assess the case on the law of today, and keep the answer."""
    return show.assessment(assess_case(actor, reviewing.case(actor, case_id), "asked"))


@route(router, "POST", "/cases/{case_id}/decide", "case.decide", shapes.DecisionOut, 201)
def decide(actor: Actor, case_id: shapes.PathId, body: shapes.DecisionIn) -> shapes.DecisionOut:
    """Decide; another officer countersigns."""
    row = deciding.decide(
        actor, case_id, body.outcome, body.reasons, terms_of(body), batch_id=body.batch_id, despite=body.despite
    )
    return show.decision(row)


@route(router, "POST", "/cases/{case_id}/countersign", "case.countersign", shapes.CaseOut)
def countersign(actor: Actor, case_id: shapes.PathId) -> shapes.CaseOut:
    """Give the second signature. The signer is the caller."""
    deciding.countersign(actor, case_id)
    return show.case(reviewing.case(actor, case_id))


@route(router, "POST", "/cases/{case_id}/reject", "case.reject", shapes.CaseOut)
def reject(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.CaseOut:
    """Withhold the second signature."""
    deciding.reject(actor, case_id, body.text)
    return show.case(reviewing.case(actor, case_id))


@route(router, "POST", "/cases/{case_id}/hear", "case.hear", shapes.CaseOut)
def hear(actor: Actor, case_id: shapes.PathId, body: shapes.AppealIn) -> shapes.CaseOut:
    """Hear an appeal."""
    deciding.hear_appeal(actor, case_id, body.allowed, body.reason)
    return show.case(reviewing.case(actor, case_id))


@route(router, "POST", "/cases/{case_id}/reconfirm", "case.reconfirm", shapes.IdOut, 201)
def reconfirm(actor: Actor, case_id: shapes.PathId, body: shapes.TextIn) -> shapes.IdOut:
    """Let a decision stand under the law of today."""
    return shapes.IdOut(id=deciding.reconfirm(actor, case_id, body.text).pk)


@route(router, "GET", "/batches", "batch.read", list[shapes.BatchOut])
def list_batches(actor: Actor, page: Query[shapes.Page]) -> list[shapes.BatchOut]:
    """List batches with their ceilings."""
    return [show.batch(row) for row in batches.batches(actor).filter(pk__gt=page.after)[: page.limit]]


@route(router, "POST", "/batches", "batch.open", shapes.BatchOut, 201)
def open_batch(actor: Actor, body: shapes.BatchIn) -> shapes.BatchOut:
    """Open a batch; another officer countersigns it."""
    row = batches.open_batch(
        actor,
        body.code,
        units=body.units,
        value_minor=body.value_minor,
        currency=body.currency,
        companies={each.party_id: (each.units, each.value_minor) for each in body.companies},
        oversubscription=body.oversubscription,
    )
    return show.batch(batches.batches(actor).get(pk=row.pk))


@route(router, "POST", "/batches/{batch_id}/countersign", "batch.open", shapes.IdOut)
def countersign_batch(actor: Actor, batch_id: shapes.PathId) -> shapes.IdOut:
    """Countersign a batch."""
    return shapes.IdOut(id=batches.countersign_batch(actor, batch_id).pk)


@route(router, "POST", "/batches/{batch_id}/topups", "batch.topup", shapes.IdOut, 201)
def topup(actor: Actor, batch_id: shapes.PathId, body: shapes.TopUpIn) -> shapes.IdOut:
    """Propose to raise a ceiling."""
    row = batches.propose_topup(actor, batch_id, body.units, body.value_minor, body.reason, body.share_id)
    return shapes.IdOut(id=row.pk)


@route(router, "POST", "/topups/{topup_id}/countersign", "batch.topup", shapes.IdOut)
def countersign_topup(actor: Actor, topup_id: shapes.PathId) -> shapes.IdOut:
    """Countersign a top-up; the ceiling rises."""
    return shapes.IdOut(id=batches.countersign_topup(actor, topup_id).pk)


def terms_of(body: shapes.DecisionIn) -> Terms | None:
    """Return the terms of a decision as the service takes them."""
    if not body.lines:
        return None
    lines: list[dict[str, Any]] = [each.model_dump() for each in body.lines]
    return Terms(
        tuple(LineTerm(**{**each, "places": tuple(each["places"])}) for each in lines),
        tuple(ConditionTerm(**each.model_dump()) for each in body.conditions),
    )
