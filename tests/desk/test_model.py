"""The ledger against a plain Python model, movement by movement (hypothesis), in the field's own numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from twokey.desk.ledger.models import Balance
from twokey.desk.ledger.movements import Amount, move
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.reasons import Refused

_keys = itertools.count()


@dataclass
class Plain:
    """What a balance is, in a dozen lines: the model that the database must agree with."""

    caps: tuple[int | None, int | None, int | None]
    tolerance: int = 0
    state: str = "in_force"
    reserved: list[int] = field(default_factory=lambda: [0, 0, 0])
    drawn: list[int] = field(default_factory=lambda: [0, 0, 0])

    def fits(self, wanted: tuple[int, int, int]) -> bool:
        full = self.caps[0] is not None and self.reserved[0] + self.drawn[0] >= self.caps[0]
        extra = (0, 0 if full else self.tolerance, 0)
        return all(
            cap is None or self.reserved[n] + self.drawn[n] + wanted[n] <= cap + extra[n]
            for n, cap in enumerate(self.caps)
        )


class Ledger(RuleBasedStateMachine):
    """Two keys and one batch above them; shipments reserve on all three or on none."""

    reservations = Bundle("reservations")
    draws = Bundle("draws")

    @initialize(
        export=st.tuples(st.integers(0, 60), st.integers(0, 900), st.none() | st.integers(0, 6)),
        batch=st.integers(0, 80),
        tolerance=st.integers(0, 90),
    )
    def start(self, export: tuple[int, int, int | None], batch: int, tolerance: int) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.plain = {
            "export": Plain(export, tolerance),
            "import": Plain((50, None, None)),
            "batch": Plain((batch, 2_000, None)),
        }
        self.ids = {
            name: Balance.objects.create(
                kind="authorisation",
                label=name,
                opens_at=timezone.now() - timedelta(days=1),
                currency="USD",
                units_cap=each.caps[0],
                value_cap=each.caps[1],
                uses_cap=each.caps[2],
                value_tolerance=each.tolerance,
            ).pk
            for name, each in self.plain.items()
        }

    @rule(target=reservations, units=st.integers(1, 30), value=st.integers(0, 400))
    def reserve(self, units: int, value: int) -> tuple[int, tuple[int, int, int]] | None:
        wanted = (units, value, 1)
        expected = all(each.state == "in_force" and each.fits(wanted) for each in self.plain.values())
        try:
            moved = move(
                "reserve", f"m{next(_keys)}", amounts=[Amount(pk, *wanted) for pk in self.ids.values()], actor="model"
            )
        except Refused as refused:
            assert not expected, refused
            named = {each.values.get("label") for each in refused.reasons}
            assert named == {
                name for name, each in self.plain.items() if each.state != "in_force" or not each.fits(wanted)
            }
            return None
        assert expected
        for each in self.plain.values():
            each.reserved = [a + b for a, b in zip(each.reserved, wanted, strict=True)]
        return moved.movement_id, wanted

    @rule(target=draws, reservation=reservations, kind=st.sampled_from(["draw", "void", "expire"]))
    def resolve(self, reservation: tuple[int, tuple[int, int, int]] | None, kind: str) -> object:
        if reservation is None:
            return None
        movement, wanted = reservation
        done: set[int] = self.__dict__.setdefault("resolved", set())
        expected = movement not in done and (
            kind != "draw" or all(each.state == "in_force" for each in self.plain.values())
        )
        try:
            moved = move(kind, f"m{next(_keys)}", of=movement, actor="model")
        except Refused:
            assert not expected
            return None
        assert expected
        done.add(movement)
        for each in self.plain.values():
            each.reserved = [a - b for a, b in zip(each.reserved, wanted, strict=True)]
            if kind == "draw":
                each.drawn = [a + b for a, b in zip(each.drawn, wanted, strict=True)]
        return (moved.movement_id, list(wanted)) if kind == "draw" else None

    @rule(draw=draws, units=st.integers(1, 20))
    def give_back(self, draw: tuple[int, list[int]] | None, units: int) -> None:
        if draw is None:
            return
        movement, left = draw
        amounts = [Amount(pk, units, 0, 0) for pk in self.ids.values()]
        try:
            move("return", f"m{next(_keys)}", of=movement, amounts=amounts, actor="model")
        except Refused:
            assert units > left[0]
            return
        assert units <= left[0]
        left[0] -= units
        for each in self.plain.values():
            each.drawn[0] -= units

    @rule(name=st.sampled_from(["export", "import", "batch"]), state=st.sampled_from(["suspended", "in_force"]))
    def change(self, name: str, state: str) -> None:
        Balance.objects.filter(pk=self.ids[name]).update(state=state)
        self.plain[name].state = state

    @invariant()
    def same(self) -> None:
        for name, pk in self.__dict__.get("ids", {}).items():
            row, plain = Balance.objects.get(pk=pk), self.plain[name]
            assert [row.units_reserved, row.value_reserved, row.uses_reserved] == plain.reserved
            assert [row.units_drawn, row.value_drawn, row.uses_drawn] == plain.drawn

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            assert verify_ledger().differences == ()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)


@pytest.mark.usefixtures("database")
class TestLedger(Ledger.TestCase):
    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
