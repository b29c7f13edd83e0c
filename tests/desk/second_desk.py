"""A second desk for the tests of exchange: its own database, keys and people; `python -m tests.desk.second_desk`.

Reads one JSON request a line (`{"do": …}`) and answers one JSON line; the law is the tests' plain one.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from twokey.desk import boot

boot.ready()

from twokey.desk.audit.models import Received
from twokey.desk.cases import assessing
from twokey.desk.home import home
from twokey.desk.ledger import exchange, states
from twokey.desk.ledger.models import Balance
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.notices import services as notices
from twokey.desk.notices.telling import tell
from twokey.desk.reasons import Refused
from twokey.desk.signing import FileSigner

from .law import PlainLaw
from .world import World


def answer(world: World, request: dict[str, Any]) -> Any:
    """Do one thing that the second desk is asked for."""
    number = request.get("authorisation", 0)
    match request["do"]:
        case "approve":
            order = world.order(units=request["units"], number=request["order"])
            conditions = {} if request.get("conditional") else {"conditions": ()}
            return {"id": world.approved(order, "import", **conditions).pk}
        case "keys":
            return FileSigner(home().keys).ring().dump()
        case "state":
            return exchange.state(world["miit1"], number).jws
        case "change":
            states.change_state(world[request["who"]], number, request["change"], "why")
            return exchange.latest_change(world["miit1"], number).jws
        case "receive":
            return exchange.receive(world["miit1"], request["document"]).pk
        case "complete":
            return exchange.complete(world[request.get("who", "miit2")], request["received"]).jws
        case "trust":
            path = home().root / "their-keys.json"
            path.write_text(json.dumps(request["keys"]))
            return sorted(exchange.trust(path).keys)
        case "told":
            tell()
            return [each.verb for each in notices.notices(world[request["who"]])]
        case "drawn":
            row = Balance.objects.get(authorisation=number)
            return [row.units_drawn, row.units_reserved, len(verify_ledger().differences), Received.objects.count()]
    raise ValueError(request["do"])


def main() -> None:
    """Answer until the input ends."""
    plain = PlainLaw()
    assessing.assess = plain.assess
    assessing.law_digest = plain.law_digest
    for code, side in (("MIIT", "import"), ("DESK", "desk")):
        FileSigner(home().keys).make(code, side)
    world = World.make()
    for line in sys.stdin:
        try:
            said = {"ok": answer(world, json.loads(line))}
        except Refused as refused:
            said = {"refused": [each.code for each in refused.reasons]}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
