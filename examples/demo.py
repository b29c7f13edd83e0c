"""`make demo`: the founding case of 28 January 2026, both keys, and what turns them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ORDERS = Path(__file__).parent / "orders"
STEPS = (
    ("1. The founding case on the day of the first approvals: both keys can be turned, on conditions.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2026-01-28"]),
    ("2. The same boards from Taiwan: the January 2026 rule opens its door only to exports from the United States.",
     ["assess", str(ORDERS / "h200-from-taiwan.toml"), "--as-of", "2026-01-28", "--brief"]),
    ("3. Two weeks earlier the other key was shut: customs had been told that the H200 may not enter.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2026-01-14", "--brief"]),
    ("4. What the SAFE Chips bill would do to every such order.",
     ["assess", str(ORDERS / "h200-founding.toml"), "--as-of", "2027-01-01", "--under", "safe-chips", "--brief"]),
)  # fmt: skip


def main() -> None:
    """Run the steps one after the other, each with the command that a person would type."""
    twokey = Path(sys.executable).with_name("twokey")
    for title, arguments in STEPS:
        shown = " ".join(argument.removeprefix(f"{ORDERS.parent.parent}/") for argument in arguments)
        print(f"\n━━ {title}\n   $ twokey {shown}\n", flush=True)
        status = subprocess.run([str(twokey), *arguments], check=False).returncode
        if status not in (0, 1, 2):
            sys.exit(status)
    print("\nNext: twokey law timeline · twokey law show 3A090.a.2 · twokey impact safe-chips · twokey chips show H200")


if __name__ == "__main__":
    main()
