"""Seal history in batches: every row becomes a leaf of one RFC 6962 tree, and the heads are signed.

A row is sealed a little after it was written, because a smaller id may commit later than a larger one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from twokey.chips.errors import UserError
from twokey.desk.actors import Actor, permit
from twokey.desk.audit.events import record, signer
from twokey.desk.audit.merkle import leaf_hash, root
from twokey.desk.audit.models import Event, Leaf, Seal, Witness
from twokey.desk.proof import DESK
from twokey.desk.reasons import Refused, missing, reason
from twokey.desk.signing import BadSignature, verify
from twokey.desk.signing.envelope import canonical, read_unchecked

DELAY: Final = timedelta(seconds=5)
_LOCK: Final = 7_240_128  # advisory lock: one sealer at a time

# stream -> SQL that gives (id, one JSON object that says everything about the row)
STREAMS: Final[Mapping[str, str]] = {
    "event": "SELECT r.id, to_jsonb(r), r.at FROM audit_event r",
    "document": "SELECT r.id, to_jsonb(r), r.at FROM audit_signeddocument r",
    "received": "SELECT r.id, to_jsonb(r), r.at FROM audit_received r",
    "movement": "SELECT r.id, to_jsonb(r), r.at FROM ledger_movement r",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the whole history found."""

    leaves: int
    seals: int
    unsealed: int
    problems: tuple[str, ...]


def seal(delay: timedelta = DELAY, limit: int = 20_000) -> Seal | None:
    """Add the rows that are ready to the tree and sign the new head; None where nothing was ready."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return None
        position = (Leaf.objects.aggregate(last=Max("position"))["last"] or 0) if Leaf.objects.exists() else -1
        fresh: list[Leaf] = []
        for stream, sql in STREAMS.items():
            for row_id, row in _rows(
                f"{sql} WHERE r.at < %s AND NOT EXISTS "
                "(SELECT 1 FROM audit_leaf l WHERE l.stream = %s AND l.row_id = r.id) ORDER BY r.id LIMIT %s",
                [timezone.now() - delay, stream, limit],
            ):
                position += 1
                fresh.append(Leaf(position=position, stream=stream, row_id=row_id, leaf_hash=_hash(row)))
        if not fresh:
            return None
        Leaf.objects.bulk_create(fresh, batch_size=5000)
        head = root(list(_hashes()))
        body = {
            "type": "twokey.head/1",
            "authority": DESK,
            "size": position + 1,
            "root": head.hex(),
            "at": timezone.now().isoformat(timespec="seconds"),
        }
        jws = signer().sign(body, (DESK,), timezone.now())
        return Seal.objects.create(size=position + 1, root=head.hex(), jws=jws)


def check_history() -> Checked:
    """Recompute every leaf from its row and every sealed head from the leaves; returns each thing that differs."""
    problems: list[str] = []
    stored = {(each.stream, each.row_id): each for each in Leaf.objects.iterator(chunk_size=5000)}
    seen, unsealed = set(), 0
    for stream, sql in STREAMS.items():
        for row_id, row in _rows(f"{sql} ORDER BY r.id", []):
            leaf = stored.get((stream, row_id))
            if leaf is None:
                unsealed += 1
                continue
            seen.add((stream, row_id))
            if leaf.leaf_hash != _hash(row):
                problems.append(f"{stream} {row_id} was altered after it was sealed at place {leaf.position}")
    problems += [f"{stream} {row_id} was sealed and is gone" for stream, row_id in sorted(set(stored) - seen)]
    leaves = list(_hashes())
    ring = signer().ring()
    for each in Seal.objects.order_by("size"):
        if each.size > len(leaves) or root(leaves[: each.size]).hex() != each.root:
            problems.append(f"the head over {each.size} rows does not match the rows")
        try:
            body = verify(each.jws, ring).body
            if (body["size"], body["root"]) != (each.size, each.root):
                problems.append(f"the signed head over {each.size} rows says something else")
        except BadSignature as error:
            problems.append(f"the head over {each.size} rows: {error.reason.en}")
    for witness in Witness.objects.select_related("seal"):
        try:
            body = verify(witness.jws, ring).body
            if (body["size"], body["root"]) != (witness.seal.size, witness.seal.root):
                problems.append(f"{witness.authority} witnessed another head over {witness.seal.size} rows")
        except BadSignature as error:
            problems.append(f"the witness of {witness.authority}: {error.reason.en}")
    return Checked(len(leaves), Seal.objects.count(), unsealed, tuple(problems))


def audit(actor: Actor) -> Checked:
    """Check the history and keep the result; a broken seal blocks every release until it is explained."""
    result = check_history()
    if result.problems:
        record(actor, "audit.broken", "audit", 0, problems=list(result.problems[:20]))
    else:
        record(actor, "audit.verified", "audit", 0, leaves=result.leaves)
    return result


def broken() -> str:
    """Return what the last check found wrong, or "" where it found nothing; also where rows of the tree are gone."""
    last = Event.objects.filter(verb__in=["audit.broken", "audit.verified"]).order_by("-pk").first()
    if last is not None and last.verb == "audit.broken":
        return "; ".join(last.payload["problems"][:3])
    head = Seal.objects.order_by("-size").first()
    if head is not None and Leaf.objects.filter(position=head.size - 1).first() is None:
        return f"rows under the head over {head.size} rows are missing"
    return ""


def witness(actor: Actor, seal_id: int) -> Witness:
    """Sign a head with the key of the actor's authority: a word that the owner of the database cannot forge."""
    permit(actor, "audit.read")
    head = Seal.objects.filter(pk=seal_id).first()
    if head is None:
        raise missing("seal", seal_id)
    if not actor.authority_code:
        raise Refused(reason("other_authority", action="witness"), status=403)
    body = {**read_unchecked(head.jws), "authority": actor.authority_code}
    try:
        jws = signer().sign(body, (actor.authority_code,), timezone.now())
    except UserError:
        raise Refused(reason("no_key", authority=actor.authority_code)) from None
    row, _ = Witness.objects.get_or_create(seal=head, authority=actor.authority_code, defaults={"jws": jws})
    return row


def export() -> dict[str, Any]:
    """Return the sealed history and its heads as one JSON document, for a check without database or Django."""
    rows = {stream: dict(_rows(f"{sql} ORDER BY r.id", [])) for stream, sql in STREAMS.items()}
    return {
        "twokey": "history/1",
        "leaves": [
            {"stream": each.stream, "row": _plain(rows[each.stream].get(each.row_id))}
            for each in Leaf.objects.order_by("position")
        ],
        "heads": [each.jws for each in Seal.objects.order_by("size")],
        "witnesses": [each.jws for each in Witness.objects.order_by("seal__size", "authority")],
    }


def _rows(sql: str, arguments: list[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        for row_id, row, _ in cursor:
            yield row_id, json.loads(row) if isinstance(row, str) else row


def _hash(row: Mapping[str, Any]) -> str:
    return leaf_hash(canonical(_plain(row))).hex()


def _plain(value: Any) -> Any:
    """Whole numbers beyond what RFC 8785 writes exactly become text; everything else stays."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    return value


def _hashes() -> Iterable[bytes]:
    query = Leaf.objects.order_by("position").values_list("leaf_hash", flat=True)
    return (bytes.fromhex(each) for each in query.iterator(chunk_size=10_000))
