"""Cases: heard before decided, decided by two, appealed to a third, amended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from twokey.desk.audit.models import SignedDocument
from twokey.desk.cases import deciding, drafting, reviewing
from twokey.desk.cases.models import Decision
from twokey.desk.ledger.models import Authorisation
from twokey.desk.proof import check
from twokey.desk.reasons import Refused

from .law import PlainLaw
from .world import World, today


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {each.code for each in refused.value.reasons}


def test_a_second_application_waits_for_the_first(world: World) -> None:
    order = world.order()
    world.under_review(order, "import")
    second = world.draft(order, "import")
    with pytest.raises(Refused) as refused:
        drafting.submit(world["buyer"], second.pk)
    assert codes(refused) == {"pending_twin"}


def test_a_question_stops_the_clock_and_only_an_answer_closes_it(world: World) -> None:
    application = world.under_review(world.order(), "export")
    reviewing.ask(world["bis1"], application.pk, "Who owns the consignee?")
    with pytest.raises(Refused, match=r"application .* is information_requested"):
        deciding.decide(world["bis1"], application.pk, "refuse", "no")
    with pytest.raises(Refused, match="empty"):
        drafting.answer_question(world["seller"], application.pk, "  ")
    drafting.answer_question(world["seller"], application.pk, "Its founder.")
    application.refresh_from_db()
    assert application.state == "under_review"


def test_a_decision_waits_for_every_reviewer_who_was_asked(world: World) -> None:
    application = world.under_review(world.order(), "export")
    reviewing.ask_advice(world["bis1"], application.pk, ["bisadv", "bis3"])
    reviewing.advise(world["bisadv"], application.pk, "approve_with_conditions", "with a laboratory")
    terms = world.terms(application.order)
    with pytest.raises(Refused, match="outstanding from bis3"):
        deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    reviewing.advise(world["bis3"], application.pk, "no_objection", "")
    deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    with pytest.raises(Refused, match="does not sit"):
        reviewing.ask_advice(world["bis1"], application.pk, ["miit1"])


def test_the_import_key_needs_a_judgement_of_necessity_criterion_by_criterion(world: World) -> None:
    application = world.under_review(world.order(), "import")
    terms = world.terms(application.order)
    with pytest.raises(Refused) as refused:
        deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)
    assert codes(refused) == {"not_judged"}
    with pytest.raises(Refused, match="domestic_chips_insufficient"):
        reviewing.judge_necessity(world["miit1"], application.pk, True, {"advanced_research": "yes"})
    criteria = dict.fromkeys(reviewing.NECESSITY_CRITERIA, "found")
    reviewing.judge_necessity(world["miit1"], application.pk, False, criteria)
    with pytest.raises(Refused, match="not necessary"):
        deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)
    reviewing.judge_necessity(world["miit1"], application.pk, True, criteria)
    deciding.decide(world["miit1"], application.pk, "approve", "fine", terms)


@pytest.mark.parametrize("status", ["blocked", "needs_information"])
def test_the_law_of_the_day_stops_an_approval_unless_an_officer_signs_why(
    status: str, world: World, law: PlainLaw
) -> None:
    application = world.under_review(world.order(), "export")
    law.status["export"] = status
    terms = world.terms(application.order)
    with pytest.raises(Refused, match="the law of"):
        deciding.decide(world["bis1"], application.pk, "approve", "fine", terms)
    decision = deciding.decide(
        world["bis1"], application.pk, "approve", "fine", terms, despite="The letter of 3 May covers it."
    )
    from twokey.desk.signing.envelope import read_unchecked

    assert read_unchecked(decision.document.jws)["despite"] == "The letter of 3 May covers it."


def test_no_approval_for_a_party_that_may_be_listed(world: World) -> None:
    application = world.under_review(world.order(), "export")
    world.import_list([{"id": "9", "name": "Yunling Zhisuan Ltd", "alt_names": [], "addresses": []}])
    with pytest.raises(Refused) as refused:
        deciding.decide(world["bis1"], application.pk, "approve", "fine", world.terms(application.order))
    assert "screening_open" in codes(refused)


def test_a_decision_permits_nothing_until_another_officer_signs(world: World) -> None:
    application = world.decided(world.order(), "export")
    assert not Authorisation.objects.exists()
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["bis1"], application.pk)
    assert codes(refused) == {"four_eyes"}
    with pytest.raises(Refused) as refused:
        deciding.countersign(world["miit1"], application.pk)
    assert codes(refused) == {"other_authority"}
    deciding.countersign(world["bis2"], application.pk)
    assert Authorisation.objects.count() == 1
    for document in SignedDocument.objects.all():
        from twokey.desk.audit.events import signer

        assert check(document.jws, signer().ring()).holds, document.kind


def test_the_four_eyes_guard_is_what_holds_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = world.decided(world.order(), "export")
    monkeypatch.setattr(deciding, "_four_eyes", lambda actor, decision: None)
    deciding.countersign(world["bis1"], application.pk)


def test_a_rejected_decision_goes_back_and_is_decided_afresh(world: World) -> None:
    application = world.decided(world.order(), "export")
    deciding.reject(world["bis2"], application.pk, "The units are too many.")
    application.refresh_from_db()
    assert application.state == "under_review"
    deciding.decide(world["bis1"], application.pk, "refuse", "Too many units.")
    deciding.countersign(world["bis2"], application.pk)
    application.refresh_from_db()
    assert application.state == "refused"
    assert Decision.objects.count() == 2


def test_an_appeal_is_heard_by_a_third_officer_and_the_case_decided_by_others(world: World) -> None:
    application = world.under_review(world.order(), "export")
    deciding.decide(world["bis1"], application.pk, "refuse", "Not within the rule.")
    deciding.countersign(world["bis2"], application.pk)
    drafting.appeal(world["seller"], application.pk, "The chip is below the limit.")
    for officer in ("bis1", "bis2"):
        with pytest.raises(Refused) as refused:
            deciding.hear_appeal(world[officer], application.pk, True, "They are right.")
        assert codes(refused) == {"four_eyes"}
    deciding.hear_appeal(world["bis3"], application.pk, True, "They are right.")
    with pytest.raises(Refused) as refused:
        deciding.decide(world["bis1"], application.pk, "approve", "x", world.terms(application.order))
    assert codes(refused) == {"four_eyes"}
    deciding.decide(world["bis3"], application.pk, "approve", "x", world.terms(application.order))


def test_a_late_appeal_is_refused_with_the_last_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = world.under_review(world.order(), "export")
    deciding.decide(world["bis1"], application.pk, "refuse", "no")
    deciding.countersign(world["bis2"], application.pk)
    real = drafting.local_day
    later = today() + timedelta(days=60)
    monkeypatch.setattr(drafting, "local_day", lambda authority, at=None: real(authority, at) if at else later)
    with pytest.raises(Refused, match="an appeal was possible until"):
        drafting.appeal(world["seller"], application.pk, "late")


def test_an_amendment_supersedes_what_it_replaces(world: World) -> None:
    order = world.order(units=100)
    before = world.approved(order, "export")
    draft = drafting.amend(world["seller"], before.decision.application_id)
    drafting.save_draft(world["seller"], draft.pk, "A smaller cluster than first planned, for the same research work.")
    for kind in ("contract", "end_user_statement"):
        world.paper(draft, kind, world["seller"])
    drafting.submit(world["seller"], draft.pk)
    reviewing.take(world["bis1"], draft.pk)
    deciding.decide(world["bis1"], draft.pk, "approve", "fine", world.terms(order, units=60, value_minor=162_000_000))
    deciding.countersign(world["bis2"], draft.pk)
    before.balance.refresh_from_db()
    assert before.balance.state == "superseded"
    after = Authorisation.objects.get(decision__application=draft)
    assert (after.balance.units_cap, after.supersedes_id) == (60, before.pk)


def test_more_than_was_ordered_is_never_granted(world: World) -> None:
    application = world.under_review(world.order(units=100), "export")
    with pytest.raises(Refused, match="units 101 is more than the order's 100"):
        deciding.decide(world["bis1"], application.pk, "approve", "x", world.terms(application.order, units=101))
