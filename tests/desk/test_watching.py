"""Cases come back to a queue when the ground under them moves, and the queue is quick to show."""

from __future__ import annotations

import pytest

from twokey.desk.cases import drafting, reviewing
from twokey.desk.cases.models import StoredAssessment
from twokey.desk.cases.watching import reassess
from twokey.desk.reasons import Refused
from twokey.desk.worker import WORKER

from .law import PlainLaw
from .world import World


@pytest.mark.parametrize("ground", ["law", "facts", "lists"])
def test_a_case_whose_answer_changed_comes_back_to_the_queue(ground: str, world: World, law: PlainLaw) -> None:
    application = world.under_review(world.order(), "export")
    assert reassess(WORKER) == []
    law.status["export"] = "blocked"
    if ground == "law":
        law.edition += 1
    elif ground == "facts":
        application.order.facts["site.state_funded"] = True
        application.order.save()
    else:
        world.import_list([{"id": "2", "name": "Somebody Else Entirely", "alt_names": [], "addresses": []}])
    assert reassess(WORKER) == [application.pk]
    application.refresh_from_db()
    assert application.attention == f"{ground}_changed"
    assert reassess(WORKER) == []
    last = StoredAssessment.objects.filter(application=application).order_by("-pk").first()
    assert last is not None
    assert last.why == f"{ground}_changed"


def test_a_party_cannot_state_what_the_file_must_show(world: World) -> None:
    order = world.order()
    for name in ("certifications.kyc", "end_use.necessary", "application.use_documents"):
        with pytest.raises(Refused, match="shown by the file"):
            drafting.set_facts(world["seller"], order.pk, {name: True})


def test_a_fact_that_is_stated_as_nothing_is_unknown_again(world: World) -> None:
    order = world.order()
    stated = drafting.set_facts(world["seller"], order.pk, {"site.state_funded": True}).facts
    left = drafting.set_facts(world["seller"], order.pk, {"site.state_funded": ""}).facts
    assert left == {name: value for name, value in stated.items() if name != "site.state_funded"}
    assert left != stated


def test_the_queue_is_shown_with_a_constant_number_of_queries(world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from twokey.desk.api import show

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            [show.case(row) for row in reviewing.queue(world["bis1"])[:50]]
        return len(queries)

    world.under_review(world.order(), "export")
    before = count()
    for _ in range(3):
        world.under_review(world.order(), "export")
    assert count() == before == 1
