"""Screen parties against the current lists, keep officers' decisions, and say what blocks a release."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.db.models import OuterRef, Subquery, prefetch_related_objects
from django.utils import timezone

from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record
from twokey.desk.parties.lists import ParsedList
from twokey.desk.parties.matching import THRESHOLD, Score, fold, search
from twokey.desk.parties.models import (
    ListEntry,
    ListVersion,
    Organisation,
    Screening,
    ScreeningDecision,
    ScreeningList,
)
from twokey.desk.reasons import Reason, Refused, invalid, missing, reason

MAX_AGE_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed name, ready to be compared."""

    list_code: str
    uid: str
    digest: str
    name: str
    countries: tuple[str, ...]
    source: str
    programme: str


@dataclass(frozen=True, slots=True)
class _Index:
    folded: tuple[str, ...]
    listed: tuple[Listed, ...]


def import_list(
    actor: Actor,
    parsed: ParsedList,
    code: str,
    *,
    title: str = "",
    required: bool | None = None,
    max_age_days: int | None = None,
) -> ListVersion:
    """Make a list that was read whole (`read_list`) the current version; every party is screened again.

    `required`: a missing or old copy blocks releases; `max_age_days`: when it is old, 1 to 365. Where one is not given,
    the list keeps what it has (a new list: required, 7 days).
    """
    permit(actor, "screening.import")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", code) is None:
        raise invalid("list", "not_a_code", given=code[:60], most=40)
    if max_age_days is not None and not 1 <= max_age_days <= MAX_AGE_DAYS:
        raise invalid("max_age_days", "days_out_of_range", given=max_age_days, most=MAX_AGE_DAYS)
    with transaction.atomic():
        target, _ = ScreeningList.objects.get_or_create(code=code, defaults={"title": title or code})
        version = ListVersion.objects.create(
            list=target,
            sha256=parsed.sha256,
            source=parsed.source,
            imported_by=actor.login,
            entries=len(parsed.entries),
            dropped=parsed.dropped,
        )
        ListEntry.objects.bulk_create(
            [
                ListEntry(
                    version=version,
                    uid=f"{code}:{entry.uid}",
                    digest=entry.digest,
                    name=entry.name,
                    names=list(entry.names),
                    countries=list(entry.countries),
                    source=entry.source,
                    programme=entry.programme,
                )
                for entry in parsed.entries
            ],
            batch_size=2000,
        )
        target.current = version
        target.required = target.required if required is None else required
        target.max_age_days = max_age_days or target.max_age_days
        target.save(update_fields=["current", "required", "max_age_days"])
        record(
            actor,
            "screening.list_imported",
            "list",
            target.pk,
            code=code,
            entries=version.entries,
            sha256=version.sha256,
            required=target.required,
            max_age_days=target.max_age_days,
        )
        rescreen(actor)
    return version


def lists_digest() -> str:
    """Name the lists in force: two screenings with the same digest saw the same lists."""
    return _digest_of(ScreeningList.objects.select_related("current").order_by("code"))


def names_of(organisation: Organisation) -> tuple[str, ...]:
    """Return every name of a party, both scripts and all aliases, and those of its parent and larger owners.

    For more than one party, `load_names` first: then this asks the database nothing.
    """
    names = [organisation.name, organisation.name_latin, *(alias.name for alias in organisation.aliases.all())]
    if organisation.ultimate_parent:
        names += [organisation.ultimate_parent.name, organisation.ultimate_parent.name_latin]
    for share in organisation.owners.all():
        if share.share_bp >= 5_000:
            names += [share.owner.name, share.owner.name_latin]
    return tuple(dict.fromkeys(names))


def load_names(organisations: Iterable[Organisation]) -> None:
    """Load what `names_of` reads of these parties; as many queries for a hundred parties as for one."""
    prefetch_related_objects(list(organisations), "ultimate_parent", "aliases", "owners__owner")


def screen(actor: Actor, organisation: Organisation, index: _Index | None = None) -> Screening:
    """Screen one party against the current lists and keep the result with its explanation."""
    permit(actor, "screening.run")
    return _screen(organisation, index or _index(), "twokey")


def rescreen(actor: Actor, only: Iterable[Organisation] | None = None) -> int:
    """Screen every party again whose last screening saw other lists or other names; returns how many."""
    permit(actor, "screening.run")
    index, digest_now, done = _index(), lists_digest(), 0
    parties = Organisation.objects.prefetch_related("aliases", "owners__owner").select_related("ultimate_parent")
    latest = _latest()
    for organisation in only if only is not None else parties.order_by("pk").iterator(chunk_size=500):
        last = latest.get(organisation.pk)
        if last and last.lists_digest == digest_now and last.names_digest == _digest(names_of(organisation)):
            continue
        _screen(organisation, index, "twokey")
        done += 1
    return done


def decide_match(actor: Actor, organisation: Organisation, entry_uid: str, same: bool, why: str) -> Screening:
    """Record an officer's judgement of one possible match, and screen the party again with it.

    The judgement is used again for as long as the entry and the party's names stay the same.
    """
    permit(actor, "screening.decide")
    last = organisation.screenings.order_by("-pk").first()
    match = next((each for each in (last.matches if last else []) if each["uid"] == entry_uid), None)
    if last is None or match is None:
        raise missing("match", entry_uid)
    with transaction.atomic():
        ScreeningDecision.objects.create(
            organisation=organisation,
            entry_uid=entry_uid,
            entry_digest=match["digest"],
            names_digest=last.names_digest,
            same=same,
            reason=why,
            by=actor.login,
        )
        record(actor, "screening.decided", "party", organisation.pk, entry=entry_uid, same=same, reason=why)
        return _screen(organisation, _index(), "twokey")


def keep(organisation: Organisation, matches: Sequence[dict[str, Any]], engine: str) -> Screening:
    """Keep a screening with its matches, each joined with the officer's decision where one still holds."""
    names_digest = _digest(names_of(organisation))
    decided = {
        (row.entry_uid, row.entry_digest): row.same
        for row in organisation.screening_decisions.filter(names_digest=names_digest).order_by("pk")
    }
    joined = [{**match, "same": decided.get((match["uid"], match["digest"]))} for match in matches]
    outcome = Screening.Outcome.CLEAN
    if any(match["same"] is None for match in joined):
        outcome = Screening.Outcome.OPEN
    if any(match["same"] for match in joined):
        outcome = Screening.Outcome.LISTED
    return Screening.objects.create(
        organisation=organisation,
        lists_digest=lists_digest(),
        names_digest=names_digest,
        outcome=outcome,
        matches=joined,
        engine=engine,
    )


def list_reasons() -> list[Reason]:
    """Return why the lists themselves block: none imported, or one grown old."""
    return _list_reasons(ScreeningList.objects.select_related("current").order_by("code"))


def party_reasons(organisations: Iterable[Organisation]) -> list[Reason]:
    """Return why screening blocks these parties: not screened on the current lists and names, open, or listed.

    The number of queries does not depend on the number of parties.
    """
    found: list[Reason] = []
    digest_now = lists_digest()
    parties = {each.pk: each for each in organisations}
    load_names(parties.values())
    latest = _latest(parties)
    for pk, organisation in parties.items():
        last = latest.get(pk)
        stale = last is None or (last.lists_digest, last.names_digest) != (digest_now, _digest(names_of(organisation)))
        if last is None or stale:
            found.append(reason("screening_missing", party=organisation.name_latin))
            continue
        for match in last.matches:
            if match["same"] is None:
                found.append(
                    reason("screening_open", party=organisation.name_latin, list=match["list"], score=match["score"])
                )
            elif match["same"]:
                found.append(reason("screening_listed", party=organisation.name_latin, list=match["list"]))
    return found


def listed_sources(parties: Iterable[int]) -> Mapping[int, list[str] | None]:
    """Return, by party, the sources of the entries that it was confirmed to be; two queries for any number of parties.

    None for a party while its screening is stale or open, and for all of them while the lists themselves block.
    """
    wanted = set(parties)
    lists = list(ScreeningList.objects.select_related("current").order_by("code"))
    if _list_reasons(lists):
        return dict.fromkeys(wanted)
    digest_now, latest = _digest_of(lists), _latest(wanted)
    return {
        pk: [str(match["source"]) for match in last.matches if match["same"]]
        if (last := latest.get(pk)) and last.outcome != Screening.Outcome.OPEN and last.lists_digest == digest_now
        else None
        for pk in wanted
    }


def require_clean(organisations: Iterable[Organisation]) -> None:
    """Raise `Refused` with every reason of the lists and of the parties."""
    found = [*list_reasons(), *party_reasons(organisations)]
    if found:
        raise Refused(*found)


def _list_reasons(lists: Iterable[ScreeningList]) -> list[Reason]:
    required = [each for each in lists if each.required]
    if not any(each.current for each in required):
        return [reason("screening_no_list")]
    found = []
    for each in required:
        if each.current is None:
            found.append(reason("screening_no_list"))
            continue
        age = timezone.now() - each.current.imported_at
        if age > timedelta(days=each.max_age_days):
            found.append(reason("screening_list_stale", list=each.code, days=age.days, limit=each.max_age_days))
    return found


def _digest_of(lists: Iterable[ScreeningList]) -> str:
    """Name some lists; they come in the order of their codes."""
    rows = [(each.code, each.current.sha256) for each in lists if each.current is not None]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _latest(parties: Iterable[int] | None = None) -> dict[int, Screening]:
    """Return the newest screening of each party; of some parties by one step down the index for each."""
    if parties is None:
        rows = Screening.objects.order_by("organisation_id", "-pk").distinct("organisation_id")
    else:
        newest = Screening.objects.filter(organisation=OuterRef("pk")).order_by("-pk").values("pk")[:1]
        wanted = Organisation.objects.filter(pk__in=list(parties)).order_by()
        rows = Screening.objects.filter(pk__in=wanted.values_list(Subquery(newest), flat=True))
    return {row.organisation_id: row for row in rows}


def _screen(organisation: Organisation, index: _Index, engine: str) -> Screening:
    matches: dict[str, dict[str, Any]] = {}
    for position, score in search(names_of(organisation), index.folded, THRESHOLD):
        listed = index.listed[position]
        if listed.uid not in matches or matches[listed.uid]["score"] < score.value:
            matches[listed.uid] = _match(listed, score, organisation)
    return keep(organisation, sorted(matches.values(), key=lambda match: -match["score"]), engine)


def _match(listed: Listed, score: Score, organisation: Organisation) -> dict[str, Any]:
    notes = list(score.notes)
    if listed.countries and organisation.country not in listed.countries:
        notes.append(f"the listed party is in {', '.join(listed.countries)}; ours is in {organisation.country}")
    return {
        "list": listed.list_code,
        "uid": listed.uid,
        "digest": listed.digest,
        "name": listed.name,
        "source": listed.source,
        "programme": listed.programme,
        "score": score.value,
        "because": {"ours": score.ours, "theirs": score.theirs, "method": score.method, "notes": notes},
    }


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(sorted(names), ensure_ascii=False).encode()).hexdigest()


def _index() -> _Index:
    versions = ScreeningList.objects.filter(current__isnull=False).order_by("code").values_list("current_id", flat=True)
    return _load(tuple(pk for pk in versions if pk is not None))


@lru_cache(maxsize=2)
def _load(versions: tuple[int, ...]) -> _Index:
    """Load the names of some versions; versions never change, so the answer may be kept."""
    folded: list[str] = []
    listed: list[Listed] = []
    rows = ListEntry.objects.filter(version__in=versions).select_related("version__list").order_by("pk")
    for row in rows.iterator(chunk_size=5000):
        for name in dict.fromkeys([row.name, *row.names]):
            folded.append(fold(name))
            listed.append(
                Listed(
                    row.version.list.code, row.uid, row.digest, name, tuple(row.countries), row.source, row.programme
                )
            )
    return _Index(tuple(folded), tuple(listed))


def waiting_matches(actor: Actor, limit: int) -> list[Screening]:
    """Return the newest screenings on the current lists with a possible match that waits for an officer."""
    permit(actor, "screening.read")
    newest = Screening.objects.filter(organisation=OuterRef("organisation")).order_by("-pk").values("pk")[:1]
    rows = Screening.objects.filter(outcome=Screening.Outcome.OPEN, pk=Subquery(newest))
    return list(rows.select_related("organisation").order_by("-pk")[:limit])


def lists(actor: Actor) -> list[ScreeningList]:
    """Return the screening lists of this desk, with the version in force."""
    permit(actor, "party.read")
    return list(ScreeningList.objects.select_related("current").order_by("code"))
