"""The flow of chips: application, licence, approval, conversion, order, stock or foundry, inspection, customs, service.

Everything is an array over paths. Four parts share a step: what buyers ask for (`demand`), what both keys allow
(`consent`), the vendor's chips (`vendor`) and domestic output (`home`). Each keeps how much ever passed its gates, and
`stocks` reads the rest from that. `reference.py` books stocks and counts one by one, for one path in plain Python, and
a test holds the two together.
"""

from __future__ import annotations

import numpy as np

from twokey.outlook.consent import Consent
from twokey.outlook.demand import Demand
from twokey.outlook.given import Given
from twokey.outlook.home import Home
from twokey.outlook.keys import Factors
from twokey.outlook.stocks import GATES, Floats, History
from twokey.outlook.vendor import Vendor


def run(given: Given, every: int) -> History:
    """Run the flows; return what passed each gate, at the start and after each `every` steps."""
    keys = given.keys
    steps, paths = keys.us.shape
    now = Factors(paths, given.precision)
    demand, consent, vendor, home = Demand(given), Consent(given, now), Vendor(given, now), Home(given)
    gates = np.empty((steps // every + 1, len(GATES), paths))
    _record(gates[0], demand, consent, vendor, home)
    for t in range(steps):
        for part in (demand, consent, vendor, home):
            part.events(t)
        now.turn(keys.us[t], keys.cn[t])
        consent.order()
        vendor.move()
        demand.grow()
        consent.apply(demand.foreign)
        consent.license(t)
        consent.approve(t)
        vendor.ship(consent.ordered)
        home.make(demand, vendor.arrived)
        if (t + 1) % every == 0:
            _record(gates[(t + 1) // every], demand, consent, vendor, home)
    return History(gates)


def _record(out: Floats, demand: Demand, consent: Consent, vendor: Vendor, home: Home) -> None:
    """Write what passed each of `GATES` into `out`, shape (len(GATES), paths)."""
    out[0:5], out[5:8] = consent.passed, vendor.sent
    np.subtract(vendor.delivered, vendor.installing, out=out[8])
    out[9:12], out[12], out[13] = vendor.built, vendor.unspoilt, home.made
    out[14], out[15], out[16], out[17], out[18] = home.deployed, home.dies, home.stacks, home.die_yield, demand.mandate
