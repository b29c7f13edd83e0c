"""The whole path, once: apply, decide, countersign on both keys, reserve, release, verify."""

from __future__ import annotations

from twokey.desk.audit.events import signer
from twokey.desk.ledger.verify import verify_ledger
from twokey.desk.proof import check

from .world import World


def test_an_order_walks_to_a_release_that_verifies(world: World) -> None:
    release = world.released()
    proof = check(release.document.jws, signer().ring())
    assert proof.holds, proof.reasons
    assert {name.split()[0] for name in proof.signed_by} == {"BIS", "MIIT"}
    assert proof.body["shipment"]["lines"][0]["units"] == 10
    assert verify_ledger().differences == ()
    balance = release.shipment.lines.get().export_authorisation.balance
    balance.refresh_from_db()
    assert (balance.units_reserved, balance.units_drawn, balance.uses_drawn) == (0, 10, 1)
