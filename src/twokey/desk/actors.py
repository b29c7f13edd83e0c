"""Who may do what: roles, the catalogue of permissions, and the one checker that every service asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from twokey.desk.reasons import Refused, reason

Side = Literal["export", "import"]
Channel = Literal["web", "api", "cli", "bulk", "admin", "worker"]


class Role(StrEnum):
    """What a person's seat lets them do."""

    APPLICANT = "applicant"  # sits at an organisation: exporter or importer
    OFFICER = "officer"  # sits at an authority: decides, countersigns, changes states
    ADVISER = "adviser"  # sits at an authority: gives advice, decides nothing
    CUSTOMS = "customs"  # records entries and usage at the border
    AUDITOR = "auditor"  # reads everything but internal notes, changes nothing
    OPERATOR = "operator"  # runs the desk: parties, lists, tokens, bulk; decides nothing


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls a service, from which seat and through which door."""

    user_id: int
    login: str
    role: Role
    channel: Channel
    authority_id: int | None = None
    authority_code: str = ""
    side: Side | None = None
    organisation_id: int | None = None
    scopes: frozenset[str] | None = None  # None: a session with the full rights of the seat

    def through(self, channel: Channel) -> Actor:
        """Return the same actor at another door."""
        return Actor(
            self.user_id,
            self.login,
            self.role,
            channel,
            self.authority_id,
            self.authority_code,
            self.side,
            self.organisation_id,
            self.scopes,
        )


_ALL: Final = frozenset(Role)
_APPLICANT: Final = frozenset({Role.APPLICANT})
_OFFICER: Final = frozenset({Role.OFFICER})
_AUTHORITY: Final = frozenset({Role.OFFICER, Role.ADVISER})
_OPERATOR: Final = frozenset({Role.OPERATOR})
_CUSTOMS: Final = frozenset({Role.CUSTOMS})

# action -> roles. An action that is not here is refused to everybody.
PERMISSIONS: Final = MappingProxyType(
    {
        "party.read": _ALL,
        "party.write": _OPERATOR | _APPLICANT,
        "party.own": _OPERATOR,
        "screening.read": frozenset({Role.OFFICER, Role.ADVISER, Role.AUDITOR, Role.OPERATOR}),
        "screening.import": _OPERATOR,
        "screening.run": _OPERATOR | _AUTHORITY,
        "screening.decide": _OFFICER,
        "order.read": _ALL,
        "order.create": _APPLICANT,
        "case.read": _ALL,
        "case.draft": _APPLICANT,
        "case.document": _APPLICANT,
        "case.evidence": _APPLICANT,
        "case.submit": _APPLICANT,
        "case.answer": _APPLICANT,
        "case.withdraw": _APPLICANT,
        "case.appeal": _APPLICANT,
        "case.amend": _APPLICANT,
        "case.assess": _AUTHORITY | _APPLICANT,
        "case.take": _OFFICER,
        "case.return": _OFFICER,
        "case.ask": _OFFICER,
        "case.note": _AUTHORITY,
        "case.note.read": _AUTHORITY,
        "case.advise": _AUTHORITY,
        "case.judge": _OFFICER,
        "case.decide": _OFFICER,
        "case.countersign": _OFFICER,
        "case.reject": _OFFICER,
        "case.hear": _OFFICER,
        "case.reconfirm": _OFFICER,
        "condition.change": _OFFICER,
        "breach.read": frozenset({Role.APPLICANT, Role.OFFICER, Role.ADVISER, Role.AUDITOR}),
        "breach.report": _APPLICANT | _OFFICER,
        "breach.find": _OFFICER,
        "batch.read": _ALL,
        "batch.open": _OFFICER,
        "batch.topup": _OFFICER,
        "ledger.read": _ALL,
        "ledger.state": _OFFICER,
        "ledger.surrender": _APPLICANT,
        "ledger.ship": _APPLICANT,
        "ledger.adjust": _OFFICER,
        "ledger.cap": _OFFICER,
        "ledger.rate": _OPERATOR,
        "ledger.statement": _APPLICANT | _OPERATOR,
        "release.request": _APPLICANT,
        "release.read": _ALL,
        "customs.record": _CUSTOMS,
        "usage.import": _CUSTOMS,
        "usage.read": frozenset({Role.CUSTOMS, Role.OFFICER, Role.AUDITOR, Role.OPERATOR}),
        "bulk.import": _APPLICANT | _OFFICER,
        "outbox.read": frozenset({Role.OPERATOR, Role.CUSTOMS, Role.AUDITOR}),
        "outbox.resend": _OPERATOR,
        "exchange.read": frozenset({Role.OFFICER, Role.AUDITOR, Role.OPERATOR}),
        "exchange.state": _OFFICER,
        "exchange.receive": _OFFICER | _OPERATOR,
        "exchange.complete": _OFFICER,
        "notice.own": _ALL,
        "law.read": _ALL,
        "outlook.read": _ALL,
        "audit.read": frozenset({Role.AUDITOR, Role.OPERATOR, Role.OFFICER}),
    }
)


def may(actor: Actor, action: str) -> bool:
    """Say whether the actor's role (and the scopes of its token) allow an action at all."""
    allowed = actor.role in PERMISSIONS.get(action, frozenset())
    return allowed and (actor.scopes is None or action in actor.scopes)


def permit(actor: Actor, action: str) -> None:
    """Refuse an action that the actor's role or token does not allow.

    >>> permit(Actor(1, "li", Role.ADVISER, "api"), "case.decide")
    Traceback (most recent call last):
    twokey.desk.reasons.Refused: li sits as adviser and may not case.decide
    """
    if actor.role not in PERMISSIONS.get(action, frozenset()):
        raise Refused(reason("not_permitted", login=actor.login, role=actor.role.value, action=action), status=403)
    if actor.scopes is not None and action not in actor.scopes:
        raise Refused(reason("scope_missing", action=action), status=403)


def permit_authority(actor: Actor, action: str, authority_id: int) -> None:
    """Refuse an action of an authority to everybody who does not sit at that authority."""
    permit(actor, action)
    if actor.authority_id != authority_id:
        raise Refused(reason("other_authority", action=action), status=403)


def permit_organisation(actor: Actor, action: str, *organisation_ids: int | None) -> None:
    """Refuse an action of a party to everybody who does not sit at one of the given organisations."""
    permit(actor, action)
    if actor.organisation_id is None or actor.organisation_id not in organisation_ids:
        raise Refused(reason("other_organisation", action=action), status=403)
