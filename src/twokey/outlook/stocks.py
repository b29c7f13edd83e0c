"""What the model keeps of a path: how much ever passed each gate. Every stock is read from that.

    applications -> licensed -> (convertible | stalled) -> backlog      consent: what both keys have allowed
    wafers -> packaging -> finished -> inspection -> transit -> installing -> deployed      chips
    finished -> written_down                                            idle stock while a key is closed

A stock is what passed the gate before it less what passed the gate behind it: so no chip can appear or vanish. An order
in the backlog and a finished chip meet in `inspection`. Stocks are units of the controlled chip, except where the name
says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STACKS_A_PACKAGE: Final = 8.0
DIES_A_PACKAGE: Final = 2.0
WEEKS_A_YEAR: Final = 52.0
WEEKS_A_MONTH: Final = 52.0 / 12.0

STOCKS: Final = (
    "applications", "licensed", "stalled", "convertible", "backlog",
    "wafers", "packaging", "finished", "inspection", "transit", "installing", "deployed", "written_down",
    "die_bank", "memory_stacks", "domestic_wip", "domestic_deployed",
)  # fmt: skip
COUNTS: Final = (
    "applied", "licensed_ever", "approved_ever", "ordered_ever", "started", "inspected_ever", "delivered",
    "dies_made", "stacks_made", "domestic_made",
)  # fmt: skip
LEVELS: Final = ("die_yield", "mandate")
STATE: Final = STOCKS + COUNTS + LEVELS

# What is recorded. Dies, memory and the packages made at home stand on one count, in packages, that starts at the
# output to date; `unspoilt` is the vendor's stock at the start less what was written down since.
GATES: Final = (
    "applied", "licensed_ever", "approved_ever", "converted", "ordered_ever",
    "shipped", "inspected_ever", "delivered", "deployed", "started", "fabricated", "packaged", "unspoilt",
    "home_made", "home_deployed", "dies", "stacks", *LEVELS,
)  # fmt: skip
_BETWEEN: Final = {
    "applications": ("applied", "licensed_ever"),
    "licensed": ("licensed_ever", "approved_ever"),
    "stalled": ("approved_ever", "converted"),
    "convertible": ("converted", "ordered_ever"),
    "backlog": ("ordered_ever", "shipped"),
    "wafers": ("started", "fabricated"),
    "packaging": ("fabricated", "packaged"),
    "inspection": ("shipped", "inspected_ever"),
    "transit": ("inspected_ever", "delivered"),
    "installing": ("delivered", "deployed"),
    "die_bank": ("dies", "home_made"),
    "memory_stacks": ("stacks", "home_made"),
    "domestic_wip": ("home_made", "home_deployed"),
}
_SINCE_START: Final = {
    "domestic_made": "home_made", "domestic_deployed": "home_deployed", "dies_made": "dies", "stacks_made": "stacks",
}  # fmt: skip
_A_PACKAGE: Final = {
    "die_bank": DIES_A_PACKAGE, "dies_made": DIES_A_PACKAGE,
    "memory_stacks": STACKS_A_PACKAGE, "stacks_made": STACKS_A_PACKAGE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """What passed each gate on every path, at the start and at each record since; a difference of two is exact."""

    gates: Floats  # (records, len(GATES), paths)

    def of(self, name: str) -> Floats:
        """Return one stock, count or level of `STATE`, shape (records, paths).

        >>> gates = np.zeros((1, len(GATES), 1))
        >>> gates[0, :2, 0] = 500, 120
        >>> float(History(gates).of("applications")[0, 0])
        380.0
        """
        if name in _BETWEEN:
            before, behind = _BETWEEN[name]
            found = self._gate(before) - self._gate(behind)
        elif name in _SINCE_START:
            gate = self._gate(_SINCE_START[name])
            found = gate - gate[0]
        elif name == "finished":
            found = self._gate("packaged") + self._gate("unspoilt") - self._gate("shipped")
        elif name == "written_down":
            unspoilt = self._gate("unspoilt")
            found = unspoilt[0] - unspoilt
        else:
            return self._gate(name)
        return found * _A_PACKAGE[name] if name in _A_PACKAGE else found

    def _gate(self, name: str) -> Floats:
        return self.gates[:, GATES.index(name)]
