"""The application in four steps, saved at every step, with what is still missing in view on each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from twokey.desk.actors import Actor
from twokey.desk.cases import drafting, papers, reviewing
from twokey.desk.cases.assessing import CERTIFICATIONS, load_order
from twokey.desk.cases.completeness import gaps
from twokey.desk.cases.expiring import SOON, expiring
from twokey.desk.cases.models import Application, Evidence
from twokey.desk.cases.papers import KINDS, in_force
from twokey.desk.cases.states import allow
from twokey.desk.reasons import Reason, Refused, missing
from twokey.desk.web.base.doors import form, page, task

STEPS: Final[tuple[tuple[str, str | Promise], ...]] = (
    ("apply", _("Use")),
    ("apply_documents", _("Documents")),
    ("apply_evidence", _("Evidence")),
    ("apply_check", _("Check and submit")),
)
_WANTED: Final = {
    "export": ("contract", "end_user_statement"),
    "import": ("use_statement", "substitution_statement"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing, and the step where it can be given."""

    reason: Reason
    address: str


@page("case.draft")
def statement(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Say what the chips are for."""
    return _step(request, actor, case_id, "apply")


@task("case.draft")
def save(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Save the use statement; typed text is saved as it is typed, and the list of gaps is answered."""
    application = drafting.save_draft(actor, case_id, request.POST.get("use_statement", "")[:20_000])
    if request.headers.get("HX-Request"):
        return render(
            request,
            "cases/gaps.html",
            {"gaps": _gaps(application), "expiring": _expiring(application), "saved_at": timezone.now()},
        )
    messages.success(request, _t("Saved."))
    return redirect("cases:apply_documents" if "on" in request.POST else "cases:apply", case_id)


@form("case.document")
def documents(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Add documents; each is checked and scanned as it comes."""
    if request.method == "GET":
        return _step(request, actor, case_id, "apply_documents")
    upload = request.FILES.get("file")
    if upload is None:
        return _step(request, actor, case_id, "apply_documents", problem=_t("Choose a file first."))
    if upload.size is not None and upload.size > settings.TWOKEY_DOCUMENT_MAX_BYTES:
        return _step(request, actor, case_id, "apply_documents", problem=_t("The file is larger than 25 MB."))
    try:
        found = papers.add_document(actor, case_id, request.POST.get("kind", ""), upload.name or "file", upload.read())
    except Refused as error:
        return _step(request, actor, case_id, "apply_documents", refusal=error)
    if found.scan != found.Scan.CLEAN:
        return _step(
            request,
            actor,
            case_id,
            "apply_documents",
            problem=_t("It was kept, but the virus scanner did not pass it."),
        )
    if request.headers.get("HX-Request"):
        return _step(request, actor, case_id, "apply_documents")
    messages.success(request, _t("Added."))
    return redirect("cases:apply_documents", case_id)


@task("case.document")
def withdraw_document(request: HttpRequest, actor: Actor, case_id: int, document_id: int) -> HttpResponse:
    """Take a document back, such as one that the scanner did not pass."""
    found = papers.withdraw_document(actor, document_id, "")
    messages.success(request, _t("%(file)s is taken back.") % {"file": found.filename})
    return redirect("cases:apply_documents", case_id)


@page("case.draft")
def evidence(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Show which certifications are evidenced, and until when."""
    return _step(request, actor, case_id, "apply_evidence")


@page("case.draft")
def check(request: HttpRequest, actor: Actor, case_id: int) -> HttpResponse:
    """Look at everything once more, and submit."""
    return _step(request, actor, case_id, "apply_check")


def _step(
    request: HttpRequest,
    actor: Actor,
    case_id: int,
    step: str,
    *,
    problem: str = "",
    refusal: Refused | None = None,
) -> HttpResponse:
    application = reviewing.case(actor, case_id)
    if application.applicant_id != actor.organisation_id:
        raise missing("application", case_id)
    allow(actor, application, "submit")
    found = _gaps(application)
    places = [each for each, _words in STEPS]
    answer: dict[str, Any] = {
        "case": application,
        "step": step,
        "steps": STEPS,
        "next": places[places.index(step) + 1] if step != places[-1] else "",
        "gaps": found,
        "kinds": KINDS,
        "wanted": _WANTED[application.authority.side],
        "documents": list(application.documents.filter(withdrawal=None).order_by("pk")),
        "problem": problem,
        "refusal": refusal,
        "expiring": _expiring(application),
    }
    if step in {"apply_evidence", "apply_check"}:
        answer["evidence"] = _evidence(application)
    template = "cases/apply_body.html" if request.headers.get("HX-Request") else "cases/apply.html"
    return render(request, template, answer, status=422 if problem or refusal else 200)


def _expiring(application: Application) -> Sequence[Evidence]:
    return list(expiring(timezone.now().date()).filter(order=application.order_id))


def _gaps(application: Application) -> list[Gap]:
    return [Gap(each, _where(each, application)) for each in gaps(application)]


def _where(reason: Reason, application: Application) -> str:
    about = str(reason.values.get("about", ""))
    sort, _colon, name = about.partition(":")
    order = application.order_id
    match sort, reason.code:
        case "use_statement", _code:
            return reverse("cases:apply", args=[application.pk])
        case "document", _code:
            return reverse("cases:apply_documents", args=[application.pk]) + f"?{urlencode({'kind': name})}"
        case "evidence", _code:
            return reverse("orders:evidence", args=[order]) + f"?{urlencode({'name': name})}"
        case "fact", _code:
            return reverse("orders:facts", args=[order])
        case _sort, "document_not_clean":
            return reverse("cases:apply_documents", args=[application.pk])
        case _sort, "screening_missing" | "screening_open" | "screening_listed":
            return f"{reverse('parties:index')}?{urlencode({'q': reason.values['party']})}"
        case _:
            return ""


def _evidence(application: Application) -> Sequence[dict[str, Any]]:
    if application.authority.side != "export":
        return []
    on = timezone.now().date()
    rows = list(load_order(application.order_id).evidence.all())
    found = [(name, in_force(rows, name, on)) for name in CERTIFICATIONS]
    return [
        {"name": name, "evidence": good, "soon": bool(good and good.expires_on and good.expires_on <= on + SOON)}
        for name, good in found
    ]
