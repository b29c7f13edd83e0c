"""Role × action × state, at every door: one table of expectations, asked over HTTP, at the command line and in bulk.

Whoever may not, is denied; whoever may, but not now, is told the state; and only who may, when it may be, gets through.
There is no other door: no admin is mounted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.db import transaction

from twokey.cli.main import twokey
from twokey.desk import bulk
from twokey.desk.actors import PERMISSIONS, Actor
from twokey.desk.api.tokens import actor_by_token, make_token
from twokey.desk.cases.models import Application
from twokey.desk.cases.states import TRANSITIONS, Transition
from twokey.desk.reasons import Refused, sentences

from .test_api import EXAMPLES, TEXT, Caller
from .world import World

DENIED = {"not_permitted", "other_authority", "other_organisation", "four_eyes"}
STATES = sorted({state for each in TRANSITIONS.values() for state in (*each.starts, each.ends)})


@dataclass(frozen=True)
class Case:
    """One question of the matrix: may this person do this task on an application in this state?"""

    rule: Transition
    state: str
    actor: Actor

    def expected(self, world: World) -> str:
        """Return "denied", "wrong_state" or "through"."""
        own = (
            self.actor.authority_id == world.export.pk
            if self.rule.place == "authority"
            else self.actor.organisation_id == world.exporter.pk
        )
        if self.actor.role not in PERMISSIONS[self.rule.action] or not own:
            return "denied"
        if self.state not in self.rule.starts:
            return "wrong_state"
        decider = self.actor.login == "bis1"  # who decided the case neither countersigns it nor hears its appeal
        return "denied" if decider and self.rule.task in {"approve", "reject"} else "through"


def matrix(world: World, tasks: Iterator[str] | tuple[str, ...]) -> Iterator[Case]:
    """Return every task in every state by every person of the world."""
    return (
        Case(TRANSITIONS[task], state, actor) for task in tasks for state in STATES for actor in world.people.values()
    )


def verdict(codes: set[str], failed: bool) -> str:
    """Say what an answer amounts to; a refusal of another sort came after role, place and state were let through."""
    if not failed:
        return "through"
    if codes & DENIED:
        return "denied"
    return "wrong_state" if "wrong_state" in codes else "through"


# --- the doors: each answers (codes of the refusal, whether it was refused)

HTTP: dict[str, tuple[str, Any]] = {
    "submit": ("submit", None),
    "take": ("take", None),
    "return": ("return", TEXT),
    "ask": ("ask", TEXT),
    "answer": ("answer", TEXT),
    "decide": ("decide", EXAMPLES["decide"]),
    "approve": ("countersign", None),
    "reject": ("reject", TEXT),
    "appeal": ("appeal", TEXT),
    "allow_appeal": ("hear", {"allowed": True, "reason": "x"}),
    "dismiss_appeal": ("hear", {"allowed": False, "reason": "x"}),
    "withdraw": ("withdraw", None),
}
CLI: dict[str, tuple[str, ...]] = {
    "submit": ("submit",),
    "take": ("take",),
    "return": ("return", "--reason", "words"),
    "ask": ("ask", "--question", "words"),
    "answer": ("answer", "--text", "words"),
    "decide": ("decide", "refuse", "--reasons", "Not within the rule."),
    "approve": ("countersign",),
    "reject": ("reject", "--reason", "words"),
    "appeal": ("appeal", "--grounds", "words"),
    "allow_appeal": ("hear", "--allow", "--reason", "x"),
    "dismiss_appeal": ("hear", "--dismiss", "--reason", "x"),
    "withdraw": ("withdraw",),
}
Answer = tuple[set[str], bool]
Door = Callable[[str, str, int], Answer]  # login, task, application -> answer


def over_http(world: World) -> Door:
    """Return the door of the API."""
    callers = {login: Caller({"operator": "op"}.get(login, login)) for login in world.people}

    def ask(login: str, task: str, application: int) -> Answer:
        path, body = HTTP[task]
        answer = callers[login]("POST", f"/cases/{application}/{path}", body)
        assert answer.status_code < 500, (task, login, answer.content)
        failed = answer.status_code >= 400
        return {each["code"] for each in answer.json()["reasons"]} if failed else set(), failed

    return ask


def at_the_command_line(world: World) -> Door:
    """Return the door of `twokey case …`."""
    tokens = {login: make_token({"operator": "op"}.get(login, login), "test") for login in world.people}

    def ask(login: str, task: str, application: int) -> Answer:
        name, *options = CLI[task]
        done = CliRunner().invoke(
            twokey,
            ["case", name, str(application), *options, "--format", "json"],
            env={"TWOKEY_TOKEN": tokens[login]},
        )
        if done.exception is None:
            return set(), False
        assert isinstance(done.exception, Refused), (task, login, done.output, done.exception)
        return {each.code for each in done.exception.reasons}, True

    return ask


def in_bulk(world: World) -> Door:
    """Return the door of files: a decision from CSV, many countersignatures at once."""
    tokens = {login: make_token({"operator": "op"}.get(login, login), "test") for login in world.people}
    head = ",".join(bulk.AUTHORISATION_COLUMNS)

    def ask(login: str, task: str, application: int) -> Answer:
        from twokey.desk.cases.deciding import countersign_many

        actor = actor_by_token(tokens[login], "bulk")
        assert actor is not None
        try:
            if task == "approve":
                countersign_many(actor, [application])
                return set(), False
            row = f"{application},1,1,1,USD,1,2026-01-28,2027-01-28,mainland,,It meets the rule."
            report = bulk.import_authorisations(actor, "decisions.csv", f"{head}\n{row}\n".encode())
        except Refused as refused:
            return {each.code for each in refused.reasons}, True
        return {code for _, problem in report.errors for code in codes_of(problem)}, not report.done

    return ask


def codes_of(problem: str) -> set[str]:
    """Return the codes whose sentence a line of a report may be."""
    return {
        code
        for code, words in sentences().items()
        if re.search(re.sub(r"\\\{\w+\\\}", ".+", re.escape(words["en"])), problem)
    }


DOORS: dict[str, tuple[Callable[[World], Door], tuple[str, ...]]] = {
    "http": (over_http, tuple(HTTP)),
    "cli": (at_the_command_line, tuple(CLI)),
    "bulk": (in_bulk, ("decide", "approve")),
}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_the_matrix_of_role_action_and_state(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.desk.boot.ready", lambda: None)  # it is; a command would ask the schema each time
    application = world.decided(world.order(), "export")
    make, tasks = DOORS[name]
    ask = make(world)
    done, wrong = 0, []
    for case in matrix(world, tasks):
        with transaction.atomic():
            Application.objects.filter(pk=application.pk).update(state=case.state)
            login = next(login for login, actor in world.people.items() if actor == case.actor)
            codes, failed = ask(login, case.rule.task, application.pk)
            transaction.set_rollback(True)
        if verdict(codes, failed) != case.expected(world):
            wrong.append((case.rule.task, case.state, login, case.expected(world), sorted(codes)))
        done += 1
    assert not wrong, (len(wrong), wrong[:20])
    assert done == len(tasks) * len(STATES) * len(world.people)


def test_every_transition_is_asked_at_some_door_or_belongs_to_another() -> None:
    """`refuse` is the countersignature of a refusal, `supersede` that of an amendment: the same doors as `approve`."""
    assert set(TRANSITIONS) - set(HTTP) == {"refuse", "supersede"}
    assert set(HTTP) == set(CLI)
    assert {TRANSITIONS[task].action for task in ("refuse", "supersede")} == {TRANSITIONS["approve"].action}


def test_there_is_no_admin_door() -> None:
    from django.urls import get_resolver

    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    assert "admin" not in {each.app_name for each in get_resolver().url_patterns if hasattr(each, "app_name")}
