"""`twokey case …` for the authority: review, decide, countersign. Here every command of `case` is registered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twokey.cli import case_breach  # its commands belong to the group
from twokey.cli.case import case
from twokey.cli.case_shared import done, terms_in
from twokey.cli.desk_door import at_desk, dump, show
from twokey.cli.paper import paper_options, write_paper

if TYPE_CHECKING:
    from twokey.desk.actors import Actor
    from twokey.desk.papers.record import Lang


@case.command("take")
@click.argument("case_id", type=int)
@at_desk
def take(actor: Actor, form: str, case_id: int) -> None:
    """Take a submitted application onto your desk."""
    from twokey.desk.cases.reviewing import take as service

    done(form, service(actor, case_id))


@case.command("return")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def give_back(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Return an application without action."""
    from twokey.desk.cases.reviewing import give_back as service

    done(form, service(actor, case_id, why))


@case.command("ask")
@click.argument("case_id", type=int)
@click.option("--question", required=True)
@at_desk
def ask(actor: Actor, form: str, case_id: int, question: str) -> None:
    """Ask the applicant for information; the clock stands still until the answer."""
    from twokey.desk.cases.reviewing import ask as service

    row = service(actor, case_id, question)
    show({"question": row.pk, "due_on": row.due_on.isoformat()}, form)


@case.command("reviewers")
@click.argument("case_id", type=int)
@click.argument("logins", nargs=-1, required=True)
@at_desk
def reviewers(actor: Actor, form: str, case_id: int, logins: tuple[str, ...]) -> None:
    """Ask reviewers of your own authority for advice; the decision waits for each of them."""
    from twokey.desk.cases.reviewing import ask_advice

    show([{"case": case_id, "reviewer": row.reviewer} for row in ask_advice(actor, case_id, logins)], form)


@case.command("advise")
@click.argument("case_id", type=int)
@click.argument("recommendation")
@click.option("--text", required=True)
@at_desk
def advise(actor: Actor, form: str, case_id: int, recommendation: str, text: str) -> None:
    """Give advice: approve, approve_with_conditions, refuse or no_objection."""
    from twokey.desk.cases.reviewing import advise as service

    show({"advice": service(actor, case_id, recommendation, text).pk}, form)


@case.command("note")
@click.argument("case_id", type=int)
@click.option("--text", help="Write this note; without it, the notes are shown.")
@at_desk
def note(actor: Actor, form: str, case_id: int, text: str | None) -> None:
    """Write or read the internal notes of your own authority."""
    from twokey.desk.cases import reviewing

    if text:
        reviewing.write_note(actor, case_id, text)
    rows = reviewing.notes(actor, case_id)
    show([{"at": row.at.isoformat(timespec="minutes"), "author": row.author, "text": row.text} for row in rows], form)


@case.command("judge")
@click.argument("case_id", type=int)
@click.option("--necessary/--not-necessary", required=True)
@click.option("--criterion", "criteria", multiple=True, metavar="NAME=FINDING", help="What was found under it.")
@at_desk
def judge(actor: Actor, form: str, case_id: int, necessary: bool, criteria: tuple[str, ...]) -> None:
    """Record your judgement of necessity, criterion by criterion."""
    from twokey.desk.cases.reviewing import judge_necessity

    findings = dict(each.partition("=")[::2] for each in criteria)
    show({"judgement": judge_necessity(actor, case_id, necessary, findings).pk, "necessary": necessary}, form)


@case.command("assess")
@click.argument("case_id", type=int)
@at_desk
def assess(actor: Actor, form: str, case_id: int) -> None:
    """Assess a case on the law of today and keep the answer."""
    from twokey.desk.actors import permit
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.assessing import assess_case
    from twokey.desk.cases.reviewing import case as load

    permit(actor, "case.assess")
    show(dump(shapes.assessment(assess_case(actor, load(actor, case_id), "asked"))), form)


@case.command("decide")
@click.argument("case_id", type=int)
@click.argument("outcome", type=click.Choice(["approve", "refuse"]))
@click.option("--reasons", required=True)
@click.option("--terms", type=click.Path(path_type=Path), help="JSON file with lines and conditions (as in the API).")
@click.option("--batch", "batch_id", type=int, help="Decide under this batch.")
@click.option("--despite", default="", help="Why you decide although the law of the day is not clear.")
@at_desk
def decide(
    actor: Actor,
    form: str,
    case_id: int,
    outcome: str,
    reasons: str,
    terms: Path | None,
    batch_id: int | None,
    despite: str,
) -> None:
    """Decide a case; another officer countersigns."""
    from twokey.desk.api import show as shapes
    from twokey.desk.cases.deciding import decide as service

    row = service(
        actor, case_id, outcome, reasons, terms_in(terms) if terms else None, batch_id=batch_id, despite=despite
    )
    show(dump(shapes.decision(row)), form)


@case.command("countersign")
@click.argument("case_ids", type=int, nargs=-1, required=True)
@at_desk
def countersign(actor: Actor, form: str, case_ids: tuple[int, ...]) -> None:
    """Give the second signature, to one decision or to many (all or none)."""
    from twokey.desk.cases.deciding import countersign_many

    rows = countersign_many(actor, case_ids)
    show(
        [{"case": row.decision.application_id, "outcome": row.decision.outcome, "by": row.officer} for row in rows],
        form,
    )


@case.command("paper")
@click.argument("case_id", type=int)
@paper_options
@at_desk
def paper(actor: Actor, form: str, case_id: int, lang: Lang, out: Path | None) -> None:
    """Write a countersigned decision as PDF: a licence, or a refusal with the way to appeal."""
    from twokey.desk.papers.services import decision_paper

    write_paper(decision_paper(actor, case_id, lang), out, form)


@case.command("reject")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def reject(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Withhold the second signature; the case goes back to review."""
    from twokey.desk.cases.deciding import reject as service

    show({"countersignature": service(actor, case_id, why).pk, "signed": False}, form)


@case.command("hear")
@click.argument("case_id", type=int)
@click.option("--allow/--dismiss", required=True)
@click.option("--reason", "why", required=True)
@at_desk
def hear(actor: Actor, form: str, case_id: int, allow: bool, why: str) -> None:
    """Hear an appeal."""
    from twokey.desk.cases.deciding import hear_appeal

    show({"appeal": hear_appeal(actor, case_id, allow, why).pk, "allowed": allow}, form)


@case.command("reconfirm")
@click.argument("case_id", type=int)
@click.option("--reason", "why", required=True)
@at_desk
def reconfirm(actor: Actor, form: str, case_id: int, why: str) -> None:
    """Let a decision stand under the law of today."""
    from twokey.desk.cases.deciding import reconfirm as service

    show({"reconfirmation": service(actor, case_id, why).pk}, form)


__all__ = ["case", "case_breach"]
