"""One key of an order, as its page shows it: what the law says, the application, the evidence, what was granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from django.db.models import Prefetch

from twokey.desk.actors import Actor, Role
from twokey.desk.cases import assessing, reviewing
from twokey.desk.cases.assessing import CERTIFICATIONS
from twokey.desk.cases.expiring import SOON
from twokey.desk.cases.models import Application, Decision, Evidence, Order
from twokey.desk.cases.papers import in_force
from twokey.desk.cases.states import OPEN
from twokey.desk.ledger.models import Authorisation, Condition
from twokey.desk.ledger.posture import Posture, posture
from twokey.desk.parties.models import Authority
from twokey.desk.parties.services import authorities
from twokey.desk.web.base.words import language

Side = Literal["export", "import"]
SIDES: Final[tuple[Side, ...]] = ("export", "import")
_WORST: Final = {"clear": 0, "needs_information": 1, "blocked": 2}


@dataclass(frozen=True, slots=True)
class Said:
    """What the law of the day says of one item for one key."""

    chip: str
    status: str
    text: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the evidence checklist; `state` is there, soon (it expires within 30 days), expired, or missing."""

    name: str
    state: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorisation with what is left of it, and the conditions that stand."""

    row: Authorisation
    left: Posture
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One of the two keys."""

    side: Side
    status: str
    said: tuple[Said, ...]
    applications: tuple[Application, ...]
    decision: Decision | None
    evidence: tuple[Shown, ...]
    grants: tuple[Grant, ...]
    may_apply: tuple[Authority, ...] = ()

    @property
    def application(self) -> Application | None:
        """The application that counts: the newest one."""
        return self.applications[0] if self.applications else None

    @property
    def lacking(self) -> tuple[Shown, ...]:
        """What is missing, over, or about to be."""
        return tuple(each for each in self.evidence if each.state != "there")

    @property
    def settled(self) -> tuple[Shown, ...]:
        """What is in force for longer than a month."""
        return tuple(each for each in self.evidence if each.state == "there")

    @property
    def turned(self) -> bool:
        """Whether something is granted and in force."""
        return any(each.row.balance.state == "in_force" for each in self.grants)


def keys_of(actor: Actor, order: Order, on: date) -> tuple[Key, Key]:
    """Return both keys of an order (as `load_order` loads it), each with what the actor may see of it."""
    said = _said(order, on)
    visible = list(
        reviewing.cases(actor)
        .filter(order=order)
        .prefetch_related(
            Prefetch("decisions", Decision.objects.select_related("countersignature", "batch").order_by("-pk"))
        )
        .order_by("-pk")
    )
    from twokey.desk.ledger.shipments import authorisations

    granted = list(authorisations(actor).filter(line__order=order))
    evidence = list(order.evidence.all())
    return (
        _key(actor, "export", said, visible, granted, evidence, order, on),
        _key(actor, "import", said, visible, granted, evidence, order, on),
    )


def decision_of(actor: Actor, application: Application) -> Decision | None:
    """Return the newest decision that the actor may see: one that waits for its second signature stays inside."""
    own = actor.authority_id == application.authority_id or actor.role is Role.AUDITOR
    for each in application.decisions.all():
        if own or getattr(each, "countersignature", None) is not None:
            return each
    return None


def _key(
    actor: Actor,
    side: Side,
    said: dict[str, list[Said]],
    visible: Sequence[Application],
    granted: Sequence[Authorisation],
    evidence: Sequence[Evidence],
    order: Order,
    on: date,
) -> Key:
    applications = tuple(each for each in visible if each.authority.side == side)
    grants = tuple(
        Grant(
            row,
            posture(row.balance),
            tuple(c for c in row.conditions.all() if c.replaced_by_id is None and not c.lifted),
        )
        for row in granted
        if row.authority.side == side
    )
    wanted = list(CERTIFICATIONS) if side == "export" else []
    wanted += [c.code for grant in grants for c in grant.conditions if c.kind == Condition.Kind.PRECEDENT]
    return Key(
        side=side,
        status=max((each.status for each in said[side]), key=lambda status: _WORST[status]),
        said=tuple(said[side]),
        applications=applications,
        decision=decision_of(actor, applications[0]) if applications else None,
        evidence=tuple(_shown(evidence, name, on) for name in dict.fromkeys(wanted)),
        grants=grants,
        may_apply=_may_apply(actor, order, side, applications),
    )


def _may_apply(actor: Actor, order: Order, side: Side, applications: Sequence[Application]) -> tuple[Authority, ...]:
    """Return the authorities to which the actor can apply now: none while an application is under way or granted."""
    owner = order.exporter_id if side == "export" else order.importer_id
    if actor.role is not Role.APPLICANT or actor.organisation_id != owner:
        return ()
    if any(each.state in {*OPEN, "approved"} for each in applications):
        return ()
    return tuple(each for each in authorities(actor) if each.side == side)


def _shown(evidence: Sequence[Evidence], name: str, on: date) -> Shown:
    good = in_force(evidence, name, on)
    if good is not None:
        return Shown(name, "soon" if good.expires_on and good.expires_on <= on + SOON else "there", good)
    old = [each for each in evidence if each.name == name and each.withdrawn_at is None]
    return Shown(name, "expired", old[-1]) if old else Shown(name, "missing", None)


def _said(order: Order, on: date) -> dict[str, list[Said]]:
    """Ask the law of the day about every item; one reading of the facts serves both keys."""
    lang: Literal["en", "zh"] = "zh" if language() == "zh" else "en"
    found: dict[str, list[Said]] = {side: [] for side in SIDES}
    for chip, words in assessing.words_of_order(order, on, lang).items():
        for side in SIDES:
            found[side].append(Said(chip, *words[side]))
    return found
