"""Papers over the web: sent as files, never shown inside a page of the desk."""

from __future__ import annotations

import json
from typing import cast

from django.http import HttpRequest, HttpResponse

from twokey.desk.actors import Actor
from twokey.desk.ledger.releasing import releases
from twokey.desk.papers.record import Lang
from twokey.desk.papers.services import Paper, decision_paper, licence_paper, release_paper
from twokey.desk.reasons import missing
from twokey.desk.web.base.doors import page


@page("release.read")
def release(request: HttpRequest, actor: Actor, number: str, lang: str) -> HttpResponse:
    """Send a release as PDF."""
    return _file(release_paper(actor, number, _lang(lang)))


@page("ledger.read")
def licence(request: HttpRequest, actor: Actor, authorisation_id: int, lang: str) -> HttpResponse:
    """Send the licence behind an authorisation as PDF."""
    return _file(licence_paper(actor, authorisation_id, _lang(lang)))


@page("case.read")
def decision(request: HttpRequest, actor: Actor, application_id: int, lang: str) -> HttpResponse:
    """Send a countersigned decision as PDF: a licence or a refusal."""
    return _file(decision_paper(actor, application_id, _lang(lang)))


@page("release.read")
def document(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Send the signed document of a release, for `twokey verify`."""
    row = releases(actor).filter(number=number).first()
    if row is None:
        raise missing("release", number)
    return _send(f"{row.number}.json", json.dumps(row.document.jws, indent=1).encode(), "application/json")


def _file(paper: Paper) -> HttpResponse:
    return _send(paper.filename, paper.content, "application/pdf")


def _send(name: str, content: bytes, kind: str) -> HttpResponse:
    return HttpResponse(content, kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _lang(lang: str) -> Lang:
    if lang not in {"en", "zh"}:
        raise missing("paper", lang)
    return cast(Lang, lang)
