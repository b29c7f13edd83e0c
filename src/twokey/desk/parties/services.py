"""Enter parties: every name in two scripts, every share and parent stated with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import available_timezones

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from twokey.desk.actors import Actor, Role, permit
from twokey.desk.audit.events import record
from twokey.desk.codes import check_country
from twokey.desk.parties.models import Address, Alias, Authority, Holiday, Identifier, Organisation, Ownership, Seat
from twokey.desk.parties.names import check_latin, check_name
from twokey.desk.reasons import invalid, missing

SATURDAY: Final = 5
MAX_TOLERANCE_BP: Final = 10_000


def add_party(
    actor: Actor,
    *,
    name: str,
    name_latin: str,
    kind: str,
    country: str,
    hq_country: str,
    aliases: Sequence[str] = (),
    identifiers: Mapping[str, str] | None = None,
    addresses: Sequence[Mapping[str, str]] = (),
    ultimate_parent_id: int | None = None,
    provenance: str = "",
) -> Organisation:
    """Enter an organisation; raises `Refused` for a name in the wrong script, an unknown kind, or a known id."""
    permit(actor, "party.write")
    if kind not in Organisation.Kind.values:
        raise invalid("kind", "not_known", given=kind, known=", ".join(Organisation.Kind.values))
    parent = None
    if ultimate_parent_id is not None:
        parent = Organisation.objects.filter(pk=ultimate_parent_id).first()
        if parent is None:
            raise missing("party", ultimate_parent_id)
    with transaction.atomic():
        party = Organisation.objects.create(
            name=check_name(name),
            name_latin=check_latin(name_latin),
            kind=kind,
            country=check_country(country, "country"),
            hq_country=check_country(hq_country, "hq_country"),
            ultimate_parent=parent,
            provenance=provenance,
        )
        for alias in aliases:
            Alias.objects.create(organisation=party, name=check_name(alias, "aliases"))
        for scheme, value in (identifiers or {}).items():
            if Identifier.objects.filter(scheme=scheme, value=value).exists():
                raise invalid("identifiers", "another_party", given=f"{scheme} {value}")
            Identifier.objects.create(organisation=party, scheme=scheme, value=value)
        for address in addresses:
            Address.objects.create(
                organisation=party,
                lines=check_name(address["lines"], "addresses.lines"),
                lines_latin=check_latin(address["lines_latin"], "addresses.lines_latin"),
                country=check_country(address["country"], "addresses.country"),
            )
        record(actor, "party.added", "party", party.pk, name=party.name, name_latin=party.name_latin)
    return party


def add_share(
    actor: Actor, owner: Organisation, owned: Organisation, share_bp: int, as_of: date, source: str
) -> Ownership:
    """State a share (basis points) that one party holds in another, with its date and source."""
    permit(actor, "party.own")
    if not 0 < share_bp <= 10_000 or owner.pk == owned.pk:
        raise invalid("share_bp", "not_a_share", given=share_bp)
    with transaction.atomic():
        share = Ownership.objects.create(owner=owner, owned=owned, share_bp=share_bp, as_of=as_of, source=source)
        record(actor, "party.share", "party", owned.pk, owner=owner.pk, share_bp=share_bp, source=source)
    return share


def parties(actor: Actor) -> QuerySet[Organisation]:
    """Return the parties that the actor may see: everybody's names are part of the file both sides share."""
    permit(actor, "party.read")
    return (
        Organisation.objects.select_related("ultimate_parent")
        .prefetch_related("aliases", "identifiers", "addresses", "owners__owner")
        .order_by("pk")
    )


def authorities(actor: Actor) -> QuerySet[Authority]:
    """Return the authorities of this desk, of both sides."""
    permit(actor, "party.read")
    return Authority.objects.order_by("code")


def add_authority(
    code: str, side: str, name_en: str, name_zh: str, country: str, time_zone: str, value_tolerance_bp: int = 0
) -> Authority:
    """Enter an authority; only the operator's own command line and the demonstration call this.

    Raises `Refused` for a code or name that is none, an unknown country or time zone, and a code that is taken.
    """
    if re.fullmatch(r"[A-Za-z0-9_-]{1,20}", code) is None:
        raise invalid("code", "not_a_code", given=code[:60], most=20)
    if time_zone not in available_timezones():
        raise invalid("time_zone", "not_time_zone", given=time_zone[:60])
    if not 0 <= value_tolerance_bp <= MAX_TOLERANCE_BP:
        raise invalid("tolerance_bp", "not_tolerance", given=value_tolerance_bp, most=MAX_TOLERANCE_BP)
    if Authority.objects.filter(code=code).exists():
        raise invalid("code", "exists", given=code)
    return Authority.objects.create(
        code=code,
        side=side,
        name_en=check_latin(name_en, "name_en"),
        name_zh=check_name(name_zh, "name_zh"),
        country=check_country(country, "country"),
        time_zone=time_zone,
        value_tolerance_bp=value_tolerance_bp,
    )


def add_holiday(authority_code: str, on: date, name: str, *, works: bool = False) -> Holiday:
    """Enter a day on which an authority does not work (`works`: a weekend day on which it does).

    Only the operator's own command line calls this. Raises `Refused` where nothing would differ from the week's rhythm.
    """
    authority = Authority.objects.filter(code=authority_code).first()
    if authority is None:
        raise missing("authority", authority_code)
    if works != (on.weekday() >= SATURDAY):
        raise invalid("day", "weekday_as_ever", given=on)
    if Holiday.objects.filter(authority=authority, on=on).exists():
        raise invalid("day", "exists", given=on)
    return Holiday.objects.create(authority=authority, on=on, name=check_name(name)[:100], works=works)


def check_key_side(code: str, side: str) -> None:
    """Refuse a signing key that would speak for another side than its authority's, or for nobody (`DESK`: the desk)."""
    if side == "desk" or code == "DESK":
        if (code, side) != ("DESK", "desk"):
            raise invalid("side", "key_of_another_side", code=code, side="desk" if code == "DESK" else "export, import")
        return
    authority = Authority.objects.filter(code=code).first()
    if authority is None:
        raise missing("authority", code)
    if authority.side != side:
        raise invalid("side", "key_of_another_side", code=code, side=authority.side)


def add_person(
    login: str, role: Role, *, authority: Authority | None = None, organisation: Organisation | None = None
) -> User:
    """Give a person a login and a seat; the database refuses a role at a place where it makes no sense."""
    if User.objects.filter(username=login).exists():
        raise invalid("login", "exists", given=login)
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=login)
            Seat.objects.create(user=user, role=role.value, authority=authority, organisation=organisation)
    except IntegrityError:
        if role is Role.APPLICANT:
            raise invalid("seat", "seat_at_party", role=role.value) from None
        if role in {Role.OFFICER, Role.ADVISER}:
            raise invalid("seat", "seat_at_authority", role=role.value) from None
        raise invalid("seat", "seat_at_none", role=role.value) from None
    return user


def set_password(login: str, password: str) -> User:
    """Give a person a password for the pages; raises `Refused` for an unknown login or a password that is too weak.

    Only the operator's own command line and the demonstration call this.
    """
    user = User.objects.filter(username=login).first()
    if user is None:
        raise missing("login", login)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise invalid("password", "weak_password", detail=" ".join(error.messages).rstrip(".")) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


def actor_of(user: User, channel: Any, scopes: frozenset[str] | None = None) -> Actor:
    """Return the actor of a person at a door."""
    seat = Seat.objects.select_related("authority").filter(user=user).first()
    if seat is None:
        raise missing("seat", user.username)
    authority = seat.authority
    return Actor(
        user_id=user.pk,
        login=user.username,
        role=Role(seat.role),
        channel=channel,
        authority_id=authority.pk if authority else None,
        authority_code=authority.code if authority else "",
        side="export" if authority and authority.side == "export" else "import" if authority else None,
        organisation_id=seat.organisation_id,
        scopes=scopes,
    )
