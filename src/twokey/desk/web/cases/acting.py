"""The tasks of a case that are one click and at most one text: a table of the service each calls, and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor
from twokey.desk.cases import breaches, deciding, drafting, reviewing
from twokey.desk.cases.assessing import assess_case
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import task

Do = Callable[[Actor, int, QueryDict], object]


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its name in addresses, the permission that it needs, what it does, and what is said when it is done."""

    name: str
    action: str
    do: Do
    words: str | Promise
    signs: bool = False


def _text(form: QueryDict) -> str:
    return form.get("text", "").strip()[:20_000]


def _note(actor: Actor, case: int, form: QueryDict) -> None:
    reviewing.case(actor, case)  # a case that the actor may see
    reviewing.write_note(actor, case, _text(form))


def _judge(actor: Actor, case: int, form: QueryDict) -> None:
    findings = {name: form.get(name, "").strip() for name in reviewing.NECESSITY_CRITERIA}
    reviewing.judge_necessity(actor, case, form.get("necessary") == "yes", findings)


def _find(actor: Actor, case: int, form: QueryDict) -> None:
    given = form.get("breach", "")
    row = breaches.breaches(actor, case).filter(pk=int(given)).first() if given.isdecimal() else None
    if row is None:
        raise missing("breach", given[:20])
    breaches.find(actor, row.pk, _text(form))


_TABLE: Final = (
    Task(
        "submit",
        "case.submit",
        lambda actor, case, form: drafting.submit(actor, case),
        _("Submitted. The authority's clock runs."),
    ),
    Task(
        "withdraw",
        "case.withdraw",
        lambda actor, case, form: drafting.withdraw(actor, case),
        _("Withdrawn."),
    ),
    Task(
        "answer",
        "case.answer",
        lambda actor, case, form: drafting.answer_question(actor, case, _text(form)),
        _("Answered. The authority's clock runs again."),
    ),
    Task(
        "appeal",
        "case.appeal",
        lambda actor, case, form: drafting.appeal(actor, case, _text(form)),
        _("The appeal is filed."),
    ),
    Task(
        "take",
        "case.take",
        lambda actor, case, form: reviewing.take(actor, case),
        _("It is on your desk."),
    ),
    Task(
        "give_back",
        "case.return",
        lambda actor, case, form: reviewing.give_back(actor, case, _text(form)),
        _("Returned to the applicant."),
    ),
    Task(
        "ask",
        "case.ask",
        lambda actor, case, form: reviewing.ask(actor, case, _text(form)),
        _("Asked. The clock stands still until the answer."),
    ),
    Task(
        "reviewers",
        "case.decide",
        lambda actor, case, form: reviewing.ask_advice(actor, case, form.getlist("reviewer")),
        _("Asked. The decision waits for the advice."),
    ),
    Task(
        "advise",
        "case.advise",
        lambda actor, case, form: reviewing.advise(actor, case, form.get("recommendation", ""), _text(form)),
        _("Your advice is on file."),
    ),
    Task("note", "case.note", _note, _("Noted, for your own authority only.")),
    Task("judge", "case.judge", _judge, _("The judgement is on file.")),
    Task(
        "assess",
        "case.assess",
        lambda actor, case, form: assess_case(actor, reviewing.case(actor, case), "asked"),
        _("Assessed on the law of today."),
    ),
    Task(
        "countersign",
        "case.countersign",
        lambda actor, case, form: deciding.countersign(actor, case),
        _("Countersigned."),
        signs=True,
    ),
    Task(
        "reject",
        "case.reject",
        lambda actor, case, form: deciding.reject(actor, case, _text(form)),
        _("Back in review."),
    ),
    Task(
        "hear",
        "case.hear",
        lambda actor, case, form: deciding.hear_appeal(actor, case, form.get("allowed") == "yes", _text(form)),
        _("The appeal is decided."),
        signs=True,
    ),
    Task(
        "reconfirm",
        "case.reconfirm",
        lambda actor, case, form: deciding.reconfirm(actor, case, _text(form)),
        _("Reconfirmed under the law of today."),
        signs=True,
    ),
    Task("find", "breach.find", _find, _("The finding is on file.")),
)


def _view(entry: Task) -> Callable[..., HttpResponseBase]:
    """Return the view of a task: it calls the service, says that it is done, and returns to the case."""

    @task(entry.action, signs=entry.signs)
    def view(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
        entry.do(actor, case_id, request.POST)
        messages.success(request, str(entry.words))
        return redirect("cases:show", case_id)

    return view


@task("case.amend")
def amend(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Open a draft that asks to replace what an approved application permits, and go on with it."""
    return redirect("cases:apply", drafting.amend(actor, case_id).pk)


TASKS: Final[Mapping[str, Callable[..., HttpResponseBase]]] = {entry.name: _view(entry) for entry in _TABLE} | {
    "amend": amend
}
