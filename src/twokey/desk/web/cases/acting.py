"""The tasks of a case that are one click and at most one text: each calls its service and returns to the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from twokey.desk.actors import Actor
from twokey.desk.cases import deciding, drafting, reviewing
from twokey.desk.cases.assessing import assess_case
from twokey.desk.web.base.doors import task


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").strip()[:20_000]


def _done(request: HttpRequest, case_id: int, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("cases:show", case_id)


@task("case.submit")
def submit(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Submit a complete application."""
    drafting.submit(actor, case_id)
    return _done(request, case_id, _("Submitted. The authority's clock runs."))


@task("case.withdraw")
def withdraw(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Withdraw an application that is not decided."""
    drafting.withdraw(actor, case_id)
    return _done(request, case_id, _("Withdrawn."))


@task("case.answer")
def answer(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Answer the open request for information."""
    drafting.answer_question(actor, case_id, _text(request))
    return _done(request, case_id, _("Answered. The authority's clock runs again."))


@task("case.appeal")
def appeal(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Appeal against a refusal."""
    drafting.appeal(actor, case_id, _text(request))
    return _done(request, case_id, _("The appeal is filed."))


@task("case.amend")
def amend(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Open a draft that asks to replace what an approved application permits."""
    return redirect("cases:apply", drafting.amend(actor, case_id).pk)


@task("case.take")
def take(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Take a submitted application onto one's desk."""
    reviewing.take(actor, case_id)
    return _done(request, case_id, _("It is on your desk."))


@task("case.return")
def give_back(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Return an application without action."""
    reviewing.give_back(actor, case_id, _text(request))
    return _done(request, case_id, _("Returned to the applicant."))


@task("case.ask")
def ask(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Ask the applicant for information."""
    reviewing.ask(actor, case_id, _text(request))
    return _done(request, case_id, _("Asked. The clock stands still until the answer."))


@task("case.decide")
def reviewers(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Ask colleagues for advice."""
    reviewing.ask_advice(actor, case_id, request.POST.getlist("reviewer"))
    return _done(request, case_id, _("Asked. The decision waits for the advice."))


@task("case.advise")
def advise(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Give advice."""
    reviewing.advise(actor, case_id, request.POST.get("recommendation", ""), _text(request))
    return _done(request, case_id, _("Your advice is on file."))


@task("case.note")
def note(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Write an internal note."""
    reviewing.case(actor, case_id)
    reviewing.write_note(actor, case_id, _text(request))
    return _done(request, case_id, _("Noted, for your own authority only."))


@task("case.judge")
def judge(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Record a judgement of necessity, criterion by criterion."""
    findings = {name: request.POST.get(name, "").strip() for name in reviewing.NECESSITY_CRITERIA}
    reviewing.judge_necessity(actor, case_id, request.POST.get("necessary") == "yes", findings)
    return _done(request, case_id, _("The judgement is on file."))


@task("case.assess")
def assess(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Assess the case on the law of today, and keep the answer."""
    assess_case(actor, reviewing.case(actor, case_id), "asked")
    return _done(request, case_id, _("Assessed on the law of today."))


@task("case.countersign", signs=True)
def countersign(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Give the second signature."""
    deciding.countersign(actor, case_id)
    return _done(request, case_id, _("Countersigned."))


@task("case.reject")
def reject(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Withhold the second signature."""
    deciding.reject(actor, case_id, _text(request))
    return _done(request, case_id, _("Back in review."))


@task("case.hear", signs=True)
def hear(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Hear an appeal."""
    deciding.hear_appeal(actor, case_id, request.POST.get("allowed") == "yes", _text(request))
    return _done(request, case_id, _("The appeal is decided."))


@task("case.reconfirm", signs=True)
def reconfirm(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Let a decision stand under the law of today."""
    deciding.reconfirm(actor, case_id, _text(request))
    return _done(request, case_id, _("Reconfirmed under the law of today."))


TASKS: Final[Mapping[str, Callable[..., HttpResponseBase]]] = {
    each.__name__: each
    for each in (
        submit,
        withdraw,
        answer,
        appeal,
        amend,
        take,
        give_back,
        ask,
        reviewers,
        advise,
        note,
        judge,
        assess,
        countersign,
        reject,
        hear,
        reconfirm,
    )
}
