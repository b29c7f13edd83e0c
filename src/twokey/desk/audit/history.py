"""Check an exported history from its file and the public keys alone: no database, no Django."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twokey.chips.errors import UserError
from twokey.desk.audit.merkle import leaf_hash, root
from twokey.desk.signing import BadSignature, KeyRing, verify
from twokey.desk.signing.envelope import canonical


def check_export(path: Path, ring: KeyRing) -> tuple[int, list[str]]:
    """Return how many rows an export holds and every problem found in it.

    A flipped byte, a dropped, swapped or added row changes a head. A tail that was sealed anew by whoever holds the
    desk's key is found only against the witness of another authority.

    Errors: `UserError` where the file is missing or is no exported history.
    """
    try:
        body: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        leaves = [leaf_hash(canonical(each["row"])) if each["row"] else b"" for each in body["leaves"]]
        heads, witnesses = list(body["heads"]), list(body["witnesses"])
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not an exported history ({error}); `twokey audit export` writes one") from None
    problems = [f"row {place} is gone" for place, leaf in enumerate(leaves) if not leaf]
    for kind, documents in (("head", heads), ("witness", witnesses)):
        for document in documents:
            try:
                head = verify(document, ring).body
            except BadSignature as error:
                problems.append(f"a {kind}: {error.reason.en}")
                continue
            size = head["size"]
            if size > len(leaves):
                problems.append(f"a {kind} is over {size} rows and the file holds {len(leaves)}")
            elif root(leaves[:size]).hex() != head["root"]:
                problems.append(f"the {kind} of {head['authority']} over {size} rows does not match the rows")
    if not heads:
        problems.append("the history carries no head")
    return len(leaves), problems
