"""The flow of chips: application, licence, approval, conversion, order, stock or foundry, inspection, customs, service.

Everything is an array over paths. Four parts share a step: what buyers ask for (`demand`), what both keys allow
(`consent`), the vendor's chips (`vendor`) and domestic output (`home`). Each keeps how much ever passed its gates, and
`stocks` reads the rest from that. `reference.py` books stocks and counts one by one, for one path in plain Python, and
a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from twokey.outlook.consent import Consent
from twokey.outlook.demand import Demand
from twokey.outlook.home import Home
from twokey.outlook.keys import Factors, KeyPaths
from twokey.outlook.stocks import GATES, Floats, History
from twokey.outlook.strikes import Moments
from twokey.outlook.timeline import Timeline
from twokey.outlook.vendor import Vendor


def run(  # noqa: PLR0913 (as many as the model has parts)
    line: Timeline,
    keys: KeyPaths,
    x: Mapping[str, Floats],
    fresh: Floats,
    moments: Moments,
    *,
    step_weeks: float,
    h100e: float,
    h100e_domestic: float,
    every: int,
    precision: npt.DTypeLike = np.float32,
) -> History:
    """Run the flows; return what passed each gate, at the start and after each `every` steps.

    Args:
        line: caps, duties and mandates by step.
        keys: the states of both keys.
        x: every input by name, shape (paths,).
        fresh: shares of approvals that convert, one for each opening of the import key, shape (n, paths).
        moments: when chance events strike.
        step_weeks: length of a step.
        h100e: H100-equivalents (8-bit) of the controlled chip.
        h100e_domestic: the same of the domestic package.
        every: steps between records.
        precision: of the arrays. Single precision counts a million chips to the sixteenth of one, in half the time.

    """
    steps, paths = keys.us.shape
    now = Factors(paths, precision)
    demand = Demand(line, x, moments.mandate, step_weeks, h100e, h100e / h100e_domestic, precision)
    consent = Consent(line, x, keys.openings, fresh, now, step_weeks)
    vendor = Vendor(line, x, moments, now, step_weeks)
    home = Home(line, x, moments, step_weeks, precision)
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
